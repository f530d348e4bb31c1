"""Engines, made the same way everywhere: pragmas, pools, and transactions that never upgrade from read to write."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast
from weakref import WeakSet

import aiosqlite
import structlog
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from opencode.infra.db.glance import Glance
from opencode.infra.db.turns import Turns
from opencode.kernel.errors import Unavailable

T = TypeVar("T")

SQLITE_BUSY_TIMEOUT_MS = 5_000
_BEGIN = "BEGIN"
_BEGIN_TO_READ = "BEGIN DEFERRED"

log = structlog.get_logger(__name__)


class Database:
    """
    One database. `begin()` gives a connection in a transaction that commits when left without an error;
    `read()` gives one for reading only.

    Attributes:
        turns: on SQLite, every write of this process happens in a turn; `begin` takes one by itself.
        glance: on SQLite, for what is asked very often.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """
        Args:
            url: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`.
            pool_size: the most connections held open, PostgreSQL only.
        """
        self.url = url
        self.turns = Turns()
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self._sqlite_connections = WeakSet[_SqliteConnection]()
        self.engine = self._sqlite_engine() if self.is_sqlite else _postgres_engine(url, pool_size)
        self.glance = Glance(path) if (path := self.sqlite_path) else None

    @classmethod
    def in_folder(cls, folder: Path) -> "Database":
        """The embedded database of a data folder."""
        return cls(f"sqlite+aiosqlite:///{folder / 'opencode.db'}")

    @property
    def sqlite_path(self) -> Path | None:
        """The file, for an embedded database."""
        name = make_url(self.url).database
        return Path(name) if self.is_sqlite and name else None

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            if self.is_sqlite:
                await stack.enter_async_context(self.turns.turn())
            connection = await stack.enter_async_context(self._connected())
            # A transaction that starts by reading and then writes fails with SQLITE_BUSY_SNAPSHOT as soon as
            # somebody else has written in between, and no timeout helps. Whoever may write says so at the start.
            if self.is_sqlite:
                await connection.execution_options(sqlite_begin="IMMEDIATE")
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        async with self._connected() as connection:
            yield connection

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[AsyncConnection]:
        opening = self.engine.connect()
        try:
            connection = await opening.__aenter__()
        except (OSError, OperationalError, InterfaceError, PoolTimeout) as error:
            # The driver's words may name hosts and users: they are for the log and `ping`, not for who asked.
            log.error("database does not answer", error=str(error))
            raise Unavailable("The database does not answer.", action="Try again in a moment.") from error
        try:
            yield connection
        finally:
            await opening.__aexit__(None, None, None)

    async def ping(self) -> None:
        """Ask the database for an answer; any error of the driver passes through."""
        async with self.engine.connect() as connection:
            await connection.execute(text("select 1"))

    async def close(self) -> None:
        if self.glance:
            self.glance.close()
        await self.engine.dispose()
        for connection in list(self._sqlite_connections):
            await connection.ended()

    def _sqlite_engine(self) -> AsyncEngine:
        path = make_url(self.url).database or ":memory:"

        def connect() -> _SqliteConnection:
            connection = _SqliteConnection(path)
            self._sqlite_connections.add(connection)
            return connection

        # It is awaited there like a coroutine; only the declared type says that it must be one.
        return _with_pragmas(create_async_engine(self.url, async_creator=cast(Any, connect)))


async def in_drivers_thread(connection: AsyncConnection, work: Callable[[sqlite3.Connection], T]) -> T:
    """
    Do what takes several statements in one go, on SQLite, within the transaction that the connection is in: each
    statement that is awaited is a way to the driver's thread and back, and through the engine's layers.
    """
    raw = await connection.get_raw_connection()
    return await cast(_SqliteConnection, raw.driver_connection).call(work)


class _SqliteConnection(aiosqlite.Connection):
    """
    A connection that may be ended twice. When a query is cancelled again and again, as an anyio scope does it,
    SQLAlchemy ends its connection first politely and then by force. The driver's thread is gone after the first of the
    two; the second would wait for an answer of that thread for ever, and the end of the process would wait with it.

    What neither reads the file nor waits for anybody is done where it is asked: of the nine ways to the driver's thread
    and back that reading a row takes, two are left. A busy loop comes back from each of them only when it has done
    everything else that was ready.
    """

    def __init__(self, path: str) -> None:
        timeout_s = SQLITE_BUSY_TIMEOUT_MS / 1000
        super().__init__(lambda: sqlite3.connect(path, timeout=timeout_s, check_same_thread=False), iter_chunk_size=64)
        self._thread.daemon = True
        self._ended = False
        self._asked = 0  # of the thread, counted by who asks
        self._answered = 0  # counted by the thread
        self._only_reads = False

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if args and str(args[0]).startswith(_BEGIN):
            self._only_reads = args[0] == _BEGIN_TO_READ
        # While the thread does something, as it goes on with what was cancelled, the connection is locked.
        is_idle = self._asked == self._answered and not self._ended and self._connection is not None
        if is_idle and self._is_instant(fn, args):
            return fn(*args, **kwargs)
        self._asked += 1
        return await super()._execute(self._answer, fn, *args, **kwargs)

    async def call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return cast(T, await self._execute(work, self._conn))

    def _answer(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return fn(*args, **kwargs)
        finally:
            self._answered += 1

    def _is_instant(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
        match getattr(fn, "__name__", None):
            case "cursor":
                return True
            case "close":
                return isinstance(getattr(fn, "__self__", None), sqlite3.Cursor)
            case "rollback":
                return self._only_reads or not self._conn.in_transaction
            case "execute":
                return args[0] == _BEGIN_TO_READ
            case _:
                return False

    def stop(self) -> "asyncio.Future[Any] | None":
        if self._ended:
            return None
        self._ended = True
        return super().stop()

    async def ended(self) -> None:
        """Wait until the thread of an ended connection is gone: it must not report to a loop that has closed."""
        if self._ended and self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, SQLITE_BUSY_TIMEOUT_MS / 1000)


def _with_pragmas(engine: AsyncEngine) -> AsyncEngine:
    @event.listens_for(engine.sync_engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        # The driver's own idea of when a transaction begins is switched off; `_begin` below says it.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _postgres_engine(url: str, pool_size: int) -> AsyncEngine:
    return create_async_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True)
