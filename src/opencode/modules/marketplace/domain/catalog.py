"""Searching the catalogue: what is indexed, what is asked, what is found; and the port that all indexes serve."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from opencode.kernel.ids import ProjectId

# What answers are made of are Structs without cycles: hundreds for each answer, and thousands of answers are kept. As
# dataclasses they would be looked at by each collection of garbage, a fifth of a second in the end.

FACET_VALUES = 50
"""Values of one facet that a page carries; all of them are counted."""


class Order(StrEnum):
    """In which order results come; whatever is equal comes newest first."""

    RELEVANCE = "relevance"
    """By `domain.ranking`; without words, as popularity."""
    POPULARITY = "popularity"
    TRENDING = "trending"
    RECENT = "recent"
    NAME = "name"


class PriceFilter(StrEnum):
    ALL = "all"
    FREE = "free"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Standing:
    """
    How a project stands with people. Changes all the time and is kept apart from the words.

    Attributes:
        popularity: the key of the order by popularity.
        trending: the key of the order by trend (`domain.ranking.trend`).
        trust: what the text's score is multiplied by, above zero.
    """

    popularity: float = 0.0
    trending: float = 0.0
    trust: float = 1.0


@dataclass(frozen=True, slots=True)
class Listing:
    """
    What is indexed of a published project. All of it is public.

    Attributes:
        name: what people type when they know it, such as `fast-api`; the title serves where there is nothing shorter.
        description: Markdown as written; only its beginning is indexed.
        license: an SPDX expression, or empty.
        created_at, updated_at: microseconds since 1970, UTC.
        standing: None keeps what is known of it.
        version: of the store's row: another one after each change, and whatever else; see `Versions`.
    """

    id: ProjectId
    name: str
    title: str
    summary: str
    owner: str
    created_at: int
    updated_at: int
    description: str = ""
    technologies: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    license: str = ""
    is_free: bool = True
    is_featured: bool = False
    standing: Standing | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Filters:
    """
    A result has ALL technologies and ALL tags, the licence and the price. Values are compared without case.

    Attributes:
        featured: only what administrators feature.
    """

    technologies: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    license: str | None = None
    price: PriceFilter = PriceFilter.ALL
    featured: bool = False


EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class Search:
    """
    What is asked.

    Attributes:
        text: as typed; the last word may be unfinished. Empty asks for everything.
        after: the `Hit.position` of the last hit of the page before.
    """

    text: str = ""
    filters: Filters = EVERYTHING
    order: Order = Order.RELEVANCE
    limit: int = 20
    after: "Position | None" = None
    with_facets: bool = True


class Position(msgspec.Struct, frozen=True, gc=False):
    """Where a hit is in its order: the key, and the project that breaks ties."""

    key: float | int | str
    id: ProjectId


class Hit(msgspec.Struct, frozen=True, gc=False):
    """
    One result.

    Attributes:
        why: (part of the score, its value), such as `("text", 3.1)`; their product is the score.
    """

    id: ProjectId
    position: Position
    why: tuple[tuple[str, float], ...] = ()


class FacetValue(msgspec.Struct, frozen=True, gc=False):
    value: str
    count: int


class Facets(msgspec.Struct, frozen=True, gc=False):
    """How many of ALL results have each value, the most frequent first, then by name; `FACET_VALUES` at the most."""

    technologies: tuple[FacetValue, ...] = ()
    license: tuple[FacetValue, ...] = ()
    price: tuple[FacetValue, ...] = ()
    tags: tuple[FacetValue, ...] = ()


class Found(msgspec.Struct, frozen=True, gc=False):
    """
    A page of results.

    Attributes:
        total: how many there are in all; exact.
        corrected: what was searched for in place of words that nothing has ("did you mean"); None when all were known.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: Facets = msgspec.field(default_factory=Facets)
    corrected: str | None = None


@dataclass(frozen=True, slots=True)
class Namesake:
    """A project that has one of the names that were asked for, as one word (`words.joined`)."""

    id: ProjectId
    name: str
    popularity: float


@dataclass(frozen=True, slots=True)
class Known:
    """
    What an index has of a project, in short.

    Attributes:
        digest: `domain.digest.digest_of` the listing that was put.
    """

    id: ProjectId
    digest: int
    standing: Standing


class IndexLost(Exception):
    """What an index held is gone, and nobody can ask it any more: a successor is to be filled."""


class CatalogIndex(Protocol):
    """
    Finds projects. It can be thrown away: it is filled from the store. Whatever is asked of one that is lost raises
    `IndexLost`.

    Attributes:
        is_shared: all processes have the same one, so that what one of them puts, all of them find.
    """

    @property
    def is_shared(self) -> bool: ...

    async def open(self) -> bool:
        """Before anything else. Returns whether it is whole already, so that it need not be filled."""
        ...

    async def search(self, search: Search) -> Found:
        """
        A page of results.

        Total and facets count all results, not those of this page. Going from page to page by `Hit.position` shows
        every project that did not change meanwhile exactly once.

        Raises:
            ValueError: the position is none that an index made in this order.
        """
        ...

    async def named(self, names: Iterable[str], limit: int) -> list[Namesake]:
        """
        The most popular projects that have one of these names, as `words.joined` makes them. Thousands of names that
        nothing has cost little.
        """
        ...

    async def put(self, listings: Iterable[Listing]) -> None:
        """Add projects, or replace what is known of them. The next search finds them."""
        ...

    async def remove(self, ids: Iterable[ProjectId]) -> None:
        """Take projects out; unknown ones do not matter."""
        ...

    async def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None:
        """Note how projects stand with people. Unknown ones do not matter; one that is replaced keeps its own."""
        ...

    async def seal(self) -> None:
        """
        All that there is has been put: do now what the next search would do first. That may take seconds, in which
        nobody else uses the index but to `stand`.
        """
        ...

    async def settle(self) -> None:
        """Bring in shape what has suffered from many changes, beside searches and changes."""
        ...

    async def known(self, ids: Iterable[ProjectId]) -> list[Known]:
        """What it has of those of these projects that it knows, in any order."""
        ...

    async def ids_between(self, after: str, upto: str, limit: int) -> list[ProjectId]:
        """
        The first projects that it knows, in the order of their ids.

        Args:
            after: behind this id; empty for the beginning.
            upto: up to this id; empty for the end.
        """
        ...

    async def successor(self) -> "CatalogIndex":
        """An empty index of the same kind, to be filled beside this one, which goes on; `seal` puts it in its place."""
        ...

    async def count(self) -> int:
        """How many projects it knows."""
        ...

    async def lost(self) -> None:
        """Wait until what it holds is lost, which most never are."""
        ...

    async def close(self) -> None:
        """Let go of it, once it has answered what it was asked for. Nothing is asked of it any more."""
        ...
