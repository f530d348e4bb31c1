"""
Fresh PostgreSQL databases for tests: copies of a migrated one, emptied and used again, since a copy costs disk. And SQL
that is written out once in a process, not by each test's engine anew.
"""

import itertools
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Dialect, text

from opencode.app.migrate import migrate
from opencode.infra.db import Database
from tests.servers import PostgresServer

_TEMPLATE = "migrated"

# Foreign keys are switched off meanwhile, or the order of the tables would matter.
_EMPTY = """
do $$
declare found record;
begin
    set local session_replication_role = replica;
    for found in select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version' loop
        execute format('delete from %I', found.tablename);
    end loop;
    perform setval(oid::regclass, 1, false) from pg_class where relkind = 'S';
end $$
"""
_SHAPE = "select count(*), (select max(version_num) from alembic_version) from pg_class"


@dataclass(slots=True)
class PostgresDatabases:
    """All databases of a run. They go away with the server."""

    server: PostgresServer
    _spare: list[str] = field(default_factory=list[str])
    _shape: tuple[object, ...] = ()
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def prepare(self) -> None:
        """Make the migrated database that the others are copies of."""
        await self._command(f"create database {_TEMPLATE}")
        database = Database(self.server.url(_TEMPLATE))
        await migrate(database)
        self._shape = await _shape_of(database)
        await database.close()

    async def empty(self) -> str:
        """The URL of a database without any table."""
        return await self._create("template0")

    async def migrated(self) -> str:
        """The URL of a database with the whole schema and no rows. `give_back` it."""
        return self._spare.pop() if self._spare else await self._create(_TEMPLATE)

    async def give_back(self, url: str) -> None:
        """A database that still has the tables it began with is emptied and kept for the next test."""
        database = Database(url)
        if await _shape_of(database) == self._shape:
            async with database.begin() as connection:
                await connection.execute(text(_EMPTY))
            self._spare.append(url)
        await database.close()

    async def _create(self, template: str) -> str:
        name = f"test_{next(self._numbers)}"
        await self._command(f"create database {name} template {template}")
        return self.server.url(name)

    async def _command(self, command: str) -> None:
        # Databases cannot be made within a transaction.
        database = Database(self.server.url("postgres"))
        async with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.execute(text(command))
        await database.close()


@dataclass(slots=True)
class _Written:
    """What SQLAlchemy has written out for a kind of database, and the dialect by which it knows that."""

    dialect: Dialect
    statements: dict[Any, Any] = field(default_factory=dict[Any, Any])


_written: dict[bool, _Written] = {}


@contextmanager
def statements_of_all_tests(database: Database) -> Generator[None]:
    """Within, the engine writes out those statements only that no test before has used on this kind of database."""
    engine = database.engine.sync_engine
    if known := _written.get(database.is_sqlite):
        engine.dialect = known.dialect
        engine.update_execution_options(compiled_cache=known.statements)
    yield
    # One that has met its server, and knows what it can do.
    if not known and engine.dialect.server_version_info:
        _written[database.is_sqlite] = _Written(engine.dialect)


async def _shape_of(database: Database) -> tuple[object, ...]:
    async with database.read() as connection:
        return tuple((await connection.execute(text(_SHAPE))).one())
