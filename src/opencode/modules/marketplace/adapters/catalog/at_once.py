"""An index that answers at once, behind the port: only what takes long goes to a thread."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.catalog import CatalogIndex, Found, Known, Listing, Namesake, Search, Standing


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

    async def open(self) -> bool:
        return False

    async def search(self, search: Search) -> Found:
        return self.index.search(search)

    async def named(self, names: Iterable[str], limit: int) -> list[Namesake]:
        return self.index.named(names, limit)

    async def put(self, listings: Iterable[Listing]) -> None:
        self.index.put(listings)

    async def remove(self, ids: Iterable[ProjectId]) -> None:
        self.index.remove(ids)

    async def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None:
        self.index.stand(standings)

    async def seal(self) -> None:
        await asyncio.to_thread(self.index.seal)

    async def settle(self) -> None:
        index = self.index
        (await asyncio.to_thread(index.settle))()

    async def known(self, ids: Iterable[ProjectId]) -> list[Known]:
        return self.index.known(ids)

    async def ids_between(self, after: str, upto: str, limit: int) -> list[ProjectId]:
        return self.index.ids_between(after, upto, limit)

    async def successor(self) -> CatalogIndex:
        return AtOnce(self._make)

    async def count(self) -> int:
        return len(self.index)

    async def lost(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        return
