"""Computing reputation from time to time, and showing what it is made of."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

import structlog

from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.reputation import AGE, STEPS, Gift, Reputation, counted, trust_of
from opencode.modules.marketplace.service.base import UseCases

log = structlog.get_logger(__name__)

BATCH = 500
STALE = timedelta(days=7)
MOST_STALE = 5_000
"""People whose stars have not moved, and who are looked at again in one go: accounts come of age."""
_OVERLAP = timedelta(minutes=10)  # what was under way when it was looked last


class Reputing(UseCases):
    async def compute(self) -> None:
        """
        Bring everybody's reputation up to date. Only what trust reaches is read as a whole; of all others those whose
        stars have moved.
        """
        now = self.clock.now()
        chosen = await self.identity.holders_of(policy.TO_MANAGE) | await self.identity.holders_of(policy.TO_MODERATE)
        gifts = await self._gifts(frozenset[str](chosen), now - AGE)
        trust = await asyncio.to_thread(lambda: trust_of(sorted(chosen), counted(gifts)))
        async with self.reading() as stores:
            last = await stores.reputation.last_computed()
            moved = await stores.reputation.moved_since(last - _OVERLAP if last else None)
            moved |= await stores.reputation.stalest(now - STALE, MOST_STALE)
            before = await stores.reputation.trusted()
        reached = {person for person in trust.keys() | before.keys() if trust.get(person) != before.get(person)}
        for batch in _batches(moved):
            await self._save({person: trust.get(person, 0.0) for person in batch}, now, count=True)
        for batch in _batches(reached - moved):
            await self._save({person: trust.get(person, 0.0) for person in batch}, now, count=False)
        log.info("reputation computed", trusted=len(trust), moved=len(moved))

    async def _gifts(self, chosen: frozenset[str], before: datetime) -> list[Gift]:
        """All stars that trust can go by."""
        gifts: list[Gift] = []
        seen, givers = set(chosen), set(chosen)
        for step in range(STEPS):
            # The operator knows whom they chose, also on the first day.
            of_age = before if step else self.clock.now()
            found: list[Gift] = []
            for batch in _batches(givers):
                async with self.reading() as stores:
                    found += await stores.reputation.gifts_of(batch, of_age)
            gifts += found
            givers = {gift.owner_id for gift in found} - seen
            seen |= givers
        return gifts

    async def _save(self, trust: dict[str, float], now: datetime, *, count: bool) -> None:
        """Args: count: count stars and proofs anew; otherwise only trust has changed."""
        people = list(trust)
        async with self.unit_of_work() as work:
            known = await work.stores.reputation.of_all(people)
            admirers = await work.stores.reputation.admirers_of(people, now - AGE) if count else {}
            proved = await work.stores.reputation.with_proof(people) if count else set[str]()
            computed = {
                person: Reputation(trust[person], admirers.get(person, 0), person in proved)
                if count
                else replace(known.get(person, Reputation()), trust=trust[person])
                for person in people
            }
            await work.stores.reputation.save(computed, now)


def _batches(people: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(sorted(people))
    while batch := list(islice(rest, BATCH)):
        yield batch
