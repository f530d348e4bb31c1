"""Which number a project has: sixteen bytes for each, where a dictionary would take two hundred."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.columns import Columns, Key

_MOST_RECENT = 50_000
_NONE = Key(-1, 0)


@dataclass(slots=True, eq=False)
class Numbering:
    columns: Columns

    _greatest: Key = _NONE
    _recent: dict[Key, int] = field(default_factory=dict[Key, int])
    _high: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    _numbers: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, dtype=np.uint32))

    def find(self, key: Key) -> int | None:
        """The number of what is known of a project now; None when it is not known."""
        if key > self._greatest:
            return None
        number = self._recent.get(key)
        if number is not None:
            return number if self.columns.alive[number] else None
        at = int(np.searchsorted(self._high, np.uint64(key.high)))
        while at < len(self._high) and self._high[at] == key.high:
            number = int(self._numbers[at])
            if self.columns.low[number] == key.low and self.columns.alive[number]:
                return number
            at += 1
        return None

    def find_all(self, high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """As `find`, of many at once: the number of each, or -1."""
        found = np.full(len(high), -1, dtype=np.int64)
        at = np.searchsorted(self._high, high)
        left = np.arange(len(high))
        # Few ids share their upper half, so it is done in a round or two.
        while len(left := left[at[left] < len(self._high)]):
            left = left[self._high[at[left]] == high[left]]
            numbers = self._numbers[at[left]]
            right = (self.columns.low[numbers] == low[left]) & self.columns.alive[numbers]
            found[left[right]] = numbers[right]
            left = left[~right]
            at[left] += 1
        for place in np.flatnonzero(found < 0).tolist():
            number = self.find(Key(int(high[place]), int(low[place])))
            found[place] = -1 if number is None else number
        return found

    def take_up(self) -> None:
        """The columns came filled."""
        self._settle()
        if len(self._numbers):
            greatest = self._numbers[self._high == self._high[-1]]
            self._greatest = max(self.columns.key(number) for number in greatest.tolist())

    def add(self, key: Key, number: int) -> None:
        self._recent[key] = number
        self._greatest = max(key, self._greatest)
        if len(self._recent) >= _MOST_RECENT:
            self._settle()

    def _settle(self) -> None:
        numbers = np.flatnonzero(self.columns.alive[: self.columns.count]).astype(np.uint32)
        high = self.columns.high[numbers]
        order = np.argsort(high, kind="stable")
        self._high, self._numbers = high[order], numbers[order]
        self._recent.clear()
