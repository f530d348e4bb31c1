"""The module as it is built for the product, on real databases, with a provider on loopback and people around it."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.ai.adapters.files import Places
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID
from opencode.modules.ai.module import AiModule, build
from opencode.modules.ai.settings import AiSettings
from tests.clients.piped import PipedClients, running_clients
from tests.doubles.identity import IdentityInMemory
from tests.http import application, client_of
from tests.modules.ai.upstreams import MockUpstream, running_upstream

Json = dict[str, Any]
PROVIDERS = "/api/v1/ai/providers"


@dataclass(slots=True)
class Person:
    client: httpx.AsyncClient
    token: str | None
    id: str

    async def call(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return await self.client.request(method, path, headers=headers, **how)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.call("GET", path, params=query)

    async def put(self, name: str, **fields: Any) -> httpx.Response:
        return await self.call("PUT", f"{PROVIDERS}/{name}", json=fields)


@dataclass(slots=True)
class Ai:
    """A server with people around it."""

    parts: Parts
    clock: ManualClock
    identity: IdentityInMemory
    module: AiModule
    client: httpx.AsyncClient
    folder: Path

    def member(self, *permissions: str, email: str = "") -> Person:
        token = self.identity.add_user("Ada", permissions=frozenset(permissions))
        who = self.identity.who(token)
        if email:
            self.identity.emails[who.id] = email
        return Person(self.client, token, who.id)

    def administrator(self) -> Person:
        return self.member("ai:use", "ai:manage")

    def nobody(self) -> Person:
        return Person(self.client, None, "")

    def write(self, **configuration: Any) -> None:
        """Put a configuration in place as an operator does, over the old one."""
        write(self.folder, **configuration)


def write(folder: Path, **configuration: Any) -> None:
    new = folder / "opencode.json.new"
    new.write_text(json.dumps({"$schema": SCHEMA_ID, **configuration}, indent=1))
    new.replace(folder / "opencode.json")


def places_of(folder: Path, variables: dict[str, str] | None = None) -> Places:
    nowhere = folder / "nowhere"
    return Places(nowhere, nowhere, folder / "work", folder / "opencode.json", variables or {})


@asynccontextmanager
async def running_ai(
    parts: Parts,
    clock: ManualClock,
    folder: Path,
    identity: IdentityInMemory | None = None,
    variables: dict[str, str] | None = None,
    settings: AiSettings | None = None,
) -> AsyncGenerator[Ai]:
    """A server whose configuration is `opencode.json` of the folder. Two on one folder share keys and database."""
    identity = identity or IdentityInMemory(clock)
    (folder / "work" / ".git").mkdir(parents=True, exist_ok=True)
    if not (folder / "opencode.json").exists():
        write(folder)
    module = build(parts, settings or AiSettings(), identity=identity, data=folder, places=places_of(folder, variables))
    assert module.plug.start
    assert module.plug.stop
    await module.plug.start()
    async with client_of(application(module.plug.routes, identity)) as client:
        yield Ai(parts, clock, identity, module, client, folder)
    await module.plug.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ai"
    folder.mkdir()
    return folder


@pytest.fixture
async def ai(parts: Parts, clock: ManualClock, folder: Path) -> AsyncGenerator[Ai]:
    async with running_ai(parts, clock, folder) as ai:
        yield ai


@pytest.fixture
async def upstream() -> AsyncGenerator[MockUpstream]:
    async with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def node() -> Iterator[PipedClients]:
    """JavaScript's clients of AI models."""
    with running_clients("models.mjs") as clients:
        yield clients
