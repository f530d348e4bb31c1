"""What clients can rely on, call by call, as docs/api.md has it."""

from datetime import datetime

import httpx
import pytest

from opencode.contracts.identity import CredentialsRevoked
from opencode.infra.http import SESSION_COOKIE
from tests.modules.identity.conftest import PASSWORD, Open, Server, audit_kinds, make_token, register, sign_in

USER_FIELDS = {"id", "email", "display_name", "roles", "permissions", "created_at"}


async def test_the_first_to_register_is_the_administrator_and_is_signed_in(server: Server) -> None:
    async with server.browser() as client:
        assert (await client.get("/api/v1/auth/policy")).json() == {"registration": "open", "first_account": True}
        user = await register(client, "Ada")
        assert user.keys() == USER_FIELDS
        assert user["id"].startswith("usr_")
        assert user["email"] == "ada@example.org"
        assert user["roles"] == ["admin"]
        assert {"interviews:create", "users:manage", "audit:read"} <= set(user["permissions"])
        assert user["created_at"].endswith("Z")
        assert (await client.get("/api/v1/me")).json() == user
        assert (await client.get("/api/v1/auth/policy")).json() == {"registration": "open", "first_account": False}


async def test_a_page_for_everybody_may_ask_who_is_signed_in(server: Server) -> None:
    async with server.browser() as client:
        assert (await client.get("/api/v1/auth/session")).json() == {"user": None}
        user = await register(client, "Ada")
        assert (await client.get("/api/v1/auth/session")).json() == {"user": user}
        await client.post("/api/v1/auth/logout")
        client.cookies.set("ocp_session", "an-old-one")
        assert (await client.get("/api/v1/auth/session")).json() == {"user": None}


async def test_the_next_to_register_has_the_default_role(server: Server, admin: httpx.AsyncClient) -> None:
    async with server.browser() as client:
        user = await register(client, "Grace")
        assert user["roles"] == ["interviewer"]
        assert "interviews:create" in user["permissions"]
        assert "users:manage" not in user["permissions"]


async def test_nobody_is_told_who_they_are_without_signing_in(server: Server) -> None:
    async with server.browser() as client:
        answer = await client.get("/api/v1/me")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["action"] == "Sign in, then try again."


async def test_signing_in_and_out(server: Server, admin: httpx.AsyncClient) -> None:
    async with server.browser() as client:
        answer = await sign_in(client, "ada@example.org")
        assert answer.status_code == 200
        assert answer.json()["display_name"] == "Ada"
        assert (await client.get("/api/v1/me")).status_code == 200
        assert (await client.post("/api/v1/auth/logout")).status_code == 204
        assert SESSION_COOKIE not in client.cookies
        assert (await client.get("/api/v1/me")).status_code == 401
        assert (await client.post("/api/v1/auth/logout")).status_code == 401


async def test_the_address_may_be_spelt_with_other_capitals_and_code_points(server: Server) -> None:
    async with server.browser() as client:
        await register(client, "Zoe", email="Zoë@Example.org")
        assert (await sign_in(client, " zoe\u0308@EXAMPLE.ORG")).status_code == 200
        body = {"email": "ZOË@example.ORG", "password": PASSWORD, "display_name": "Another"}
        assert (await client.post("/api/v1/auth/register", json=body)).status_code == 409


async def test_a_cookie_of_an_ended_session_can_still_be_signed_out_of(
    server: Server, grace: httpx.AsyncClient
) -> None:
    stale = grace.cookies[SESSION_COOKIE]
    await grace.post("/api/v1/auth/logout")
    grace.cookies.set(SESSION_COOKIE, stale, domain="opencode.test")
    assert (await grace.post("/api/v1/auth/logout")).status_code == 204


@pytest.mark.parametrize(
    ("public_url", "secure"), [("https://code.example.org", True), ("http://127.0.0.1:8000", False)]
)
async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    open_server: Open, public_url: str, secure: bool
) -> None:
    async with open_server(public_url=public_url) as server, server.browser() as client:
        body = {"email": "ada@example.org", "password": PASSWORD, "display_name": "Ada"}
        answer = await client.post("/api/v1/auth/register", json=body)
        flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
        assert {"httponly", "samesite=lax", "path=/"} <= flags
        assert ("secure" in flags) is secure
        assert not any(flag.startswith("domain") for flag in flags)
        assert answer.headers["cache-control"] == "no-store"


