"""
How often each label comes among many projects of a large segment. For a frequent label that is the overlap of two rows
of bits, counted 64 at a time; the projects of a rare one are looked up one by one.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.arrays import NO_PLACES, Mask, Offsets, Places
from opencode.modules.marketplace.domain.understanding import Clause

_FREQUENT = 64
"""One in so many projects has a frequent label: then its bits are counted faster than its projects looked up."""

_ADDED = 3
"""So many counts of 64 bits are added in one byte."""
_KEPT_BYTES = 8 * 1024 * 1024

Bits = npt.NDArray[np.uint64]
Asked = tuple[tuple[Clause, ...], tuple[Clause, ...]]
"""What is found by: every one of the first clauses, or every one of the second if there are any."""


class LabelCounts:
    """
    Args:
        projects: how many the segment has.
        totals: how often each label comes among all of them, by its number.
        having: (number of a label, number of the word that it is found by, the places of the projects that have it).
    """

    def __init__(self, projects: int, totals: Offsets, having: Iterable[tuple[int, int, Places]]) -> None:
        having = [each for each in having if len(each[2])]
        frequent = [each for each in having if len(each[2]) * _FREQUENT > projects]
        rare = [each for each in having if len(each[2]) * _FREQUENT <= projects]
        self._projects = projects
        self._frequent = np.array([label for label, _, _ in frequent], dtype=np.int64)
        self._rows = [_bits(_marked(projects, places)) for _, _, places in frequent]
        self._by_word = {word: row for (_, word, _), row in zip(frequent, self._rows, strict=True)}
        self._rare = np.array([label for label, _, _ in rare], dtype=np.int64)
        # As wide as NumPy looks them up, or it would widen them each time.
        self._places = np.concatenate([NO_PLACES, *(places for _, _, places in rare)]).astype(np.intp)
        lengths = np.array([len(places) for _, _, places in rare], dtype=np.int64)
        self._starts = np.cumsum(lengths) - lengths
        self._totals = totals
        self._kept: OrderedDict[Asked, Offsets] = OrderedDict()
        self._kept_bytes = 0

    def mask(self, word: int) -> Mask | None:
        """Who has a label, by the number of its word; None of a rare label."""
        row = self._by_word.get(word)
        if row is None:
            return None
        return np.unpackbits(row.view(np.uint8), count=self._projects, bitorder="little").view(np.bool_)

    def totals(self, kinds: int) -> Offsets:
        """How often each label comes among all; labels that came later do not."""
        return np.pad(self._totals, (0, kinds - len(self._totals)))

    def kept(self, asked: Asked, count: Callable[[], Offsets]) -> Offsets:
        """
        What was counted before for who asks the same; a thousandth of what the projects themselves would take.

        Args:
            count: counts the labels of what is found.
        """
        if (known := self._kept.get(asked)) is not None:
            self._kept.move_to_end(asked)
            return known
        counts = self._kept[asked] = count()
        self._kept_bytes += counts.nbytes
        while self._kept_bytes > _KEPT_BYTES:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        return counts

    def among(self, mask: Mask, kinds: int) -> Offsets:
        """
        How many of the projects that are marked have each label.

        Args:
            kinds: how many labels there are.
        """
        counts: Offsets = np.zeros(kinds, dtype=np.int64)
        counts[self._frequent] = self._shared(_bits(mask))
        if len(self._rare):
            # Every place is within, so that nothing wraps: it is the least checking that NumPy offers.
            having = mask.view(np.uint8).take(self._places, mode="wrap")
            counts[self._rare] = np.add.reduceat(having, self._starts, dtype=np.uint32)
        return counts

    def _shared(self, bits: Bits) -> list[int]:
        """For each frequent label, how many of these bits its projects have."""
        both = np.empty_like(bits)
        counts = np.zeros(len(bits) + -len(bits) % _ADDED, dtype=np.uint8)
        counted, beside = counts[: len(bits)], counts.reshape(_ADDED, -1)
        added = np.empty(beside.shape[1], dtype=np.uint8)
        shared: list[int] = []
        for row in self._rows:
            np.bitwise_and(row, bits, out=both)
            np.bitwise_count(both, out=counted)
            np.add.reduce(beside, axis=0, out=added)
            shared.append(int(np.add.reduce(added, dtype=np.int64)))
        return shared


def _marked(projects: int, places: Places) -> Mask:
    mask = np.zeros(projects, dtype=np.bool_)
    mask[places] = True
    return mask


def _bits(mask: Mask) -> Bits:
    packed = np.packbits(mask, bitorder="little")
    return np.pad(packed, (0, -len(packed) % 8)).view(np.uint64)
