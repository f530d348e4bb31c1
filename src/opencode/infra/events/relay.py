"""The relay reads the outbox and calls reactions. A reaction that fails is tried again, later and later."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
import structlog
from sqlalchemy import delete, func, select, update

from opencode.contracts.events import Event, tag_of
from opencode.infra.db import Database, outbox
from opencode.infra.observability import metrics
from opencode.kernel.clock import Clock

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=Event)
Reaction = Callable[[Any], Awaitable[None]]

POLL_S = 1.0
"""How often to look for what other processes have published. Nobody else publishes in an embedded database."""
RESTING_S = 30.0
"""The longest rest between two looks where nobody else publishes."""
BATCH = 100
MAX_ATTEMPTS = 12
KEEP_DELIVERED = timedelta(days=7)
FORGET_EVERY = timedelta(hours=1)


class Reactions:
    """Who reacts to what. Modules add to it when they are plugged in."""

    def __init__(self) -> None:
        self._by_tag: dict[str, list[Reaction]] = defaultdict(list)
        self._types: dict[str, type[Event]] = {}

    def add(self, event_type: type[E], reaction: Callable[[E], Awaitable[None]]) -> None:
        """Call `reaction` with every event of that type; it may be called twice with the same one."""
        self._types[tag_of(event_type)] = event_type
        self._by_tag[tag_of(event_type)].append(reaction)

    async def deliver(self, tag: str, payload: str) -> None:
        """Decode an event and hand it to each reaction in turn. An event that nobody reacts to is done."""
        if (event_type := self._types.get(tag)) is None:
            return
        event = msgspec.json.decode(payload, type=event_type)
        for reaction in self._by_tag[tag]:
            await reaction(event)


class Relay:
    """One task a process. Several processes may run one each: rows are claimed by pushing their due time ahead."""

    def __init__(self, database: Database, reactions: Reactions, clock: Clock) -> None:
        self._database = database
        self._reactions = reactions
        self._clock = clock
        self._wake = asyncio.Event()
        self._next_due: datetime | None = None
        self._forget_at = clock.now() + FORGET_EVERY

    def wake(self) -> None:
        """Something was published in this process."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver for ever; ends by cancellation."""
        while True:
            self._wake.clear()
            try:
                while await self.deliver_due():
                    pass
                if self._clock.now() >= self._forget_at:
                    await self._forget_old()
                    self._forget_at = self._clock.now() + FORGET_EVERY
            except Exception:
                self._next_due = self._clock.now()
                log.exception("relay stumbled, trying again", retry_s=POLL_S)
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with the wake.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._rest_s()):
                    await self._wake.wait()

    async def deliver_due(self) -> int:
        """Deliver what is due now, oldest first. Returns how many events were looked at."""
        rows = await self._claim()
        delivered: list[int] = []
        try:
            for row in rows:
                metrics.RELAY_LAG.observe((self._clock.now() - row.published_at).total_seconds())
                try:
                    await self._reactions.deliver(row.tag, row.payload)
                except Exception as failure:
                    await self._put_back(row, failure)
                else:
                    delivered.append(row.sequence)
        finally:
            # Without an error of an earlier attempt, or they would be kept for ever like one that was given up.
            await self._settle(delivered, due_at=None, last_error=None)
        return len(rows)

    def _rest_s(self) -> float:
        """Seconds until the next look, unless woken."""
        if not self._database.is_sqlite:
            return POLL_S
        if self._next_due is None:
            return RESTING_S
        return min(RESTING_S, max(POLL_S, (self._next_due - self._clock.now()).total_seconds()))

    async def _claim(self) -> list[Any]:
        now = self._clock.now()
        # Nearly every look finds nothing, and a look must not take the one writer's place on SQLite.
        async with self._database.read() as connection:
            soonest = select(func.min(outbox.c.due_at)).where(outbox.c.due_at.is_not(None))
            self._next_due = (await connection.execute(soonest)).scalar()
        if self._next_due is None or self._next_due > now:
            return []
        async with self._database.begin() as connection:
            due = select(outbox).where(outbox.c.due_at <= now).order_by(outbox.c.sequence).limit(BATCH)
            if not self._database.is_sqlite:
                due = due.with_for_update(skip_locked=True)
            rows = list(await connection.execute(due))
            if rows:
                # A process that dies now leaves the rows due again in a minute.
                claimed = outbox.c.sequence.in_([row.sequence for row in rows])
                lease = {"due_at": now + timedelta(minutes=1)}
                await connection.execute(update(outbox).where(claimed).values(lease))
        return rows

    async def _put_back(self, row: Any, failure: Exception) -> None:
        attempts = row.attempts + 1
        parked = attempts >= MAX_ATTEMPTS
        log.exception("reaction failed", tag=row.tag, attempts=attempts, parked=parked, exc_info=failure)
        delay = timedelta(seconds=min(2**attempts, 3600))
        await self._settle(
            [row.sequence],
            due_at=None if parked else self._clock.now() + delay,
            attempts=attempts,
            last_error=f"{type(failure).__name__}: {failure}"[:2000],
        )

    async def _settle(self, sequences: list[int], *, due_at: datetime | None, **values: Any) -> None:
        if sequences:
            settled = update(outbox).where(outbox.c.sequence.in_(sequences)).values(due_at=due_at, **values)
            async with self._database.begin() as connection:
                await connection.execute(settled)

    async def _forget_old(self) -> None:
        before = self._clock.now() - KEEP_DELIVERED
        async with self._database.begin() as connection:
            await connection.execute(
                delete(outbox).where(
                    outbox.c.due_at.is_(None), outbox.c.published_at < before, outbox.c.last_error.is_(None)
                )
            )
