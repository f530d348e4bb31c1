"""
The catalogue of this process: the index, filled from the store and kept in step with it.

A change reaches the index of the process that made it before the answer goes out, so authors see their own writes. All
other processes hear of it: the event of the change is carried from the outbox by one of them, which tells everybody
over pub/sub. Whoever hears of a project reads it from the store; so what is heard late, twice or in another order does
no harm. One refresh follows the other, and each reads what is committed by then: the last one is right.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

import msgspec
import structlog

from opencode.infra.plugs import Parts
from opencode.infra.pubsub import Lagged, Subscription
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.catalog import CatalogIndex, Found, Search
from opencode.modules.marketplace.domain.project import Counters, listing_of
from opencode.modules.marketplace.domain.slugs import parts_of
from opencode.modules.marketplace.domain.surrogates import ALL_PROJECTS
from opencode.modules.marketplace.domain.views import Card, Shown
from opencode.modules.marketplace.errors import CatalogueFilling
from opencode.modules.marketplace.service.memory import Memory
from opencode.modules.marketplace.store import reading

log = structlog.get_logger(__name__)

BATCH = 500
RETRY_S = 2.0
_TOPIC = "marketplace.catalogue"


class Touched(msgspec.Struct, frozen=True):
    """Projects to look at again: all of them, or only how they stand."""

    ids: tuple[ProjectId, ...]
    only_standing: bool = False


class Catalogue:
    def __init__(self, parts: Parts, index: CatalogIndex) -> None:
        self._parts = parts
        self._index = index
        self._memory = Memory()
        self._turn = asyncio.Lock()
        self._held = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._filling: asyncio.Task[None] | None = None
        self._ready = False

    @property
    def is_ready(self) -> bool:
        """Has it been filled since the process began?"""
        return self._ready

    def search(self, search: Search) -> Found:
        """
        Raises:
            CatalogueFilling: the first fill is not done.
        """
        if not self._ready:
            raise CatalogueFilling
        return self._index.search(search)

    async def cards(self, ids: Collection[ProjectId]) -> dict[ProjectId, Card]:
        """Cards of those of these projects that are published."""
        known = self._memory.cards(ids)
        if missing := [found for found in ids if found not in known]:
            with self._memory.read() as changed:
                async with reading(self._parts.database) as stores:
                    read = await stores.projects.cards(missing)
                self._memory.keep_cards(read, changed)
            known |= read
        return known

    async def find(self, slug: str) -> Shown | None:
        """The project that has, or had, this slug. What is published comes from memory, if it was asked for lately."""
        if known := self._memory.project(slug):
            return known
        if (parts := parts_of(slug)) is None:
            return None
        with self._memory.read() as changed:
            async with reading(self._parts.database) as stores:
                found = await stores.projects.find(*parts)
            if found:
                self._memory.keep_project(found, changed)
        return found

    async def start(self) -> None:
        """Begin to listen, and to fill in the background; an empty catalogue is ready at once."""
        subscription = await self._held.enter_async_context(self._parts.pubsub.subscribe(_TOPIC))
        async with reading(self._parts.database) as stores:
            self._ready = not await stores.projects.any_listed()
        if not self._ready:
            self._fill_again()
        self._tasks.append(asyncio.create_task(self._listen(subscription)))

    async def filled(self) -> None:
        """Wait until the fill that is under way is done."""
        if self._filling:
            await asyncio.shield(self._filling)

    async def close(self) -> None:
        tasks = [*self._tasks, *([self._filling] if self._filling else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._held.aclose()

    async def tell(self, ids: Iterable[ProjectId], *, only_standing: bool = False) -> None:
        """Let every process look at these projects again."""
        touched = Touched(tuple(ids), only_standing)
        await self._parts.pubsub.publish(_TOPIC, msgspec.msgpack.encode(touched))

    async def catch_up(self, ids: Collection[ProjectId]) -> None:
        """
        After a commit: let this process find what its caller has just done. The change is safe already, so a failure
        here is none of the caller's; the event of the change repairs it.
        """
        try:
            await self.refresh(ids)
        except Exception:
            log.exception("catalogue of this process lags behind")

    async def refresh(self, ids: Collection[ProjectId]) -> None:
        """Bring the index of this process in step with the store as to these projects."""
        for batch in _batches(list(ids)):
            async with self._turn:
                async with reading(self._parts.database) as stores:
                    found = [shown for shown in await stores.projects.all_of(batch) if shown.project.is_listed]
                self._index.remove(set(batch) - {shown.project.id for shown in found})
                self._put(found)
                self._memory.forget(batch)
        await self._outdate_lists()

    async def _outdate_lists(self) -> None:
        """A list that was made since the change, and before this index knew of it, is an old one."""
        await self._parts.cache.forget([ALL_PROJECTS])

    def count(self, counted: Mapping[ProjectId, Counters]) -> None:
        """Note how projects stand with people, in this process."""
        self._index.stand((found, counters.standing) for found, counters in counted.items())
        self._memory.count(counted)

    async def settle(self) -> None:
        """Bring orders in shape that have suffered from many changes, beside what goes on."""
        await asyncio.to_thread(self._index.settle)

    async def _restand(self, ids: Collection[ProjectId]) -> None:
        for batch in _batches(list(ids)):
            async with self._turn:
                async with reading(self._parts.database) as stores:
                    counted = await stores.counting.of(batch)
                self.count(counted)

    def _put(self, found: list[Shown]) -> None:
        self._index.put(replace(listing_of(shown.project), standing=shown.counters.standing) for shown in found)

    async def _listen(self, subscription: Subscription) -> None:
        async for message in subscription:
            try:
                if isinstance(message, Lagged):
                    self._fill_again()
                    continue
                touched = msgspec.msgpack.decode(message, type=Touched)
                await (self._restand if touched.only_standing else self.refresh)(touched.ids)
            except Exception:
                log.exception("catalogue missed a change and reads everything again")
                self._fill_again()

    def _fill_again(self) -> None:
        """Read the whole catalogue; what has left it since is taken out when a search comes upon it."""
        self._memory.forget_all()
        if self._filling and not self._filling.done():
            self._filling.cancel()
        self._filling = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        after, count = "", 0
        while True:
            try:
                async with self._turn:
                    async with reading(self._parts.database) as stores:
                        found = await stores.projects.listed_after(after, BATCH)
                    self._put(found)
            except Exception:
                log.exception("catalogue could not be read, trying again", retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)
                continue
            if not found:
                break
            after, count = found[-1].project.id, count + len(found)
            await asyncio.sleep(0)  # requests come in between
        if not self._ready:
            async with self._turn:
                await asyncio.to_thread(self._index.seal)
                await asyncio.to_thread(self._index.settle)
        self._ready = True
        await self._outdate_lists()
        log.info("catalogue is filled", projects=count)


def _batches(ids: list[ProjectId]) -> Iterable[list[ProjectId]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
