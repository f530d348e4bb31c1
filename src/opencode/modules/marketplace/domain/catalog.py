"""Searching the catalogue: what is indexed, what is asked, what is found; and the port that all indexes serve."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from opencode.kernel.ids import ProjectId

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
        trust: what the text's score is multiplied by.
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
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """A result has ALL technologies and ALL tags, the licence and the price. Values are compared without case."""

    technologies: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    license: str | None = None
    price: PriceFilter = PriceFilter.ALL


@dataclass(frozen=True, slots=True)
class Search:
    """
    What is asked.

    Attributes:
        text: as typed; the last word may be unfinished. Empty asks for everything.
        after: the `Hit.position` of the last hit of the page before.
    """

    text: str = ""
    filters: Filters = Filters()
    order: Order = Order.RELEVANCE
    limit: int = 20
    after: "Position | None" = None
    with_facets: bool = True


@dataclass(frozen=True, slots=True)
class Position:
    """Where a hit is in its order: the key, and the project that breaks ties."""

    key: float | int | str
    id: ProjectId


@dataclass(frozen=True, slots=True)
class Hit:
    """
    One result.

    Attributes:
        why: (part of the score, its value), such as `("text", 3.1)`; their product is the score.
    """

    id: ProjectId
    position: Position
    why: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class FacetValue:
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """How many of ALL results have each value, the most frequent first, then by name; `FACET_VALUES` at the most."""

    technologies: tuple[FacetValue, ...] = ()
    license: tuple[FacetValue, ...] = ()
    price: tuple[FacetValue, ...] = ()
    tags: tuple[FacetValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """
    A page of results.

    Attributes:
        total: how many there are in all; exact.
        corrected: what was searched for in place of words that nothing has ("did you mean"); None when all were known.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: Facets = field(default_factory=Facets)
    corrected: str | None = None


@dataclass(frozen=True, slots=True)
class Namesake:
    """A project that has one of the names that were asked for, as one word (`words.joined`)."""

    id: ProjectId
    name: str
    popularity: float


class CatalogIndex(Protocol):
    """
    Finds projects. It can be thrown away: it is filled from the store. Not for several threads at once, but where it
    says so.
    """

    def search(self, search: Search) -> Found:
        """
        A page of results.

        Total and facets count all results, not those of this page. Going from page to page by `Hit.position` shows
        every project that did not change meanwhile exactly once.
        """
        ...

    def named(self, names: Iterable[str], limit: int) -> list[Namesake]:
        """
        The most popular projects that have one of these names, as `words.joined` makes them. Thousands of names that
        nothing has cost little.
        """
        ...

    def put(self, listings: Iterable[Listing]) -> None:
        """Add projects, or replace what is known of them. The next search finds them."""
        ...

    def remove(self, ids: Iterable[ProjectId]) -> None:
        """Take projects out; unknown ones do not matter."""
        ...

    def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None:
        """Note how projects stand with people. Unknown ones do not matter; one that is replaced keeps its own."""
        ...

    def seal(self) -> None:
        """
        Do now what the next search would do first with all that was put. After very much was put that takes seconds;
        a thread may do it while nobody else uses the index.
        """
        ...

    def settle(self) -> None:
        """
        Bring orders in shape that have suffered from many changes. A thread may do it while others search and change.
        """
        ...

    def __len__(self) -> int:
        """How many projects it knows."""
        ...
