"""The module as it is built for the product, between neighbours in memory, behind its own routes."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from litestar import Litestar

from opencode.infra.db import Database
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.kernel.principal import Principal
from opencode.modules.execution import module as execution_module
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings
from opencode.modules.interviews.module import InterviewsModule, build
from opencode.modules.interviews.settings import InterviewsSettings
from tests.doubles.assistants import ScriptedAssistants
from tests.doubles.documents import DocumentsInMemory
from tests.doubles.identity import IdentityInMemory
from tests.doubles.runner import ScriptedRunner
from tests.http import ADDRESS, application, client_of

Json = dict[str, Any]


@dataclass(slots=True)
class Person:
    """Somebody with a token and a client that shows it."""

    client: httpx.AsyncClient
    token: str | None
    principal: Principal | None = None
    participant: Json = field(default_factory=dict[str, Any])

    @property
    def id(self) -> str:
        assert self.principal
        return self.principal.id

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.call("GET", path, params=query)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.call("POST", path, json=body, headers=headers)

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self.call("PATCH", path, json=body)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self.call("PUT", path, json=body)

    async def call(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = dict(how.pop("headers", None) or {})
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        how = {name: value for name, value in how.items() if (value is not None and value != {}) or name == "json"}
        if how.get("json", ...) is None:
            del how["json"]
        return await self.client.request(method, path, headers=headers, **how)


@dataclass(slots=True)
class World:
    """A server with people around it."""

    parts: Parts
    clock: ManualClock
    identity: IdentityInMemory
    documents: DocumentsInMemory
    runner: ScriptedRunner
    assistants: ScriptedAssistants
    module: InterviewsModule
    app: Litestar
    client: httpx.AsyncClient

    @property
    def neighbours(self) -> dict[str, Any]:
        """What another server of the same deployment is built between."""
        return {
            "identity": self.identity,
            "documents": self.documents,
            "runner": self.runner,
            "assistants": self.assistants,
        }

    def interviewer(self, name: str = "Grace") -> Person:
        return self.person(self.identity.add_interviewer(name))

    def person(self, token: str | None) -> Person:
        return Person(self.client, token, self.identity.who(token) if token else None)

    async def job(self, name: str) -> None:
        """Do a timed job now."""
        await next(job for job in self.module.plug.jobs if job.name == name).work()


@pytest.fixture
def settings() -> InterviewsSettings:
    """Override to change what a server is configured with."""
    return InterviewsSettings(join_attempts_per_minute=1000)


@pytest.fixture
async def world(
    parts: Parts, clock: ManualClock, database: Database, settings: InterviewsSettings
) -> AsyncGenerator[World]:
    identity, documents, runner = IdentityInMemory(clock), DocumentsInMemory(clock), ScriptedRunner()
    assistants = ScriptedAssistants()
    module = build(parts, settings, identity=identity, documents=documents, runner=runner, assistants=assistants)
    # It serves the addresses of all runs, and asks interviews for theirs.
    execution = execution_module.build(parts, ExecutionSettings(), PistonSettings(), identity=identity, runner=runner)
    execution.open_elsewhere(module.runs)
    app = application([*execution.plug.routes, *module.plug.routes], identity)
    assert module.plug.start
    assert module.plug.stop
    await module.plug.start()
    async with client_of(app, address=ADDRESS) as client:
        yield World(parts, clock, identity, documents, runner, assistants, module, app, client)
    await module.plug.stop()


@dataclass(slots=True)
class Room:
    """A live interview with its interviewer and one admitted candidate."""

    world: World
    interview: Json
    interviewer: Person
    candidate: Person

    @property
    def path(self) -> str:
        return f"/api/v1/interviews/{self.interview['id']}"

    @property
    def document_id(self) -> Any:
        return self.interview["document_id"]


async def create(host: Person, **body: Any) -> Json:
    answer = await host.post("/api/v1/interviews", {"title": "Backend engineer", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def join(world: World, interview: Json, name: str = "Ada") -> Person:
    """Somebody comes into the waiting room."""
    answer = await world.client.post("/api/v1/join", json={"code": interview["code"], "name": name})
    assert answer.status_code == 201, answer.text
    joined = answer.json()
    person = world.person(joined["token"])
    person.participant = joined["participant"]
    return person


async def admit(host: Person, interview: Json, candidate: Person) -> None:
    path = f"/api/v1/interviews/{interview['id']}/participants/{candidate.id}/admit"
    answer = await host.post(path)
    assert answer.status_code == 200, answer.text


@pytest.fixture
async def room(world: World) -> Room:
    host = world.interviewer()
    interview = await create(host)
    candidate = await join(world, interview)
    await admit(host, interview, candidate)
    return Room(world, interview, host, candidate)
