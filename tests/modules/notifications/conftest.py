"""The module as it is built for the product, on real databases, behind its own routes, with people around it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from litestar import Litestar

from opencode.contracts.notifications import NoticeGiven, NoticeKind
from opencode.infra.events import Reactions, Relay
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import UserId
from opencode.kernel.principal import Principal
from opencode.modules.notifications.module import NotificationsModule, build
from opencode.modules.notifications.settings import NotificationsSettings
from opencode.modules.notifications.store import NotificationsWork
from tests.doubles.identity import IdentityInMemory
from tests.http import application, client_of

Json = dict[str, Any]
NOTICES = "/api/v1/me/notices"
BOTH = frozenset({"notices:read", "notices:manage"})


@dataclass(slots=True)
class Person:
    """Somebody with a token, or nobody, and a client that shows it."""

    client: httpx.AsyncClient
    token: str | None
    principal: Principal | None

    @property
    def id(self) -> UserId:
        assert self.principal
        return UserId(self.principal.id)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.call("GET", path, params=query or None)

    async def post(self, path: str, body: Any = None, **query: Any) -> httpx.Response:
        return await self.call("POST", path, json=body, params=query or None)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self.call("PUT", path, json=body)

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self.call("PATCH", path, json=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.call("DELETE", path)

    async def call(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        if how.get("json", ...) is None:
            del how["json"]
        return await self.client.request(method, path, headers=headers, **how)

    async def inbox(self, **query: Any) -> list[Json]:
        found = await self.get(NOTICES, **query)
        assert found.status_code == 200, found.text
        return found.json()["items"]

    async def titles(self, **query: Any) -> list[str]:
        return [item["title"] for item in await self.inbox(**query)]

    async def unread(self) -> int:
        return (await self.get(f"{NOTICES}/count")).json()["unread"]


@dataclass(slots=True)
class World:
    """A server with people around it."""

    parts: Parts
    clock: ManualClock
    identity: IdentityInMemory
    module: NotificationsModule
    reactions: Reactions
    app: Litestar
    client: httpx.AsyncClient
    relay: Relay

    def person(self, name: str = "Ada") -> Person:
        token = self.identity.add_user(name, permissions=BOTH)
        return Person(self.client, token, self.identity.who(token))

    def nobody(self) -> Person:
        return Person(self.client, None, None)

    def holder(self, token: str) -> Person:
        return Person(self.client, token, self.identity.who(token))

    def notice(self, *people: Person, title: str = "Engine 1.2.0 is out", **fields: Any) -> NoticeGiven:
        given: Json = {
            "kind": NoticeKind.PROJECT_RELEASED,
            "key": f"prj_1:{title}",
            "recipient_ids": tuple(person.id for person in people),
            "title": title,
            "body": "Faster, with fewer cogs.",
            "path": "/projects/ada.engine",
            "at": self.clock.now(),
        }
        return NoticeGiven(**{**given, **fields})

    async def tell(self, *people: Person, title: str = "Engine 1.2.0 is out", **fields: Any) -> None:
        """Say that these people are to be told, the way other modules say it, and carry it to whoever reacts."""
        await self.say(self.notice(*people, title=title, **fields))

    async def say(self, event: NoticeGiven) -> None:
        async with NotificationsWork(self.parts) as work:
            work.publish(event)
        await self.deliver()

    async def deliver(self) -> None:
        """Carry what was said to those who react."""
        while await self.relay.deliver_due():
            pass

    async def job(self, name: str) -> None:
        await next(job for job in self.module.plug.jobs if job.name == name).work()


@pytest.fixture
def settings() -> NotificationsSettings:
    """Override to change what a server is configured with."""
    return NotificationsSettings()


@pytest.fixture
async def world(parts: Parts, clock: ManualClock, settings: NotificationsSettings) -> AsyncGenerator[World]:
    async with running(parts, clock, settings, IdentityInMemory(clock)) as world:
        yield world


@asynccontextmanager
async def running(
    parts: Parts,
    clock: ManualClock,
    settings: NotificationsSettings,
    identity: IdentityInMemory,
    *,
    private_webhooks: bool = True,
) -> AsyncGenerator[World]:
    """A server: `async with running(…) as world`. Two on the same parts share database and pub/sub."""
    module = build(parts, settings, identity=identity, private_webhooks=private_webhooks)
    reactions = Reactions()
    module.plug.react(reactions)
    app = application(module.plug.routes, identity)
    relay = Relay(parts.database, reactions, clock)
    async with client_of(app) as client:
        yield World(parts, clock, identity, module, reactions, app, client, relay)
    if module.plug.drain:
        await module.plug.drain()
    if module.plug.stop:
        await module.plug.stop()
