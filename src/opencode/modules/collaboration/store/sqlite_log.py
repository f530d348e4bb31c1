"""
The update log on SQLite without layers between: the write that every keystroke waits for.

A thread of its own holds a connection of its own. One group commit is one row, so it dirties one or two pages whatever
the number of documents; measured, that costs a sixth of the processor time of a row an update (docs/adr/0003).
Everything that is not hot is left to `SqlUpdateLog`.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from opencode.infra.db import Database
from opencode.infra.db.database import SQLITE_BUSY_TIMEOUT_MS
from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain.log import StoredDocument
from opencode.modules.collaboration.domain.records import Record, encode_records
from opencode.modules.collaboration.store.log import SETTLE_ROWS, SqlUpdateLog, segments_of

T = TypeVar("T")

_SYNCHRONOUS = {"power": "FULL", "process": "NORMAL"}


class SqliteUpdateLog:
    """Implements `domain.log.UpdateLog` on an embedded database."""

    def __init__(self, database: Database, path: Path, *, durability: str) -> None:
        """Args: durability: `power` or `process`; see `CollaborationSettings`."""
        self._slow = SqlUpdateLog(database)
        self._path = path
        self._synchronous = _SYNCHRONOUS[durability]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="update-log")
        self._connection: sqlite3.Connection | None = None

    async def commit(self, records: list[Record]) -> None:
        batch = encode_records(records)
        await self._call(lambda connection: connection.execute(_APPEND, (batch,)))

    async def settle(self) -> None:
        while await self._call(_settle_some):
            pass

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
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    async def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._connect()))

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            # Without an isolation level a single statement is its own transaction.
            connection = sqlite3.connect(self._path, timeout=SQLITE_BUSY_TIMEOUT_MS / 1000, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()


_APPEND = "INSERT INTO document_journal (records) VALUES (?)"
_OLDEST = f"SELECT id, records FROM document_journal ORDER BY id LIMIT {SETTLE_ROWS}"  # noqa: S608, a constant
_SEGMENT = (
    "INSERT INTO document_segments (document_id, first_sequence, last_sequence, records)"
    " VALUES (:document_id, :first_sequence, :last_sequence, :records) ON CONFLICT DO NOTHING"
)


def _settle_some(connection: sqlite3.Connection) -> bool:
    """Sort some rows of the journal into segments. Returns whether more may be left."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        rows = connection.execute(_OLDEST).fetchall()
        if rows:
            connection.executemany(_SEGMENT, segments_of([records for _, records in rows]))
            connection.execute("DELETE FROM document_journal WHERE id <= ?", (rows[-1][0],))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return len(rows) == SETTLE_ROWS
