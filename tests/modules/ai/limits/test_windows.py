"""Minutes that slide, periods of budgets, and numbers of calls."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from opencode.modules.ai.domain.configuration.model import Period
from opencode.modules.ai.domain.ledger import MOST_BUDGETS, MOST_BYTES, Call, CallNumbers, began_ms, first_id_at, unpack
from opencode.modules.ai.domain.periods import date_of, day_at, day_of, span_of
from opencode.modules.ai.domain.windows import WINDOW_S, Window

STEPS = some.lists(some.tuples(some.integers(0, 40), some.integers(1, 5)), max_size=80)


@given(STEPS, some.integers(5, 12))
def test_in_no_sixty_seconds_is_more_let_through_than_allowed(steps: list[tuple[int, int]], limit: int) -> None:
    window, now, let_through = Window(), 1_000, list[tuple[int, int]]()
    for later, amount in steps:
        now += later
        if not window.wait_s(now, amount, limit):
            window.add(now, amount)
            let_through.append((now, amount))
    for start, _ in let_through:
        # A second may have begun at its very end: sixty seconds can touch sixty-one of them.
        assert sum(amount for at, amount in let_through if start <= at <= start + WINDOW_S) <= limit


@given(STEPS, some.integers(5, 12))
def test_whoever_waits_as_long_as_told_is_let_through_and_not_before(steps: list[tuple[int, int]], limit: int) -> None:
    window, now = Window(), 1_000
    for later, amount in steps:
        now += later
        if wait_s := window.wait_s(now, amount, limit):
            assert window.wait_s(now + wait_s - 1, amount, limit)
            now += wait_s
        assert window.wait_s(now, amount, limit) == 0
        window.add(now, amount)


def test_what_is_corrected_is_counted_as_corrected_until_it_is_long_ago() -> None:
    window = Window()
    second = window.add(100, 10)
    window.add(110, 1)
    window.correct(second, -7)
    assert window.total(160) == 4
    assert window.total(161) == 1
    window.correct(second, 50)
    assert window.total(161) == 1


def test_a_clock_that_goes_back_makes_no_room() -> None:
    window = Window()
    window.add(100, 3)
    assert window.add(40, 2) == 100
    assert window.total(40) == 5


@pytest.mark.parametrize(
    ("period", "on", "begins", "ends"),
    [
        (Period.DAY, date(2026, 2, 28), date(2026, 2, 28), date(2026, 3, 1)),
        (Period.WEEK, date(2027, 1, 1), date(2026, 12, 28), date(2027, 1, 4)),
        (Period.WEEK, date(2026, 12, 28), date(2026, 12, 28), date(2027, 1, 4)),
        (Period.MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        (Period.MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 3, 1)),
    ],
)
def test_a_budget_is_for_a_day_a_week_from_monday_or_a_month(
    period: Period, on: date, begins: date, ends: date
) -> None:
    span = span_of(period, day_of(on))
    assert (date_of(span.begins), date_of(span.ends)) == (begins, ends)
    assert span.ends_at == datetime.fromtimestamp(span.ends_s, UTC)
    assert day_at(span.ends_s - 0.001) == span.ends - 1


@given(some.lists(some.integers(0, 2), max_size=20), some.integers(0, 5_000))
def test_numbers_of_calls_rise_and_tell_when_and_no_two_processes_share_one(steps: list[int], process: int) -> None:
    numbers, others, now = CallNumbers(process), CallNumbers(process + 1), 1_800_000_000_000
    made, of_others = list[int](), list[int]()
    for later in steps:
        now += later
        made.append(numbers.next(now))
        of_others.append(others.next(now))
        assert began_ms(made[-1]) == now
        assert first_id_at(now) <= made[-1] < first_id_at(now + 1)
    assert made == sorted(set(made))
    assert not set(made) & set(of_others)


def test_more_calls_than_a_millisecond_has_numbers_borrow_from_the_next() -> None:
    numbers = CallNumbers(7)
    made = [numbers.next(1_800_000_000_000) for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {began_ms(each) - 1_800_000_000_000 for each in made} == {0, 1, 2}
    assert {each >> 12 & 1023 for each in made} == {7}


def test_a_call_is_the_same_after_it_was_bytes_and_takes_little_room() -> None:
    call = Call(*range(1, 16), budgets=tuple(range(MOST_BUDGETS)))
    assert unpack(call.packed()) == call
    assert len(call.packed()) == MOST_BYTES
    assert unpack(call.packed()[:-1]) is None
    assert unpack(b"") is None
