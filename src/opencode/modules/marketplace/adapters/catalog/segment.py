"""
One part of the text index: which projects have which words, as flat arrays (an inverted file: Zobel and Moffat, ACM
Computing Surveys 2006). It never changes; what changes is put into a new one, and merged now and then.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.arrays import Impacts, Keys, Mask, Offsets, Places
from opencode.modules.marketplace.adapters.catalog.frequent import FrequentWords
from opencode.modules.marketplace.adapters.catalog.label_counts import LabelCounts
from opencode.modules.marketplace.adapters.catalog.vocabulary import Vocabulary

Kind = TypeVar("Kind", np.uint32, np.uint8)

MANY = 32_768
"""Projects in one segment, from which on counting their labels is prepared for."""
_PLACE_BITS = 28
_IMPACT_BITS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """
    Attributes:
        base: the number of its first project; `count` how many it has.
        starts: where the places of a word begin; one more than there are words.
        places: for each word the projects that have it, ascending, counted from `base`.
        impacts: how much a word weighs in a project, in 255ths; beside `places`.
        label_starts, labels: for each project the numbers of its labels.
        label_counts, frequent: only of a segment that has `MANY` projects.
    """

    base: int
    count: int
    words: Vocabulary
    starts: Offsets
    places: Places
    impacts: Impacts
    label_starts: Offsets
    labels: Places
    label_counts: LabelCounts | None = None
    frequent: FrequentWords | None = None

    def having(self, first: int, behind: int) -> tuple[Places, Impacts]:
        """The projects that have any of these words. For more than one word they come repeatedly and in no order."""
        begin, end = self.starts[first], self.starts[behind]
        return self.places[begin:end], self.impacts[begin:end]

    def frequency(self, first: int, behind: int) -> int:
        return int(self.starts[behind] - self.starts[first])

    def count_labels(self, places: Places, kinds: int) -> Offsets:
        """
        How many of these projects have each label.

        Args:
            kinds: how many labels there are.
        """
        if len(places) == self.count:
            return self.count_all_labels(kinds)
        # All is within, so that nothing is clipped: it is the least checking that NumPy offers.
        here = places.astype(np.intp)
        begins = self.label_starts.take(here, mode="clip")
        lengths = self.label_starts.take(here + 1, mode="clip") - begins
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        at = np.arange(total, dtype=np.int64)
        at += np.repeat(begins - (ends - lengths), lengths)
        return np.bincount(self.labels.take(at, mode="clip"), minlength=kinds)

    def count_all_labels(self, kinds: int) -> Offsets:
        """As `count_labels`, of all projects, those included that were gone when the segment was made."""
        if self.label_counts is not None:
            return self.label_counts.totals(kinds)
        return np.bincount(self.labels, minlength=kinds)

    def count_labels_of_many(self, mask: Mask, kinds: int) -> Offsets:
        """As `count_labels`, of the projects that are marked."""
        if self.label_counts is None:
            return self.count_labels(np.flatnonzero(mask).astype(np.uint32), kinds)
        return self.label_counts.among(mask, kinds)


class SegmentBuilder:
    """Collects the words of projects, then makes the arrays out of them."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)
        self._words = _Growing(np.uint32)
        self._places = _Growing(np.uint32)
        self._impacts = _Growing(np.uint8)
        self._labels = _Growing(np.uint32)
        self._label_starts: list[int] = [0]

    def __len__(self) -> int:
        return len(self._label_starts) - 1

    def add(self, impacts: dict[str, int], labels: list[int]) -> None:
        """
        One project more.

        Args:
            impacts: from 1 to 255, by word.
        """
        place = len(self)
        self._words.extend(map(self._numbers.__getitem__, impacts))
        self._places.extend([place] * len(impacts))
        self._impacts.extend(impacts.values())
        self._labels.extend(labels)
        self._label_starts.append(self._labels.count)

    def build(self) -> Segment:
        words = sorted(self._numbers)
        rank = np.empty(len(words), dtype=np.uint64)
        numbers = np.fromiter((self._numbers[word] for word in words), dtype=np.int64, count=len(words))
        rank[numbers] = np.arange(len(words), dtype=np.uint64)
        self._numbers.clear()
        keys = pack(rank[self._words.take()], self._places.take(), self._impacts.take())
        starts = np.array(self._label_starts, dtype=np.int64)
        return segment_of_keys(self._base, len(self), words, keys, starts, self._labels.take())


def pack(words: Keys, places: Places, impacts: Impacts) -> Keys:
    """One number holds word, place and impact, so that sorting numbers sorts all three, without an index beside it."""
    keys = words << np.uint64(_PLACE_BITS)
    keys |= places
    keys <<= np.uint64(_IMPACT_BITS)
    keys |= impacts
    return keys


def segment_of_keys(
    base: int, projects: int, words: Sequence[str], keys: Keys, label_starts: Offsets, labels: Places
) -> Segment:
    """A segment out of what `pack` made, in any order; `keys` is used up."""
    keys.sort()
    impacts = (keys & np.uint64((1 << _IMPACT_BITS) - 1)).astype(np.uint8)
    keys >>= np.uint64(_IMPACT_BITS)
    places = (keys & np.uint64((1 << _PLACE_BITS) - 1)).astype(np.uint32)
    keys >>= np.uint64(_PLACE_BITS)
    starts = np.searchsorted(keys, np.arange(len(words) + 1, dtype=np.uint64)).astype(np.int64)
    return Segment(base, projects, Vocabulary.of(words), starts, places, impacts, label_starts, labels)


class _Growing(Generic[Kind]):
    """An array of numbers that grows by blocks, each number in as many bytes as its kind needs."""

    _BLOCK = 1 << 18

    def __init__(self, kind: type[Kind]) -> None:
        self._kind = kind
        self._blocks: list[npt.NDArray[Kind]] = []
        self._pending: list[int] = []
        self._kept = 0

    @property
    def count(self) -> int:
        return self._kept + len(self._pending)

    def extend(self, numbers: Iterable[int]) -> None:
        self._pending.extend(numbers)
        if len(self._pending) >= self._BLOCK:
            self._kept += len(self._pending)
            self._blocks.append(np.array(self._pending, dtype=self._kind))
            self._pending.clear()

    def take(self) -> npt.NDArray[Kind]:
        """All of it; nothing stays behind."""
        blocks = [*self._blocks, np.array(self._pending, dtype=self._kind)]
        self._blocks.clear()
        self._pending.clear()
        return np.concatenate(blocks)
