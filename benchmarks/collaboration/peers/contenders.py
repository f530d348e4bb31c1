"""The peers as contenders. Their rooms are made by connecting to a name."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.collaboration.contenders import Contender, Door, Room
from benchmarks.collaboration.processes import HOST
from benchmarks.installing import NotInstalled, node, npm_packages

HERE = Path(__file__).parent


@dataclass(frozen=True)
class NamedRoom:
    """A room that is there as soon as somebody asks for it; everyone has the same door."""

    url: str

    async def door(self, person: int) -> Door:
        return Door(self.url)


class NamedRooms(Contender):
    """What the peers have in common."""

    def __init__(self) -> None:
        super().__init__()
        self._rooms_made = 0

    async def rooms(self, count: int) -> Sequence[Room]:
        first = self._rooms_made
        self._rooms_made += count
        return [NamedRoom(f"ws://{HOST}:{self.port}/room-{first + number}") for number in range(count)]


class YWebsocket(NamedRooms):
    """y-websocket's own server on Node: keeps each document in memory, stores nothing, echoes to the sender."""

    name = "y-websocket"
    ready_path = "/"

    def command(self) -> tuple[Sequence[str | Path], dict[str, str]]:
        program = HERE / "node_modules/y-websocket/bin/server.cjs"
        return [node(), program], {"HOST": HOST, "PORT": str(self.port)}

    async def prepare(self) -> None:
        await npm_packages(HERE)


class PycrdtWebsocket(NamedRooms):
    """pycrdt-websocket behind uvicorn: documents in memory, nothing stored."""

    name = "pycrdt-websocket"

    def command(self) -> tuple[Sequence[str | Path], dict[str, str]]:
        return [sys.executable, HERE / "pycrdt_server.py", HOST, str(self.port)], {}

    async def prepare(self) -> None:
        if find_spec("pycrdt.websocket") is None:
            raise NotInstalled("pycrdt-websocket is not in this environment")


class BareRelay(NamedRooms):
    """A floor, not a product: forwards bytes and keeps them in a list."""

    name = "bare relay"

    def command(self) -> tuple[Sequence[str | Path], dict[str, str]]:
        return [sys.executable, HERE / "bare_relay.py", HOST, str(self.port)], {}
