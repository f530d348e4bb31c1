"""What was found, for the next page of it and for the next person who asks the same."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from opencode.modules.marketplace.adapters.catalog.label_counts import Asked
from opencode.modules.marketplace.adapters.catalog.matching import Matches, either, match
from opencode.modules.marketplace.adapters.catalog.recent import Recent
from opencode.modules.marketplace.adapters.catalog.segment import Offsets, Segment
from opencode.modules.marketplace.domain.understanding import Clause

_ENTRY_BYTES = 1000  # about what an entry takes beside its arrays


@dataclass(slots=True, eq=False)
class Kept:
    """What was found in a segment, and how often it has each label once somebody has asked."""

    matches: Matches
    asked: Asked
    _counts: Offsets | None = None

    @property
    def size_bytes(self) -> int:
        return self.matches.size_bytes + _ENTRY_BYTES

    def label_counts(self, kinds: int) -> Offsets:
        """Labels that came later are in none of it."""
        if self._counts is None:
            self._counts = self._count(kinds)
        later = kinds - len(self._counts)
        return np.pad(self._counts, (0, later)) if later else self._counts

    def _count(self, kinds: int) -> Offsets:
        found, prepared = self.matches, self.matches.segment.label_counts
        if prepared is None or found.mask is None:
            return found.count_labels(kinds)
        return prepared.kept(self.asked, partial(found.count_labels, kinds))


class Matched:
    """What was found in a segment stays found, as segments do not change: the last of it, as much as fits."""

    def __init__(self, most_bytes: int) -> None:
        self._recent = Recent[tuple[int, Asked], Kept](most_bytes)

    def of(self, segment: Segment, clauses: tuple[Clause, ...], others: tuple[Clause, ...]) -> Kept:
        """What has every clause, or every one of the others if there are any."""
        # What is kept holds its segment, so that no other one gets this number meanwhile.
        key = (id(segment), (clauses, others))
        if kept := self._recent.get(key):
            return kept
        found = match(segment, clauses)
        if others:
            found = either(found, match(segment, others))
        made = Kept(found, key[1])
        return self._recent.keep(key, made, made.size_bytes)
