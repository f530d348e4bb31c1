"""
An index that answers at once, behind the port: what takes long goes to a thread, and what many ask for, as the first
letters of a word are, is found once until something changes.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.adapters.catalog.recent import Recent
from opencode.modules.marketplace.domain.catalog import (
    CatalogIndex,
    Facets,
    Found,
    Known,
    Listing,
    Namesake,
    Search,
    Standing,
)

_MOST_BYTES = 16 * 1024 * 1024
"""Of answers that are kept: some thousand."""
_ANSWER_BYTES, _HIT_BYTES, _VALUE_BYTES = 1_000, 700, 100
"""About what an answer takes, and each of its hits and of the values of its facets."""


class PromptIndex(Protocol):
    """
    `CatalogIndex` without waiting; see there. Not for several threads at once, but `settle` beside searches and
    changes, and `seal` while nobody else uses it. What `settle` returns is done afterwards, between two of these.
    """

    def search(self, search: Search) -> Found: ...
    def named(self, names: Iterable[str], limit: int) -> list[Namesake]: ...
    def put(self, listings: Iterable[Listing]) -> None: ...
    def remove(self, ids: Iterable[ProjectId]) -> None: ...
    def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None: ...
    def seal(self) -> None: ...
    def settle(self) -> Callable[[], None]: ...
    def known(self, ids: Iterable[ProjectId]) -> list[Known]: ...
    def ids_between(self, after: str, upto: str, limit: int) -> list[ProjectId]: ...
    def __len__(self) -> int: ...


class AtOnce:
    """
    See `CatalogIndex`.

    Args:
        make: an empty index; called again for each successor.
    """

    is_shared = False

    def __init__(self, make: Callable[[], PromptIndex]) -> None:
        self._make = make
        self.index = make()
        self._forget()

    async def open(self) -> bool:
        return False

    async def search(self, search: Search) -> Found:
        if search.after:
            return self.index.search(search)
        if (known := self._answers.get(search)) is not None:
            return known
        found = self.index.search(search)
        return self._answers.keep(search, found, _size_of(found))

    async def named(self, names: Iterable[str], limit: int) -> list[Namesake]:
        return self.index.named(names, limit)

    async def put(self, listings: Iterable[Listing]) -> None:
        self._forget()
        self.index.put(listings)

    async def remove(self, ids: Iterable[ProjectId]) -> None:
        self._forget()
        self.index.remove(ids)

    async def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None:
        self._forget()
        self.index.stand(standings)

    async def seal(self) -> None:
        await asyncio.to_thread(self.index.seal)

    async def settle(self) -> None:
        index = self.index
        (await asyncio.to_thread(index.settle))()
        # How rare words are may be told by other projects now: positions of one page and the next must agree.
        self._forget()

    async def known(self, ids: Iterable[ProjectId]) -> list[Known]:
        return self.index.known(ids)

    async def ids_between(self, after: str, upto: str, limit: int) -> list[ProjectId]:
        return self.index.ids_between(after, upto, limit)

    async def successor(self) -> CatalogIndex:
        return AtOnce(self._make)

    async def count(self) -> int:
        return len(self.index)

    def _forget(self) -> None:
        self._answers = Recent[Search, Found](_MOST_BYTES)


def _size_of(found: Found) -> int:
    values = sum(len(getattr(found.facets, facet)) for facet in Facets.__slots__)
    return _ANSWER_BYTES + _HIT_BYTES * len(found.hits) + _VALUE_BYTES * values
