"""An order of all projects that is kept sorted, so that a page of a large result costs no more than its length."""

import bisect
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.columns import Columns, Key

Numbers = npt.NDArray[np.uint32]
Value = float | int | bytes
Rank = tuple[Any, int, int]
"""What comes first is less: the value (its negative where the greatest is the best), then the id, newest first."""

_FIRST_STEP = 256
_LARGEST_STEP = 1 << 16


@dataclass(slots=True, eq=False)
class Ordering:
    """
    Best first; what is equal comes newest first.

    Args:
        column: what is sorted by, as it is now.
        steady: a number keeps its value, so that none need be kept here.
        ascending: the least is the best.
    """

    columns: Columns
    column: Callable[[Columns], npt.NDArray[Any]]
    ascending: bool = False
    steady: bool = False

    # As it was when all was sorted; what has moved since is looked at beside it.
    _settled: "_Sorted" = field(default_factory=lambda: _Sorted(np.zeros(0, dtype=np.uint32), np.zeros(0), 0))
    _moved: set[int] = field(default_factory=set[int])
    _moved_meanwhile: set[int] | None = None  # while it is being sorted
    _moved_sorted: list[int] = field(default_factory=list[int])
    _moved_sorted_for: tuple[int, int] = (-1, 0)

    @property
    def moved(self) -> int:
        """How many projects are new, or have changed their places, since everything was sorted."""
        return len(self._moved) + self.columns.count - self._settled.covered

    def kept(self, count: int) -> "tuple[Numbers, int]":
        """
        How all was sorted last, for `take_up`; only of a steady order.

        Args:
            count: numbers from this one on are left out.
        """
        settled = self._settled
        if settled.covered <= count:
            return settled.numbers, settled.covered
        return settled.numbers[settled.numbers < count], count

    def take_up(self, numbers: Numbers, covered: int) -> None:
        """What was kept is sorted still: all below the number `covered`."""
        self._settled = _Sorted(numbers, self._settled.ranks, covered)

    def note(self, number: int) -> None:
        """What a project is sorted by has changed."""
        if number < self._settled.covered:
            self._moved.add(number)
        if self._moved_meanwhile is not None:
            self._moved_meanwhile.add(number)
        self._moved_sorted_for = (-1, 0)

    def sort(self) -> None:
        """Sort everything anew: a fifth of a second for a million. A thread may do it beside searches and notes."""
        columns, count = self.columns, self.columns.count
        self._moved_meanwhile = meanwhile = set[int]()
        ordered = self.best_first(np.flatnonzero(columns.alive[:count]).astype(np.uint32))
        values = self.column(columns)
        ranks = self._settled.ranks if self.steady else values[ordered] if self.ascending else -values[ordered]
        # In this order: what is noted as moved may stand in its right place already, but not the other way round.
        self._settled = _Sorted(ordered, ranks, count)
        self._moved = meanwhile
        self._moved_meanwhile = None
        self._moved_sorted_for = (-1, 0)

    def best_first(self, numbers: Numbers) -> Numbers:
        """Some projects, sorted."""
        columns, values = self.columns, self.column(self.columns)[numbers]
        high, low = columns.high[numbers], columns.low[numbers]
        if self.ascending:
            return numbers[np.lexsort((~low, ~high, values))]
        return numbers[np.lexsort((low, high, values))[::-1]]

    def behind(self, numbers: Numbers, value: Value, key: Key) -> Numbers:
        """Those of some projects that come after a place."""
        values = self.column(self.columns)[numbers]
        later = values > value if self.ascending else values < value
        return numbers[later | ((values == value) & older(self.columns, numbers, key))]

    def walk(self, wanted: npt.NDArray[np.bool_], limit: int, after: tuple[Value, Key] | None) -> list[int]:
        """
        The first of the wanted projects after a place.

        Args:
            wanted: by number; none of them is gone.
        """
        start = self._rank(*after) if after else None
        settled = self._of_settled(self._settled, wanted, self._place_behind(self._settled, start) if start else 0)
        both = heapq.merge(settled, self._of_moved(wanted, start), key=self._rank_now)
        return list(islice(both, limit))

    def value(self, number: int) -> Value:
        return self.column(self.columns).item(number)

    def _of_settled(self, settled: "_Sorted", wanted: npt.NDArray[np.bool_], at: int) -> Iterator[int]:
        step = _FIRST_STEP
        while at < len(settled.numbers):
            some = settled.numbers[at : at + step]
            yield from (number for number in some[wanted[some]].tolist() if number not in self._moved)
            at += step
            step = min(step * 2, _LARGEST_STEP)

    def _of_moved(self, wanted: npt.NDArray[np.bool_], start: Rank | None) -> Iterator[int]:
        now = (self.columns.count, self._settled.covered)
        if self._moved_sorted_for != now:
            noted = np.fromiter(self._moved, dtype=np.uint32, count=len(self._moved))
            new = np.arange(self._settled.covered, self.columns.count, dtype=np.uint32)
            self._moved_sorted = self.best_first(np.concatenate([noted, new])).tolist()
            self._moved_sorted_for = now
        moved = self._moved_sorted
        at = 0 if start is None else bisect.bisect_right(moved, start, key=self._rank_now)
        return (number for number in islice(moved, at, None) if wanted[number])

    def _rank(self, value: Any, key: Key) -> Rank:
        return (value if self.ascending else -value, -key.high, -key.low)

    def _rank_now(self, number: int) -> Rank:
        return self._rank(self.value(number), self.columns.key(number))

    def _place_behind(self, settled: "_Sorted", start: Rank) -> int:
        """
        Where what comes after a place begins in what was sorted. Most are told apart by their values alone, and nearly
        all others by the first half of their ids.
        """
        value, high, low = start
        first, last = self._places_of(settled, value) if self.steady else settled.places_of(value)
        upper, lower = (partial(_newest_first, half, settled.numbers) for half in (self.columns.high, self.columns.low))
        place = bisect.bisect_left(range(last), high, lo=first, key=upper)
        while place < last and upper(place) == high and lower(place) <= low:
            place += 1
        return place

    def _places_of(self, settled: "_Sorted", value: Any) -> tuple[int, int]:
        """Where those of a value, which none of them changes, begin and end in what was sorted."""
        column, sign = self.column(self.columns), 1 if self.ascending else -1

        def value_at(place: int) -> Any:
            found = column.item(settled.numbers.item(place))
            return found if sign > 0 else -found

        return _equal(value, 0, len(settled.numbers), value_at)


