"""The projects of a segment that have one clause: listed, marked, or looked up for some of them, whichever is least."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from opencode.modules.marketplace.adapters.catalog.arrays import NO_PLACES, NO_SCORES, Impacts, Mask, Places, Scores
from opencode.modules.marketplace.adapters.catalog.segment import Segment
from opencode.modules.marketplace.domain.understanding import Alternative, Clause

_FULL_IMPACT = 255.0
_SPARSE = 8
"""One project in so many: rather changed one by one than all at once."""
_LOOKED_UP = 32
"""Looking one project up among many costs as much as passing so many by."""
_PLACE_SHIFT = np.uint64(32)


class _Words(NamedTuple):
    """
    What an alternative is in a segment: its words, which stand together.

    Attributes:
        numbers: of the words, from the first up to the second.
        weight: of an impact of one.
    """

    numbers: tuple[int, int]
    places: Places
    impacts: Impacts
    weight: np.float32

    @property
    def is_one(self) -> bool:
        """A single word, so that places come once, ascending."""
        return self.numbers[1] == self.numbers[0] + 1

    def scores(self) -> Scores:
        return self.impacts * self.weight

    def marked_scores(self, segment: Segment) -> Scores:
        """By place; zero where there is nothing."""
        frequent, make = segment.frequent, partial(self._marked, segment.count)
        return (frequent.impacts(*self.numbers, make) if frequent else make()) * self.weight

    def _marked(self, count: int) -> Impacts:
        best = np.zeros(count, dtype=np.uint8)
        at = self.places.astype(np.intp)  # NumPy would do it for each use, and slowly
        if self.is_one:
            best[at] = self.impacts
        else:
            np.maximum.at(best, at, self.impacts)
        return best


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """
    Attributes:
        label: the number of the word, where the clause is one label.
        total: how many projects, where some may count twice.
    """

    segment: Segment
    alternatives: tuple[_Words, ...]
    label: int | None
    total: int

    @classmethod
    def of(cls, segment: Segment, clause: Clause) -> "Postings":
        numbers = [_numbers(segment, each) for each in clause]
        alternatives = tuple(
            _Words(found, *segment.having(*found), np.float32(each.weight / _FULL_IMPACT))
            for each, found in zip(clause, numbers, strict=True)
            if found[0] < found[1]
        )
        label = numbers[0][0] if len(clause) == 1 and not clause[0].weight and alternatives else None
        return cls(segment, alternatives, label, sum(len(each.places) for each in alternatives))

    def listed(self) -> tuple[Places, Scores]:
        """Their places, ascending, and beside them the scores of the best alternatives."""
        if len(self.alternatives) == 1 and self.alternatives[0].is_one:
            return self.alternatives[0].places, self.alternatives[0].scores()
        return best_of_each([(each.places, each.scores()) for each in self.alternatives])

    def marked(self) -> tuple[Scores, Mask]:
        """By place, scores and who has it; no scores at all where it is only asked whether."""
        bits = self.segment.label_counts
        if self.label is not None and bits and (known := bits.mask(self.label)) is not None:
            return NO_SCORES, known
        count = self.segment.count
        mask, best = np.zeros(count, dtype=np.bool_), NO_SCORES
        for each in sorted(self.alternatives, key=lambda each: -len(each.places)):
            if not each.weight:
                mask[each.places.astype(np.intp)] = True
            elif not len(best):
                best = each.marked_scores(self.segment)
            elif len(each.places) * _SPARSE < count:
                np.maximum.at(best, each.places.astype(np.intp), each.scores())
            else:
                np.maximum(best, each.marked_scores(self.segment), out=best)
        return best, mask | (best > 0) if len(best) else mask

    def scores_of(self, places: Places) -> Scores:
        """The scores of these places, which are ascending; -1 of those that have it not."""
        best = np.full(len(places), -1, dtype=np.float32)
        marked: Mask | None = None
        for each in self.alternatives:
            if each.is_one and len(places) * _LOOKED_UP < len(each.places):
                at = np.searchsorted(each.places, places)
                at[at == len(each.places)] = 0
                here = np.flatnonzero(each.places[at] == places)
                best[here] = np.maximum(best[here], each.impacts[at[here]] * each.weight)
                continue
            if marked is None:
                marked = np.zeros(self.segment.count, dtype=np.bool_)
                marked[places] = True
            at = np.flatnonzero(marked.take(each.places, mode="clip"))
            np.maximum.at(best, np.searchsorted(places, each.places[at]), each.impacts[at] * each.weight)
        return best


def best_of_each(parts: Sequence[tuple[Places, Scores]]) -> tuple[Places, Scores]:
    """Every place once, ascending, with the best of its scores, none of which is negative."""
    if not any(len(places) for places, _ in parts):
        return NO_PLACES, NO_SCORES
    places = np.concatenate([places for places, _ in parts])
    scores = np.concatenate([scores for _, scores in parts])
    # Numbers that are not negative are in order as their bits are: so one sort does both.
    keys = (places.astype(np.uint64) << _PLACE_SHIFT) | scores.view(np.uint32)
    keys.sort()
    places = (keys >> _PLACE_SHIFT).astype(np.uint32)
    last = np.flatnonzero(np.concatenate([places[1:] != places[:-1], [True]]))
    return places[last], keys[last].astype(np.uint32).view(np.float32)


def _numbers(segment: Segment, alternative: Alternative) -> tuple[int, int]:
    """The numbers of its words: from the first up to the second."""
    if alternative.is_open:
        return segment.words.beginning(alternative.word)
    number = segment.words.find(alternative.word)
    return (number, number + 1) if number >= 0 else (0, 0)
