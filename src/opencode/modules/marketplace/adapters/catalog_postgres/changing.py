"""Changing one generation of the index: its projects, and beside them how many have each word."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.adapters.catalog_postgres.tables import Generations, Tables
from opencode.modules.marketplace.adapters.catalog_postgres.words import lexeme, quoted
from opencode.modules.marketplace.domain.catalog import Listing, Standing
from opencode.modules.marketplace.domain.contents import Label, impacts_of
from opencode.modules.marketplace.domain.digest import digest_of, labels_of, word_of_label
from opencode.modules.marketplace.domain.ranking import boost
from opencode.modules.marketplace.domain.understanding import is_outdated
from opencode.modules.marketplace.domain.words import fold, joined, words_of_name

_NEW = Standing()
_SIGNED = 1 << 63  # digests have 64 bits without a sign, and PostgreSQL has none of those


class Changing:
    """Within a transaction that holds the lock of all generations."""

    def __init__(self, connection: AsyncConnection, generations: Generations, tables: Tables) -> None:
        self._connection = connection
        self._generations = generations
        self._tables = tables

    async def put(self, listings: Sequence[Listing]) -> None:
        """Args: listings: none twice."""
        labels = await self._labels(listings)
        described = [[labels[word_of_label(*each)] for each in labels_of(listing)] for listing in listings]
        impacts = [impacts_of(listing, own) for listing, own in zip(listings, described, strict=True)]
        words = Counter(lexeme(word) for own in impacts for word in own)
        before = await self._words_of([listing.id for listing in listings])
        words.subtract(Counter(word for own in before.values() for word in own))
        await self._count(words, projects=len(listings) - len(before))
        await self._write(listings, impacts, described)
        await self._write_standings(listings)
        await self._count_again()

    async def remove(self, ids: Collection[ProjectId]) -> None:
        before = await self._words_of(ids)
        if not before:
            return
        for table in (self._tables.entries, self._tables.standings):
            await self._connection.exec_driver_sql(f"delete from {table} where id = any($1::text[])", (list(before),))
        words = Counter[str]()
        words.subtract(Counter(word for own in before.values() for word in own))
        await self._count(words, projects=-len(before))
        await self._count_again()

    async def stand(self, standings: Sequence[tuple[ProjectId, Standing]]) -> None:
        """Args: standings: no project twice."""
        await self._connection.exec_driver_sql(
            f"update {self._tables.standings} as known set popularity = new.popularity, trending = new.trending, "
            "trust = new.trust, boost = new.boost "
            "from unnest($1::text[], $2::float8[], $3::float8[], $4::float8[], $5::float8[]) "
            "as new(id, popularity, trending, trust, boost) where known.id = new.id",
            _columns(standings),
        )

    async def _labels(self, listings: Iterable[Listing]) -> dict[str, Label]:
        """By word; new ones are added. What differs in case only is one label, shown as it was first written."""
        wanted: dict[str, tuple[str, str]] = {}
        for listing in listings:
            for facet, value in labels_of(listing):
                wanted.setdefault(word_of_label(facet, value), (facet, value))
        words = {lexeme(word): word for word in wanted}
        # The numbers of an identity are used up by conflicts as well, so only what is new is inserted.
        await self._connection.exec_driver_sql(
            f"insert into {self._tables.labels} (facet, written, sorted_by, word) "
            "select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) "
            "as new(facet, written, sorted_by, word) "
            f"where not exists (select 1 from {self._tables.labels} as known where known.word = new.word)",
            (
                [facet for facet, _ in wanted.values()],
                [value for _, value in wanted.values()],
                [value.casefold() for _, value in wanted.values()],
                list(words),
            ),
        )
        rows = await self._connection.exec_driver_sql(
            f"select number, facet, written, word from {self._tables.labels} where word = any($1::text[])",
            (list(words),),
        )
        labels = (Label(row.number, row.facet, row.written, words[row.word], ()) for row in rows)
        return {label.word: replace(label, words=tuple(words_of_name(label.written))) for label in labels}

    async def _words_of(self, ids: Collection[ProjectId]) -> dict[ProjectId, list[str]]:
        """Of those that are known."""
        rows = await self._connection.exec_driver_sql(
            f"select id, tsvector_to_array(words) as words from {self._tables.entries} where id = any($1::text[])",
            (list(ids),),
        )
        return {row.id: row.words for row in rows}

    async def _count(self, words: Counter[str], *, projects: int) -> None:
        moved = {word: count for word, count in words.items() if count}
        await self._connection.exec_driver_sql(
            f"insert into {self._tables.words} as known (word, projects, counted) "
            "select word, projects, 0 from unnest($1::text[], $2::integer[]) as new(word, projects) "
            "on conflict (word) do update set projects = known.projects + excluded.projects",
            (list(moved), list(moved.values())),
        )
        await self._connection.exec_driver_sql(
            f"update {self._generations.table} set projects = projects + $1 where number = $2",
            (projects, self._tables.generation),
        )

    async def _count_again(self) -> None:
        """Take new numbers to tell rarity by, where the catalogue has doubled or halved."""
        counts = await self._connection.exec_driver_sql(
            f"select counted, projects from {self._generations.table} where number = $1", (self._tables.generation,)
        )
        sizes = counts.one()
        if is_outdated(sizes.counted, sizes.projects):
            await self._connection.exec_driver_sql(f"delete from {self._tables.words} where projects <= 0")
            await self._connection.exec_driver_sql(
                f"update {self._tables.words} set counted = projects where counted <> projects"
            )
            await self._connection.exec_driver_sql(
                f"update {self._generations.table} set counted = projects where number = $1",
                (self._tables.generation,),
            )

    async def _write(
        self, listings: Sequence[Listing], impacts: Sequence[dict[str, int]], described: Sequence[list[Label]]
    ) -> None:
        vectors = [
            _vector(own, {label.word for label in labels}) for own, labels in zip(impacts, described, strict=True)
        ]
        # Lists of lists must be of one length, so the labels of a project travel as text.
        numbers = ["{" + ",".join(str(label.number) for label in labels) + "}" for labels in described]
        await self._connection.exec_driver_sql(
            f"insert into {self._tables.entries} (id, words, labels, name_key, joined, updated, digest) "
            "select id, words::tsvector, labels::integer[], name_key, joined, updated, digest from unnest("
            "$1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[]) "
            "as new(id, words, labels, name_key, joined, updated, digest) "
            "on conflict (id) do update set words = excluded.words, labels = excluded.labels, "
            "name_key = excluded.name_key, joined = excluded.joined, updated = excluded.updated, "
            "digest = excluded.digest",
            (
                [listing.id for listing in listings],
                vectors,
                numbers,
                [fold(listing.name) for listing in listings],
                [joined(listing.name) for listing in listings],
                [listing.updated_at for listing in listings],
                [signed(digest_of(listing)) for listing in listings],
            ),
        )

    async def _write_standings(self, listings: Sequence[Listing]) -> None:
        await self._connection.exec_driver_sql(
            f"insert into {self._tables.standings} (id, popularity, trending, trust, boost) select * from "
            "unnest($1::text[], $2::float8[], $3::float8[], $4::float8[], $5::float8[]) on conflict do nothing",
            _columns([(listing.id, listing.standing or _NEW) for listing in listings]),
        )
        if stood := [(listing.id, listing.standing) for listing in listings if listing.standing]:
            await self.stand(stood)


def signed(digest: int) -> int:
    return digest - _SIGNED


def unsigned(kept: int) -> int:
    return kept + _SIGNED


def _vector(impacts: dict[str, int], labels: Collection[str]) -> str:
    """As a `tsvector` in which the position of a word is how much it weighs. Labels have none."""
    return " ".join(quoted(word) + ("" if word in labels else f":{impact}") for word, impact in impacts.items())


def _columns(standings: Sequence[tuple[ProjectId, Standing]]) -> tuple[list[Any], ...]:
    return (
        [project_id for project_id, _ in standings],
        [own.popularity for _, own in standings],
        [own.trending for _, own in standings],
        [own.trust for _, own in standings],
        [boost(own.popularity) * own.trust for _, own in standings],
    )
