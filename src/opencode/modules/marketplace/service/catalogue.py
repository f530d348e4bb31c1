"""
The catalogue of this process: the index, filled from the store and kept in step with it.

A change reaches the index of the process that made it before the answer goes out, so authors see their own writes. All
other processes hear of it: the event of the change is carried from the outbox by one of them, which tells everybody
over pub/sub. Whoever hears of a project reads it from the store; so what is heard late, twice or in another order does
no harm. One refresh follows the other, and each reads what is committed by then: the last one is right.

An index of this process is kept in a snapshot, and at the next start caught up with the store before anybody searches.

Where all processes share one index, whoever carries the event brings it in step, and the others only forget what they
remember of the project.
"""

import asyncio
from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import replace

import msgspec
import structlog

from opencode.infra.plugs import Parts
from opencode.infra.pubsub import Lagged, Subscription
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.agreement import Agreement
from opencode.modules.marketplace.domain.catalog import CatalogIndex, Found, IndexLost, Namesake, Search
from opencode.modules.marketplace.domain.project import Counters, listing_of
from opencode.modules.marketplace.domain.slugs import parts_of
from opencode.modules.marketplace.domain.snapshots import LoadedIndex, Snapshots
from opencode.modules.marketplace.domain.surrogates import ALL_PROJECTS
from opencode.modules.marketplace.domain.views import Card, Shown
from opencode.modules.marketplace.errors import CatalogueFilling
from opencode.modules.marketplace.service.catching_up import changes_since
from opencode.modules.marketplace.service.comparing import BATCH, Comparison
from opencode.modules.marketplace.service.memory import Memory
from opencode.modules.marketplace.store import read_cards, read_project, reading

log = structlog.get_logger(__name__)

RETRY_S = 2.0
MOST_CAUGHT_UP_SHARE = 0.25
"""Of all projects: where more have changed since, filling a new index takes hardly longer, and it is a better one."""
_FEW = 1_000  # projects, which are caught up with in any case
_TOPIC = "marketplace.catalogue"


class Touched(msgspec.Struct, frozen=True):
    """Projects to look at again: all of them, or only how they stand."""

    ids: tuple[ProjectId, ...]
    only_standing: bool = False


class _TooMuchChanged(Exception):
    pass


