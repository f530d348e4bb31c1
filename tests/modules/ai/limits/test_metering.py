"""Every call passes the meter: within all limits or not at all, and charged once, whatever happens."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from opencode.infra.db import Database
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.ai.adapters import journal
from opencode.modules.ai.adapters.journal import Journal
from opencode.modules.ai.domain.calls import Outcome
from opencode.modules.ai.domain.configuration.model import Budget, Configuration, Limits, Period, Team
from opencode.modules.ai.domain.ledger import MOST_BUDGETS
from opencode.modules.ai.domain.limits import Bounds, CountBound, Measure, bounds_for
from opencode.modules.ai.domain.usage import Caller, Subject, SubjectKind, Usage
from opencode.modules.ai.errors import BudgetSpent, CallTooLarge, LedgerBehind, LimitReached, TooManyBudgets
from opencode.modules.ai.service import holding
from opencode.modules.ai.service.bookkeeping import Tidying
from opencode.modules.ai.store import AiWork
from tests.modules.ai.limits.house import ANN, PRICE, Books, Till, books, budget, estimate, took

OpenTill = Callable[[Bounds], Till]
PERSON = Subject(SubjectKind.PERSON, "usr_ann")


async def test_a_call_is_charged_what_it_took_and_the_rest_is_free_again(
    open_till: OpenTill, database: Database
) -> None:
    till = await open_till(Bounds(budgets=(budget(1_000),))).open()
    assert await till.call(1_000, used=400)
    assert await till.call(600, used=600)
    assert not await till.call(1)
    await till.close()
    assert await books(database) == Books(calls=2, cost=1_000, spent=1_000, held=0, leased=0, by_day=1_000)


async def test_a_call_that_never_was_costs_nothing_and_twice_is_once(open_till: OpenTill, database: Database) -> None:
    till = await open_till(Bounds((CountBound(PERSON, Measure.REQUESTS, 2),), (budget(100),))).open()
    for _ in range(5):
        reservation = await till.meter.reserve(ANN, estimate(100))
        await till.meter.refund(reservation)
        await till.meter.refund(reservation)
    reservation = await till.meter.reserve(ANN, estimate(100))
    for _ in range(2):
        await till.meter.settle(reservation, took(30))
    await till.meter.refund(reservation)
    await till.close()
    assert await books(database) == Books(calls=1, cost=30, spent=30, held=0, leased=0, by_day=30)


async def test_all_budgets_hold_at_once_and_a_refusal_says_whose(open_till: OpenTill) -> None:
    team = budget(50)
    team = type(team)(Subject(SubjectKind.TEAM, "lab"), 50, Period.DAY)
    till = await open_till(Bounds(budgets=(budget(1_000), team))).open()
    assert await till.call(50)
    await till.close()
    till = await open_till(Bounds(budgets=(budget(1_000), team))).open()
    with pytest.raises(BudgetSpent, match=r"the team's budget of \$0\.00000005 for the day") as refused:
        await till.meter.reserve(ANN, estimate(1))
    assert refused.value.retry_after_s == 15 * 3600  # the clock stands at nine in the morning
    till.bounds = Bounds(budgets=(budget(1_000),))
    assert await till.call(950)


async def test_a_budget_begins_anew_with_its_period(open_till: OpenTill, clock: ManualClock) -> None:
    till = await open_till(Bounds(budgets=(budget(10, period=Period.DAY),))).open()
    assert await till.call(10)
    assert not await till.call(1)
    clock.advance(15 * 3600)
    assert await till.call(10)


async def test_what_would_never_fit_is_said_at_once(open_till: OpenTill) -> None:
    till = await open_till(Bounds((CountBound(PERSON, Measure.TOKENS, 100),), (budget(50),))).open()
    with pytest.raises(CallTooLarge, match="101 tokens; the person may take 100 tokens a minute"):
        await till.meter.reserve(ANN, estimate(101))
    with pytest.raises(CallTooLarge, match="a month"):
        await till.meter.reserve(ANN, estimate(51))
    till.bounds = Bounds(budgets=tuple(budget(50, f"usr_{number}") for number in range(MOST_BUDGETS + 1)))
    with pytest.raises(TooManyBudgets):
        await till.meter.reserve(ANN, estimate(1))


async def test_a_call_that_a_budget_refuses_is_not_counted_by_the_minute(open_till: OpenTill) -> None:
    till = await open_till(Bounds((CountBound(PERSON, Measure.REQUESTS, 2),), (budget(5),))).open()
    assert await till.call(5)
    for _ in range(5):
        assert not await till.call(5)
    till.bounds = Bounds(till.bounds.counts)
    assert await till.call(5)
    with pytest.raises(LimitReached, match="The person may have 2 requests a minute"):
        await till.call(5)


async def test_a_call_whose_usage_is_not_told_is_charged_by_its_bytes(open_till: OpenTill, database: Database) -> None:
    till = await open_till(Bounds(budgets=(budget(1_000),))).open()
    reservation = await till.meter.reserve(ANN, estimate(100))
    await till.meter.settle(reservation, Outcome(None, answer_bytes=30, status=499, latency_ms=10**12))
    await till.close()
    assert (await books(database)).spent == 110


async def test_a_call_that_took_more_than_was_reserved_is_charged_all_of_it(
    open_till: OpenTill, database: Database
) -> None:
    till = await open_till(Bounds(budgets=(budget(100),))).open()
    assert await till.call(60, used=130)
    assert not await till.call(1)
    await till.close()
    assert await books(database) == Books(calls=1, cost=130, spent=130, held=0, leased=0, by_day=130)


async def test_two_processes_spend_a_budget_to_the_last_without_overspending(
    open_till: OpenTill, database: Database
) -> None:
    bounds = Bounds(budgets=(budget(3_000),))
    one, other = await open_till(bounds).open(), await open_till(bounds).open()
    assert await one.call(10)  # holds a slice that is larger than it needs
    went = await asyncio.gather(*(till.call(10) for _ in range(200) for till in (one, other)))
    assert sum(went) == 299
    await one.close()
    await other.close()
    assert await books(database) == Books(calls=300, cost=3_000, spent=3_000, held=0, leased=0, by_day=3_000)


async def test_what_one_process_holds_and_does_not_need_another_gets(
    open_till: OpenTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "IDLE_S", 3_600.0)  # it is asked for, not given back by itself
    bounds = Bounds(budgets=(budget(100),))
    one, other = await open_till(bounds).open(), await open_till(bounds).open()
    reservation = await one.meter.reserve(ANN, estimate(100))
    await one.meter.settle(reservation, took(1))
    assert await other.call(99)


async def test_calls_that_are_under_way_when_a_server_stops_are_charged_as_reserved(
    open_till: OpenTill, database: Database
) -> None:
    till = await open_till(Bounds(budgets=(budget(100_000),))).open()
    await till.meter.reserve(ANN, estimate(70))
    await till.close()
    assert await books(database) == Books(calls=1, cost=70, spent=70, held=0, leased=0, by_day=70)


async def test_a_kill_between_the_ledger_and_the_journal_charges_nothing_twice(
    open_till: OpenTill, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep(_journal: Journal, _slot: int) -> None:
        """As if the process had ended before."""

    monkeypatch.setattr(Journal, "close", keep)
    till = await open_till(Bounds(budgets=(budget(100_000),))).open()
    assert await till.call(70)
    await till.meter.reserve(ANN, estimate(50))
    await till.close()
    assert await books(database) == Books(calls=2, cost=120, spent=120, held=0, leased=0, by_day=120)


async def test_a_commit_whose_answer_is_lost_charges_nothing_twice(
    open_till: OpenTill, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = await open_till(Bounds(budgets=(budget(100_000),))).open()
    leave, lost, written = AiWork.__aexit__, asyncio.Event(), asyncio.Event()

    async def commit_and_lose_the_answer(work: AiWork, *raised: Any) -> None:
        await leave(work, *raised)
        found = (await books(database)).calls
        if found == 2:
            written.set()
        if found and not lost.is_set():
            lost.set()
            raise ConnectionError("the answer to COMMIT was lost")

    monkeypatch.setattr(AiWork, "__aexit__", commit_and_lose_the_answer)
    assert await till.call(70)
    async with asyncio.timeout(20):
        await lost.wait()
        # Before it is tried again another call comes.
        assert await till.call(50)
        await written.wait()
    await till.close()
    assert await books(database) == Books(calls=2, cost=120, spent=120, held=0, leased=0, by_day=120)


async def test_a_caller_who_goes_away_while_waiting_holds_nothing(open_till: OpenTill, database: Database) -> None:
    till = await open_till(Bounds((CountBound(PERSON, Measure.CALLS, 1),), (budget(100),))).open()
    leaving = asyncio.create_task(till.meter.reserve(ANN, estimate(100)))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await till.call(100, used=0)
    await till.close()
    assert (await books(database)).held == 0


async def test_a_call_is_charged_though_whoever_settles_it_goes_away_meanwhile(
    open_till: OpenTill, database: Database
) -> None:
    till = await open_till(Bounds((CountBound(PERSON, Measure.CALLS, 1),), (budget(100),))).open()
    reservation = await till.meter.reserve(ANN, estimate(100))
    # A model that has never answered before: its name has to be written down first.
    outcome = Outcome(Usage(input=30), answered_by=("lab/other", PRICE))
    leaving = asyncio.create_task(till.meter.settle(reservation, outcome))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await till.close()
    assert await books(database) == Books(calls=1, cost=30, spent=30, held=0, leased=0, by_day=30)


async def test_more_calls_than_the_journal_has_room_for_are_told_to_come_back(
    open_till: OpenTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SLOTS", 2)
    till = await open_till(Bounds((CountBound(PERSON, Measure.CALLS, 3),), (budget(100),))).open()
    first = await till.meter.reserve(ANN, estimate(10))
    await till.meter.reserve(ANN, estimate(10))
    for _ in range(3):
        with pytest.raises(LedgerBehind):
            await till.meter.reserve(ANN, estimate(80))
    await till.meter.refund(first)
    await till.meter.reserve(ANN, estimate(90))


async def test_old_calls_are_deleted_and_the_sums_of_their_days_stay(
    open_till: OpenTill, parts: Parts, database: Database, clock: ManualClock
) -> None:
    till = await open_till(Bounds(budgets=(budget(100, period=Period.DAY),))).open()
    await till.call(10)
    await till.close()
    tidying = Tidying(parts, days=30)
    await tidying.tidy()
    assert (await books(database)).calls == 1
    clock.advance(31 * 86_400)
    await tidying.tidy()
    assert await books(database) == Books(calls=0, cost=0, spent=10, held=0, leased=0, by_day=10)
    clock.advance(400 * 86_400)
    await tidying.tidy()
    assert await books(database) == Books(calls=0, cost=0, spent=0, held=0, leased=0, by_day=10)


def test_limits_are_those_of_the_person_and_of_each_of_their_teams() -> None:
    configuration = Configuration(
        limits=Limits(requests_per_minute=5, budget=Budget(2.5, Period.WEEK)),
        teams={"lab": Team(limits=Limits(concurrency=3, tokens_per_minute=9)), "other": Team(limits=Limits(1))},
    )
    bounds = bounds_for(Caller("usr_ann", teams=("gone", "lab")), configuration, configuration.limits)
    lab = Subject(SubjectKind.TEAM, "lab")
    assert bounds.counts == (
        CountBound(PERSON, Measure.REQUESTS, 5),
        CountBound(lab, Measure.TOKENS, 9),
        CountBound(lab, Measure.CALLS, 3),
    )
    assert bounds.budgets == (budget(2_500_000_000, period=Period.WEEK),)
