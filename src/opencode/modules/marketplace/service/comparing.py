"""Comparing the catalogue's index with the store, in the order of ids, a batch at a time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace

from opencode.infra.db import Database
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.agreement import Agreement, Difference, disagreement
from opencode.modules.marketplace.domain.catalog import CatalogIndex, Known, Listing
from opencode.modules.marketplace.domain.project import listing_of
from opencode.modules.marketplace.domain.views import Shown
from opencode.modules.marketplace.store import Stores, reading

BATCH = 500
PATIENCE_S = 2.0
"""How long a change may take to reach an index before the two are said to disagree."""


@dataclass(frozen=True, slots=True)
class _Suspect:
    """What differed at the first look, and what the index had then."""

    difference: Difference
    known: Known | None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Suspects of one batch, and from when on they are looked at again (time of the event loop)."""

    due: float
    suspects: list[_Suspect]


class Comparison:
    """
    Args:
        turn: whoever holds it is alone in bringing the index in step.
        index: the one that searches use now.
        refresh: brings the index in step as to some projects.
    """

    def __init__(
        self,
        database: Database,
        turn: asyncio.Lock,
        index: Callable[[], CatalogIndex],
        refresh: Callable[[Collection[ProjectId]], Awaitable[None]],
    ) -> None:
        self._database = database
        self._turn = turn
        self._index = index
        self._refresh = refresh

    async def mend(self) -> Agreement:
        """
        Bring everything in step that differs, at once: after messages were lost. What is on its way anyhow is counted
        too.
        """
        found = Agreement()
        after: str | None = ""
        while after is not None:
            after, suspects = await self._look(after, found)
            await self._refresh([each.difference.project_id for each in suspects])
            for each in suspects:
                found.note(each.difference)
        return found

    async def check(self, *, repair: bool, pause_s: float = 0.0) -> Agreement:
        """
        Find out whether they agree, while people write. What differs is looked at again after `PATIENCE_S`: it is a
        disagreement when it differs still, and the index has not moved meanwhile.

        Args:
            repair: bring what disagrees in step.
            pause_s: between two batches.
        """
        found = Agreement()
        clock = asyncio.get_running_loop().time
        waiting: deque[_Waiting] = deque()
        after: str | None = ""
        while after is not None:
            after, suspects = await self._look(after, found)
            if suspects:
                waiting.append(_Waiting(clock() + PATIENCE_S, suspects))
            # Few batches fit into the time that suspects wait, so few of them are kept.
            while waiting and waiting[0].due <= clock():
                await self._look_again(waiting.popleft().suspects, found, repair=repair)
            await asyncio.sleep(pause_s)
        for each in waiting:
            await asyncio.sleep(max(0.0, each.due - clock()))
            await self._look_again(each.suspects, found, repair=repair)
        return found

    async def _look(self, after: str, found: Agreement) -> tuple[str | None, list[_Suspect]]:
        """The next batch: up to which id it went, None at the end, and what differs in it."""
        async with self._turn:
            async with reading(self._database) as stores:
                shown = await stores.projects.listed_after(after, BATCH)
            upto = shown[-1].project.id if len(shown) == BATCH else None
            published = _listings(shown)
            known = await self._known_between(after, upto or "", most=4 * BATCH)
        if len(known) == 4 * BATCH:
            # The index has far more than the store: what is behind its last one is left for the next batch.
            upto = max(known)
            published = {project_id: listing for project_id, listing in published.items() if project_id <= upto}
        found.projects += len(published)
        found.indexed += len(known)
        ids = sorted({*published, *known})
        return upto, _suspects(ids, published, known)

    async def _known_between(self, after: str, upto: str, *, most: int) -> dict[ProjectId, Known]:
        index = self._index()
        ids = await index.ids_between(after, upto, most)
        return {each.id: each for each in await index.known(ids)}

    async def _look_again(self, before: list[_Suspect], found: Agreement, *, repair: bool) -> None:
        ids = [each.difference.project_id for each in before]
        async with self._turn:
            async with reading(self._database) as stores:
                published = await _published(stores, ids)
            known = {each.id: each for each in await self._index().known(ids)}
        now = {each.difference.project_id: each for each in _suspects(ids, published, known)}
        stuck = [
            now[project_id].difference
            for each in before
            if (project_id := each.difference.project_id) in now and now[project_id].known == each.known
        ]
        for each in stuck:
            found.note(each)
        if repair and stuck:
            await self._refresh([each.project_id for each in stuck])


def _suspects(
    ids: Collection[ProjectId], published: dict[ProjectId, Listing], known: dict[ProjectId, Known]
) -> list[_Suspect]:
    looked_at = ((each, disagreement(published.get(each), known.get(each))) for each in ids)
    return [_Suspect(Difference(each, what), known.get(each)) for each, what in looked_at if what is not None]


async def _published(stores: Stores, ids: Collection[ProjectId]) -> dict[ProjectId, Listing]:
    return _listings([shown for shown in await stores.projects.all_of(ids) if shown.project.is_listed])


def _listings(found: list[Shown]) -> dict[ProjectId, Listing]:
    return {shown.project.id: replace(listing_of(shown.project), standing=shown.counters.standing) for shown in found}