class Catalogue:
    """
    Args:
        snapshots: where an index of this process is kept; None where it is filled anew at each start.
    """

    def __init__(self, parts: Parts, index: CatalogIndex, snapshots: Snapshots | None = None) -> None:
        self._parts = parts
        self._snapshots = snapshots
        self._index = index
        self._next: CatalogIndex | None = None  # while it is filled beside the other one
        self._memory = Memory()
        self._turn = asyncio.Lock()
        self._comparison = Comparison(parts.database, self._turn, lambda: self._index, self.refresh)
        self._held = AsyncExitStack()
        self._listening: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._lost: CatalogIndex | None = None
        self._lagged = False
        self._ready = False

    @property
    def is_ready(self) -> bool:
        """Has it been filled since the process began?"""
        return self._ready

    @property
    def is_shared(self) -> bool:
        """Do all processes have the same index?"""
        return self._index.is_shared

    async def search(self, search: Search) -> Found:
        """
        Raises:
            CatalogueFilling: the first fill is not done, or what it found is lost.
        """
        self._require_ready()
        with _filling_when_lost():
            return await self._index.search(search)

    async def named(self, names: Iterable[str], limit: int) -> list[Namesake]:
        """
        Raises:
            CatalogueFilling: the first fill is not done, or what it found is lost.
        """
        self._require_ready()
        with _filling_when_lost():
            return await self._index.named(names, limit)

    async def cards(self, ids: Collection[ProjectId]) -> dict[ProjectId, Card]:
        """Cards of those of these projects that are published."""
        known = self._memory.cards(ids)
        if missing := [found for found in ids if found not in known]:
            with self._memory.read() as changed:
                read = await read_cards(self._parts.database, missing)
                self._memory.keep_cards(read, changed)
            known |= read
        return known

    def known(self, slug: str) -> Shown | None:
        """The published project that has this slug, if it was asked for lately."""
        return self._memory.project(slug)

    async def find(self, slug: str) -> Shown | None:
        """The project that has, or had, this slug. What is published comes from memory, if it was asked for lately."""
        if known := self.known(slug):
            return known
        if (parts := parts_of(slug)) is None:
            return None
        with self._memory.read() as changed:
            found = await read_project(self._parts.database, *parts)
            if found:
                self._memory.keep_project(found, changed)
        return found

    async def start(self) -> None:
        """Begin to listen, and to fill in the background; an empty catalogue is ready at once."""
        subscription = await self._held.enter_async_context(self._parts.pubsub.subscribe(_TOPIC))
        self._use(self._index)
        self._ready = await self._index.open()
        if not self._ready:
            async with reading(self._parts.database) as stores:
                is_empty = not await stores.projects.any_listed()
            if is_empty:
                await self._index.seal()
            self._ready = is_empty
        if not self._ready:
            self._begin_to_read()
        self._listening = asyncio.create_task(self._listen(subscription))

    async def filled(self) -> None:
        """Wait until what is read in the background has been read."""
        if self._reading:
            await asyncio.shield(self._reading)

    async def rebuild(self) -> int:
        """
        Fill a new index from the store beside the present one, which goes on answering, and put it in its place.
        Changes meanwhile go into both. Until the end the process holds two. Returns how many projects it has.
        """
        await self.filled()
        successor = await self._index.successor()
        # A shared index sees to it by itself, as other processes change it too.
        self._next = None if successor.is_shared else successor
        try:
            count = await self._fill(successor)
            async with self._turn:
                await successor.seal()
                await successor.settle()
                before = self._index
                self._use(successor)
                self._ready = True
        except BaseException:
            await successor.close()
            raise
        finally:
            self._next = None
        await before.close()
        if successor.is_shared:
            # Another process may have changed what was just being put here.
            await self._comparison.mend()
        await self._outdate_lists()
        log.info("catalogue is rebuilt", projects=count)
        return count

    async def check(self, *, repair: bool = False, pause_s: float = 0.0) -> Agreement:
        """
        Compare index and store; see `Comparison.check`.

        Raises:
            CatalogueFilling: the first fill is not done.
        """
        self._require_ready()
        return await self._comparison.check(repair=repair, pause_s=pause_s)

    async def close(self) -> None:
        tasks = [task for task in (self._listening, self._reading, self._watching) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._held.aclose()
        with suppress(IndexLost):
            if self._snapshots and self._ready:
                await self._index.seal()
                await self._snapshots.save(self._index)
        await self._index.close()

    async def tell(self, ids: Iterable[ProjectId], *, only_standing: bool = False) -> None:
        """Let every process look at these projects again."""
        touched = Touched(tuple(ids), only_standing)
        if self.is_shared:
            await self._follow(touched)
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
        self._memory.forget(ids)
        for batch in _batches(list(ids)):
            async with self._turn:
                async with reading(self._parts.database) as stores:
                    found = [shown for shown in await stores.projects.all_of(batch) if shown.project.is_listed]
                gone = set(batch) - {shown.project.id for shown in found}
                for index in self._indexes():
                    await index.remove(gone)
                    await _put(index, found)
        await self._outdate_lists()

    async def _outdate_lists(self) -> None:
        """A list that was made since the change, and before this index knew of it, is an old one."""
        await self._parts.cache.forget([ALL_PROJECTS])

    async def count(self, counted: Mapping[ProjectId, Counters]) -> None:
        """
        Note how projects stand with people, in this process. As with `catch_up`, the caller's work is safe already.
        """
        self._memory.count(counted)
        try:
            await self._stand(counted)
        except Exception:
            log.exception("catalogue does not know how projects stand")

    async def keep(self) -> None:
        """Write a snapshot if enough has changed since the last, beside what goes on."""
        if self._snapshots and self._ready:
            await self._snapshots.save(self._index, only_if_due=True)

    async def settle(self) -> None:
        """Bring the index in shape after many changes, beside what goes on. While it is being filled nobody asks."""
        if self._ready:
            await self._index.settle()

    def _indexes(self) -> list[CatalogIndex]:
        """Those that changes go into."""
        return [self._index, self._next] if self._next else [self._index]

    def _require_ready(self) -> None:
        if not self._ready:
            raise CatalogueFilling

    async def _restand(self, ids: Collection[ProjectId]) -> None:
        for batch in _batches(list(ids)):
            async with self._turn:
                async with reading(self._parts.database) as stores:
                    counted = await stores.counting.of(batch)
                self._memory.count(counted)
                await self._stand(counted)

    async def _stand(self, counted: Mapping[ProjectId, Counters]) -> None:
        for index in self._indexes():
            await index.stand((found, counters.standing) for found, counters in counted.items())

    async def _follow(self, touched: Touched) -> None:
        await (self._restand if touched.only_standing else self.refresh)(touched.ids)

    async def _hear(self, touched: Touched) -> None:
        if self.is_shared:
            self._memory.forget(touched.ids)
            await self._outdate_lists()
        else:
            await self._follow(touched)

    async def _listen(self, subscription: Subscription) -> None:
        async for message in subscription:
            try:
                if isinstance(message, Lagged):
                    self._read_again()
                    continue
                await self._hear(msgspec.msgpack.decode(message, type=Touched))
            except Exception:
                log.exception("catalogue missed a change and compares everything")
                self._read_again()

    def _read_again(self) -> None:
        """Changes were missed: compare everything with the store once what is being read has been read."""
        self._memory.forget_all()
        self._lagged = True
        self._begin_to_read()

    def _begin_to_read(self) -> None:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())

    def _use(self, index: CatalogIndex) -> None:
        """From now on."""
        if self._watching:
            self._watching.cancel()
        self._index = index
        self._watching = asyncio.create_task(self._watch(index))

    async def _watch(self, index: CatalogIndex) -> None:
        await index.lost()
        log.error("catalogue's index is lost and is filled anew; searching answers 503 until then")
        self._lost, self._ready = index, False
        self._begin_to_read()

    async def _replace(self, before: CatalogIndex) -> None:
        async with self._turn:
            self._use(await before.successor())
        await before.close()

    async def _read(self) -> None:
        while not self._ready or self._lagged:
            try:
                if self._lost is self._index:
                    await self._replace(self._index)
                if not self._ready:
                    await self._fill_first()
                elif self._lagged:
                    self._lagged = False
                    mended = await self._comparison.mend()
                    await self._outdate_lists()
                    log.info("catalogue is in step again", projects=mended.projects, changed=mended.disagreements)
            except Exception:
                self._lagged = self._ready
                log.exception("catalogue could not be read, trying again", retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)

    async def _fill_first(self) -> None:
        count = await self._take_up()
        if count is None:
            count = await self._fill(self._index, patiently=True)
        async with self._turn:
            await self._index.seal()
            await self._index.settle()
            self._ready = self._lost is not self._index
        self._lagged = self._lagged or self.is_shared  # several processes may have filled it, and changed it meanwhile
        await self._outdate_lists()
        log.info("catalogue is filled", projects=count)

    async def _take_up(self) -> int | None:
        """Begin with the snapshot. Returns how many projects there are; None where all must be read."""
        if not self._snapshots or not (loaded := await self._snapshots.load()):
            return None
        async with self._turn:
            # Before anything is compared: what changes from now on goes into it.
            self._use(loaded)
        try:
            await self._catch_up_with_store(loaded)
            return await loaded.count()
        except IndexLost:
            raise
        except Exception as error:
            why = str(error) if isinstance(error, _TooMuchChanged) else f"{type(error).__name__}: {error}"
            log.warning("catalogue's snapshot is not used; all is read from the database", why=why)
        await self._replace(loaded)
        return None

    async def _catch_up_with_store(self, loaded: LoadedIndex) -> None:
        """
        Raises:
            _TooMuchChanged
        """
        changes = await changes_since(loaded.look_through(), self._parts.database)
        changed, stood = len(changes.outdated), len(changes.stood)
        if changed > max(_FEW, await loaded.count() * MOST_CAUGHT_UP_SHARE):
            raise _TooMuchChanged(f"it is of another database, or of long ago: {changed} projects are other ones")
        await self.refresh(changes.outdated)
        await self._restand(changes.stood)
        log.info("catalogue has caught up", changed=changed, stood=stood)

    async def _fill(self, into: CatalogIndex, *, patiently: bool = False) -> int:
        """
        Put the whole catalogue into an index. Returns how many projects there were.

        Args:
            patiently: where a batch fails, try again for ever.
        """
        after, count = "", 0
        while True:
            try:
                async with self._turn:
                    async with reading(self._parts.database) as stores:
                        found = await stores.projects.listed_after(after, BATCH)
                    await _put(into, found)
            except IndexLost:
                raise
            except Exception:
                if not patiently:
                    raise
                log.exception("catalogue could not be read, trying again", retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)
                continue
            if not found:
                return count
            after, count = found[-1].project.id, count + len(found)
            await asyncio.sleep(0)  # requests come in between


@contextmanager
def _filling_when_lost() -> Generator[None]:
    try:
        yield
    except IndexLost as error:
        raise CatalogueFilling from error


async def _put(index: CatalogIndex, found: list[Shown]) -> None:
    await index.put(replace(listing_of(shown.project), standing=shown.counters.standing) for shown in found)


def _batches(ids: list[ProjectId]) -> Iterable[list[ProjectId]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
