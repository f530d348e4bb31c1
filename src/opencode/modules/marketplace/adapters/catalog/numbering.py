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
