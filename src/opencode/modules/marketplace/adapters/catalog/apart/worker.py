"""The process that has an index: it answers what its server asks, and ends when nobody can ask any more."""

import asyncio
import gc
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine, MutableMapping
from pathlib import Path
from typing import Any, NoReturn

import structlog

from opencode.modules.marketplace.adapters.catalog.apart import calls
from opencode.modules.marketplace.adapters.catalog.apart.calls import Call, encoded
from opencode.modules.marketplace.adapters.catalog.apart.frames import Frames, Kind
from opencode.modules.marketplace.adapters.catalog.looking import Look
from opencode.modules.marketplace.adapters.catalog.snapshots import FolderSnapshots
from opencode.modules.marketplace.adapters.catalog.within import WithinCatalog

log = structlog.get_logger(__name__)

_YOUNG = 50_000
"""Objects, between two looks for cycles: answers come and go, and there are none in them."""


class Worker:
    """
    What is prompt is answered before the next message is read, so that all of it happens in the order in which it was
    asked for; what takes long goes on beside it.

    Args:
        gone: called once the server is gone.
    """

    def __init__(self, gone: Callable[[], None]) -> None:
        self.frames = Frames(self._hear, gone)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._index = WithinCatalog()
        self._look: Look | None = None
        self._snapshots: dict[str, FolderSnapshots] = {}
        self._tasks = set[asyncio.Task[None]]()
        prompt: list[tuple[Call[Any, Any], Callable[[Any], object]]] = [
            (calls.SEARCH, lambda asked: self._index.index.search(asked)),
            (calls.NAMED, lambda asked: self._index.index.named(*asked)),
            (calls.PUT, lambda asked: self._index.index.put(asked)),
            (calls.REMOVE, lambda asked: self._index.index.remove(asked)),
            (calls.STAND, lambda asked: self._index.index.stand(asked)),
            (calls.KNOWN, lambda asked: self._index.index.known(asked)),
            (calls.BETWEEN, lambda asked: self._index.index.ids_between(*asked)),
            (calls.COUNT, lambda _: len(self._index.index)),
            (calls.OUTDATED, lambda asked: self._looking().outdated(*asked)),
            (calls.UNPUBLISHED, lambda _: self._looking().unpublished()),
            (calls.STANDING_OTHERWISE, lambda asked: self._looking().standing_otherwise(*asked)),
        ]
        slow: list[tuple[Call[Any, Any], Callable[[Any], Coroutine[Any, Any, object]]]] = [
            (calls.SEAL, lambda _: self._index.seal()),
            (calls.SETTLE, lambda _: self._index.settle()),
            (calls.LOAD, self._load),
            (calls.SAVE, lambda asked: self._save(*asked)),
        ]
        self._prompt = {call.number: (call, answer) for call, answer in prompt}
        self._slow = {call.number: (call, answer) for call, answer in slow}

    def say(self, _logger: object, _method: str, entry: MutableMapping[str, Any]) -> NoReturn:
        """The last processor of the log: the server says it, before it hears of what was logged here last."""
        content = encoded(dict(entry))
        if threading.get_ident() == self._thread:
            self.frames.send(0, Kind.SAID, content)
        else:
            self._loop.call_soon_threadsafe(self.frames.send, 0, Kind.SAID, content)
        raise structlog.DropEvent

    def _hear(self, number: int, asked_for: int, content: bytes) -> None:
        if asked_for in self._slow:
            call, take_time = self._slow[asked_for]
            task = self._loop.create_task(self._answer(number, take_time(call.asked.decode(content))))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        call, answer = self._prompt[asked_for]
        try:
            self.frames.send(number, Kind.ANSWER, encoded(answer(call.asked.decode(content))))
        except Exception as error:
            self._apologise(number, error)

    async def _answer(self, number: int, work: Coroutine[Any, Any, object]) -> None:
        try:
            self.frames.send(number, Kind.ANSWER, encoded(await work))
        except Exception as error:
            self._apologise(number, error)

    def _apologise(self, number: int, error: Exception) -> None:
        if isinstance(error, ValueError):
            self.frames.send(number, Kind.REFUSED, str(error).encode())
            return
        log.exception("catalogue's process could not do what it was asked for")
        self.frames.send(number, Kind.FAILED, f"{type(error).__name__}: {error}".encode())

    async def _load(self, folder: str) -> bool:
        loaded = await self._kept(folder).load()
        if loaded:
            self._index, self._look = loaded, None
            # What was loaded stays; looking through it for cycles again and again would hold up searches.
            gc.freeze()
        return loaded is not None

    async def _save(self, folder: str, only_if_due: bool) -> None:
        await self._kept(folder).save(self._index, only_if_due=only_if_due)

    def _kept(self, folder: str) -> FolderSnapshots:
        return self._snapshots.setdefault(folder, FolderSnapshots(Path(folder)))

    def _looking(self) -> Look:
        """One look goes through to its end; nobody asks for a second one of an index that is loaded once."""
        if self._look is None:
            self._look = self._index.index.look_through()
        return self._look


async def work(asking: socket.socket) -> None:
    gone = asyncio.Event()
    worker = Worker(gone.set)
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info, worker.say]
    )
    await asyncio.get_running_loop().connect_accepted_socket(lambda: worker.frames, asking)
    await gone.wait()


def main() -> None:
    # Ctrl-C is meant for the server, which has things to keep before it lets go of this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    gc.set_threshold(_YOUNG)
    asyncio.run(work(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
