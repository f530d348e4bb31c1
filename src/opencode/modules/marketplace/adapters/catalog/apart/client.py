"""
The server's side of an index that has a process of its own, so that no search ever holds up the server: neither what
somebody types in an interview, nor who only wants to read a page.
"""

import asyncio
import itertools
import logging
import socket
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
import structlog

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.adapters.catalog.apart import calls
from opencode.modules.marketplace.adapters.catalog.apart.calls import Call, encoded
from opencode.modules.marketplace.adapters.catalog.apart.frames import Frames, Kind
from opencode.modules.marketplace.domain.catalog import (
    Found,
    IndexLost,
    Known,
    Listing,
    Namesake,
    Search,
    Standing,
)

log = structlog.get_logger(__name__)

_WORKER = "opencode.modules.marketplace.adapters.catalog.apart.worker"
_PATIENCE_S = 5.0
"""So long it has to answer what it was asked, and then to end by itself, when it is no longer wanted."""

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class ApartCatalog:
    """
    Most of `CatalogIndex`; `GrowingCatalog` has the rest. What is asked is answered in the order in which it was asked,
    but for what takes long. Once the process has ended, whatever is asked raises `IndexLost`.
    """

    def __init__(self) -> None:
        self._gone = asyncio.Event()
        self._waiting: dict[int, tuple[Call[Any, Any], asyncio.Future[Any]]] = {}
        self._numbers = itertools.count()
        self._frames = Frames(self._hear, self._fall)
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    async def start(cls) -> Self:
        """
        A process with an empty index.

        Raises:
            OSError: there can be no further process.
        """
        index = cls()
        ours, its = socket.socketpair()
        with its:
            # -P: nothing is loaded from the folder that the server happens to be started in.
            command = [sys.executable, "-P", "-m", _WORKER, str(its.fileno())]
            index._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, pass_fds=[its.fileno()]
            )
        await asyncio.get_running_loop().connect_accepted_socket(lambda: index._frames, ours)
        return index

    async def search(self, search: Search) -> Found:
        return await self.ask(calls.SEARCH, search)

    async def named(self, names: Iterable[str], limit: int) -> list[Namesake]:
        return await self.ask(calls.NAMED, (list(names), limit))

    async def put(self, listings: Iterable[Listing]) -> None:
        await self.ask(calls.PUT, list(listings))

    async def remove(self, ids: Iterable[ProjectId]) -> None:
        await self.ask(calls.REMOVE, list(ids))

    async def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None:
        await self.ask(calls.STAND, list(standings))

    async def seal(self) -> None:
        await self.ask(calls.SEAL, None)

    async def settle(self) -> None:
        await self.ask(calls.SETTLE, None)

    async def known(self, ids: Iterable[ProjectId]) -> list[Known]:
        return await self.ask(calls.KNOWN, list(ids))

    async def ids_between(self, after: str, upto: str, limit: int) -> list[ProjectId]:
        return await self.ask(calls.BETWEEN, (after, upto, limit))

    async def count(self) -> int:
        return await self.ask(calls.COUNT, None)

    async def lost(self) -> None:
        await self._gone.wait()

    async def close(self) -> None:
        """What is asked already is answered, if it is answered soon."""
        if waiting := [future for _, future in self._waiting.values()]:
            await asyncio.wait(waiting, timeout=_PATIENCE_S)
        self._frames.close()
        process = self._process
        if process is None:
            return
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    # --------------------------------------------------------------------------------------------------------- keeping

    async def load(self, folder: Path) -> bool:
        """Take up what was kept in this folder, in place of what there is; whether it could be used."""
        return await self.ask(calls.LOAD, str(folder))

    async def save(self, folder: Path, *, only_if_due: bool) -> None:
        """Keep it in this folder."""
        await self.ask(calls.SAVE, (str(folder), only_if_due))

    def look_through(self) -> "ApartLook":
        """See `domain.snapshots.Look`; one at a time."""
        return ApartLook(self)

    # ---------------------------------------------------------------------------------------------------------- asking

    async def ask(self, call: Call[Asked, Answered], asked: Asked) -> Answered:
        if self._gone.is_set():
            raise IndexLost
        number, content = next(self._numbers), encoded(asked)
        future = asyncio.get_running_loop().create_future()
        self._waiting[number] = call, future
        self._frames.send(number, call.number, content)
        return await future

    def _hear(self, number: int, kind: int, content: bytes) -> None:
        if kind == Kind.SAID:
            _say(msgspec.msgpack.decode(content))
            return
        call, future = self._waiting.pop(number)
        if future.done():
            return  # whoever asked has left
        if kind != Kind.ANSWER:
            words = content.decode()
            future.set_exception(ValueError(words) if kind == Kind.REFUSED else RuntimeError(words))
            return
        try:
            future.set_result(call.answered.decode(content))
        except msgspec.MsgspecError as error:
            future.set_exception(error)

    def _fall(self) -> None:
        self._gone.set()
        waiting, self._waiting = self._waiting, {}
        for _, future in waiting.values():
            if not future.done():
                future.set_exception(IndexLost())


class ApartLook:
    """See `domain.snapshots.Look`."""

    def __init__(self, index: ApartCatalog) -> None:
        self._index = index

    async def outdated(self, ids: Sequence[ProjectId], versions: Sequence[int]) -> list[ProjectId]:
        return await self._index.ask(calls.OUTDATED, (list(ids), list(versions)))

    async def unpublished(self) -> list[ProjectId]:
        return await self._index.ask(calls.UNPUBLISHED, None)

    async def standing_otherwise(
        self, ids: Sequence[ProjectId], popularity: Sequence[float], trending: Sequence[float]
    ) -> list[ProjectId]:
        return await self._index.ask(calls.STANDING_OTHERWISE, (list(ids), list(popularity), list(trending)))


def _say(entry: dict[str, Any]) -> None:
    """As if it had been said here."""
    log.log(logging.getLevelNamesMapping()[entry.pop("level").upper()], entry.pop("event"), **entry)
