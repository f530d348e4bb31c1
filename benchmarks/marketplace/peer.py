"""The same questions asked of SQLite as it comes: FTS5 for words, GROUP BY for the counts."""

import sqlite3
from collections.abc import Iterable

from benchmarks.marketplace.queries import labels_of
from opencode.modules.marketplace.domain.catalog import Listing, Order, Search
from opencode.modules.marketplace.domain.words import words_of

_ORDERS = {Order.RECENT: "updated_at desc", Order.NAME: "name", Order.TRENDING: "trending desc"}


class SqliteCatalog:
    """
    One table, an FTS5 index with prefixes of two and three letters, and a table of labels. It corrects no mistakes:
    with one it finds less, and is quicker for it.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:")
        self._database.executescript(
            """
            create table projects (
                id integer primary key, name text, updated_at integer, popularity real, trending real
            );
            create table labels (facet text, value text, project integer);
            create virtual table words using fts5 (name, labels, summary, content='', prefix='2 3');
            """
        )

    def put(self, listings: Iterable[Listing]) -> None:
        database = self._database
        for number, listing in enumerate(listings, 1):
            standing = listing.standing
            assert standing
            row = (number, listing.name, listing.updated_at, standing.popularity, standing.trending)
            database.execute("insert into projects values (?, ?, ?, ?, ?)", row)
            values = [("technologies", value) for value in listing.technologies] + [
                ("tags", tag) for tag in listing.tags
            ]
            values += [("license", listing.license), ("price", "free" if listing.is_free else "paid")]
            database.executemany("insert into labels values (?, ?, ?)", [(*value, number) for value in values])
            words = (listing.name, " ".join((*listing.technologies, *listing.tags)), listing.summary)
            database.execute("insert into words (rowid, name, labels, summary) values (?, ?, ?, ?)", (number, *words))
        database.executescript(
            """
            create index by_label on labels (facet, value, project);
            create index by_project on labels (project, facet, value);
            create index by_popularity on projects (popularity);
            create index by_updated on projects (updated_at);
            create index by_name on projects (name);
            create index by_trending on projects (trending);
            analyze;
            """
        )

    def search(self, search: Search) -> tuple[list[int], int]:
        """Numbers of the first page, and how many there are in all; facets are counted and thrown away."""
        database = self._database
        database.execute("drop table if exists temp.found")
        source, values = self._matching(search)
        database.execute(f"create temp table found as {source}", values)
        (total,) = database.execute("select count(*) from found").fetchone()
        order = (
            "score" if search.order is Order.RELEVANCE and search.text else _ORDERS.get(search.order, "popularity desc")
        )
        page = database.execute(
            f"select id from found join projects using (id) order by {order}, id desc limit ?", (search.limit,)
        ).fetchall()
        database.execute(
            "select facet, value, count(*) from found join labels on project = id group by facet, value "
            "order by count(*) desc"
        ).fetchall()
        return [number for (number,) in page], total

    def _matching(self, search: Search) -> tuple[str, list[str]]:
        words = words_of(search.text)
        labels = labels_of(search)
        conditions: list[str] = []
        values: list[str] = []
        if words:
            quoted = " ".join(f'"{word}"' for word in words)
            values.append(quoted + ("*" if search.text[-1].isalnum() else ""))
            conditions.append("words match ?")
        for label in labels:
            conditions.append(
                f"{'+rowid' if words else 'id'} in (select project from labels where facet = ? and value = ?)"
            )
            values += label
        where = f" where {' and '.join(conditions)}" if conditions else ""
        if words:
            return f"select rowid as id, bm25(words, 6, 3, 2) as score from words{where}", values
        return f"select id, 0 as score from projects{where}", values
