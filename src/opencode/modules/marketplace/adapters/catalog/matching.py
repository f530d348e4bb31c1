"""
Which projects of a segment have all words that were asked for, and how well.

What few projects have is a list of them; what many have is a place for every project of the segment, since marking
places costs less than sorting them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.arrays import Impacts, Mask, Offsets, Places
from opencode.modules.marketplace.adapters.catalog.segment import Segment
from opencode.modules.marketplace.domain.understanding import Clause

Scores = npt.NDArray[np.float32]

_FEW = 8192
"""So many places are rather sorted than marked."""
_MANY = 24
"""Of that many projects of a segment one must have been found for a place for everyone to be worth it."""
_FULL_IMPACT = 255.0


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """
    The projects of one segment that were found.

    Attributes:
        places: of those that were found, ascending; `scores` beside them.
        mask: in place of `places` where many were found, by place; `scores` is by place too then, and has only zeros
            when it is empty.
        everything: all projects of the segment, in which case the others are empty.
    """

    segment: Segment
    places: Places
    scores: Scores
    mask: Mask | None = None
    everything: bool = False

    @property
    def size_bytes(self) -> int:
        return self.places.nbytes + self.scores.nbytes + (0 if self.mask is None else self.mask.nbytes)

    @property
    def numbers(self) -> Places:
        """Of the projects that were found, in the whole index; not of everything."""
        return _listed(self).places + np.uint32(self.segment.base)

    @property
    def total(self) -> int:
        if self.everything:
            return self.segment.count
        return len(self.places) if self.mask is None else int(np.count_nonzero(self.mask))

    def without(self, gone: Places) -> "Matches":
        """Without these places, which are ascending."""
        if self.everything or not len(gone):
            return self
        if self.mask is not None:
            mask = self.mask.copy()
            mask[gone] = False
            return replace(self, mask=mask)
        stays = np.isin(self.places, gone, assume_unique=True, invert=True)
        return replace(self, places=self.places[stays], scores=self.scores[stays])

    def count_labels(self, kinds: int) -> Offsets:
        if self.everything:
            return self.segment.count_all_labels(kinds)
        if self.mask is None:
            return self.segment.count_labels(self.places, kinds)
        return self.segment.count_labels_of_many(self.mask, kinds)

    def among(self, places: Places) -> Places:
        """Those of these places, which are ascending, that were found."""
        if self.everything:
            return places
        if self.mask is None:
            return np.intersect1d(places, self.places, assume_unique=True)
        return places[self.mask[places]]


def match(segment: Segment, clauses: Sequence[Clause]) -> Matches:
    """All projects of the segment that have every clause; with none, all there are."""
    if not clauses:
        return Matches(segment, _NO_PLACES, _NO_SCORES, everything=True)
    found = sorted((_any_of(segment, clause) for clause in clauses), key=_size)
    both = found[0]
    for other in found[1:]:
        both = _of_both(both, other)
    if both.mask is not None and np.count_nonzero(both.mask) * _MANY < segment.count:
        return _listed(both)
    return both


def either(one: Matches, other: Matches) -> Matches:
    """What is in one of two results, or in both."""
    if one.everything or (other.mask is None and not len(other.places)):
        return one
    parts = [(each.places, each.scores) for each in map(_listed, (one, other))]
    return Matches(one.segment, *_best_of_few(one.segment, parts))


def _size(found: Matches) -> tuple[bool, int]:
    """What is listed comes before what is marked, the shortest list first."""
    return found.mask is not None, len(found.places)


def _of_both(one: Matches, other: Matches) -> Matches:
    """What is in two results, given in the order of `_size`."""
    if one.mask is not None and other.mask is not None:
        scores = one.scores + other.scores if len(one.scores) and len(other.scores) else _longer(one, other)
        return Matches(one.segment, _NO_PLACES, scores, one.mask & other.mask)
    places, scores = one.places, one.scores
    if other.mask is not None:
        shared = other.mask[places]
        places, scores = places[shared], scores[shared]
        return Matches(one.segment, places, scores + other.scores[places] if len(other.scores) else scores)
    if not len(places) or not len(other.places):
        return Matches(one.segment, _NO_PLACES, _NO_SCORES)
    at = np.searchsorted(other.places, places)
    at[at == len(other.places)] = 0
    shared = other.places[at] == places
    return Matches(one.segment, places[shared], scores[shared] + other.scores[at[shared]])


def _longer(one: Matches, other: Matches) -> Scores:
    return one.scores if len(one.scores) else other.scores


def _listed(found: Matches) -> Matches:
    if found.mask is None:
        return found
    places = np.flatnonzero(found.mask).astype(np.uint32)
    scores = found.scores[places] if len(found.scores) else np.zeros(len(places), dtype=np.float32)
    return Matches(found.segment, places, scores)


def _any_of(segment: Segment, clause: Clause) -> Matches:
    if (mask := _frequent_label(segment, clause)) is not None:
        return Matches(segment, _NO_PLACES, _NO_SCORES, mask)
    parts: list[tuple[Places, Impacts, np.float32, bool]] = []  # and whether places may come twice
    for alternative in clause:
        if alternative.is_open:
            first, behind = segment.words.beginning(alternative.word)
        else:
            first = segment.words.find(alternative.word)
            behind = first + 1
        if first < 0 or not segment.frequency(first, behind):
            continue
        weight = np.float32(alternative.weight / _FULL_IMPACT)
        parts.append((*segment.having(first, behind), weight, behind > first + 1))
    total = sum(len(places) for places, _, _, _ in parts)
    if total > max(_FEW, segment.count // _MANY):
        return Matches(segment, _NO_PLACES, *_marked(segment, parts))
    few = [(places, impacts * weight) for places, impacts, weight, _ in parts]
    if not few:
        return Matches(segment, _NO_PLACES, _NO_SCORES)
    if len(few) == 1 and not parts[0][3]:
        return Matches(segment, *few[0])
    return Matches(segment, *_best_of_few(segment, few))


def _frequent_label(segment: Segment, clause: Clause) -> Mask | None:
    if segment.label_counts is None or len(clause) != 1:
        return None
    (only,) = clause
    return None if only.weight else segment.label_counts.mask(segment.words.find(only.word))


def _marked(segment: Segment, parts: Sequence[tuple[Places, Impacts, np.float32, bool]]) -> tuple[Scores, Mask]:
    best = _NO_SCORES
    mask = np.zeros(segment.count, dtype=np.bool_)
    for places, impacts, weight, twice in parts:
        at = places.astype(np.intp)  # NumPy would do it for each use, and slowly
        if not weight:  # a filter asks whether, not how well
            mask[at] = True
            continue
        if not len(best):
            best = np.zeros(segment.count, dtype=np.float32)
            if not twice:
                best[at] = impacts * weight
                continue
        np.maximum.at(best, at, impacts * weight)
    if len(best):
        mask |= best > 0
    return best, mask


def _best_of_few(segment: Segment, parts: Sequence[tuple[Places, Scores]]) -> tuple[Places, Scores]:
    if sum(len(places) for places, _ in parts) > _FEW:
        best = np.full(segment.count, -1, dtype=np.float32)
        for places, scores in parts:
            np.maximum.at(best, places, scores)
        found = np.flatnonzero(best >= 0).astype(np.uint32)
        return found, best[found]
    places = np.concatenate([places for places, _ in parts])
    scores = np.concatenate([scores for _, scores in parts])
    order = np.argsort(places, kind="stable")
    places, scores = places[order], scores[order]
    first = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]]))
    return places[first], np.maximum.reduceat(scores, first)


_NO_PLACES: Places = np.zeros(0, dtype=np.uint32)
_NO_SCORES: Scores = np.zeros(0, dtype=np.float32)
