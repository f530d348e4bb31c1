"""
The same questions asked of PostgreSQL: as it comes, with its full text and GROUP BY, and through our own index in it.
The server is the benchmark's own, in a folder that goes with it, with the safety of writes switched off.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import asyncpg

from benchmarks.marketplace.queries import labels_of
from opencode.infra.db import Database
from opencode.modules.marketplace.adapters.catalog_postgres import PostgresCatalog
from opencode.modules.marketplace.domain.catalog import Found, Listing, Order, Search
from opencode.modules.marketplace.domain.words import words_of
from tests.servers import running_postgres

_ORDERS = {Order.RECENT: "updated_at desc", Order.NAME: "name", Order.TRENDING: "trending desc"}
_TABLES = """
    create table projects (
        id integer primary key, name text, updated_at bigint, popularity float8, trending float8, words tsvector
    );
    create table labels (facet text, value text, project integer);
"""
_INDEXES = """
    create index on projects using gin (words);
    create index on labels (facet, value, project);
    create index on labels (project);
    create index on projects (popularity);
    create index on projects (updated_at);
    create index on projects (name);
    create index on projects (trending);
    analyze;
"""


class PostgresPeer:
    """
    One table with a weighted `tsvector` (configuration `simple`) and a GIN index, ranked by `ts_rank`, and a table of
    labels. It corrects no mistakes: with one it finds less, and is quicker for it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: Any) -> None:
        self._loop = loop
        self._connection = connection

    def put(self, listings: list[Listing]) -> None:
        self._loop.run_until_complete(self._put(listings))

    def search(self, search: Search) -> tuple[list[int], int]:
        """Numbers of the first page, and how many there are in all; facets are counted and thrown away."""
        return self._loop.run_until_complete(self._search(search))

    async def _put(self, listings: list[Listing]) -> None:
        connection = self._connection
        await connection.execute(_TABLES)
        rows: list[tuple[Any, ...]] = []
        labels: list[tuple[str, str, int]] = []
        for number, listing in enumerate(listings, 1):
            standing = listing.standing
            assert standing
            words = (listing.name, " ".join((*listing.technologies, *listing.tags)), listing.summary)
            rows.append((number, listing.name, listing.updated_at, standing.popularity, standing.trending, *words))
            values = [("technologies", value) for value in listing.technologies]
            values += [("tags", tag) for tag in listing.tags]
            values += [("license", listing.license), ("price", "free" if listing.is_free else "paid")]
            labels += [(*value, number) for value in values]
        await connection.executemany(
            "insert into projects values ($1, $2, $3, $4, $5, setweight(to_tsvector('simple', $6), 'A') || "
            "setweight(to_tsvector('simple', $7), 'B') || setweight(to_tsvector('simple', $8), 'C'))",
            rows,
        )
        await connection.copy_records_to_table("labels", records=labels)
        await connection.execute(_INDEXES)

    async def _search(self, search: Search) -> tuple[list[int], int]:
        connection = self._connection
        conditions, values = _conditions(search)
        score = "ts_rank(words, $1::tsquery)" if words_of(search.text) else "0"
        where = f" where {' and '.join(conditions)}" if conditions else ""
        await connection.execute("drop table if exists found")
        await connection.execute(
            f"create temp table found as select id, {score} as score from projects{where}", *values
        )
        total = await connection.fetchval("select count(*) from found")
        by_score = search.order is Order.RELEVANCE and bool(search.text)
        order = "score desc" if by_score else _ORDERS.get(search.order, "popularity desc")
        page = await connection.fetch(
            f"select id from found join projects using (id) order by {order}, id desc limit {search.limit}"
        )
        await connection.fetch(
            "select facet, value, count(*) from found join labels on project = id group by facet, value "
            "order by count(*) desc"
        )
        return [row["id"] for row in page], total


class OursInPostgres:
    """Our index in PostgreSQL, asked from outside of its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, database: Database) -> None:
        self._loop = loop
        self._index = PostgresCatalog(database)

    def put(self, listings: list[Listing]) -> None:
        self._loop.run_until_complete(self._index.open())
        self._loop.run_until_complete(self._index.put(listings))
        self._loop.run_until_complete(self._index.seal())

    def search(self, search: Search) -> Found:
        return self._loop.run_until_complete(self._index.search(search))


@contextmanager
def peers() -> Generator[tuple[PostgresPeer, OursInPostgres]]:
    """PostgreSQL as it comes, and our index in it."""
    loop = asyncio.new_event_loop()
    with running_postgres() as server:
        database = Database(server.url("postgres"))
        connection = loop.run_until_complete(
            asyncpg.connect(user="opencode", database="postgres", host=str(server.folder))
        )
        try:
            yield PostgresPeer(loop, connection), OursInPostgres(loop, database)
        finally:
            loop.run_until_complete(connection.close())
            loop.run_until_complete(database.close())
            loop.close()


def _conditions(search: Search) -> tuple[list[str], list[str]]:
    words = words_of(search.text)
    labels = labels_of(search)
    conditions: list[str] = []
    values: list[str] = []
    if words:
        query = " & ".join(f"'{word}'" for word in words) + (":*" if search.text[-1].isalnum() else "")
        values.append(query)
        conditions.append("words @@ $1::tsquery")
    for label in labels:
        at = len(values)
        conditions.append(f"id in (select project from labels where facet = ${at + 1} and value = ${at + 2})")
        values += label
    return conditions, values
