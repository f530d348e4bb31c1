"""What the other modules can rely on: `contracts.identity.Identity`."""

import httpx
import pytest

from opencode.contracts.identity import CredentialsRevoked, UserRegistered
from opencode.infra.http import SESSION_COOKIE
from opencode.kernel.clock import ManualClock
from opencode.kernel.errors import Unauthenticated
from opencode.kernel.principal import ANONYMOUS, PrincipalKind
from tests.modules.identity.conftest import PASSWORD, Server, make_token


async def test_a_session_is_its_account_with_all_its_permissions(server: Server, grace: httpx.AsyncClient) -> None:
    me = (await grace.get("/api/v1/me")).json()
    principal = await server.module.contract.authenticate(session=grace.cookies[SESSION_COOKIE], bearer=None)
    assert principal.is_user
    assert (principal.id, principal.name) == (me["id"], "Grace")
    assert principal.roles == {"interviewer"}
    assert principal.permissions == set(me["permissions"])
    assert (principal.credential_id or "").startswith("ses_")


async def test_a_token_is_its_account_within_its_scopes(server: Server, grace: httpx.AsyncClient) -> None:
    token = await make_token(grace, "run", "interviews:write")
    principal = await server.module.contract.authenticate(session=None, bearer=token["token"])
    assert principal.permissions == {"runs:create", "interviews:create", "interviews:manage"}
    assert principal.credential_id == token["id"]


async def test_nothing_shown_and_a_stale_cookie_are_nobody(server: Server) -> None:
    for cookie in (None, "", "ocs_stale", "x" * 10_000):
        assert await server.module.contract.authenticate(session=cookie, bearer=None) is ANONYMOUS


async def test_a_guest_is_let_in_to_one_thing_until_dismissed(server: Server) -> None:
    identity = server.module.contract
    credential = await identity.admit_guest("par_1", name="Mel", audience="int_1", lifetime_s=60)
    assert credential.token.startswith("ocg_")
    principal = await identity.authenticate(session=None, bearer=credential.token)
    assert principal.kind is PrincipalKind.GUEST
    assert (principal.id, principal.name, principal.audience) == ("par_1", "Mel", "int_1")
    assert principal.permissions == frozenset()
    await identity.dismiss_guest("par_1")
    await identity.dismiss_guest("par_1")
    with pytest.raises(Unauthenticated):
        await identity.authenticate(session=None, bearer=credential.token)
    assert [event for event in await server.said() if isinstance(event, CredentialsRevoked)] == [
        CredentialsRevoked(principal_id="par_1", revoked_at=server.parts.clock.now())
    ]


async def test_a_guest_stays_for_as_long_as_was_said(server: Server, clock: ManualClock) -> None:
    credential = await server.module.contract.admit_guest("par_1", name="Mel", audience="int_1", lifetime_s=60)
    clock.advance(60)
    with pytest.raises(Unauthenticated):
        await server.module.contract.authenticate(session=None, bearer=credential.token)


async def test_names_of_accounts_are_found_and_unknown_ones_left_out(server: Server, grace: httpx.AsyncClient) -> None:
    me = (await grace.get("/api/v1/me")).json()
    names = await server.module.contract.display_names(frozenset({me["id"], "usr_unknown"}))
    assert names == {me["id"]: "Grace"}
    assert await server.module.contract.display_names(frozenset()) == {}


