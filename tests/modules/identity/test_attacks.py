"""What people would try, and what they get."""

import asyncio
from dataclasses import replace

import httpx
import pytest
from argon2 import PasswordHasher

from opencode.infra.http import SESSION_COOKIE
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.identity.service import Passwords
from tests.modules.identity.conftest import (
    PASSWORD,
    QUICK,
    Open,
    Server,
    audit_kinds,
    make_token,
    register,
    sign_in,
)


async def test_of_two_who_register_first_at_once_one_is_the_administrator(server: Server) -> None:
    async with server.browser() as one, server.browser() as two:
        users = await asyncio.gather(register(one, "Ada"), register(two, "Eve"))
    assert sorted(user["roles"][0] for user in users) == ["admin", "interviewer"]


async def test_two_who_take_one_address_at_once_do_not_both_get_it(server: Server, admin: httpx.AsyncClient) -> None:
    body = {"email": "mel@example.org", "password": PASSWORD, "display_name": "Mel"}
    async with server.browser() as one, server.browser() as two:
        answers = await asyncio.gather(*(client.post("/api/v1/auth/register", json=body) for client in (one, two)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_two_who_use_one_invitation_at_once_do_not_both_get_in(open_server: Open) -> None:
    async with open_server(registration="invite") as server, server.browser() as admin:
        await register(admin, "Ada")
        invite = (await admin.post("/api/v1/invites", json={"role": "member"})).json()["invite"]
        bodies = [
            {"email": f"{name}@example.org", "password": PASSWORD, "display_name": name, "invite": invite}
            for name in ("mel", "eve")
        ]
        answers = await asyncio.gather(*(admin.post("/api/v1/auth/register", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 400]


async def test_two_administrators_who_demote_each_other_at_once_do_not_both_succeed(
    admin: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    ada, hopper = [(await client.get("/api/v1/me")).json()["id"] for client in (admin, grace)]
    await admin.patch(f"/api/v1/users/{hopper}/roles", json={"roles": ["admin"]})
    answers = await asyncio.gather(
        admin.patch(f"/api/v1/users/{hopper}/roles", json={"roles": ["member"]}),
        grace.patch(f"/api/v1/users/{ada}/roles", json={"roles": ["member"]}),
    )
    # The slower one is refused for being no administrator any more, or for demoting the last one.
    quicker, slower = sorted(answer.status_code for answer in answers)
    assert quicker == 200
    assert slower in {403, 409}


async def test_a_change_of_name_does_not_bring_back_a_role_taken_at_the_same_moment(
    admin: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    hopper = (await grace.get("/api/v1/me")).json()["id"]
    await asyncio.gather(
        admin.patch(f"/api/v1/users/{hopper}/roles", json={"roles": ["member"]}),
        *(grace.patch("/api/v1/me", json={"display_name": f"Grace {number}"}) for number in range(5)),
    )
    assert (await grace.get("/api/v1/me")).json()["roles"] == ["member"]


async def test_somebody_elses_token_cannot_be_seen_or_revoked(
    server: Server, admin: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    token = await make_token(admin, "run")
    assert (await grace.get("/api/v1/tokens")).json()["items"] == []
    assert (await grace.delete(f"/api/v1/tokens/{token['id']}")).status_code == 404
    async with server.browser(bearer=token["token"]) as program:
        assert (await program.get("/api/v1/me")).status_code == 200


async def test_a_token_cannot_make_a_token_that_reaches_further(server: Server, admin: httpx.AsyncClient) -> None:
    narrow = await make_token(admin, "tokens:manage")
    async with server.browser(bearer=narrow["token"]) as program:
        body = {"name": "wider", "scopes": ["users:manage"], "expires_in_days": 1}
        answer = await program.post("/api/v1/tokens", json=body)
        assert answer.status_code == 403
        assert "users:manage" in answer.json()["detail"]


async def test_a_token_loses_what_its_account_loses(
    server: Server, admin: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    hopper = (await grace.get("/api/v1/me")).json()["id"]
    await admin.patch(f"/api/v1/users/{hopper}/roles", json={"roles": ["admin"]})
    token = await make_token(grace, "users:manage")
    async with server.browser(bearer=token["token"]) as program:
        assert (await program.get("/api/v1/users")).status_code == 200
        await admin.patch(f"/api/v1/users/{hopper}/roles", json={"roles": ["member"]})
        assert (await program.get("/api/v1/users")).status_code == 403


async def test_a_token_stops_on_its_day(server: Server, grace: httpx.AsyncClient, clock: ManualClock) -> None:
    token = await make_token(grace, "run", days=1)
    async with server.browser(bearer=token["token"]) as program:
        clock.advance(86_399)
        assert (await program.get("/api/v1/me")).status_code == 200
        clock.advance(1)
        assert (await program.get("/api/v1/me")).status_code == 401
    assert (await grace.get("/api/v1/tokens")).json()["items"] == []


async def test_a_session_lives_on_while_it_is_used_and_ends_when_it_is_not(
    server: Server, grace: httpx.AsyncClient, clock: ManualClock
) -> None:
    for _ in range(5):
        clock.advance(10 * 86_400)
        assert (await grace.get("/api/v1/me")).status_code == 200
    clock.advance(14 * 86_400)
    assert (await grace.get("/api/v1/me")).status_code == 401


@pytest.mark.parametrize(
    "bearer", ["x", "oct_", "oct_" + "A" * 43, "ocg_" + "A" * 43, "ocs_" + "A" * 43, "oct_" + "A" * 5000, "ö\xff"]
)
async def test_a_made_up_token_is_refused(server: Server, admin: httpx.AsyncClient, bearer: str) -> None:
    async with server.browser() as client:
        headers = {b"authorization": b"Bearer " + bearer.encode("latin-1")}
        answer = await client.get("/api/v1/me", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["title"] == "The token is not good"


async def test_a_session_secret_is_no_bearer_token_and_a_token_is_no_session(
    server: Server, grace: httpx.AsyncClient
) -> None:
    token = await make_token(grace, "run")
    async with server.browser(bearer=grace.cookies[SESSION_COOKIE]) as program:
        assert (await program.get("/api/v1/me")).status_code == 401
    async with server.browser() as client:
        client.cookies.set(SESSION_COOKIE, token["token"])
        assert (await client.get("/api/v1/me")).status_code == 401
    async with server.browser(bearer=token["token"]) as program:
        answer = await program.post("/api/v1/auth/logout")
        assert answer.status_code == 409
        assert "DELETE /api/v1/tokens" in answer.json()["action"]


async def test_a_stolen_database_signs_nobody_in(server: Server, grace: httpx.AsyncClient) -> None:
    token = (await make_token(grace, "run"))["token"]
    guest = await server.module.contract.admit_guest("par_1", name="G", audience="int_1", lifetime_s=60)
    secrets = (token, guest.token, grace.cookies[SESSION_COOKIE], PASSWORD)
    async with server.parts.database.read() as connection:
        for table in ("accounts", "sessions", "tokens", "guests", "invites", "audit"):
            rows = str((await connection.exec_driver_sql(f"select * from {table}")).all())
            assert not any(secret in rows for secret in secrets)
        hashes = (await connection.exec_driver_sql("select password_hash from accounts")).scalars().all()
    assert all(kept.startswith("$argon2id$v=19$") for kept in hashes)


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://opencode.test.evil.example"])
async def test_another_site_cannot_write_with_the_cookie(grace: httpx.AsyncClient, origin: str | None) -> None:
    del grace.headers["origin"]
    headers = {"origin": origin} if origin else {}
    answer = await grace.patch("/api/v1/me", json={"display_name": "Eve"}, headers=headers)
    assert answer.status_code == 403
    assert (await grace.get("/api/v1/me")).json()["display_name"] == "Grace"


async def test_another_site_cannot_sign_a_visitor_in_as_somebody_else(server: Server, admin: httpx.AsyncClient) -> None:
    async with server.browser() as victim:
        victim.headers["origin"] = "http://evil.example"
        answer = await sign_in(victim, "ada@example.org")
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_a_program_without_an_origin_can_sign_in(server: Server, admin: httpx.AsyncClient) -> None:
    async with server.browser() as program:
        del program.headers["origin"]
        assert (await sign_in(program, "ada@example.org")).status_code == 200


async def test_a_planted_session_is_not_the_one_that_gets_signed_in(
    server: Server, admin: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    planted = grace.cookies[SESSION_COOKIE]
    async with server.browser() as victim:
        victim.cookies.set(SESSION_COOKIE, planted, domain="opencode.test", path="/")
        assert (await sign_in(victim, "ada@example.org")).status_code == 200
        assert victim.cookies.get(SESSION_COOKIE, domain="opencode.test", path="/") != planted
    assert (await grace.get("/api/v1/me")).status_code == 401


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    server: Server, admin: httpx.AsyncClient
) -> None:
    async with server.browser() as client:
        wrong = await sign_in(client, "ada@example.org", "not the password")
        unknown = await sign_in(client, "nobody@example.org", "not the password")
        odd = await sign_in(client, "no\0body", "not the password")
    assert wrong.status_code == unknown.status_code == odd.status_code == 401
    assert wrong.content == unknown.content == odd.content
    assert wrong.headers == unknown.headers == odd.headers


async def test_an_unknown_address_costs_the_same_hashing_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    real = PasswordHasher.verify

    def counting(self: PasswordHasher, kept: str | bytes, password: str | bytes) -> bool:
        checked.append(str(kept).rpartition("$")[0].rpartition("$")[0])
        return real(self, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    passwords = Passwords(QUICK)
    kept = await passwords.hash(PASSWORD)
    assert not await passwords.matches("wrong", kept)
    assert not await passwords.matches("wrong", None)
    # Two checks, with the same parameters in front of the salt.
    assert len(checked) == 2
    assert checked[0] == checked[1]
    passwords.close()


async def test_sign_in_is_braked_for_the_account_whether_or_not_it_exists(open_server: Open) -> None:
    async with open_server(sign_in_attempts_per_minute=3) as server, server.browser() as owner:
        await register(owner, "Ada")
        for email in ("ada@example.org", "nobody@example.org"):
            answers: list[httpx.Response] = []
            for number in range(4):
                async with server.browser(address=f"198.51.100.{number}") as client:
                    answers.append(await sign_in(client, email.upper() if number % 2 else email, "a wrong password"))
            assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
            assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert "sign_in.throttled" in await audit_kinds(owner)


async def test_sign_in_is_braked_for_the_address_and_goes_on_after_a_minute(
    open_server: Open, clock: ManualClock
) -> None:
    async with open_server(sign_in_attempts_per_minute=3) as server, server.browser() as client:
        await register(client, "Ada")
        statuses = [(await sign_in(client, f"{number}@example.org")).status_code for number in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        assert (await sign_in(client, "ada@example.org")).status_code == 429
        assert (await audit_kinds(client)).count("sign_in.throttled") == 1
        clock.advance(61)
        assert (await sign_in(client, "ada@example.org")).status_code == 200


async def test_registration_is_braked_for_the_address(open_server: Open) -> None:
    async with open_server(sign_in_attempts_per_minute=2) as server, server.browser() as client:
        await register(client, "Ada")
        await register(client, "Grace")
        body = {"email": "mel@example.org", "password": PASSWORD, "display_name": "Mel"}
        answer = await client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 429
        assert "retry-after" in answer.headers


async def test_guessing_the_current_password_of_an_open_browser_is_braked(open_server: Open) -> None:
    async with open_server(sign_in_attempts_per_minute=2) as server, server.browser() as client:
        await register(client, "Ada")
        change = {"new_password": "another fine secret", "current_password": "a wrong guess"}
        statuses = [(await client.patch("/api/v1/me", json=change)).status_code for _ in range(3)]
        assert statuses == [400, 400, 429]


async def test_a_flood_of_sign_ins_is_turned_away_before_it_takes_the_memory(parts: Parts) -> None:
    passwords = Passwords(replace(QUICK, password_hashes_at_once=1))
    answers = await asyncio.gather(*(passwords.hash("x") for _ in range(80)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refused) == 80 - 65
    assert {type(error).__name__ for error in refused} == {"TooManyAtOnce"}
    assert await passwords.hash("calm again")
    passwords.close()


async def test_a_password_hash_is_renewed_when_the_settings_ask_for_a_stronger_one(open_server: Open) -> None:
    async with open_server() as server, server.browser() as client:
        await register(client, "Ada")
    async with open_server(password_passes=2) as server, server.browser() as client:
        assert (await sign_in(client, "ada@example.org")).status_code == 200
        async with server.parts.database.read() as connection:
            kept = (await connection.exec_driver_sql("select password_hash from accounts")).scalar_one()
        assert ",t=2," in kept
        assert (await sign_in(client, "ada@example.org")).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["tokens/x", "tokens/%00", "tokens/tok_%F0%9F%99%82", f"tokens/tok_{'0' * 500}", "tokens/usr_01J9ZC3V"],
)
async def test_an_id_that_is_none_is_simply_not_found(grace: httpx.AsyncClient, path: str) -> None:
    answer = await grace.delete(f"/api/v1/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "WzFd", "WyJhIiwiYiJd", "WzEsIlx1MDAwMCJd", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LCJhIl0", "🙂"]
)
async def test_a_forged_cursor_is_refused(admin: httpx.AsyncClient, cursor: str) -> None:
    for path in ("tokens", "users", "audit"):
        answer = await admin.get(f"/api/v1/{path}", params={"cursor": cursor})
        assert answer.status_code == 400
        assert answer.json()["errors"] == [{"pointer": "/cursor", "detail": "is not a cursor of this list"}]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b'{"email": null, "password": []}', b"\xff\xfe", b"[" * 5000],
)
async def test_a_body_that_is_none_is_refused_with_its_reason(server: Server, body: bytes) -> None:
    async with server.browser() as client:
        answer = await client.post("/api/v1/auth/login", content=body)
        assert answer.status_code == 400
        assert answer.json()["detail"]


async def test_huge_fields_are_refused_before_anything_is_done_with_them(server: Server) -> None:
    async with server.browser() as client:
        body = {"email": "a" * 1_000_000, "password": "b" * 1_000_000}
        answer = await client.post("/api/v1/auth/login", json=body)
        assert answer.status_code == 400
        assert len(answer.content) < 2_000
        assert {error["pointer"] for error in answer.json()["errors"]} == {"/email", "/password"}
