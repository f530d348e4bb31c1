"""Limits change while calls are made: what was spent stays spent, and a smaller budget holds at once."""

import asyncio
from collections.abc import Callable

import pytest

from opencode.infra.db import Database
from opencode.modules.ai.domain.configuration.model import Period
from opencode.modules.ai.domain.limits import Bounds, BudgetBound
from opencode.modules.ai.domain.money import NANO
from opencode.modules.ai.domain.usage import Subject, SubjectKind
from opencode.modules.ai.service import holding
from tests.modules.ai.limits.house import Till, books, budget

OpenTill = Callable[[Bounds], Till]
TEAM, KEY = Subject(SubjectKind.TEAM, "lab"), Subject(SubjectKind.KEY, "tok_ann")


def bounds(*budgets: BudgetBound) -> Bounds:
    return Bounds(budgets=budgets)


async def written(database: Database, calls: int) -> None:
    """Wait until so many calls are in the ledger."""
    async with asyncio.timeout(20):
        while (await books(database)).calls < calls:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", SubjectKind)
async def test_a_budget_that_is_set_in_the_middle_of_a_month_counts_what_was_spent_before(
    open_till: OpenTill, database: Database, kind: SubjectKind
) -> None:
    subject = {SubjectKind.TEAM: TEAM, SubjectKind.KEY: KEY}.get(kind, budget(0).subject)
    till = await open_till(Bounds()).open()
    assert await till.call(700)
    await written(database, 1)
    till.bounds = bounds(BudgetBound(subject, 1_000, Period.MONTH))
    assert not await till.call(301)
    assert await till.call(300)
    await till.close()
    assert (await books(database)).spent == 1_000


async def test_money_that_was_spent_under_another_period_is_spent_when_the_first_one_comes_back(
    open_till: OpenTill, database: Database
) -> None:
    month, week = (budget(1_000, period=period) for period in (Period.MONTH, Period.WEEK))
    till = await open_till(bounds(month)).open()
    assert await till.call(300)
    till.bounds = bounds(week)
    assert await till.call(500)
    await written(database, 2)
    till.bounds = bounds(month)
    assert not await till.call(201)
    assert await till.call(200)


async def test_a_smaller_budget_holds_from_the_next_call_on_whatever_was_taken_of_the_larger_one(
    open_till: OpenTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What nobody spends from is given back after a second anyway; here it is spent from without a pause.
    monkeypatch.setattr(holding, "IDLE_S", 3_600.0)
    till = await open_till(bounds(budget(1_000 * NANO))).open()
    assert await till.call(1_000)
    till.bounds = bounds(budget(1_500))
    assert not await till.call(501)
    assert await till.call(500)
    assert not await till.call(1)
    till.bounds = bounds(budget(2_000))
    assert await till.call(500), "and a larger one, too"


async def test_another_process_counts_what_was_spent_while_there_was_no_budget(
    open_till: OpenTill, database: Database
) -> None:
    one = await open_till(Bounds()).open()
    assert await one.call(700)
    await written(database, 1)
    other = await open_till(bounds(budget(1_000))).open()
    assert not await other.call(301)
    one.bounds = other.bounds
    assert await one.call(300)
    assert not await other.call(1)
