"""
How often each label comes among many projects of a large segment. For a frequent label that is the overlap of two rows
of bits, counted 64 at a time; the projects of a rare one are looked up one by one.
"""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.arrays import NO_PLACES, Mask, Offsets, Places
from opencode.modules.marketplace.adapters.catalog.recent import Recent
from opencode.modules.marketplace.domain.understanding import Clause

_FREQUENT = 64
"""One in so many projects has a frequent label: then its bits are counted faster than its projects looked up."""

_WORD_BITS = 64
_ROWS = 8
"""Rows that are counted at once: what comes between then stays in the processor's cache."""
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
        words_of_bits = -(-projects // _WORD_BITS)
        self._rows: Bits = np.empty((len(frequent), words_of_bits), dtype=np.uint64)
        for row, (_, _, places) in zip(self._rows, frequent, strict=True):
            row[:] = _bits(_marked(projects, places))
        self._by_word = {word: row for (_, word, _), row in zip(frequent, self._rows, strict=True)}
        self._rare = np.array([label for label, _, _ in rare], dtype=np.int64)
        # As wide as NumPy looks them up, or it would widen them each time.
        self._places = np.concatenate([NO_PLACES, *(places for _, _, places in rare)]).astype(np.intp)
        lengths = np.array([len(places) for _, _, places in rare], dtype=np.int64)
        self._starts = np.cumsum(lengths) - lengths
        self._totals = totals
        self._kept = Recent[Asked, Offsets](_KEPT_BYTES)

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
            return known
        counts = count()
        return self._kept.keep(asked, counts, counts.nbytes)

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

    def _shared(self, bits: Bits) -> Offsets:
        """For each frequent label, how many of these bits its projects have."""
        words = len(bits)
        both = np.empty((_ROWS, words), dtype=np.uint64)
        counts = np.zeros((_ROWS, words + -words % _ADDED), dtype=np.uint8)
        shared: Offsets = np.empty(len(self._rows), dtype=np.int64)
        for first in range(0, len(self._rows), _ROWS):
            rows = self._rows[first : first + _ROWS]
            many = len(rows)
            np.bitwise_and(rows, bits, out=both[:many])
            np.bitwise_count(both[:many], out=counts[:many, :words])
            added = np.add.reduce(counts[:many].reshape(many, _ADDED, -1), axis=1, dtype=np.uint8)
            np.add.reduce(added, axis=1, dtype=np.int64, out=shared[first : first + many])
        return shared


def _marked(projects: int, places: Places) -> Mask:
    mask = np.zeros(projects, dtype=np.bool_)
    mask[places] = True
    return mask


def _bits(mask: Mask) -> Bits:
    packed = np.packbits(mask, bitorder="little")
    return np.pad(packed, (0, -len(packed) % 8)).view(np.uint64)
