"""
The update log on SQLite without layers between: the write that every keystroke waits for.

One group commit is one row, so it dirties one or two pages whatever the number of documents. It is written by the
event loop itself: without waiting for the disk that takes some 50 microseconds, a third of what handing it to a thread
and back costs. It goes before all other writers of this process. When another process holds the database, and whenever
acknowledged edits must survive a loss of power, a thread with a connection of its own does it. What is in the journal
since the last `settle` is remembered, so that `settle` need not read and decode it again. Measurements: docs/adr/0003.
"""

import asyncio
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from opencode.infra.db import Database
from opencode.infra.db.database import SQLITE_BUSY_TIMEOUT_MS
from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain.log import StoredDocument
from opencode.modules.collaboration.domain.records import Record, encode_records
from opencode.modules.collaboration.store.log import SETTLE_ROWS, SqlUpdateLog, segment_of, segments_of

T = TypeVar("T")

MAX_REMEMBERED = 100_000
"""Records; when `settle` fails for so long, the journal is read instead."""


class SqliteUpdateLog:
    """
    Implements `domain.log.UpdateLog` on an embedded database.

    The thread's connection waits for the disk at every commit. The loop's does not: what it has written is safe from a
    loss of power from the next `sync` or `settle` on.
    """

    def __init__(self, database: Database, path: Path, *, durability: str) -> None:
        """Args: durability: `power` or `process`; see `CollaborationSettings`."""
        self._slow = SqlUpdateLog(database)
        self._turns = database.turns
        self._path = path
        self._waits_for_disk = durability == "power"
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="update-log")
        self._threads_connection: sqlite3.Connection | None = None
        self._loops_connection: sqlite3.Connection | None = None
        self._remembered: list[Record] = []
        self._remembered_rows = 0
        self._last_row = 0
        self._remembers_all = False  # the journal may hold rows of an earlier process

    def commit_at_once(self, records: list[Record]) -> bool:
        if self._waits_for_disk or not self._turns.take_free():
            return False
        try:
            row = self._write_at_once(encode_records(records))
            if row is not None:
                self._remember(records, row)
        finally:
            self._turns.release()
        return row is not None

    async def commit(self, records: list[Record]) -> None:
        batch = encode_records(records)
        async with self._turns.turn(urgent=True):
            row = None if self._waits_for_disk else self._write_at_once(batch)
            if row is None:
                row = await self._call(lambda connection: _append(connection, batch))
            self._remember(records, row)

    async def sync(self) -> None:
        if not self._waits_for_disk:
            await asyncio.get_running_loop().run_in_executor(self._thread, _sync, f"{self._path}-wal")

    async def settle(self) -> None:
        while True:
            async with self._turns.turn():
                if self._remembers_all:
                    if await self._settle_remembered():
                        return
                elif not await self._call(_settle_some):
                    self._forget(remembers_all=True)
                    return

    async def load(self, document_id: DocumentId) -> StoredDocument:
        await self.settle()
        return await self._slow.load(document_id)

    async def history(self, document_id: DocumentId) -> list[Record]:
        await self.settle()
        return await self._slow.history(document_id)

    async def save_snapshot(self, document_id: DocumentId, sequence: int, seeds: frozenset[str], state: bytes) -> None:
        await self._slow.save_snapshot(document_id, sequence, seeds, state)

    async def delete(self, document_id: DocumentId) -> None:
        await self.settle()
        await self._slow.delete(document_id)

    async def close(self) -> None:
        """End the thread, after what it has begun."""
        if self._loops_connection is not None:
            self._loops_connection.close()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _remember(self, records: list[Record], row: int) -> None:
        self._last_row = row
        self._remembered += records
        self._remembered_rows += 1
        if len(self._remembered) > MAX_REMEMBERED:
            self._forget(remembers_all=False)

    def _forget(self, *, remembers_all: bool) -> None:
        self._remembered = []
        self._remembered_rows = 0
        self._remembers_all = remembers_all

    async def _settle_remembered(self) -> bool:
        """Returns whether it was done; if not, the journal has to be read."""
        records, rows, last_row = self._remembered, self._remembered_rows, self._last_row
        if records:
            # Until it has worked, only the journal knows.
            self._forget(remembers_all=False)
            self._remembers_all = await self._call(
                lambda connection: _settle_remembered(connection, records, rows, last_row)
            )
        return self._remembers_all

    def _write_at_once(self, batch: bytes) -> int | None:
        """Write in this thread, if no other process is writing. Returns the row's id, or None: it was not done."""
        if self._loops_connection is None:
            self._loops_connection = _connect(self._path, synchronous="NORMAL", timeout_s=0)
            # Moving the write-ahead log into the database waits for the disk: a thing for threads.
            self._loops_connection.execute("PRAGMA wal_autocheckpoint=0")
        try:
            return _append(self._loops_connection, batch)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return None
            raise

    async def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._threads_connection is None:
            timeout_s = SQLITE_BUSY_TIMEOUT_MS / 1000
            self._threads_connection = _connect(self._path, synchronous="FULL", timeout_s=timeout_s)
        return work(self._threads_connection)

    def _disconnect(self) -> None:
        if self._threads_connection is not None:
            self._threads_connection.close()


