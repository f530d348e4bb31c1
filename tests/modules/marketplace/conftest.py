"""The module as it is built for the product, on real databases, behind its own routes, with people around it."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest
from sqlalchemy import select

from opencode.app.public_pages import PublicPages, Rendered, Shell
from opencode.contracts.events import Event, tag_of
from opencode.infra.cache import Cache
from opencode.infra.db import outbox
from opencode.infra.events import Reactions, Relay
from opencode.infra.html import PageAddress
from opencode.infra.plugs import Parts
from opencode.infra.storage import FolderStorage
from opencode.kernel.clock import ManualClock
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.adapters.catalog import AtOnce, EmbeddedCatalog, PromptIndex
from opencode.modules.marketplace.adapters.proofs import Proofs
from opencode.modules.marketplace.domain.catalog import CatalogIndex
from opencode.modules.marketplace.domain.snapshots import Snapshots
from opencode.modules.marketplace.module import MarketplaceModule, build
from opencode.modules.marketplace.settings import MarketplaceSettings
from tests.doubles.assistants import ScriptedAssistants
from tests.doubles.identity import IdentityInMemory
from tests.html import ReadPage
from tests.http import application, client_of

E = TypeVar("E", bound=Event)
Json = dict[str, Any]
PROJECTS = "/api/v1/projects"
CASES = "/api/v1/moderation/cases"
REPOSITORY = "https://git.example.org/ada/engine"


@dataclass(slots=True)
class Person:
    """Somebody with a token, or nobody, and a client that shows it."""

    client: httpx.AsyncClient
    token: str | None
    principal: Principal | None

    @property
    def id(self) -> str:
        assert self.principal
        return self.principal.id

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.call("GET", path, params=query)

    async def post(self, path: str, body: Any = None, **how: Any) -> httpx.Response:
        return await self.call("POST", path, json=body, **how)

    async def put(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.call("PUT", path, json=body, headers=headers)

    async def patch(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.call("PATCH", path, json=body, headers=headers)

    async def delete(self, path: str, **headers: str) -> httpx.Response:
        return await self.call("DELETE", path, headers=headers)

    async def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **how: Any) -> Any:
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if self.token:
            sent["authorization"] = f"Bearer {self.token}"
        if how.get("json", ...) is None:
            del how["json"]
        return await self.client.request(method, path, headers=sent, **how)

    async def create(self, title: str = "Analytical Engine", **fields: Any) -> Json:
        """Publish a project."""
        made = await self.post(PROJECTS, draft(title, **fields))
        assert made.status_code == 201, made.text
        return made.json()

    async def search(self, **query: Any) -> Json:
        found = await self.get(PROJECTS, **query)
        assert found.status_code == 200, found.text
        return found.json()

    async def names(self, **query: Any) -> list[str]:
        return [item["name"] for item in (await self.search(**query))["items"]]

    async def import_lines(self, *lines: Any) -> httpx.Response:
        raw = b"\n".join(line if isinstance(line, bytes) else msgspec.json.encode(line) for line in lines)
        return await self.call("POST", f"{PROJECTS}/import", content=raw)


def draft(title: str = "Analytical Engine", **fields: Any) -> Json:
    """The body of a project that is good in every way."""
    body: Json = {
        "title": title,
        "summary": "Computes what you ask of it.",
        "description": "# Engine\n\nIt weaves algebraic patterns.",
        "technologies": ["Python"],
        "license": "MIT",
        "price": None,
        "repository_url": REPOSITORY,
        "tags": ["math"],
        "status": "published",
    }
    return {**body, **fields}


@dataclass(slots=True)
class Market:
    """A server with people around it."""

    parts: Parts
    clock: ManualClock
    identity: IdentityInMemory
    assistants: ScriptedAssistants
    module: MarketplaceModule
    client: httpx.AsyncClient
    relay: Relay
    storage: FolderStorage

    @property
    def index(self) -> PromptIndex:
        """The index that searches use now."""
        index = self.module.catalogue._index
        assert isinstance(index, AtOnce)
        return index.index

    def member(self, name: str = "Ada", *permissions: str) -> Person:
        token = self.identity.add_user(name, permissions=frozenset(permissions or {"projects:write"}))
        return Person(self.client, token, self.identity.who(token))

    def administrator(self, name: str = "Charles") -> Person:
        return self.member(name, "projects:write", "projects:manage")

    def moderator(self, name: str = "Minerva") -> Person:
        return self.member(name, "projects:write", "projects:moderate")

    def guest(self, token: str) -> Person:
        return Person(self.client, token, self.identity.who(token))

    def nobody(self) -> Person:
        return Person(self.client, None, None)

    async def said(self, kind: type[E]) -> list[E]:
        """What was said and waits to be carried."""
        query = select(outbox.c.payload).where(outbox.c.tag == tag_of(kind)).order_by(outbox.c.sequence)
        async with self.parts.database.read() as connection:
            payloads = (await connection.execute(query)).scalars().all()
        return [msgspec.json.decode(payload, type=kind) for payload in payloads]

    async def deliver(self) -> None:
        """Carry what was said to those who react."""
        while await self.relay.deliver_due():
            pass


SHELL = "<!doctype html><html><head><meta charset=utf-8></head><body><noscript>No.</noscript><div></div></body></html>"


@dataclass(slots=True)
class Reader:
    """Somebody without scripts."""

    pages: PublicPages

    @classmethod
    def of(cls, market: Market, *, indexable: bool = True) -> "Reader":
        shell = Shell(SHELL, market.parts.public_url, indexable=indexable)
        return cls(PublicPages(shell, [market.module.plug], market.parts.cache))

    async def gets(self, path: str) -> Rendered:
        parts = urlsplit(path)
        offer = self.pages.offer(PageAddress(parts.path, tuple(parse_qsl(parts.query))))
        assert offer, f"there is no page at {path}"
        return await self.pages.answer(offer, has_feeds=True)

    async def reads(self, path: str) -> ReadPage:
        rendered = await self.gets(path)
        assert rendered.status == 200
        return ReadPage(rendered.body.decode())


@pytest.fixture
def reader(market: Market) -> Reader:
    return Reader.of(market)


@pytest.fixture
def settings() -> MarketplaceSettings:
    """Override to change what a server is configured with."""
    return MarketplaceSettings(project_writes_per_minute=100_000)


@pytest.fixture
def proofs() -> Proofs | None:
    """Override to say where proofs of ownership are looked for."""
    return None


@pytest.fixture
async def market(
    parts: Parts, clock: ManualClock, settings: MarketplaceSettings, proofs: Proofs | None
) -> AsyncGenerator[Market]:
    async with running(parts, clock, settings, IdentityInMemory(clock), proofs) as market:
        yield market


@asynccontextmanager
async def running(
    parts: Parts,
    clock: ManualClock,
    settings: MarketplaceSettings,
    identity: IdentityInMemory,
    proofs: Proofs | None = None,
    storage: FolderStorage | None = None,
    index: CatalogIndex | None = None,
    snapshots: Snapshots | None = None,
) -> AsyncGenerator[Market]:
    """
    A server: `async with running(…) as market`. Two on the same parts share database and pub/sub; each has a cache.

    Args:
        storage: where its files are; without one it has none to begin with, and leaves none.
        index: where projects are looked for; by default in this process.
        snapshots: where the index is kept between two starts; by default nowhere.
    """
    if storage is None:
        with tempfile.TemporaryDirectory() as folder:
            storage = FolderStorage(Path(folder), clock)
            async with running(parts, clock, settings, identity, proofs, storage, index, snapshots) as market:
                yield market
        return
    parts = replace(parts, cache=Cache(clock, parts.pubsub))
    index = index or AtOnce(EmbeddedCatalog)
    assistants = ScriptedAssistants()
    module = build(
        parts,
        settings,
        identity=identity,
        assistants=assistants,
        index=index,
        storage=storage,
        snapshots=snapshots,
        proofs=proofs,
    )
    reactions = Reactions()
    module.plug.react(reactions)
    assert module.plug.start
    assert module.plug.stop
    await parts.cache.start()
    await module.plug.start()
    async with client_of(application(module.plug.routes, identity)) as client:
        relay = Relay(parts.database, reactions, clock)
        yield Market(parts, clock, identity, assistants, module, client, relay, storage)
    await module.plug.stop()
    await parts.cache.close()


@pytest.fixture
async def other_server(market: Market, settings: MarketplaceSettings) -> AsyncGenerator[Market]:
    """A second server of the same deployment."""
    async with running(market.parts, market.clock, settings, market.identity, storage=market.storage) as other:
        yield other
