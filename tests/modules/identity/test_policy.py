"""Who may do what, as a table: each call by everybody who could make it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from tests.modules.identity.conftest import Server, make_token, register

UNKNOWN_USER = "usr_01J9ZC3VXXXXXXXXXXXXXXXXXX"
UNKNOWN_TOKEN = "tok_01J9ZC3VXXXXXXXXXXXXXXXXXX"
TOKEN = {"name": "CI", "scopes": ["tokens:manage"], "expires_in_days": 1}


@dataclass(frozen=True, eq=False)
class Call:
    method: str
    path: str
    body: object = None


ME = Call("GET", "/api/v1/me")
RENAME = Call("PATCH", "/api/v1/me", {"display_name": "Somebody"})
MAKE_TOKEN = Call("POST", "/api/v1/tokens", TOKEN)
LIST_TOKENS = Call("GET", "/api/v1/tokens")
REVOKE_TOKEN = Call("DELETE", f"/api/v1/tokens/{UNKNOWN_TOKEN}")
INVITE = Call("POST", "/api/v1/invites", {"role": "member"})
USERS = Call("GET", "/api/v1/users")
ROLES = Call("PATCH", f"/api/v1/users/{UNKNOWN_USER}/roles", {"roles": ["member"]})
AUDIT = Call("GET", "/api/v1/audit")

# 404 means: let in, and there is no such thing.
TABLE: dict[str, dict[Call, int]] = {
    "nobody": dict.fromkeys((ME, RENAME, MAKE_TOKEN, LIST_TOKENS, REVOKE_TOKEN, INVITE, USERS, ROLES, AUDIT), 401),
    "guest": {ME: 401, RENAME: 401}
    | dict.fromkeys((MAKE_TOKEN, LIST_TOKENS, REVOKE_TOKEN, INVITE, USERS, ROLES, AUDIT), 403),
    "member": {ME: 200, RENAME: 200, MAKE_TOKEN: 201, LIST_TOKENS: 200, REVOKE_TOKEN: 404}
    | dict.fromkeys((INVITE, USERS, ROLES, AUDIT), 403),
    "interviewer": {ME: 200, RENAME: 200, MAKE_TOKEN: 201, LIST_TOKENS: 200, REVOKE_TOKEN: 404}
    | dict.fromkeys((INVITE, USERS, ROLES, AUDIT), 403),
    "token of an administrator, scope run": {ME: 200}
    | dict.fromkeys((RENAME, MAKE_TOKEN, LIST_TOKENS, REVOKE_TOKEN, INVITE, USERS, ROLES, AUDIT), 403),
    "administrator": {ME: 200, RENAME: 200, MAKE_TOKEN: 201, LIST_TOKENS: 200, REVOKE_TOKEN: 404}
    | {INVITE: 201, USERS: 200, ROLES: 404, AUDIT: 200},
}


@pytest.fixture
def database_kind() -> str:
    # Permissions are decided before a database is asked; one kind is enough.
    return "sqlite"


@pytest.fixture(params=TABLE)
async def caller(
    request: pytest.FixtureRequest, server: Server, admin: httpx.AsyncClient
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of the kind that the table names."""
    bearer = None
    if request.param == "guest":
        bearer = (await server.module.contract.admit_guest("par_1", name="G", audience="int_1", lifetime_s=60)).token
    if request.param.startswith("token"):
        bearer = (await make_token(admin, "run"))["token"]
    async with server.browser(bearer=bearer) as client:
        if request.param == "interviewer":
            await register(client, "Grace")
        if request.param == "member":
            invite = (await admin.post("/api/v1/invites", json={"role": "member"})).json()["invite"]
            await register(client, "Mel", invite=invite)
        yield admin if request.param == "administrator" else client


async def test_each_call_lets_in_whom_the_table_says(caller: httpx.AsyncClient, request: pytest.FixtureRequest) -> None:
    expected = TABLE[request.node.callspec.params["caller"]]
    answers = {call: (await caller.request(call.method, call.path, json=call.body)).status_code for call in expected}
    assert answers == expected
