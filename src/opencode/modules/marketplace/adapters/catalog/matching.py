"""
Which projects of a segment have all words that were asked for, and how well.

What few projects have is a list of them, and whether these have the rest, too, is looked up; what many have is a place
for every project of the segment, since marking places costs less than sorting them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from opencode.modules.marketplace.adapters.catalog.arrays import (
    NO_PLACES,
    NO_SCORES,
    Mask,
    Offsets,
    Places,
    Scores,
    are_among,
)
from opencode.modules.marketplace.adapters.catalog.postings import Postings, best_of_each
from opencode.modules.marketplace.adapters.catalog.segment import Segment
from opencode.modules.marketplace.domain.understanding import Clause

_FEW = 8192
"""So many places are rather sorted than marked."""
_MANY = 24
"""Of that many projects of a segment one must have been found for a place for everyone to be worth it."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """
    The projects of one segment that were found.

    Attributes:
        places: of those that were found, ascending; `scores` beside them.
        mask: in place of `places` where many were found, by place; `scores` is by place too then, zero of all others,
            and has only zeros when it is empty.
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
        if self.everything or not len(gone := self.among(gone)):
            return self
        if self.mask is not None:
            mask, scores = self.mask.copy(), self.scores
            mask[gone] = False
            if len(scores):
                scores = scores.copy()
                scores[gone] = 0
            return replace(self, mask=mask, scores=scores)
        stays = np.ones(len(self.places), dtype=np.bool_)
        stays[np.searchsorted(self.places, gone)] = False
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
        if self.mask is not None:
            return places[self.mask[places]]
        few, many = (places, self.places) if len(places) < len(self.places) else (self.places, places)
        return few[are_among(few, many)]


def match(segment: Segment, clauses: Sequence[Clause]) -> Matches:
    """All projects of the segment that have every clause; with none, all there are."""
    if not clauses:
        return Matches(segment, NO_PLACES, NO_SCORES, everything=True)
    first, *others = sorted((Postings.of(segment, clause) for clause in clauses), key=lambda each: each.total)
    if first.total > max(_FEW, segment.count // _MANY):
        return _of_frequent(segment, [first, *others])
    places, scores = first.listed()
    for other in others:
        if not len(places):
            break
        further = other.scores_of(places)
        shared = further >= 0
        places, scores = places[shared], scores[shared] + further[shared]
    return Matches(segment, places, scores)


def _of_frequent(segment: Segment, asked: Sequence[Postings]) -> Matches:
    scores, mask = asked[0].marked()
    for other in asked[1:]:
        further, marks = other.marked()
        scores = scores + further if len(scores) and len(further) else scores if len(scores) else further
        mask = mask & marks
    if np.count_nonzero(mask) * _MANY < segment.count:
        return _listed(Matches(segment, NO_PLACES, scores, mask))
    return Matches(segment, NO_PLACES, scores * mask if len(scores) and len(asked) > 1 else scores, mask)


def either(one: Matches, other: Matches) -> Matches:
    """What is in one of two results, or in both."""
    if one.everything or other.everything:
        return one if one.everything else other
    if one.mask is None and other.mask is None:
        return Matches(one.segment, *best_of_each([(each.places, each.scores) for each in (one, other)]))
    many, few = (one, other) if one.mask is not None else (other, one)
    if few.mask is not None:
        few = _listed(few)
    assert many.mask is not None
    mask, scores = many.mask.copy(), many.scores
    mask[few.places] = True
    if len(scores):
        scores = scores.copy()
        scores[few.places] = np.maximum(scores[few.places], few.scores)
    return Matches(one.segment, NO_PLACES, scores, mask)


def _listed(found: Matches) -> Matches:
    if found.mask is None:
        return found
    places = np.flatnonzero(found.mask).astype(np.uint32)
    scores = found.scores[places] if len(found.scores) else np.zeros(len(places), dtype=np.float32)
    return Matches(found.segment, places, scores)
