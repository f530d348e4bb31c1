"""Group commit: edits of all rooms within a few milliseconds become one write, and their senders hear of it."""

import asyncio
import time
from dataclasses import dataclass, field

import structlog

from opencode.infra.observability import metrics
from opencode.modules.collaboration.domain.log import UpdateLog
from opencode.modules.collaboration.domain.peer import Peer
from opencode.modules.collaboration.domain.records import Record

log = structlog.get_logger(__name__)

MAX_BACKLOG_BYTES = 64 * 1024 * 1024
"""Edits in memory that could not be written yet. Beyond that nothing more is taken."""
_WRITTEN = metrics.UPDATES.labels("written")
RETRY_S = (0.05, 0.2, 0.5, 1.0, 2.0)


@dataclass(slots=True)
class Batch:
    """What is written together. `waiting` has, for each sender, its last frame in here and the log's place after it."""

    records: list[Record] = field(default_factory=list[Record])
    waiting: dict[Peer, tuple[int, int]] = field(default_factory=dict[Peer, tuple[int, int]])
    done: asyncio.Event = field(default_factory=asyncio.Event)
    _measured: int = 0
    _measured_bytes: int = 0

    def size_bytes(self) -> int:
        """Of its updates. Counted when somebody asks, each record once: keeping the sum would cost every keystroke."""
        fresh = self.records[self._measured :]
        self._measured += len(fresh)
        self._measured_bytes += sum(len(record.update) for record in fresh)
        return self._measured_bytes


class GroupCommit:
    """
    One writer for all rooms of this process. Implements `domain.room.Journal`.

    A batch that cannot be written is tried again for as long as the process lives: it is never dropped, and later
    batches wait behind it, so that the log has no gap.
    """

    def __init__(self, update_log: UpdateLog, *, window_s: float) -> None:
        self._log = update_log
        self._window_s = window_s
        self._open = Batch()
        self._writing: asyncio.Task[None] | None = None
        self._being_written = Batch()
        self._idle = True  # nothing is gathered and nothing is written: the next edit opens a window
        self._failing: str | None = None
        self._unsettled = False
        self._unsynced = False

    @property
    def overloaded(self) -> bool:
        """More waits to be written than this process should hold."""
        return self._being_written.size_bytes() + self._open.size_bytes() > MAX_BACKLOG_BYTES

    def append(self, record: Record, peer: Peer, ordinal: int) -> None:
        batch = self._open
        batch.records.append(record)
        batch.waiting[peer] = (ordinal, record.sequence)
        if self._idle:
            self._open_window()

    def pass_through(self, peer: Peer, ordinal: int) -> None:
        self._open.waiting[peer] = (ordinal, peer.room.sequence)
        if self._idle:
            self._open_window()

    def refused(self, reason: str) -> None:
        metrics.UPDATES.labels(reason).inc()

    async def write(self, record: Record) -> None:
        """Make one record of the server's own durable."""
        batch = self._open
        batch.records.append(record)
        if self._idle:
            self._open_window()
        await batch.done.wait()

    async def flushed(self) -> None:
        """Wait until everything that was taken so far is durable."""
        batch = self._open
        if batch.records or batch.waiting:
            await batch.done.wait()
        elif self._writing:
            await asyncio.shield(self._writing)

    async def sync(self) -> None:
        """Make what was written safe from a loss of power, if anything was since the last time."""
        if self._unsynced:
            self._unsynced = False
            await self._log.sync()

    async def settle(self) -> None:
        """Sort the journal, if anything was written since the last time."""
        if self._unsettled:
            self._unsettled = False
            await self._log.settle()

    def check(self) -> None:
        """
        Raises:
            RuntimeError: the log cannot be written at present; the text says why.
        """
        if self._failing:
            raise RuntimeError(f"the update log cannot be written: {self._failing}")

    def _open_window(self) -> None:
        self._idle = False
        asyncio.get_running_loop().call_later(self._window_s, self._close_window)

    def _close_window(self) -> None:
        batch, self._open = self._open, Batch()
        started = time.perf_counter()
        # No task for what needs no waiting: a task costs more than the write.
        if not batch.records or self._writes_at_once(batch.records):
            self._finish(batch, started)
        else:
            self._being_written = batch
            self._writing = asyncio.get_running_loop().create_task(self._write(batch, started))

    def _writes_at_once(self, records: list[Record]) -> bool:
        try:
            return self._log.commit_at_once(records)
        except Exception:
            return False  # `_commit` tries again at once, and knows what to do if it still fails

    async def _write(self, batch: Batch, started: float) -> None:
        await self._commit(batch.records)
        self._writing = None
        self._being_written = Batch()
        self._finish(batch, started)

    def _finish(self, batch: Batch, started: float) -> None:
        """The batch is durable: count it, tell the senders, and go on with what has come meanwhile."""
        self._idle = True
        if self._open.records or self._open.waiting:
            self._open_window()
        if batch.records:
            metrics.COMMIT_TIME.observe(time.perf_counter() - started)
            metrics.COMMIT_SIZE.observe(len(batch.records))
            _WRITTEN.inc(len(batch.records))
            self._unsettled = self._unsynced = True
        batch.done.set()
        for peer, (ordinal, sequence) in batch.waiting.items():
            try:
                peer.room.settle(peer, ordinal, sequence)
            except Exception:
                # One broken socket must not keep everybody's later edits from being written.
                log.exception("acknowledgement failed")

    async def _commit(self, records: list[Record]) -> None:
        attempt = 0
        while True:
            try:
                await self._log.commit(records)
            except Exception as error:
                pause = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                self._failing = f"{type(error).__name__}: {error}"
                log.exception("update log cannot be written", updates=len(records), attempt=attempt, retry_s=pause)
                await asyncio.sleep(pause)
                attempt += 1
            else:
                self._failing = None
                return
