"""Searching the catalogue."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from opencode.kernel.ids import ProjectId, is_id
from opencode.kernel.pages import PageRequest, encode_cursor
from opencode.modules.marketplace.domain.catalog import Facets, Hit, Order, Position, Search
from opencode.modules.marketplace.domain.views import Card
from opencode.modules.marketplace.errors import CursorOfAnotherSearch
from opencode.modules.marketplace.service.base import UseCases

_GREATEST = 2**63 - 1
_KINDS: dict[str, type[float] | type[int] | type[str]] = {"f": float, "i": int, "s": str}


@dataclass(frozen=True, slots=True)
class FoundPage:
    """
    A page of results with what is told beside it.

    Attributes:
        why: of each card (part of its score, value); nothing where no words were searched for.
    """

    cards: list[Card]
    next_cursor: str | None
    total: int
    facets: Facets
    corrected: str | None
    why: Mapping[str, tuple[tuple[str, float], ...]]


class Browsing(UseCases):
    async def search(self, wanted: Search, page: PageRequest) -> FoundPage:
        """
        One page of published projects.

        Args:
            wanted: what is asked; its limit and position are those of `page`.

        Raises:
            CatalogueFilling: the server has just started.
            CursorOfAnotherSearch
        """
        search = _folded(wanted)
        mark = _mark(search)
        search = replace(search, limit=page.limit, after=_position(page, mark, search.order))
        try:
            found = await self.catalogue.search(search)
        except ValueError:
            if search.after is None:
                raise
            # A forged position is none that the index made.
            raise CursorOfAnotherSearch from None
        ids = [hit.id for hit in found.hits]
        cards = await self.catalogue.cards(ids)
        if gone := [project_id for project_id in ids if project_id not in cards]:
            await self.catalogue.catch_up(gone)
        # As long as hits come there may be more, also where projects behind some of them have just gone.
        more = len(found.hits) == page.limit
        return FoundPage(
            [cards[project_id] for project_id in ids if project_id in cards],
            _cursor(found.hits[-1], mark) if more and found.hits else None,
            found.total,
            found.facets,
            found.corrected,
            {hit.id: hit.why for hit in found.hits},
        )


def _folded(wanted: Search) -> Search:
    """Without what makes no difference, so that a cursor holds for every way to ask the same."""
    filters = wanted.filters
    same = replace(
        filters,
        technologies=tuple(sorted({value.lower() for value in filters.technologies if value})),
        tags=tuple(sorted({value.lower() for value in filters.tags if value})),
        license=filters.license or None,
    )
    text = " ".join(wanted.text.replace("\0", " ").split())
    # What follows the last word tells that it is finished.
    return replace(wanted, text=f"{text} " if text and wanted.text[-1].isspace() else text, filters=same)


def _mark(search: Search) -> str:
    """Tells cursors of different searches apart."""
    asked = (search.text, search.filters, search.order)
    return hashlib.blake2b(msgspec.json.encode(asked), digest_size=9).hexdigest()


def _cursor(last: Hit, mark: str) -> str:
    key = last.position.key
    kind = "s" if isinstance(key, str) else "i" if isinstance(key, int) else "f"
    return encode_cursor((mark, kind, str(key), last.position.id))


def _position(page: PageRequest, mark: str, order: Order) -> Position | None:
    """
    Raises:
        Invalid: not a cursor of a search, or of another one.
    """
    if (shown := page.position(str, str, str, str)) is None:
        return None
    made_for, kind, key, project_id = shown
    is_ours = made_for == mark and kind in _KINDS and is_id(project_id, "prj")
    if not is_ours or (kind == "s") != (order is Order.NAME):
        raise CursorOfAnotherSearch
    try:
        value = _KINDS[kind](key)
    except ValueError:
        raise CursorOfAnotherSearch from None
    # A cursor can be forged; what is no number, or one beyond all that an index counts in, has no place in any order.
    if not isinstance(value, str) and not abs(value) <= _GREATEST:
        raise CursorOfAnotherSearch
    return Position(value, ProjectId(project_id))
