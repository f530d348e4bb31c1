"""
A server of shared documents and nothing else, for tests that kill it or hold foreign clients against it.

Whoever says a name is let in under that name; names that begin with `usr_reader` only read. It listens on loopback.

    python -m tests.scenarios.document_server --data FOLDER [--port N] [--sockets asgi]
    python -m tests.scenarios.document_server --nursery

A nursery has everything loaded and forks a server for each line `FOLDER PORT DURABILITY` that it reads, in a few
milliseconds. Servers print `ready PORT PID`.
"""

import argparse
import asyncio
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody
from prometheus_client import REGISTRY

from opencode.app.migrate import migrate
from opencode.contracts.collaboration import CloseReason, Entry, PeerRole
from opencode.infra.cache import Cache
from opencode.infra.db import Database
from opencode.infra.jobs import run_job
from opencode.infra.observability.logs import configure_logs
from opencode.infra.plugs import Parts
from opencode.infra.pubsub import MemoryPubSub
from opencode.infra.security import MemoryRateLimiter, Signer
from opencode.infra.websocket import asgi_sockets, socket_protocol
from opencode.infra.websocket.uvicorn import sweep_sockets
from opencode.kernel.clock import SystemClock
from opencode.kernel.errors import OpenCodeError
from opencode.kernel.ids import DocumentId
from opencode.kernel.principal import ANONYMOUS, Principal, PrincipalKind
from opencode.modules.collaboration.module import CollaborationModule, build
from opencode.modules.collaboration.settings import CollaborationSettings
from tests.http import application

AUDIENCE = "int_open"


class OpenGate:
    """Implements `DocumentGate`: lets everybody in, except whom a test has written into `closed_to`."""

    def __init__(self) -> None:
        self.closed_to: dict[str, OpenCodeError] = {}

    async def enter(self, principal: Principal, audience: str) -> Entry:
        return await self.enter_again(principal.id, audience)

    async def enter_again(self, peer_id: str, audience: str) -> Entry:
        assert audience == AUDIENCE
        if peer_id in self.closed_to:
            raise self.closed_to[peer_id]
        role = PeerRole.READ if peer_id.startswith("usr_reader") else PeerRole.WRITE
        return Entry(peer_id, peer_id.removeprefix("usr_")[:80], "interviewer", len(peer_id) % 8, role)


class EverybodyIsWhoTheySay:
    """The bearer token is the person's id."""

    async def authenticate(self, *, session: str | None, bearer: str | None) -> Principal:
        return Principal(bearer, PrincipalKind.USER) if bearer else ANONYMOUS


class Seed(msgspec.Struct):
    name: str
    content: str


