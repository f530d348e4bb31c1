"""Whatever calls do, in whatever order and in whichever process, the books say what a plain sum says."""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from opencode.infra.db import Database
from opencode.kernel.clock import ManualClock
from opencode.modules.ai.domain.limits import Bounds
from opencode.modules.ai.errors import BudgetSpent
from opencode.modules.ai.service import holding
from opencode.modules.ai.service.metering import Reservation
from tests.modules.ai.limits.house import ANN, Books, Till, books, budget, estimate, parts_on, took

AMOUNT = 1_000

# Which process, what it does, how much it takes: for `settle` in hundredths of what was reserved.
STEPS = some.lists(
    some.tuples(some.integers(0, 1), some.sampled_from(["reserve", "settle", "refund"]), some.integers(1, 100)),
    max_size=25,
)


@dataclass
class Sums:
    """The plain model: what is spent, and what is reserved for calls under way."""

    spent: int = 0
    calls: int = 0
    under_way: list[tuple[int, Reservation]] = field(default_factory=list[tuple[int, Reservation]])

    @property
    def left(self) -> int:
        return AMOUNT - self.spent - sum(reservation.call.cost_nano for _, reservation in self.under_way)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_two_processes_give_out_exactly_what_there_is(
    sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[int, str, int]]
) -> None:
    monkeypatch.setattr(holding, "PATIENCE_S", 0.3)
    monkeypatch.setattr(holding, "IDLE_S", 3_600.0)
    monkeypatch.setattr(holding, "LOOK_AGAIN_S", 0.01)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(sqlite_template, Path(folder) / "opencode.db")
        asyncio.run(_follow(Path(folder), steps))


async def _follow(folder: Path, steps: list[tuple[int, str, int]]) -> None:
    database = Database.in_folder(folder)
    parts, bounds = parts_on(database, ManualClock()), Bounds(budgets=(budget(AMOUNT),))
    tills = [await Till(parts, folder / "calls", bounds, give_back_every_s=0.02).open() for _ in range(2)]
    sums = Sums()
    for process, what, amount in steps:
        if what == "reserve":
            await _reserve(tills[process], process, sums, amount * 5)
        elif sums.under_way:
            owner, reservation = sums.under_way.pop(amount % len(sums.under_way))
            if what == "settle":
                used = reservation.call.cost_nano * amount // 100
                await tills[owner].meter.settle(reservation, took(used))
                sums.spent += used
                sums.calls += 1
            else:
                await tills[owner].meter.refund(reservation)
    for till in tills:
        await till.close()
    # What is still under way when a server stops is charged as it was reserved.
    spent, calls = AMOUNT - sums.left, sums.calls + len(sums.under_way)
    assert await books(database) == Books(calls, spent, spent=spent, held=0, leased=0, by_day=spent)
    await database.close()


async def _reserve(till: Till, process: int, sums: Sums, tokens: int) -> None:
    try:
        reservation = await till.meter.reserve(ANN, estimate(tokens))
    except BudgetSpent:
        assert sums.left < tokens
    else:
        assert sums.left >= tokens
        sums.under_way.append((process, reservation))
