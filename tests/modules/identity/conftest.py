"""The module as the app would put it together, with cheap hashing, and people who use it."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import httpx
import pytest
from litestar import Litestar

from opencode.contracts.events import Event
from opencode.contracts.identity import CredentialsRevoked, UserRegistered
from opencode.infra.events import Reactions, Relay
from opencode.infra.plugs import Parts
from opencode.modules.identity.module import IdentityModule, build
from opencode.modules.identity.settings import IdentitySettings
from tests.http import ADDRESS, ORIGIN, application, client_of

PASSWORD = "correct horse battery"
BROWSER = {"origin": ORIGIN}

QUICK = IdentitySettings(
    registration="open",
    password_memory_kib=8_192,
    password_passes=1,
    password_lanes=1,
    sign_in_attempts_per_minute=1000,
)
"""Open to all, and with the cheapest hashing that the settings allow: a run signs in hundreds of times."""


@dataclass(frozen=True)
class Server:
    """The module with its routes, and all that it said aloud."""

    module: IdentityModule
    parts: Parts

    @cached_property
    def app(self) -> Litestar:
        return application(self.module.plug.routes, self.module.contract)

    @asynccontextmanager
    async def browser(self, *, address: str = ADDRESS, bearer: str | None = None) -> AsyncGenerator[httpx.AsyncClient]:
        """A browser without cookies, on our own pages; with `bearer`, a program."""
        async with client_of(self.app, address=address, bearer=bearer) as client:
            if bearer is None:
                client.headers.update(BROWSER)
            yield client

    async def said(self) -> list[Event]:
        """The events published so far, oldest first, each of them once."""
        heard: list[Event] = []
        reactions = Reactions()

        async def hear(event: Event) -> None:
            heard.append(event)

        for event_type in (UserRegistered, CredentialsRevoked):
            reactions.add(event_type, hear)
        await Relay(self.parts.database, reactions, self.parts.clock).deliver_due()
        return heard


Open = Callable[..., AbstractAsyncContextManager[Server]]


@pytest.fixture
def open_server(parts: Parts) -> Open:
    """Starts the module with settings of one's own: `async with open_server(registration="closed") as server`."""

    @asynccontextmanager
    async def opened(*, public_url: str | None = None, **settings: Any) -> AsyncGenerator[Server]:
        own = replace(parts, public_url=lambda: public_url) if public_url else parts
        module = build(own, replace(QUICK, **settings))
        assert module.plug.start
        assert module.plug.stop
        await module.plug.start()
        try:
            yield Server(module, own)
        finally:
            await module.plug.stop()

    return opened


@pytest.fixture
async def server(open_server: Open) -> AsyncIterator[Server]:
    async with open_server() as server:
        yield server


async def register(client: httpx.AsyncClient, name: str, **more: Any) -> dict[str, Any]:
    """Register in this browser as `<name>@example.org`; it is signed in then."""
    body = {"email": f"{name.lower()}@example.org", "password": PASSWORD, "display_name": name, **more}
    answer = await client.post("/api/v1/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def sign_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/v1/auth/login", json={"email": email, "password": password})


@pytest.fixture
async def admin(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Ada, the first to register."""
    async with server.browser() as client:
        await register(client, "Ada")
        yield client


@pytest.fixture
async def grace(server: Server, admin: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """Grace, an interviewer."""
    async with server.browser() as client:
        await register(client, "Grace")
        yield client


async def make_token(client: httpx.AsyncClient, *scopes: str, days: int = 30) -> dict[str, Any]:
    body = {"name": "CI", "scopes": list(scopes), "expires_in_days": days}
    answer = await client.post("/api/v1/tokens", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def audit_kinds(admin: httpx.AsyncClient) -> list[str]:
    """The kinds of the whole trail, the newest first."""
    answer = await admin.get("/api/v1/audit?limit=200")
    return [entry["kind"] for entry in answer.json()["items"]]
