"""What a server must offer to take part, and the rooms and doors that the load walks through."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.collaboration.processes import SERVER_CORE, ServerProcess, free_port, on_core, start_process


@dataclass(frozen=True)
class Door:
    """Where one person's socket connects."""

    url: str
    subprotocol: str | None = None


class Room(Protocol):
    async def door(self, person: int) -> Door:
        """The way in of the n-th person, good for one connection, to be used at once."""
        ...


class Server(ABC):
    """
    A server that can be started and stopped.

    Its folder (data, log) lives from `open` to `close`, so a second `start` finds what the first one stored.
    """

    name: str
    ready_path: str | None = None  # asked by GET until it answers 200; None: a connection is enough

    def __init__(self) -> None:
        self.port = 0
        self.server: ServerProcess | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @abstractmethod
    def command(self) -> tuple[Sequence[str | Path], dict[str, str]]:
        """Arguments and additional environment of the process; listens on `self.port`, on loopback only."""

    async def prepare(self) -> None:  # noqa: B027  # most have nothing to prepare
        """
        Install what is needed, once.

        Raises:
            NotInstalled: it cannot be had here.
        """

    @property
    def folder(self) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        return Path(self._folder.name)

    @property
    def running(self) -> ServerProcess:
        assert self.server is not None, "start() comes first"
        return self.server

    async def start(self, *, pinned: bool = True) -> float:
        """
        Start the server, on the machine's first core if it has more than one (`pinned`).

        Returns:
            Seconds from exec until it was ready.
        """
        self.port = free_port()
        command, environment = self.command()
        with on_core(SERVER_CORE if pinned else None):
            self.server = start_process(command, environment, self.folder / "server.log")
        return await self.server.ready(self.port, self.ready_path)

    async def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    async def close(self) -> None:
        """Stop, and forget what it stored."""
        await self.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


class Contender(Server):
    """A server that can be given rooms."""

    @abstractmethod
    async def rooms(self, count: int) -> Sequence[Room]:
        """That many new rooms."""