class DocumentServer(uvicorn.Server):
    """
    The server, in this process.

    Attributes:
        ready: set once it listens; `port` is known then.
    """

    def __init__(
        self, data: Path, *, port: int = 0, sockets: str = "uvicorn", settings: CollaborationSettings | None = None
    ) -> None:
        clock, pubsub = SystemClock(), MemoryPubSub()
        self.database = Database.in_folder(data)
        self.parts = Parts(
            database=self.database,
            clock=clock,
            pubsub=pubsub,
            cache=Cache(clock, pubsub),
            limiter=MemoryRateLimiter(clock),
            signer=Signer.from_file(data / "signing.key"),
            wake_relay=lambda: None,
            public_url=lambda: "",
        )
        self.gate = OpenGate()
        self.module: CollaborationModule = build(self.parts, settings or CollaborationSettings())
        self.module.open_gate(self.gate)
        self.documents = self.module.documents
        self.ready = asyncio.Event()
        app: Any = application([*self.module.plug.routes, *self._routes()], EverybodyIsWhoTheySay())
        is_fast = sockets == "uvicorn"
        config = uvicorn.Config(
            app if is_fast else asgi_sockets(app, self.module.sockets),
            port=port,
            loop="uvloop",
            http="httptools",
            ws=socket_protocol(self.module.sockets) if is_fast else "websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,
        )
        super().__init__(config)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def port(self) -> int:
        return self.servers[0].sockets[0].getsockname()[1]

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """As a process of its own it is the script below that listens to signals."""
        yield

    async def startup(self, sockets: Any = None) -> None:
        plug = self.module.plug
        await migrate(self.database)
        if plug.start:
            await plug.start()
        await super().startup(sockets)
        work = [run_job(job) for job in plug.jobs] + [sweep_sockets(self.server_state.connections)]
        self._tasks = [asyncio.ensure_future(each) for each in work]
        self.ready.set()

    async def shutdown(self, sockets: Any = None) -> None:
        plug = self.module.plug
        for server in self.servers:
            server.close()
        if plug.drain:
            await plug.drain()
        await super().shutdown(sockets)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if plug.stop:
            await plug.stop()
        await self.database.close()

    def _routes(self) -> list[Any]:
        documents = self.documents

        @post("/documents")
        async def create() -> dict[str, str]:
            return {"document_id": await documents.create(AUDIENCE)}

        @post("/documents/{document_id:str}/seeds")
        async def seed(document_id: FromPath[str], data: JSONBody[Seed]) -> None:
            await documents.seed(DocumentId(document_id), data.name, data.content)

        @get("/documents/{document_id:str}/texts")
        async def texts(document_id: FromPath[str]) -> dict[str, Any]:
            return msgspec.to_builtins(await documents.texts(DocumentId(document_id)))

        @get("/documents/{document_id:str}/text")
        async def text(document_id: FromPath[str], name: FromQuery[str]) -> dict[str, str]:
            return {"text": await documents.text(DocumentId(document_id), name)}

        @post("/documents/{document_id:str}/disconnections")
        async def disconnect(
            document_id: FromPath[str], reason: FromQuery[str], person: FromQuery[str | None] = None
        ) -> None:
            await documents.disconnect(DocumentId(document_id), CloseReason(reason), peer_id=person)

        @post("/documents/{document_id:str}/roles")
        async def set_role(document_id: FromPath[str], person: FromQuery[str], role: FromQuery[str]) -> None:
            await documents.set_role(DocumentId(document_id), person, PeerRole(role))

        @get("/memory", sync_to_thread=False)
        def memory() -> dict[str, int]:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            rooms = REGISTRY.get_sample_value("opencode_rooms_loaded") or 0
            connected = REGISTRY.get_sample_value("opencode_sockets_connected") or 0
            return {"rss_bytes": pages * os.sysconf("SC_PAGE_SIZE"), "rooms": int(rooms), "sockets": int(connected)}

        return [create, seed, texts, text, disconnect, set_role, memory]


async def _serve(arguments: argparse.Namespace) -> None:
    settings = CollaborationSettings(
        room_idle_s=arguments.room_idle_s, durability=arguments.durability, ticket_s=arguments.ticket_s
    )
    arguments.data.mkdir(parents=True, exist_ok=True)
    server = DocumentServer(arguments.data, port=arguments.port, sockets=arguments.sockets, settings=settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    serving = asyncio.ensure_future(server.serve())
    await server.ready.wait()
    print(f"ready {server.port} {os.getpid()}", flush=True)
    await serving


def _run(arguments: argparse.Namespace) -> None:
    import uvloop

    uvloop.run(_serve(arguments))


def _keep_nursery(arguments: argparse.Namespace) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    for line in sys.stdin:
        folder, port, durability = line.split()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            arguments.data, arguments.port, arguments.durability = Path(folder), int(port), durability
            _run(arguments)
            os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--sockets", choices=("uvicorn", "asgi"), default="uvicorn")
    parser.add_argument("--room-idle-s", type=int, default=20)
    parser.add_argument("--ticket-s", type=int, default=120)
    parser.add_argument("--durability", default="process")
    parser.add_argument("--nursery", action="store_true")
    arguments = parser.parse_args()
    configure_logs(level="warning", json=True)
    logging.disable(logging.INFO)
    faulthandler.register(signal.SIGUSR1)  # a server that hangs says where
    if arguments.nursery:
        _keep_nursery(arguments)
    else:
        _run(arguments)


if __name__ == "__main__":
    main()
