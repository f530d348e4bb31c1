"""
The index as a server has it: in its own process while the catalogue is small, and from then on in one beside it, so
that no search ever holds up what else the server does. What many ask for, as the first letters of a word are, is found
once until something changes.
"""

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path

import structlog

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.adapters.catalog.apart import ApartCatalog
from opencode.modules.marketplace.adapters.catalog.recent import Recent
from opencode.modules.marketplace.adapters.catalog.snapshots import FolderSnapshots
from opencode.modules.marketplace.adapters.catalog.within import WithinCatalog
from opencode.modules.marketplace.domain.catalog import (
    CatalogIndex,
    Facets,
    Found,
    IndexLost,
    Known,
    Listing,
    Namesake,
    Search,
    Standing,
)
from opencode.modules.marketplace.domain.snapshots import Look

log = structlog.get_logger(__name__)

LARGE = 50_000
"""
Projects, from which on searches take a millisecond or two of a processor, and some ten times as much. Below, a process
of its own would take more memory than the index does.
"""
_MOST_BYTES = 16 * 1024 * 1024
"""Of answers that are kept: some thousand."""
_ANSWER_BYTES, _HIT_BYTES, _VALUE_BYTES = 1_000, 700, 100
"""About what an answer takes, and each of its hits and of the values of its facets."""


class GrowingCatalog:
    """
    See `domain.snapshots.LoadedIndex`.

    Args:
        index: what it begins with.
        large: from so many projects on it has a process of its own.
    """

    is_shared = False

    def __init__(self, index: WithinCatalog | ApartCatalog | None = None, large: int = LARGE) -> None:
        self.index: WithinCatalog | ApartCatalog = WithinCatalog() if index is None else index
        self._large = large
        self._stays = isinstance(index, ApartCatalog)
        self._moved = asyncio.Event()
        if self._stays:
            self._moved.set()
        self._changing = asyncio.Lock()
        self._forget()

    async def open(self) -> bool:
        return False

    async def search(self, search: Search) -> Found:
        if search.after:
            return await self.index.search(search)
        # Those of now: what was asked before a change is kept with what was before it.
        answers = self._answers
        if (known := answers.get(search)) is not None:
            return known
        found = await self.index.search(search)
        return answers.keep(search, found, _size_of(found))

    async def named(self, names: Iterable[str], limit: int) -> list[Namesake]:
        return await self.index.named(names, limit)

    async def put(self, listings: Iterable[Listing]) -> None:
        async with self._changing:
            self._forget()
            await self.index.put(listings)
            if not self._stays and await self.index.count() >= self._large:
                await self._move()

    async def remove(self, ids: Iterable[ProjectId]) -> None:
        async with self._changing:
            self._forget()
            await self.index.remove(ids)

    async def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None:
        async with self._changing:
            self._forget()
            await self.index.stand(standings)

    async def seal(self) -> None:
        await self.index.seal()

    async def settle(self) -> None:
        await self.index.settle()
        # How rare words are may be told by other projects now: positions of one page and the next must agree.
        self._forget()
        self._stays = self._moved.is_set()

    async def known(self, ids: Iterable[ProjectId]) -> list[Known]:
        return await self.index.known(ids)

    async def ids_between(self, after: str, upto: str, limit: int) -> list[ProjectId]:
        return await self.index.ids_between(after, upto, limit)

    async def successor(self) -> CatalogIndex:
        return GrowingCatalog(large=self._large)

    async def count(self) -> int:
        return await self.index.count()

    async def lost(self) -> None:
        await self._moved.wait()
        await self.index.lost()

    async def close(self) -> None:
        await self.index.close()

    def look_through(self) -> Look:
        return self.index.look_through()

    def _forget(self) -> None:
        self._answers = Recent[Search, Found](_MOST_BYTES)

    async def _move(self) -> None:
        """To a process of its own. Searches go on here until it is there; what would change it waits, a second."""
        assert isinstance(self.index, WithinCatalog)
        self.index.index.seal()  # here, where nobody searches meanwhile
        apart: ApartCatalog | None = None
        self._stays = True  # should it fail, not at each change anew
        try:
            apart = await ApartCatalog.start()
            with tempfile.TemporaryDirectory(prefix="opencode-index-") as folder:
                await FolderSnapshots(Path(folder)).save(self.index)
                if not await apart.load(Path(folder)):
                    raise OSError("it could not read what it was given")
            self.index = apart
        except Exception as error:
            log.warning("catalogue stays in the server's own process", why=f"{type(error).__name__}: {error}")
        finally:
            if apart and self.index is not apart:
                await apart.close()
        if apart and self.index is apart:
            self._moved.set()
            self._forget()
            log.info("catalogue has a process of its own", projects=await apart.count())


class GrowingSnapshots:
    """
    See `domain.snapshots.Snapshots`: what is large is read and written by the process that has it.

    Args:
        folder: as `FolderSnapshots` has it.
        large: as `GrowingCatalog` has it.
    """

    def __init__(self, folder: Path, large: int = LARGE) -> None:
        self._folder = folder
        self._within = FolderSnapshots(folder)
        self._large = large

    async def load(self) -> GrowingCatalog | None:
        if await asyncio.to_thread(self._within.count) >= self._large:
            try:
                apart = await ApartCatalog.start()
            except OSError as error:
                log.warning("catalogue can have no process of its own", why=str(error))
            else:
                return await self._loaded(apart)
        within = await self._within.load()
        return GrowingCatalog(within, self._large) if within else None

    async def save(self, index: CatalogIndex, *, only_if_due: bool = False) -> None:
        if not isinstance(index, GrowingCatalog):
            return
        if isinstance(index.index, ApartCatalog):
            await index.index.save(self._folder, only_if_due=only_if_due)
        else:
            await self._within.save(index.index, only_if_due=only_if_due)

    async def _loaded(self, apart: ApartCatalog) -> GrowingCatalog | None:
        try:
            if await apart.load(self._folder):
                return GrowingCatalog(apart, self._large)
        except IndexLost:
            log.warning("catalogue's process ended while it loaded; all is read from the database")
        except BaseException:
            await apart.close()
            raise
        await apart.close()
        return None


def _size_of(found: Found) -> int:
    values = sum(len(getattr(found.facets, facet)) for facet in Facets.__struct_fields__)
    return _ANSWER_BYTES + _HIT_BYTES * len(found.hits) + _VALUE_BYTES * values
