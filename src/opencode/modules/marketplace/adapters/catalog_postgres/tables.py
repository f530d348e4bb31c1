"""
The tables of the index, in a schema of their own: they hold nothing that the store has not, change with this code and
not with the product's data, and are of no use on SQLite. So no migration makes them; the index does when it is opened.

An index has generations: one that searches use, and while it is rebuilt another one that is filled beside it. Whoever
changes something changes all of them, in one transaction, one after the other.
"""

from dataclasses import dataclass

from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.kernel.errors import Unavailable

SCHEMA = "marketplace_catalogue_1"
"""With a number that grows when the tables below change: an older index is then none of ours."""

# What moves all the time (`standings`) is apart from the words: a star must not write thirty words anew.
_GENERATION = """
create table {entries} (
    id text collate "C" primary key,
    words tsvector not null,
    labels integer[] not null,
    name_key text collate "C" not null,
    joined text collate "C" not null,
    updated bigint not null,
    digest bigint not null
);
create index on {entries} using gin (words) with (fastupdate = off);
create index on {entries} (name_key, id desc);
create index on {entries} (joined);
create index on {entries} (updated desc, id desc);
create table {standings} (
    id text collate "C" primary key,
    popularity double precision not null,
    trending double precision not null,
    trust double precision not null,
    boost double precision not null
);
create index on {standings} (popularity desc, id desc);
create index on {standings} (trending desc, id desc);
create table {words} (
    word text collate "C" primary key,
    projects integer not null,
    counted integer not null
);
create table {labels} (
    number integer generated always as identity primary key,
    facet text not null,
    written text not null,
    sorted_by text collate "C" not null,
    word text collate "C" not null unique
)
"""


@dataclass(frozen=True, slots=True)
class Tables:
    """
    The names of one generation's tables.

    Attributes:
        words: how many projects have each word, and how many had it when that was last counted for `rarity`.
    """

    schema: str
    generation: int

    @property
    def entries(self) -> str:
        return f"{self.schema}.entries_{self.generation}"

    @property
    def standings(self) -> str:
        return f"{self.schema}.standings_{self.generation}"

    @property
    def words(self) -> str:
        return f"{self.schema}.words_{self.generation}"

    @property
    def labels(self) -> str:
        return f"{self.schema}.labels_{self.generation}"

    @property
    def all(self) -> tuple[str, ...]:
        return (self.entries, self.standings, self.words, self.labels)


class Generations:
    """Args: schema: a plain lower-case name."""

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self.table = f"{schema}.generations"

    async def lock(self, connection: AsyncConnection) -> None:
        """Be the only one who changes anything, until the transaction is over."""
        await connection.exec_driver_sql("select pg_advisory_xact_lock(hashtextextended($1, 0))", (self._schema,))

    async def open(self, connection: AsyncConnection) -> bool:
        """
        See that there is one. Returns whether the current one is whole.

        Raises:
            Unavailable: the role may not make a schema.
        """
        await self.lock(connection)
        there = await connection.exec_driver_sql("select to_regclass($1) is not null", (self.table,))
        if not there.scalar_one():
            await self._make_schema(connection)
            await self.add(connection, is_current=True)
        return bool(
            (await connection.exec_driver_sql(f"select is_whole from {self.table} where is_current")).scalar_one()
        )

    async def add(self, connection: AsyncConnection, *, is_current: bool = False) -> int:
        """Make an empty one. One that is not current, which a rebuild has left behind, makes room for it."""
        await self._drop(connection, "not is_current")
        added = await connection.exec_driver_sql(
            f"insert into {self.table} (number, is_current, is_whole, projects, counted) "
            f"select coalesce(max(number), 0) + 1, $1, false, 0, 0 from {self.table} returning number",
            (is_current,),
        )
        number = added.scalar_one()
        tables = Tables(self._schema, number)
        script = _GENERATION.format(
            entries=tables.entries, standings=tables.standings, words=tables.words, labels=tables.labels
        )
        for statement in script.split(";"):
            await connection.exec_driver_sql(statement)
        return number

    async def finish(self, connection: AsyncConnection, number: int | None) -> None:
        """This one is whole: searches use it from now on, and the others go. None: the current one is whole."""
        if number is None:
            await connection.exec_driver_sql(f"update {self.table} set is_whole = true where is_current")
            return
        await connection.exec_driver_sql(
            f"update {self.table} set is_current = (number = $1), is_whole = is_whole or number = $1", (number,)
        )
        await self._drop(connection, "not is_current")

    async def current(self, connection: AsyncConnection) -> Tables:
        found = await connection.exec_driver_sql(f"select number from {self.table} where is_current")
        return Tables(self._schema, found.scalar_one())

    async def all(self, connection: AsyncConnection) -> list[Tables]:
        found = await connection.exec_driver_sql(f"select number from {self.table} order by number")
        return [Tables(self._schema, number) for number in found.scalars()]

    async def _drop(self, connection: AsyncConnection, condition: str) -> None:
        gone = await connection.exec_driver_sql(f"delete from {self.table} where {condition} returning number")
        for number in gone.scalars().all():
            for name in Tables(self._schema, number).all:
                await connection.exec_driver_sql(f"drop table if exists {name}")

    async def _make_schema(self, connection: AsyncConnection) -> None:
        try:
            await connection.exec_driver_sql(f"create schema if not exists {self._schema}")
        except ProgrammingError as error:
            raise Unavailable(
                "The catalogue's index may not make its schema in this database.",
                action="Grant CREATE on the database to this role, or set marketplace_index to embedded.",
            ) from error
        await connection.exec_driver_sql(
            f"create table {self.table} (number integer primary key, is_current boolean not null, "
            "is_whole boolean not null, projects integer not null, counted integer not null)"
        )
