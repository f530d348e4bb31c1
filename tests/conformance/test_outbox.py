"""What is said in a transaction exists if and only if its change does, and reaches those who react at least once."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import StatementError

from opencode.contracts.events import Event
from opencode.infra.db import Database, UnitOfWork, outbox
from opencode.infra.events import Reactions, Relay
from opencode.infra.events.relay import KEEP_DELIVERED, MAX_ATTEMPTS
from opencode.kernel.clock import ManualClock


class Noted(Event, frozen=True, tag="tests.noted.v1"):
    number: int
    at: datetime


class Notebook:
    """Somebody who reacts: writes down what came, and fails as often as told."""

    def __init__(self, *, failures: int = 0) -> None:
        self.numbers: list[int] = []
        self.failures = failures
        self.attempts = 0

    async def note(self, event: Noted) -> None:
        self.attempts += 1
        if self.attempts <= self.failures:
            raise RuntimeError("the notebook is closed")
        self.numbers.append(event.number)

    def relay(self, database: Database, clock: ManualClock) -> Relay:
        reactions = Reactions()
        reactions.add(Noted, self.note)
        return Relay(database, reactions, clock)


async def publish(database: Database, clock: ManualClock, *numbers: int) -> None:
    async with UnitOfWork(database, clock) as work:
        for number in numbers:
            work.publish(Noted(number=number, at=clock.now()))


async def rows(database: Database) -> list[tuple[int | None, int, str | None]]:
    async with database.read() as connection:
        query = select(outbox.c.due_at, outbox.c.attempts, outbox.c.last_error).order_by(outbox.c.sequence)
        return [tuple(row) for row in await connection.execute(query)]


async def count(database: Database) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(outbox))).scalar_one()


async def test_what_was_said_and_what_was_changed_are_both_kept(database: Database, clock: ManualClock) -> None:
    async with database.begin() as connection:
        await connection.execute(text("create table changes (number integer)"))
    async with UnitOfWork(database, clock) as work:
        await work.connection.execute(text("insert into changes values (1)"))
        work.publish(Noted(number=1, at=clock.now()))
    assert await count(database) == 1
    async with database.read() as connection:
        assert (await connection.execute(text("select count(*) from changes"))).scalar_one() == 1


async def test_an_error_undoes_what_was_said_and_what_was_changed(database: Database, clock: ManualClock) -> None:
    async with database.begin() as connection:
        await connection.execute(text("create table changes (number integer)"))
    told: list[str] = []
    with pytest.raises(ZeroDivisionError):
        async with UnitOfWork(database, clock, wake=lambda: told.append("woken")) as work:
            await work.connection.execute(text("insert into changes values (1)"))
            work.publish(Noted(number=1, at=clock.now()))
            work.after_commit(lambda: told.append("committed"))
            _ = 1 / 0
    assert told == []
    assert await count(database) == 0
    async with database.read() as connection:
        assert (await connection.execute(text("select count(*) from changes"))).scalar_one() == 0


async def test_words_that_cannot_be_kept_undo_the_change(database: Database, clock: ManualClock) -> None:
    async with database.begin() as connection:
        await connection.execute(text("create table changes (number integer)"))
    with pytest.raises(StatementError, match="no time zone"):
        async with UnitOfWork(database, _NaiveClock()) as work:
            await work.connection.execute(text("insert into changes values (1)"))
            work.publish(Noted(number=1, at=clock.now()))
    async with database.begin() as connection:
        assert (await connection.execute(text("select count(*) from changes"))).scalar_one() == 0


class _NaiveClock:
    def now(self) -> datetime:
        return datetime(2026, 1, 5)

    def timestamp(self) -> float:
        return self.now().timestamp()


async def test_the_relay_is_woken_once_the_change_is_safe(database: Database, clock: ManualClock) -> None:
    told: list[str] = []
    async with UnitOfWork(database, clock, wake=lambda: told.append("woken")) as work:
        work.publish(Noted(number=1, at=clock.now()))
        work.after_commit(lambda: told.append("committed"))
        assert told == []
    assert told == ["committed", "woken"]
    async with UnitOfWork(database, clock, wake=lambda: told.append("woken again")):
        pass
    assert told == ["committed", "woken"]


async def test_events_arrive_once_and_in_the_order_in_which_they_were_said(
    database: Database, clock: ManualClock
) -> None:
    notebook = Notebook()
    await publish(database, clock, *range(250))
    relay = notebook.relay(database, clock)
    while await relay.deliver_due():
        pass
    assert notebook.numbers == list(range(250))
    assert await relay.deliver_due() == 0


async def test_a_running_relay_delivers_as_soon_as_it_is_woken(database: Database, clock: ManualClock) -> None:
    arrived: asyncio.Queue[int] = asyncio.Queue()

    async def note(event: Noted) -> None:
        await arrived.put(event.number)

    reactions = Reactions()
    reactions.add(Noted, note)
    relay = Relay(database, reactions, clock)
    running = asyncio.create_task(relay.run())
    async with UnitOfWork(database, clock, wake=relay.wake) as work:
        work.publish(Noted(number=7, at=clock.now()))
    assert await asyncio.wait_for(arrived.get(), 10) == 7
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_relay_at_rest_gets_up_when_a_failed_event_is_due_again(database: Database, clock: ManualClock) -> None:
    notebook = Notebook(failures=1)
    relay = notebook.relay(database, clock)
    running = asyncio.create_task(relay.run())
    try:
        async with UnitOfWork(database, clock, wake=relay.wake) as work:
            work.publish(Noted(number=1, at=clock.now()))
        async with asyncio.timeout(10):
            while notebook.attempts == 0:
                await asyncio.sleep(0.01)
            clock.advance(60)
            while not notebook.numbers:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert notebook.numbers == [1]


async def test_a_reaction_that_fails_is_tried_again_later_and_later(database: Database, clock: ManualClock) -> None:
    notebook = Notebook(failures=3)
    await publish(database, clock, 1)
    relay = notebook.relay(database, clock)
    for wait in (2, 4, 8):
        await relay.deliver_due()
        clock.advance(wait - 1)
        assert await relay.deliver_due() == 0
        clock.advance(1)
    await relay.deliver_due()
    assert notebook.numbers == [1]
    assert notebook.attempts == 4
    assert await relay.deliver_due() == 0


async def test_one_event_that_fails_does_not_hold_up_the_others(database: Database, clock: ManualClock) -> None:
    notebook = Notebook(failures=1)
    await publish(database, clock, 1, 2, 3)
    await notebook.relay(database, clock).deliver_due()
    assert notebook.numbers == [2, 3]


async def test_an_event_that_failed_twelve_times_is_parked_with_its_error(
    database: Database, clock: ManualClock
) -> None:
    notebook = Notebook(failures=100)
    await publish(database, clock, 1)
    relay = notebook.relay(database, clock)
    for _ in range(MAX_ATTEMPTS + 5):
        await relay.deliver_due()
        clock.advance(3600)
    assert notebook.attempts == MAX_ATTEMPTS
    assert await rows(database) == [(None, MAX_ATTEMPTS, "RuntimeError: the notebook is closed")]


async def test_an_event_of_an_unreadable_shape_is_parked_and_does_not_stop_the_relay(
    database: Database, clock: ManualClock
) -> None:
    notebook = Notebook()
    async with database.begin() as connection:
        broken = {"tag": "tests.noted.v1", "payload": "{", "published_at": clock.now(), "due_at": clock.now()}
        await connection.execute(insert(outbox), [broken])
    await publish(database, clock, 2)
    await notebook.relay(database, clock).deliver_due()
    assert notebook.numbers == [2]


async def test_an_event_that_nobody_reacts_to_is_done(database: Database, clock: ManualClock) -> None:
    await publish(database, clock, 1)
    assert await Relay(database, Reactions(), clock).deliver_due() == 1
    assert await rows(database) == [(None, 0, None)]


async def test_two_relays_do_not_deliver_one_event_at_once(database: Database, clock: ManualClock) -> None:
    one, two = Notebook(), Notebook()
    await publish(database, clock, *range(60))
    relays = [one.relay(database, clock), two.relay(database, clock)]
    while any(await asyncio.gather(*(relay.deliver_due() for relay in relays))):
        pass
    assert sorted(one.numbers + two.numbers) == list(range(60))


async def test_what_a_relay_had_claimed_when_it_died_is_delivered_by_another(
    database: Database, clock: ManualClock
) -> None:
    started = asyncio.Event()

    async def never_ends(_event: Noted) -> None:
        started.set()
        await asyncio.Event().wait()

    reactions = Reactions()
    reactions.add(Noted, never_ends)
    await publish(database, clock, 1)
    dying = asyncio.create_task(Relay(database, reactions, clock).deliver_due())
    await started.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    notebook = Notebook()
    relay = notebook.relay(database, clock)
    assert await relay.deliver_due() == 0
    clock.advance(60)
    await relay.deliver_due()
    assert notebook.numbers == [1]


async def test_what_was_delivered_is_forgotten_after_a_week_and_what_was_parked_is_not(
    database: Database, clock: ManualClock
) -> None:
    delivered_late, hopeless = Notebook(failures=1), Notebook(failures=100)
    await publish(database, clock, 1)
    relay = delivered_late.relay(database, clock)
    await relay.deliver_due()
    clock.advance(2)
    await relay.deliver_due()
    assert delivered_late.numbers == [1]
    await publish(database, clock, 2)
    relay = hopeless.relay(database, clock)
    for _ in range(MAX_ATTEMPTS):
        await relay.deliver_due()
        clock.advance(3600)
    clock.advance(KEEP_DELIVERED.total_seconds())
    await relay._forget_old()
    assert [attempts for _, attempts, _ in await rows(database)] == [MAX_ATTEMPTS]
