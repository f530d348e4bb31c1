"""The index that is in PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.exc import NoResultFound, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import Database
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.adapters.catalog_postgres.asking import statement_of
from opencode.modules.marketplace.adapters.catalog_postgres.changing import Changing, unsigned
from opencode.modules.marketplace.adapters.catalog_postgres.tables import SCHEMA, Generations, Tables
from opencode.modules.marketplace.adapters.catalog_postgres.words import AskedWords
from opencode.modules.marketplace.domain.catalog import (
    CatalogIndex,
    Facets,
    FacetValue,
    Found,
    Hit,
    Known,
    Listing,
    Namesake,
    Position,
    Search,
    Standing,
)
from opencode.modules.marketplace.domain.understanding import is_worth_again, understand, understand_again

T = TypeVar("T")

_BATCH = 500


class PostgresCatalog:
    """
    See `CatalogIndex`. It is in the database that the store is in, and shared by all processes.

    Args:
        only: the one generation that is filled; None changes all, and searches in the current one.
    """

    is_shared = True

    def __init__(self, database: Database, schema: str = SCHEMA, only: int | None = None) -> None:
        self._database = database
        self._schema = schema
        self._generations = Generations(schema)
        self._only = only

    async def open(self) -> bool:
        """
        See `CatalogIndex.open`.

        Raises:
            Unavailable: the role may not make a schema.
        """
        async with self._database.begin() as connection:
            return await self._generations.open(connection)

    async def search(self, search: Search) -> Found:
        """See `CatalogIndex.search`."""
        return await self._read(partial(self._search, search))

    async def named(self, names: Iterable[str], limit: int) -> list[Namesake]:
        """See `CatalogIndex.named`."""
        return await self._read(partial(_named, list(dict.fromkeys(names)), limit))

    async def put(self, listings: Iterable[Listing]) -> None:
        """See `CatalogIndex.put`."""
        # Of two about the same project the last one holds, with the standing that was told last.
        known: dict[ProjectId, Listing] = {}
        for listing in listings:
            before = known.get(listing.id)
            if before and listing.standing is None:
                listing = replace(listing, standing=before.standing)
            known[listing.id] = listing
        every = list(known.values())
        for start in range(0, len(every), _BATCH):
            await self._change(partial(_put, listings=every[start : start + _BATCH]))

    async def remove(self, ids: Iterable[ProjectId]) -> None:
        """See `CatalogIndex.remove`."""
        if gone := list(ids):
            await self._change(partial(_remove, ids=gone))

    async def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None:
        """See `CatalogIndex.stand`."""
        if stood := list(dict(standings).items()):
            await self._change(partial(_stand, standings=stood))

    async def seal(self) -> None:
        """See `CatalogIndex.seal`."""
        async with self._database.begin() as connection:
            for name in (await self._tables(connection)).all:
                await connection.exec_driver_sql(f"analyze {name}")
        async with self._database.begin() as connection:
            await self._generations.lock(connection)
            await self._generations.finish(connection, self._only)
        self._only = None

    async def settle(self) -> None:
        """PostgreSQL does it by itself (autovacuum)."""

    async def known(self, ids: Iterable[ProjectId]) -> list[Known]:
        """See `CatalogIndex.known`."""
        return await self._read(partial(_known, list(ids)))

    async def ids_between(self, after: str, upto: str, limit: int) -> list[ProjectId]:
        """See `CatalogIndex.ids_between`."""
        return await self._read(partial(_ids_between, after, upto, limit))

    async def successor(self) -> CatalogIndex:
        """See `CatalogIndex.successor`."""
        async with self._database.begin() as connection:
            await self._generations.lock(connection)
            number = await self._generations.add(connection)
        return PostgresCatalog(self._database, self._schema, number)

    async def count(self) -> int:
        """See `CatalogIndex.count`."""
        return (await self._read(self._sizes))[0]

    async def lost(self) -> None:
        """It outlives this process."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """The database is not its own."""

    async def _search(self, search: Search, connection: AsyncConnection, tables: Tables) -> Found:
        projects, counted = await self._sizes(connection, tables)
        words = AskedWords(connection, tables, counted)
        understood = await words.answer(lambda known: understand(search.text, known))
        statement = statement_of(search, understood, tables)
        row = await _row(connection, statement.sql, statement.values)
        if is_worth_again(understood, row["total"] or 0):
            before = understood
            understood = await words.answer(lambda known: understand_again(before, search.text, known))
            statement = statement_of(search, understood, tables)
            row = await _row(connection, statement.sql, statement.values)
        hits = tuple(_hit(*values) for values in msgspec.json.decode(row["hits"] or "[]"))
        total = projects if row["total"] is None else row["total"]
        return Found(hits, total, _facets(msgspec.json.decode(row["facets"] or "[]")), understood.corrected)

    async def _change(self, change: "Callable[[Changing], Any]") -> None:
        async with self._database.begin() as connection:
            await self._generations.lock(connection)
            every = await self._generations.all(connection)
            for tables in every:
                if self._only in (None, tables.generation):
                    await change(Changing(connection, self._generations, tables))

    async def _read(self, work: Callable[[AsyncConnection, Tables], Awaitable[T]]) -> T:
        try:
            async with self._database.read() as connection:
                return await work(connection, await self._tables(connection))
        except (ProgrammingError, NoResultFound):
            # A rebuild has put another generation in the place of the one that was found a moment before.
            async with self._database.read() as connection:
                return await work(connection, await self._tables(connection))

    async def _tables(self, connection: AsyncConnection) -> Tables:
        if self._only is not None:
            return Tables(self._schema, self._only)
        return await self._generations.current(connection)

    async def _sizes(self, connection: AsyncConnection, tables: Tables) -> tuple[int, int]:
        """How many projects there are, and how many there were when words were last counted."""
        found = await connection.exec_driver_sql(
            f"select projects, counted from {self._generations.table} where number = $1", (tables.generation,)
        )
        row = found.one()
        return row.projects, row.counted


async def _named(names: list[str], limit: int, connection: AsyncConnection, tables: Tables) -> list[Namesake]:
    rows = await connection.exec_driver_sql(
        "select id, joined, popularity from unnest($1::text[]) as asked(name) "
        f"join {tables.entries} as entries on entries.joined = asked.name join {tables.standings} using (id) "
        "order by popularity desc, id limit $2::integer",
        (names, limit),
    )
    return [Namesake(ProjectId(row.id), row.joined, row.popularity) for row in rows]


async def _known(ids: list[ProjectId], connection: AsyncConnection, tables: Tables) -> list[Known]:
    rows = await connection.exec_driver_sql(
        f"select id, digest, popularity, trending, trust from {tables.entries} join {tables.standings} "
        "using (id) where id = any($1::text[])",
        (ids,),
    )
    return [Known(row.id, unsigned(row.digest), Standing(row.popularity, row.trending, row.trust)) for row in rows]


async def _ids_between(
    after: str, upto: str, limit: int, connection: AsyncConnection, tables: Tables
) -> list[ProjectId]:
    rows = await connection.exec_driver_sql(
        f"select id from {tables.entries} where id > $1::text and ($2::text = '' or id <= $2::text) "
        "order by id limit $3::integer",
        (after, upto, limit),
    )
    return [ProjectId(found) for found in rows.scalars()]


async def _put(changing: Changing, listings: list[Listing]) -> None:
    await changing.put(listings)


async def _remove(changing: Changing, ids: list[ProjectId]) -> None:
    await changing.remove(ids)


async def _stand(changing: Changing, standings: list[tuple[ProjectId, Standing]]) -> None:
    await changing.stand(standings)


async def _row(connection: AsyncConnection, sql: str, values: tuple[Any, ...]) -> RowMapping:
    return (await connection.exec_driver_sql(sql, values)).mappings().one()


def _hit(project_id: str, key: float | str, *parts: float) -> Hit:
    """Args: parts: of a score: text, boost with trust, trust, and what the name is worth."""
    found = ProjectId(project_id)
    if not parts:
        return Hit(found, Position(key, found))
    text, boosted, trust, named = parts
    why = [("text", text), ("popularity", boosted / trust if trust else 0.0), ("trust", trust)]
    if named != 1.0:
        why.append(("name", named))
    return Hit(found, Position(float(key), found), tuple(why))


def _facets(counted: list[tuple[str, str, int]]) -> Facets:
    facets: dict[str, list[FacetValue]] = {}
    for facet, written, count in counted:
        facets.setdefault(facet, []).append(FacetValue(written, count))
    return Facets(**{facet: tuple(facets.get(facet, ())) for facet in Facets.__struct_fields__})
