"""
How often each label comes among many projects of a large segment. For a frequent label that is the overlap of two rows
of bits, counted 64 at a time; the projects of a rare one are looked up one by one.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.arrays import NO_PLACES, Mask, Offsets, Places

_FREQUENT = 64
"""One in so many projects has a frequent label: then its bits are counted faster than its projects looked up."""

Bits = npt.NDArray[np.uint64]


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
        self._places = np.concatenate([NO_PLACES, *(places for _, _, places in rare)])
        lengths = np.array([len(places) for _, _, places in rare], dtype=np.int64)
        self._starts = np.cumsum(lengths) - lengths
        self._totals = totals

    def mask(self, word: int) -> Mask | None:
        """Who has a label, by the number of its word; None of a rare label."""
        row = self._by_word.get(word)
        if row is None:
            return None
        return np.unpackbits(row.view(np.uint8), count=self._projects, bitorder="little").view(np.bool_)

    def totals(self, kinds: int) -> Offsets:
        """How often each label comes among all; labels that came later do not."""
        return np.pad(self._totals, (0, kinds - len(self._totals)))

    def among(self, mask: Mask, kinds: int) -> Offsets:
        """
        How many of the projects that are marked have each label.

        Args:
            kinds: how many labels there are.
        """
        counts: Offsets = np.zeros(kinds, dtype=np.int64)
        bits = _bits(mask)
        counts[self._frequent] = [int(np.bitwise_count(row & bits).sum(dtype=np.int64)) for row in self._rows]
        if len(self._rare):
            counts[self._rare] = np.add.reduceat(mask.take(self._places), self._starts, dtype=np.int64)
        return counts


def _marked(projects: int, places: Places) -> Mask:
    mask = np.zeros(projects, dtype=np.bool_)
    mask[places] = True
    return mask


def _bits(mask: Mask) -> Bits:
    packed = np.packbits(mask, bitorder="little")
    return np.pad(packed, (0, -len(packed) % 8)).view(np.uint64)
