"""The Piston API over a scripted runner, and the shapes that its cases are written in."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from opencode.app.http import front_door
from opencode.infra.plugs import Parts
from opencode.infra.websocket import SocketProtocol, socket_protocol
from opencode.kernel.clock import ManualClock
from opencode.modules.execution.module import Piston, build_piston
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings
from tests.doubles.identity import IdentityInMemory
from tests.doubles.installer import InstallerInMemory
from tests.doubles.runner import ScriptedRunner, language
from tests.http import application, client_of
from tests.servers import QuietServer, serving

Json = dict[str, Any]

PATIENCE_S = 20.0
BOTH_PREFIXES = ("/api/v2", "/api/v2/piston")

# Python in three versions, one of them old in its spelling; Node under two names, as Piston lists what one toolchain
# serves; C, which is compiled; and Haskell, which is not installed.
LANGUAGES = (
    language("c", "C", aliases=("gcc",), ending="c", versions=("12.2",), package="gcc"),
    language("javascript", "JavaScript", aliases=("js", "node"), ending="js", versions=("20.9.0", "18.20.4")),
    language("python", "Python", aliases=("py", "python3"), ending="py", versions=("3.11.2", "3.12.1", "2.7.18")),
    language("haskell", "Haskell", aliases=("hs",), available=False, ending="hs"),
)
AVAILABLE = {"c": ("12.2",), "haskell": ("9.0.2", "9.4.7"), "python": ("3.11.2", "3.12.1", "3.13.0", "2.7.18")}


@dataclass(slots=True)
class World:
    """
    A server with people around it, and a client without credentials.

    Attributes:
        app: the application behind the front door, which `client` calls without a network.
        port: where it is served, sockets too; 0 when it is not.
    """

    identity: IdentityInMemory
    runner: ScriptedRunner
    clock: ManualClock
    piston: Piston
    app: Any
    client: httpx.AsyncClient
    port: int = 0
    server: QuietServer | None = None

    def connections(self) -> list[SocketProtocol]:
        """The server's side of every socket."""
        connections = self.server.server_state.connections if self.server else ()
        return [each for each in connections if isinstance(each, SocketProtocol)]

    @property
    def token(self) -> str:
        """Of somebody who may run programs."""
        return self.identity.add_user("Grace", permissions=frozenset({"runs:create"}))

    @property
    def manager(self) -> str:
        """A token of somebody who may change what is installed."""
        return self.identity.add_user("Root", permissions=frozenset({"runs:create", "runtimes:manage"}))

    async def execute(self, body: Any) -> httpx.Response:
        return await self.client.post("/api/v2/execute", json=body)

    async def open(self, path: str = "/api/v2/connect", **options: Any) -> "Line":
        url = f"ws://127.0.0.1:{self.port}{path}"
        return Line(await connect(url, compression=None, proxy=None, max_size=None, **options))


@dataclass(frozen=True, slots=True)
class Line:
    """A socket of a client."""

    socket: ClientConnection

    async def say(self, message: Any) -> None:
        """Send a message: an object as JSON, a text or bytes as they are."""
        await self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def hear(self) -> Json:
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self.socket.recv())

    async def rest(self) -> list[Json]:
        """Everything until the server hangs up."""
        heard: list[Json] = []
        try:
            while True:
                heard.append(await self.hear())
        except ConnectionClosed:
            return heard

    async def goodbye(self) -> tuple[int, str]:
        """The code and the reason of the server's close; nothing may be said before it."""
        assert await self.rest() == []
        return self.closed

    @property
    def closed(self) -> tuple[int, str]:
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""


@asynccontextmanager
async def piston_world(
    parts: Parts, clock: ManualClock, piston_settings: PistonSettings, settings: ExecutionSettings | None = None
) -> AsyncGenerator[World]:
    """The API as the product serves it, but for the port."""
    identity, runner = IdentityInMemory(clock), ScriptedRunner(LANGUAGES)
    installer = InstallerInMemory(runner, AVAILABLE)
    piston = build_piston(parts, settings or ExecutionSettings(), piston_settings, runner, installer, identity)
    app = front_door(application(piston.routes, identity), body_timeout_s=1)
    async with client_of(app) as client:
        yield World(identity, runner, clock, piston, app, client)


@asynccontextmanager
async def on_a_port(world: World) -> AsyncGenerator[World]:
    """The same with sockets, on a free port of this machine."""
    async with serving(world.app, ws=socket_protocol(world.piston.sockets.routes)) as server:
        world.server = server
        world.port = server.port
        yield world
        await world.piston.sockets.stop()


def job(*lines: str, **fields: Any) -> Json:
    """A request to run a scripted program; see `tests.doubles.runner` for its language."""
    files = [{"name": "main.py", "content": "\n".join(lines)}]
    return {"language": "python", "version": "*", "files": files, **fields}


def init(*lines: str, **fields: Any) -> Json:
    """The first message of a socket."""
    return {"type": "init", **job(*lines, **fields)}


def stage(**changes: Any) -> Json:
    """A stage that printed nothing and ended well, with the meters of the scripted runner, but for these keys."""
    quiet = {"stdout": "", "stderr": "", "output": "", "code": 0, "signal": None, "message": None, "status": None}
    return {**quiet, "cpu_time": 3, "wall_time": 5, "memory": 3_000_000_000, **changes}


def compiled(**changes: Any) -> Json:
    """A compile stage that went well."""
    return stage(**{"cpu_time": 20, "wall_time": 30, "memory": 1_000_000, **changes})


def printed(text: str) -> Json:
    """A run that printed this on stdout and ended well."""
    return stage(stdout=text, output=text)


def answer(run: Json, *, version: str = "3.12.1", **more: Any) -> Json:
    return {"run": run, "language": "python", "version": version, **more}
