"""Which kept question is nearest to a new one, by the cosine of the vectors that a model made of them."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

MOST_IN_BUCKET = 256
"""All of a bucket are compared with each question: with 4,096 numbers each that takes under a millisecond."""
MOST_DIMENSIONS = 8_192
"""More than any model's vectors have; longer ones would only fill the memory."""

Direction = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Nearest:
    """
    Attributes:
        similarity: the cosine, from -1 to 1.
    """

    key: str
    similarity: float


@dataclass(frozen=True, slots=True)
class _Kept:
    direction: Direction
    until_s: float


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
        self._buckets: dict[str, OrderedDict[str, _Kept]] = {}
        self._order: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._order)

    def put(self, bucket: str, key: str, direction: Direction, until_s: float) -> None:
        """Keep a direction under a key, in place of the one before, until a moment of the caller's clock."""
        self.forget(bucket, key)
        if len(self._buckets.get(bucket, ())) >= MOST_IN_BUCKET:
            self.forget(bucket, next(iter(self._buckets[bucket])))
        self._buckets.setdefault(bucket, OrderedDict())[key] = _Kept(direction, until_s)
        self._order[bucket, key] = None
        while len(self._order) > self._most:
            self.forget(*next(iter(self._order)))

    def nearest(self, bucket: str, direction: Direction, *, least: float, now_s: float) -> Nearest | None:
        """The nearest one of a bucket, if it is at least so near."""
        self._forget_outdated(bucket, now_s)
        # A provider may change its model under the same name, and with it how long vectors are.
        kept = {
            key: each.direction
            for key, each in self._buckets.get(bucket, {}).items()
            if each.direction.shape == direction.shape
        }
        if not kept:
            return None
        similarities = np.stack(list(kept.values())) @ direction
        place = int(similarities.argmax())
        similarity = float(np.clip(similarities[place], -1, 1))
        if similarity < least:
            return None
        key = next(islice(kept, place, None))
        self._buckets[bucket].move_to_end(key)
        self._order.move_to_end((bucket, key))
        return Nearest(key, similarity)

    def forget(self, bucket: str, key: str) -> None:
        """It is not to be found any more. One that is not there may be forgotten, too."""
        if self._buckets.get(bucket, {}).pop(key, None) is None:
            return
        del self._order[bucket, key]
        if not self._buckets[bucket]:
            del self._buckets[bucket]

    def _forget_outdated(self, bucket: str, now_s: float) -> None:
        outdated = [key for key, each in self._buckets.get(bucket, {}).items() if each.until_s <= now_s]
        for key in outdated:
            self.forget(bucket, key)
