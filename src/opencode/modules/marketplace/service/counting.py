"""
Counting downloads and views. Facts that come at the same time are committed together, and whoever did something is
answered once the fact is safe: a project that thousands look at costs a few transactions a second, and nothing that
was answered is lost.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from opencode.contracts.marketplace import ProjectStood
from opencode.infra.plugs import Parts
from opencode.infra.security import hash_secret
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.counting import Fact, Kind, Visitor, fact_of
from opencode.modules.marketplace.service.catalogue import Catalogue
from opencode.modules.marketplace.store import MarketplaceWork

log = structlog.get_logger(__name__)

MOST_FACTS = 2_000
"""Facts in one transaction."""
COMMIT_EVERY_S = 0.01
"""The shortest time between the beginnings of two transactions: each costs as much as some ten facts in it."""
ANSWERED_AT_ONCE = 4
"""Of those who wait for one transaction: in between, others are answered, who would wait for all of them."""
REMEMBERED = 100_000
"""Facts that are known to be committed, so that the same visitor's next look costs no transaction."""
TELL_EVERY = timedelta(seconds=1)
"""How often it is told of one project that its counters have moved."""


class _Salt(msgspec.Struct, frozen=True, tag="marketplace.visitors"):
    """What is signed to get a secret that every server of a deployment has."""


class Counting:
    def __init__(self, parts: Parts, catalogue: Catalogue) -> None:
        self._parts = parts
        self._catalogue = catalogue
        self._salt = hash_secret(parts.signer.sign(_Salt()))
        self._waiting: dict[str, tuple[Fact, asyncio.Future[None]]] = {}
        self._committed: dict[str, None] = {}
        self._writer: asyncio.Task[None] | None = None
        self._next_at = 0.0
        self._told: dict[ProjectId, datetime] = {}
        self._untold: set[ProjectId] = set()

    async def count(self, kind: Kind, project_id: ProjectId, visitor: Visitor, *, key: str | None = None) -> None:
        """As `note`. Returns when it is committed."""
        if committed := self.note(kind, project_id, visitor, key=key):
            # Shielded: a caller that goes away must not take the others' answer along.
            await asyncio.shield(committed)

    def note(
        self, kind: Kind, project_id: ProjectId, visitor: Visitor, *, key: str | None = None
    ) -> "asyncio.Future[None] | None":
        """
        Count what somebody does, once per key, or per visitor and hour.

        Args:
            key: the caller's `Idempotency-Key`.

        Returns:
            What is done once it is committed, the same for all who do the same; None if it was counted before.
        """
        fact = fact_of(kind, project_id, visitor, self._parts.clock.now(), salt=self._salt, key=key)
        if fact.id in self._committed:
            return None
        if (waiting := self._waiting.get(fact.id)) is None:
            waiting = self._waiting[fact.id] = (fact, asyncio.get_running_loop().create_future())
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return waiting[1]

    async def tell_rest(self) -> None:
        """Tell of projects whose counters have moved since it was last told of them."""
        now = self._parts.clock.now()
        self._told = {found: at for found, at in self._told.items() if now - at < TELL_EVERY}
        if rest := sorted(self._untold - self._told.keys()):
            async with MarketplaceWork(self._parts) as work:
                work.publish(ProjectStood(project_ids=tuple(rest), at=now))
            self._note_told(rest, now)

    async def close(self) -> None:
        """Commit what is waiting."""
        if self._writer:
            await asyncio.gather(self._writer, return_exceptions=True)
        if self._untold:
            self._told.clear()
            await self.tell_rest()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if (early := self._next_at - loop.time()) > 0:
                await asyncio.sleep(early)
            self._next_at = loop.time() + COMMIT_EVERY_S
            batch = dict(list(self._waiting.items())[:MOST_FACTS])
            try:
                await self._commit([fact for fact, _ in batch.values()])
            except Exception as error:
                await self._answer(batch, error)
            else:
                self._remember(batch)
                await self._answer(batch, None)

    async def _commit(self, facts: Sequence[Fact]) -> None:
        now = self._parts.clock.now()
        async with MarketplaceWork(self._parts) as work:
            moved = await work.stores.counting.note(facts)
            due = [found for found in moved if found not in self._told or now - self._told[found] >= TELL_EVERY]
            if due:
                work.publish(ProjectStood(project_ids=tuple(due), at=now))
        self._untold |= moved.keys()
        self._note_told(due, now)
        await self._catalogue.count(moved)

    def _note_told(self, ids: Sequence[ProjectId], at: datetime) -> None:
        self._untold.difference_update(ids)
        self._told.update(dict.fromkeys(ids, at))

    async def _answer(self, batch: dict[str, tuple[Fact, asyncio.Future[None]]], error: Exception | None) -> None:
        for fact_id in batch:
            del self._waiting[fact_id]
        for number, (_, committed) in enumerate(batch.values(), start=1):
            if error is None:
                committed.set_result(None)
            else:
                committed.set_exception(error)
                committed.exception()  # all who waited may have gone; then nobody would look at it
            if number % ANSWERED_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _remember(self, batch: dict[str, tuple[Fact, asyncio.Future[None]]]) -> None:
        self._committed.update(dict.fromkeys(batch))
        if len(self._committed) > REMEMBERED:
            for fact_id in list(self._committed)[: REMEMBERED // 2]:
                del self._committed[fact_id]
