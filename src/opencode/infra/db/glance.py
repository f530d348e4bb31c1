"""
A few rows by their keys, straight from the file of an embedded database, where they are asked for: finding them takes
less than the way through the engine's layers, to the driver's thread and back, and whoever asks does not stand behind
everybody whom a busy loop has taken up meanwhile.
"""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

SLOW_S = 0.03
"""A glance that took longer came from a disk that is busy, or turns, …"""
SLOW_FOR_S = 5.0
"""… and for so long everything is read in the driver's thread again, where nobody else waits for it."""
_CACHE_KIB = 16_384
_DIALECT = sqlite.dialect(paramstyle="named")

Processor = Callable[[Any], Any] | None


class Glimpse:
    """A query that is put together once, for SQLite."""

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        """
        Args:
            query: finds a few rows by keys; its parameters that have no value yet are texts or integers.
        """
        compiled = query.compile(dialect=_DIALECT)
        self.sql = str(compiled)
        self.fixed: dict[str, Any] = {}
        for bound, name in compiled.bind_names.items():
            if not bound.required:
                process = bound.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
                self.fixed[name] = process(bound.value) if process else bound.value
        self._outgoing: list[tuple[str, Processor]] = [
            (column.name, column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None))
            for column in query.selected_columns
        ]

    def row(self, raw: tuple[Any, ...]) -> dict[str, Any]:
        return {
            name: value if process is None else process(value)
            for (name, process), value in zip(self._outgoing, raw, strict=True)
        }


class Glance:
    """A connection of its own, for reading only; what is committed is seen at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._patient_until = 0.0

    def rows(self, glimpse: Glimpse, **parameters: str | int) -> list[dict[str, Any]] | None:
        """The rows, by names of columns. None if this is no moment for it: who asks then reads as everybody does."""
        began = time.monotonic()
        if began < self._patient_until:
            return None
        try:
            connection = self._connection or self._connected()
            raw = connection.execute(glimpse.sql, glimpse.fixed | parameters).fetchall()
        except sqlite3.Error:
            self._patient_until = began + SLOW_FOR_S
            return None
        if (ended := time.monotonic()) - began > SLOW_S:
            self._patient_until = ended + SLOW_FOR_S
        return [glimpse.row(each) for each in raw]

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _connected(self) -> sqlite3.Connection:
        # Nobody waits here: a file that is locked is read in the driver's thread.
        opened = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        opened.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        opened.execute("PRAGMA query_only=ON")
        self._connection = opened
        return opened
