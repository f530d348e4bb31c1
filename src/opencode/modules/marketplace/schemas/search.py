"""What a search finds."""

from collections.abc import Iterable, Sequence

import msgspec

from opencode.modules.marketplace.domain.catalog import Facets, FacetValue
from opencode.modules.marketplace.schemas.fields import CardView
from opencode.modules.marketplace.service.browsing import FoundPage


class FacetValueView(msgspec.Struct, frozen=True):
    value: str
    count: int


class FacetsView(msgspec.Struct, frozen=True):
    """How many of ALL results have each value, the most frequent first."""

    technologies: list[FacetValueView]
    license: list[FacetValueView]
    price: list[FacetValueView]
    tags: list[FacetValueView]

    @classmethod
    def of(cls, facets: Facets) -> "FacetsView":
        return cls(*map(_facet, (facets.technologies, facets.license, facets.price, facets.tags)))


def _facet(values: Sequence[FacetValue]) -> list[FacetValueView]:
    return [FacetValueView(each.value, each.count) for each in values]


class ReasonView(msgspec.Struct, frozen=True):
    """A factor of a result's score: `text`, `popularity`, `trust` or `name`. The score is their product."""

    part: str
    value: float


class ResultView(CardView, frozen=True, kw_only=True):
    """A project that was found. `why` it ranks where it does; empty where no words were searched for."""

    why: tuple[ReasonView, ...] = ()


class SearchView(msgspec.Struct, frozen=True):
    """A page of results. `corrected`: what was searched for in place of words that nothing has."""

    items: list[ResultView]
    next_cursor: str | None
    total: int
    facets: FacetsView
    corrected: str | None

    @classmethod
    def of(cls, found: FoundPage) -> "SearchView":
        items = [msgspec.structs.replace(ResultView.of(card), why=_reasons(found.why[card.id])) for card in found.cards]
        return cls(items, found.next_cursor, found.total, FacetsView.of(found.facets), found.corrected)


def _reasons(why: Iterable[tuple[str, float]]) -> tuple[ReasonView, ...]:
    return tuple(ReasonView(part, value) for part, value in why)
