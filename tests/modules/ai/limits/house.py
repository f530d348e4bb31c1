"""What tests of the meter share: a meter with its timed work, and what the database says."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, select

from opencode.infra.cache import Cache
from opencode.infra.db import Database
from opencode.infra.jobs import Job, run_job
from opencode.infra.plugs import Parts
from opencode.infra.pubsub import MemoryPubSub
from opencode.infra.security import MemoryRateLimiter, Signer
from opencode.kernel.clock import Clock
from opencode.modules.ai.adapters.limits.memory import MemoryLimits
from opencode.modules.ai.domain.calls import Estimate, Outcome
from opencode.modules.ai.domain.configuration.model import Period
from opencode.modules.ai.domain.limits import Bounds, BudgetBound
from opencode.modules.ai.domain.money import Price
from opencode.modules.ai.domain.usage import Caller, Subject, SubjectKind, Usage
from opencode.modules.ai.errors import BudgetSpent
from opencode.modules.ai.service.metering import Meter
from opencode.modules.ai.store.tables import budgets, calls, days, leases

ANN = Caller("usr_ann", "tok_ann", ("lab",))
PRICE = Price(input=1_000_000, output=1_000_000)
"""A nano-dollar for each token, so that amounts are easy to read."""


def estimate(tokens: int) -> Estimate:
    return Estimate("lab/model", PRICE, Usage(input=tokens))


def took(tokens: int) -> Outcome:
    return Outcome(Usage(input=tokens))


def budget(amount_nano: int, subject: str = "usr_ann", period: Period = Period.MONTH) -> BudgetBound:
    return BudgetBound(Subject(SubjectKind.PERSON, subject), amount_nano, period)


def parts_on(database: Database, clock: Clock) -> Parts:
    """Where no fixture reaches: in other processes, and in examples of Hypothesis."""
    pubsub = MemoryPubSub()
    return Parts(
        database=database,
        clock=clock,
        pubsub=pubsub,
        cache=Cache(clock, pubsub),
        limiter=MemoryRateLimiter(clock),
        signer=Signer(b"a key of thirty-two bytes, no less"),
        wake_relay=lambda: None,
        public_url=lambda: "",
    )


class Till:
    """A meter that gives back what it does not need, as it does in a server."""

    def __init__(self, parts: Parts, folder: Path, bounds: Bounds, *, give_back_every_s: float = 0.1) -> None:
        self.bounds = bounds
        self.meter = Meter(parts, MemoryLimits(parts.clock), folder, lambda _caller: self.bounds)
        self._job = Job("give back", give_back_every_s, self.meter.give_back)
        self._jobs: list[asyncio.Task[None]] = []
        self._is_open = False

    async def open(self) -> "Till":
        await self.meter.start()
        self._is_open = True
        self._jobs.append(asyncio.create_task(run_job(self._job)))
        return self

    async def close(self) -> None:
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        if self._is_open:
            self._is_open = False
            await self.meter.stop()

    async def call(self, tokens: int, used: int | None = None) -> bool:
        """Make a call. Returns whether there was money for it."""
        try:
            reservation = await self.meter.reserve(ANN, estimate(tokens))
        except BudgetSpent:
            return False
        await asyncio.sleep(0)  # others come in between
        await self.meter.settle(reservation, took(tokens if used is None else used))
        return True


@dataclass(frozen=True)
class Books:
    """What the database says, in nano-dollars."""

    calls: int
    cost: int
    spent: int
    held: int
    leased: int
    by_day: int


async def books(database: Database) -> Books:
    async with database.read() as connection:

        async def of(amount: ColumnElement[Any]) -> int:
            return int((await connection.execute(select(func.coalesce(amount, 0)))).scalar_one())

        return Books(
            calls=await of(func.count(calls.c.id)),
            cost=await of(func.sum(calls.c.cost_nano)),
            spent=await of(func.sum(budgets.c.spent_nano)),
            held=await of(func.sum(budgets.c.held_nano)),
            leased=await of(func.sum(leases.c.held_nano)),
            by_day=await of(func.sum(days.c.cost_nano)),
        )
