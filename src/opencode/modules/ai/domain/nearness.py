"""Which kept question is nearest to a new one, by the cosine of the vectors that a model made of them."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_IN_BUCKET = 256
"""All of a bucket are compared with each question: with 1,024 numbers each that takes a tenth of a millisecond."""
MOST_DIMENSIONS = 8_192
"""More than any model's vectors have; longer ones would only fill the memory."""

_FIRST_ROWS = 8
_UNLIKE_ANYTHING = -2.0
"""Less than any cosine."""

Direction = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Nearest:
    """
    Attributes:
        similarity: the cosine, from -1 to 1.
    """

    key: str
    similarity: float


def direction_of(vector: Sequence[float]) -> Direction | None:
    """A vector at the length of 1; None where it points nowhere, or has more numbers than any model's."""
    if not 0 < len(vector) <= MOST_DIMENSIONS:
        return None
    numbers = np.asarray(vector, dtype=np.float64)
    largest = float(np.abs(numbers).max())
    if not np.isfinite(largest) or largest == 0:
        return None
    # Squares of very large numbers, and of very small ones, are none any more.
    numbers = numbers / largest
    return (numbers / np.linalg.norm(numbers)).astype(np.float32)


class Nearness:
    """
    Directions in buckets, of which only those of one bucket are ever compared. What was neither put nor found for the
    longest goes first when there is no room.
    """

    def __init__(self, most: int) -> None:
        """Args: most: entries of all buckets together."""
        self._most = most
        self._buckets: dict[str, _Bucket] = {}
        self._order: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._order)

    def put(self, bucket: str, key: str, direction: Direction, until_s: float) -> None:
        """Keep a direction under a key, in place of the one before, until a moment of the caller's clock."""
        self.forget(bucket, key)
        found = self._buckets.get(bucket)
        if found and found.dimensions != direction.size:
            # The provider has another model under the same name now.
            self._forget_all(bucket, list(found.until_s))
        elif found and len(found.until_s) >= MOST_IN_BUCKET:
            self.forget(bucket, next(iter(found.until_s)))
        if bucket not in self._buckets:
            self._buckets[bucket] = _Bucket(direction.size)
        self._buckets[bucket].put(key, direction, until_s)
        self._order[bucket, key] = None
        while len(self._order) > self._most:
            self.forget(*next(iter(self._order)))

    def nearest(self, bucket: str, direction: Direction, *, least: float, now_s: float) -> Nearest | None:
        """The nearest one of a bucket, if it is at least so near."""
        if found := self._buckets.get(bucket):
            self._forget_all(bucket, [key for key, until_s in found.until_s.items() if until_s <= now_s])
        found = self._buckets.get(bucket)
        if found is None or found.dimensions != direction.size:
            return None
        nearest = found.nearest(direction)
        if nearest.similarity < least:
            return None
        found.until_s.move_to_end(nearest.key)
        self._order.move_to_end((bucket, nearest.key))
        return nearest

    def forget(self, bucket: str, key: str) -> None:
        """It is not to be found any more. One that is not there may be forgotten, too."""
        found = self._buckets.get(bucket)
        if found is None or key not in found.until_s:
            return
        found.forget(key)
        del self._order[bucket, key]
        if not found.until_s:
            del self._buckets[bucket]

    def _forget_all(self, bucket: str, keys: Sequence[str]) -> None:
        for key in keys:
            self.forget(bucket, key)


class _Bucket:
    """
    Directions as the rows of one array: to put them together for each question would take longer than to compare them.

    Attributes:
        until_s: by key; what was found last is the last one.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self.until_s: OrderedDict[str, float] = OrderedDict()
        self._rows = np.zeros((_FIRST_ROWS, dimensions), np.float32)
        self._keys: list[str | None] = [None] * _FIRST_ROWS

    def put(self, key: str, direction: Direction, until_s: float) -> None:
        if None not in self._keys:
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._keys += [None] * len(self._keys)
        row = self._keys.index(None)
        self._rows[row], self._keys[row], self.until_s[key] = direction, key, until_s

    def forget(self, key: str) -> None:
        self._keys[self._keys.index(key)] = None
        del self.until_s[key]

    def nearest(self, direction: Direction) -> Nearest:
        """There is at least one."""
        similarities = self._rows @ direction
        similarities[[row for row, key in enumerate(self._keys) if key is None]] = _UNLIKE_ANYTHING
        row = int(similarities.argmax())
        return Nearest(self._keys[row] or "", float(np.clip(similarities[row], -1, 1)))