async def test_everything_wrong_with_a_registration_is_named_at_once(server: Server) -> None:
    async with server.browser() as client:
        body = {"email": "nobody", "password": "short", "display_name": "\x07", "invite": None}
        answer = await client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 400
        assert {error["pointer"] for error in answer.json()["errors"]} == {"/email", "/password", "/display_name"}
        answer = await client.post("/api/v1/auth/register", json={"email": 7, "admin": True})
        pointers = {error["pointer"] for error in answer.json()["errors"]}
        assert answer.status_code == 400
        assert pointers == {"/admin", "/password", "/display_name", "/email"}


async def test_a_name_alone_can_be_changed_without_the_password(grace: httpx.AsyncClient) -> None:
    answer = await grace.patch("/api/v1/me", json={"display_name": "  Grace H.  "})
    assert answer.status_code == 200
    assert answer.json()["display_name"] == "Grace H."
    assert (await grace.get("/api/v1/me")).json()["display_name"] == "Grace H."


async def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(
    server: Server, grace: httpx.AsyncClient
) -> None:
    async with server.browser() as elsewhere:
        await sign_in(elsewhere, "grace@example.org")
        for wrong in ({}, {"current_password": "not this one"}):
            answer = await grace.patch("/api/v1/me", json={"new_password": "another fine secret", **wrong})
            assert answer.status_code == 400
            assert answer.json()["errors"][0]["pointer"] == "/current_password"
        change = {"new_password": "another fine secret", "current_password": PASSWORD}
        assert (await grace.patch("/api/v1/me", json=change)).status_code == 200
        assert (await grace.get("/api/v1/me")).status_code == 200
        assert (await elsewhere.get("/api/v1/me")).status_code == 401
        assert (await sign_in(elsewhere, "grace@example.org")).status_code == 401
        assert (await sign_in(elsewhere, "grace@example.org", "another fine secret")).status_code == 200


async def test_an_address_can_be_changed_unless_somebody_has_it(grace: httpx.AsyncClient) -> None:
    change = {"email": "ADA@example.org", "current_password": PASSWORD}
    assert (await grace.patch("/api/v1/me", json=change)).status_code == 409
    change = {"email": "hopper@example.org", "current_password": PASSWORD}
    assert (await grace.patch("/api/v1/me", json=change)).json()["email"] == "hopper@example.org"
    assert (await sign_in(grace, "hopper@example.org")).status_code == 200


async def test_a_token_is_shown_once_works_within_its_scopes_and_can_be_revoked(
    server: Server, grace: httpx.AsyncClient
) -> None:
    new = await make_token(grace, "run", "interviews:read")
    assert new.keys() == {"id", "name", "scopes", "token", "created_at", "expires_at"}
    assert new["token"].startswith("oct_")
    lifetime = datetime.fromisoformat(new["expires_at"]) - datetime.fromisoformat(new["created_at"])
    assert lifetime.days == 30
    async with server.browser(bearer=new["token"]) as program:
        me = (await program.get("/api/v1/me")).json()
        assert me["email"] == "grace@example.org"
        assert (await program.post("/api/v1/tokens", json={})).status_code in {400, 403}
        assert (await program.get("/api/v1/tokens")).status_code == 403
        assert (await program.patch("/api/v1/me", json={"display_name": "Eve"})).status_code == 403
    listed = (await grace.get("/api/v1/tokens")).json()
    assert [token["id"] for token in listed["items"]] == [new["id"]]
    assert "token" not in listed["items"][0]
    assert listed["items"][0]["last_used_at"] is not None
    assert (await grace.delete(f"/api/v1/tokens/{new['id']}")).status_code == 204
    assert (await grace.delete(f"/api/v1/tokens/{new['id']}")).status_code == 404
    async with server.browser(bearer=new["token"]) as program:
        answer = await program.get("/api/v1/me")
        assert answer.status_code == 401
        assert "revoked" in answer.json()["detail"]