def _sync(write_ahead_log: str) -> None:
    """SQLite appends what is committed to this file (https://sqlite.org/wal.html); it is gone while nobody writes."""
    try:
        descriptor = os.open(write_ahead_log, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _connect(path: Path, *, synchronous: str, timeout_s: float) -> sqlite3.Connection:
    # Without an isolation level a single statement is its own transaction.
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    return connection


_APPEND = "INSERT INTO document_journal (records) VALUES (?)"
_OLDEST = f"SELECT id, records FROM document_journal ORDER BY id LIMIT {SETTLE_ROWS}"  # noqa: S608, a constant
_SEGMENT = (
    "INSERT INTO document_segments (document_id, first_sequence, last_sequence, records)"
    " VALUES (:document_id, :first_sequence, :last_sequence, :records)"
    " ON CONFLICT (document_id, first_sequence) DO UPDATE"
    " SET last_sequence = excluded.last_sequence, records = excluded.records"
    " WHERE last_sequence < excluded.last_sequence"
)


def _append(connection: sqlite3.Connection, batch: bytes) -> int:
    """Returns the id of the new row of the journal."""
    return connection.execute(_APPEND, (batch,)).lastrowid or 0


def _segments_by_document(records: list[Record]) -> list[dict[str, object]]:
    """Args: records: of any documents, those of each document in order, none twice."""
    by_document: defaultdict[DocumentId, list[Record]] = defaultdict(list)
    for record in records:
        by_document[record.document_id].append(record)
    return [segment_of(group) for group in by_document.values()]


def _settle_some(connection: sqlite3.Connection) -> bool:
    """Sort the oldest rows of the journal into segments. Returns whether more may be left."""
    with _transaction(connection):
        rows = connection.execute(_OLDEST).fetchall()
        if rows:
            _move(connection, segments_of([records for _, records in rows]), rows[-1][0])
    return len(rows) == SETTLE_ROWS


def _settle_remembered(connection: sqlite3.Connection, records: list[Record], rows: int, last_row: int) -> bool:
    """
    Put these records in the place of the journal's rows up to `last_row`. Returns False, and changes nothing, when
    there are not as many rows as were remembered: what nobody remembers is not deleted.
    """
    segments = _segments_by_document(records)
    with _transaction(connection):
        there = connection.execute("SELECT count(*) FROM document_journal WHERE id <= ?", (last_row,)).fetchone()[0]
        if there == rows:
            _move(connection, segments, last_row)
    return there == rows


def _move(connection: sqlite3.Connection, segments: list[dict[str, object]], last_row: int) -> None:
    connection.executemany(_SEGMENT, segments)
    connection.execute("DELETE FROM document_journal WHERE id <= ?", (last_row,))


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Also when beginning or committing failed half-way: a transaction left open would swallow every later edit.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
