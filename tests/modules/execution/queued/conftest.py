"""The module as it is built for the product, with programs that are scripts, behind its own routes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.execution.module import ExecutionModule, build
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings
from tests.doubles.identity import IdentityInMemory
from tests.doubles.runner import ScriptedRunner
from tests.http import application, client_of

Json = dict[str, Any]
PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    """No program runs in these tests."""
    yield


@dataclass(slots=True)
class Person:
    """Somebody with a token."""

    client: httpx.AsyncClient
    token: str | None

    async def call(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = dict(how.pop("headers", None) or {})
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        return await self.client.request(method, path, headers=headers, **how)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.call("POST", path, json=body, headers=headers)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.call("GET", path, params=query)


@dataclass(slots=True)
class World:
    """A server with people around it."""

    parts: Parts
    clock: ManualClock
    identity: IdentityInMemory
    runner: ScriptedRunner
    module: ExecutionModule
    client: httpx.AsyncClient

    def person(self, name: str = "Grace", *permissions: str) -> Person:
        token = self.identity.add_user(name, permissions=frozenset(permissions or {"runs:create"}))
        return Person(self.client, token)

    def nobody(self) -> Person:
        return Person(self.client, None)

    async def job(self, name: str) -> None:
        """Do a timed job now."""
        await next(job for job in self.module.plug.jobs if job.name == name).work()


@pytest.fixture
def settings() -> ExecutionSettings:
    """Override to change what a server is configured with."""
    return ExecutionSettings(concurrency=2)


@pytest.fixture
async def world(parts: Parts, clock: ManualClock, settings: ExecutionSettings) -> AsyncIterator[World]:
    async with running(parts, clock, settings) as world:
        yield world


@asynccontextmanager
async def running(
    parts: Parts,
    clock: ManualClock,
    settings: ExecutionSettings,
    *,
    runner: ScriptedRunner | None = None,
    identity: IdentityInMemory | None = None,
    redis_url: str = "",
) -> AsyncGenerator[World]:
    """A server that has started, on tables that may hold what another one left."""
    identity, runner = identity or IdentityInMemory(clock), runner or ScriptedRunner()
    module = build(parts, settings, PistonSettings(), identity=identity, runner=runner, redis_url=redis_url)
    plug = module.plug
    assert plug.start
    assert plug.ready
    assert plug.stop
    await plug.start()
    await plug.ready()
    try:
        async with client_of(application(plug.routes, identity)) as client:
            yield World(parts, clock, identity, runner, module, client)
    finally:
        await plug.stop()


def program(source: str, **more: Any) -> Json:
    return {"language": "python", "files": [{"content": source}], **more}


async def accepted(person: Person, body: Json, **headers: str) -> Json:
    answer = await person.post("/api/v1/runs", body, **headers)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def state_of(person: Person, run_id: str) -> Json:
    answer = await person.get(f"/api/v1/runs/{run_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def finished(person: Person, run_id: str) -> Json:
    """The run, once it is finished."""
    async with asyncio.timeout(PATIENCE_S):
        while (run := await state_of(person, run_id))["state"] != "finished":
            await asyncio.sleep(0.001)
    return run


async def outcome(person: Person, source: str, **more: Any) -> Json:
    """A run from its beginning to its end."""
    return await finished(person, (await accepted(person, program(source, **more)))["id"])