class _Sorted(NamedTuple):
    """
    Attributes:
        ranks: of their values as they were then, beside `numbers`, ascending; none where they cannot change.
        covered: from this number on all are new.
    """

    numbers: Numbers
    ranks: npt.NDArray[Any]
    covered: int

    def places_of(self, rank: Any) -> tuple[int, int]:
        """Where those of a rank begin and end."""
        return int(np.searchsorted(self.ranks, rank)), int(np.searchsorted(self.ranks, rank, side="right"))


def older(columns: Columns, numbers: Numbers, key: Key) -> npt.NDArray[np.bool_]:
    """Which of some projects have an id before this one."""
    high, low = columns.high[numbers], columns.low[numbers]
    return (high < np.uint64(key.high)) | ((high == np.uint64(key.high)) & (low < np.uint64(key.low)))


def _newest_first(half: npt.NDArray[np.uint64], numbers: Numbers, place: int) -> int:
    return -half.item(numbers.item(place))  # `item` makes no NumPy scalar on the way, which halves it


def _equal(wanted: Any, first: int, last: int, at: Callable[[int], Any]) -> tuple[int, int]:
    """
    Where what equals the wanted begins and ends among some places, at which values ascend. Few are equal as a rule, so
    their end is looked for in doubling steps.
    """
    first = bisect.bisect_left(range(last), wanted, lo=first, key=at)
    step, beyond = 1, first
    while beyond < last and at(beyond) == wanted:
        step, beyond = 2 * step, beyond + step
    return first, bisect.bisect_right(range(last), wanted, lo=first, hi=min(beyond, last), key=at)