async def test_whoever_holds_a_permission_by_a_role_is_found(
    server: Server, admin: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    first, second = (await admin.get("/api/v1/me")).json(), (await grace.get("/api/v1/me")).json()
    assert await server.module.contract.holders_of("projects:moderate") == {first["id"]}
    assert await server.module.contract.holders_of("projects:write") == {first["id"], second["id"]}
    assert await server.module.contract.holders_of("projects:none") == frozenset()
    await admin.patch(f"/api/v1/users/{second['id']}/roles", json={"roles": ["interviewer", "moderator"]})
    assert await server.module.contract.holders_of("projects:moderate") == {first["id"], second["id"]}


async def test_whose_tokens_are_is_told_while_they_work(
    server: Server, admin: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    me = (await grace.get("/api/v1/me")).json()["id"]
    kept, revoked = await make_token(grace, "run"), await make_token(grace, "run")
    others = await make_token(admin, "run")
    asked = frozenset({kept["id"], revoked["id"], "tok_none"})
    assert await server.module.contract.owners_of_tokens(asked) == {kept["id"]: me, revoked["id"]: me}
    await grace.delete(f"/api/v1/tokens/{revoked['id']}")
    assert await server.module.contract.owners_of_tokens(asked) == {kept["id"]: me}
    found = await server.module.contract.owners_of_tokens(frozenset({others["id"]}))
    assert found == {others["id"]: (await admin.get("/api/v1/me")).json()["id"]}
    assert await server.module.contract.owners_of_tokens(frozenset()) == {}
    assert await server.module.contract.names_of_tokens(asked) == {kept["id"]: kept["name"]}
    assert await server.module.contract.names_of_tokens(frozenset()) == {}


async def test_other_modules_add_to_the_trail(server: Server, admin: httpx.AsyncClient) -> None:
    actor = await server.module.contract.authenticate(session=admin.cookies[SESSION_COOKIE], bearer=None)
    await server.module.contract.record(
        "interview.participant_removed", actor=actor, subject_id="par_1", detail="x" * 900
    )
    entry = (await admin.get("/api/v1/audit?limit=1")).json()["items"][0]
    assert entry["kind"] == "interview.participant_removed"
    assert (entry["actor_id"], entry["subject_id"], entry["address"]) == (actor.id, "par_1", "")
    assert len(entry["detail"]) == 500


async def test_registering_is_said_aloud(server: Server, grace: httpx.AsyncClient) -> None:
    registered = [event for event in await server.said() if isinstance(event, UserRegistered)]
    assert registered[-1].user_id == (await grace.get("/api/v1/me")).json()["id"]


async def test_a_new_password_and_a_revoked_token_are_said_aloud(server: Server, grace: httpx.AsyncClient) -> None:
    me = (await grace.get("/api/v1/me")).json()["id"]
    token = await make_token(grace, "run")
    await server.said()
    await grace.delete(f"/api/v1/tokens/{token['id']}")
    await grace.patch("/api/v1/me", json={"new_password": "another fine secret", "current_password": PASSWORD})
    revoked = [event.principal_id for event in await server.said() if isinstance(event, CredentialsRevoked)]
    assert revoked == [me, me]


async def test_signing_out_is_said_aloud_once_no_session_is_left(server: Server, grace: httpx.AsyncClient) -> None:
    async with server.browser() as elsewhere:
        await elsewhere.post("/api/v1/auth/login", json={"email": "grace@example.org", "password": PASSWORD})
        await server.said()
        await elsewhere.post("/api/v1/auth/logout")
        assert await server.said() == []
        await grace.post("/api/v1/auth/logout")
        assert [type(event) for event in await server.said()] == [CredentialsRevoked]


async def test_what_has_expired_is_swept_away(server: Server, admin: httpx.AsyncClient, clock: ManualClock) -> None:
    await make_token(admin, "run", days=1)
    await server.module.contract.admit_guest("par_1", name="Mel", audience="int_1", lifetime_s=60)
    await admin.post("/api/v1/invites", json={"role": "member", "expires_in_days": 1})
    clock.advance(400 * 86_400)
    (job,) = server.module.plug.jobs
    await job.work()
    async with server.parts.database.read() as connection:
        for table in ("sessions", "tokens", "guests", "invites", "audit"):
            assert (await connection.exec_driver_sql(f"select count(*) from {table}")).scalar_one() == 0
        assert (await connection.exec_driver_sql("select count(*) from accounts")).scalar_one() == 1


async def test_addresses_of_accounts_are_found_and_unknown_ones_left_out(
    server: Server, grace: httpx.AsyncClient
) -> None:
    me = (await grace.get("/api/v1/me")).json()
    addresses = await server.module.contract.email_addresses(frozenset({me["id"], "usr_unknown"}))
    assert addresses == {me["id"]: me["email"]}
    assert await server.module.contract.email_addresses(frozenset()) == {}