async def test_an_unknown_scope_is_named_with_those_there_are(grace: httpx.AsyncClient) -> None:
    body = {"name": "CI", "scopes": ["run", "everything"], "expires_in_days": 1}
    answer = await grace.post("/api/v1/tokens", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/scopes"
    assert "'everything'" in answer.json()["errors"][0]["detail"]
    assert "interviews:write" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize("days", [0, 366, -1, 1.5, "7", None])
async def test_a_token_lives_1_to_365_days(grace: httpx.AsyncClient, days: object) -> None:
    body = {"name": "CI", "scopes": ["run"], "expires_in_days": days}
    answer = await grace.post("/api/v1/tokens", json=body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/expires_in_days"]


async def test_lists_come_in_pages_that_neither_skip_nor_repeat(grace: httpx.AsyncClient) -> None:
    made = [(await make_token(grace, "run"))["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = (await grace.get("/api/v1/tokens", params=query)).json()
        seen += [token["id"] for token in answer["items"]]
        cursor = answer["next_cursor"]
    assert sorted(seen) == sorted(made)


async def test_an_invitation_lets_one_person_in_with_its_role(open_server: Open) -> None:
    async with open_server(registration="invite") as server, server.browser() as admin, server.browser() as guest:
        await register(admin, "Ada")
        body = {"email": "mel@example.org", "password": PASSWORD, "display_name": "Mel"}
        answer = await guest.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 403
        assert "invitation" in answer.json()["action"]
        invite = (await admin.post("/api/v1/invites", json={"role": "member"})).json()
        assert invite.keys() == {"id", "role", "invite", "expires_at"}
        user = await register(guest, "Mel", invite=invite["invite"])
        assert user["roles"] == ["member"]
        answer = await guest.post(
            "/api/v1/auth/register", json={**body, "email": "n@example.org", "invite": invite["invite"]}
        )
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/invite"


async def test_an_invitation_that_did_not_become_an_account_is_still_good(open_server: Open) -> None:
    async with open_server(registration="invite") as server, server.browser() as admin, server.browser() as guest:
        await register(admin, "Ada")
        invite = (await admin.post("/api/v1/invites", json={"role": "member"})).json()["invite"]
        body = {"email": "ada@example.org", "password": PASSWORD, "display_name": "Mel", "invite": invite}
        assert (await guest.post("/api/v1/auth/register", json=body)).status_code == 409
        await register(guest, "Mel", invite=invite)


async def test_a_closed_server_takes_nobody_but_the_first(open_server: Open) -> None:
    async with open_server(registration="closed") as server, server.browser() as client:
        await register(client, "Ada")
        body = {"email": "mel@example.org", "password": PASSWORD, "display_name": "Mel"}
        assert (await client.post("/api/v1/auth/register", json=body)).status_code == 403
        assert (await client.post("/api/v1/invites", json={"role": "member"})).status_code == 403


async def test_new_roles_are_in_force_from_the_next_request(admin: httpx.AsyncClient, grace: httpx.AsyncClient) -> None:
    grace_id = (await grace.get("/api/v1/me")).json()["id"]
    assert (await grace.get("/api/v1/users")).status_code == 403
    answer = await admin.patch(f"/api/v1/users/{grace_id}/roles", json={"roles": ["interviewer", "admin"]})
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["admin", "interviewer"]
    users = (await grace.get("/api/v1/users")).json()
    assert {user["email"] for user in users["items"]} == {"ada@example.org", "grace@example.org"}
    answer = await admin.patch(f"/api/v1/users/{grace_id}/roles", json={"roles": ["member"]})
    assert answer.status_code == 200
    assert (await grace.get("/api/v1/users")).status_code == 403


async def test_the_last_administrator_stays_one(admin: httpx.AsyncClient, grace: httpx.AsyncClient) -> None:
    ada_id = (await admin.get("/api/v1/me")).json()["id"]
    answer = await admin.patch(f"/api/v1/users/{ada_id}/roles", json={"roles": ["member"]})
    assert answer.status_code == 409
    assert (await admin.get("/api/v1/me")).json()["roles"] == ["admin"]


async def test_the_trail_tells_what_happened_and_no_secret(admin: httpx.AsyncClient, grace: httpx.AsyncClient) -> None:
    token = await make_token(grace, "run")
    await sign_in(grace, "grace@example.org", "a wrong password")
    await grace.delete(f"/api/v1/tokens/{token['id']}")
    kinds = await audit_kinds(admin)
    assert sorted(kinds) == sorted(
        ["account.registered", "account.registered", "token.created", "sign_in.failed", "token.revoked"]
    )
    page = (await admin.get("/api/v1/audit")).json()
    assert page["items"][0].keys() == {"id", "at", "kind", "actor_id", "subject_id", "address", "detail"}
    assert {entry["address"] for entry in page["items"]} == {"203.0.113.7"}
    for secret in (token["token"], PASSWORD, "a wrong password", "example.org"):
        assert secret not in str(page)
    assert (await grace.get("/api/v1/audit")).status_code == 403


async def test_an_administrator_sees_and_revokes_the_tokens_of_everybody_at_a_browser_only(
    server: Server, admin: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    me = (await grace.get("/api/v1/me")).json()
    of_grace, of_run = await make_token(grace, "ai"), await make_token(grace, "run", "ai:use")
    own = await make_token(admin, "ai", "users:manage", "tokens:manage")

    async def listed(client: httpx.AsyncClient, **query: str) -> list[str]:
        answer = await client.get("/api/v1/tokens", params=query)
        assert answer.status_code == 200, answer.text
        return [token["id"] for token in answer.json()["items"]]

    assert await listed(admin) == [own["id"]]
    assert sorted(await listed(admin, everybody="true")) == sorted([own["id"], of_run["id"], of_grace["id"]])
    assert sorted(await listed(admin, everybody="true", scope="ai")) == sorted([own["id"], of_grace["id"]])
    assert await listed(grace, scope="run") == [of_run["id"]]
    assert await listed(grace, scope="a%") == []
    shown = (await admin.get("/api/v1/tokens", params={"everybody": "true"})).json()["items"]
    assert {(token["owner_id"], token["owner_name"]) for token in shown if token["id"] != own["id"]} == {
        (me["id"], "Grace")
    }
    assert (await grace.get("/api/v1/tokens", params={"everybody": "true"})).status_code == 403
    assert (await grace.delete(f"/api/v1/tokens/{own['id']}")).status_code == 404
    async with server.browser(bearer=own["token"]) as program:
        assert (await program.get("/api/v1/tokens", params={"everybody": "true"})).status_code == 403
        assert (await program.delete(f"/api/v1/tokens/{of_grace['id']}")).status_code == 404
    assert (await admin.delete(f"/api/v1/tokens/{of_grace['id']}")).status_code == 204
    async with server.browser(bearer=of_grace["token"]) as program:
        assert (await program.get("/api/v1/me")).status_code == 401
    entry = (await admin.get("/api/v1/audit")).json()["items"][0]
    assert (entry["kind"], entry["subject_id"], entry["detail"]) == (
        "token.revoked",
        of_grace["id"],
        f"of {me['id']}",
    )
    assert any(isinstance(said, CredentialsRevoked) and said.principal_id == me["id"] for said in await server.said())


@pytest.mark.parametrize(("ai_users", "may"), [("interviewers", False), ("everybody", True)])
async def test_the_operator_decides_whether_members_ask_models(open_server: Open, ai_users: str, may: bool) -> None:
    async with (
        open_server(ai_users=ai_users, default_role="member") as server,
        server.browser() as admin,
        server.browser() as mel,
    ):
        await register(admin, "Ada")
        user = await register(mel, "Mel")
        assert user["roles"] == ["member"]
        for shown in (
            user,
            (await mel.get("/api/v1/me")).json(),
            (await admin.get("/api/v1/users")).json()["items"][0],
        ):
            assert ("ai:use" in shown["permissions"]) is may
        made = await mel.post("/api/v1/tokens", json={"name": "CI", "scopes": ["ai"], "expires_in_days": 1})
        assert made.status_code == (201 if may else 403)
        contract = server.module.contract
        assert (user["id"] in await contract.holders_of("ai:use")) is may
        assert await contract.accounts_at(frozenset({"MEL@example.org", "no@example.org"})) == {
            "MEL@example.org": user["id"]
        }
