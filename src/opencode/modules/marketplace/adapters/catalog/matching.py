"""Which projects of a segment have all words that were asked for, and how well."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.segment import Offsets, Places, Segment
from opencode.modules.marketplace.domain.understanding import Clause

Scores = npt.NDArray[np.float32]

_FEW = 8192
"""So many places are sorted; more are thrown into an array with a place for every project."""
_FULL_IMPACT = 255.0


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """
    The projects of one segment that were found, ascending.

    Attributes:
        everything: all projects of the segment, in which case `places` is empty.
    """

    segment: Segment
    places: Places
    scores: Scores
    everything: bool = False

    @property
    def size_bytes(self) -> int:
        return self.places.nbytes + self.scores.nbytes

    def count_labels(self, kinds: int) -> Offsets:
        if self.everything:
            return np.bincount(self.segment.labels, minlength=kinds)
        return self.segment.count_labels(self.places, kinds)


def match(segment: Segment, clauses: Sequence[Clause]) -> Matches:
    """All projects of the segment that have every clause; with none, all there are."""
    if not clauses:
        return Matches(segment, _NO_PLACES, _NO_SCORES, everything=True)
    found = sorted((_any_of(segment, clause) for clause in clauses), key=lambda each: len(each[0]))
    places, scores = found[0]
    for others, other_scores in found[1:]:
        if not len(places):
            break
        at = np.searchsorted(others, places)
        at[at == len(others)] = 0
        shared = others[at] == places if len(others) else np.zeros(len(places), dtype=np.bool_)
        places, scores = places[shared], scores[shared] + other_scores[at[shared]]
    return Matches(segment, places, scores)


def either(one: Matches, other: Matches) -> Matches:
    """What is in one of two results, or in both."""
    if one.everything or not len(other.places):
        return one
    return Matches(one.segment, *_best_of_each(one.segment, [(one.places, one.scores), (other.places, other.scores)]))


def _any_of(segment: Segment, clause: Clause) -> tuple[Places, Scores]:
    parts: list[tuple[Places, Scores]] = []
    is_sorted = True
    for alternative in clause:
        if alternative.is_open:
            first, behind = segment.words.beginning(alternative.word)
        else:
            first = segment.words.find(alternative.word)
            behind = first + 1
        if first < 0 or not segment.frequency(first, behind):
            continue
        is_sorted = is_sorted and behind == first + 1
        places, impacts = segment.having(first, behind)
        parts.append((places, impacts * np.float32(alternative.weight / _FULL_IMPACT)))
    if not parts:
        return _NO_PLACES, _NO_SCORES
    if len(parts) == 1 and is_sorted:
        return parts[0]
    return _best_of_each(segment, parts)


def _best_of_each(segment: Segment, parts: Sequence[tuple[Places, Scores]]) -> tuple[Places, Scores]:
    if sum(len(places) for places, _ in parts) > _FEW:
        best = np.zeros(segment.count, dtype=np.float32)
        for places, scores in parts:
            np.maximum.at(best, places, scores)
        found = np.flatnonzero(best).astype(np.uint32)
        return found, best[found]
    places = np.concatenate([places for places, _ in parts])
    scores = np.concatenate([scores for _, scores in parts])
    order = np.argsort(places, kind="stable")
    places, scores = places[order], scores[order]
    first = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]]))
    return places[first], np.maximum.reduceat(scores, first)


_NO_PLACES: Places = np.zeros(0, dtype=np.uint32)
_NO_SCORES: Scores = np.zeros(0, dtype=np.float32)
