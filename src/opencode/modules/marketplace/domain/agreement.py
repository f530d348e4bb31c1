"""Whether an index and the store agree, project by project."""

import math
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.catalog import Known, Listing, Standing
from opencode.modules.marketplace.domain.digest import digest_of

SHOWN_DIFFERENCES = 20
"""Projects that are named; all are counted."""


class Disagreement(StrEnum):
    MISSING = "missing"
    """Published, and not in the index."""
    EXTRA = "extra"
    """In the index, and not published."""
    OUTDATED = "outdated"
    """The index has other words, labels or times."""
    STANDING = "standing"
    """The index has other counters."""


@dataclass(frozen=True, slots=True)
class Difference:
    project_id: ProjectId
    what: Disagreement


@dataclass(slots=True)
class Agreement:
    """
    What a comparison found.

    Attributes:
        projects: published ones; `indexed` those that the index has.
        counts: how many projects disagree, by how they do.
        first: the first of them, by id.
    """

    projects: int = 0
    indexed: int = 0
    counts: Counter[Disagreement] = field(default_factory=Counter[Disagreement])
    first: list[Difference] = field(default_factory=list[Difference])

    @property
    def disagreements(self) -> int:
        return self.counts.total()

    def note(self, difference: Difference) -> None:
        self.counts[difference.what] += 1
        if len(self.first) < SHOWN_DIFFERENCES:
            self.first.append(difference)


def disagreement(published: Listing | None, known: Known | None) -> Disagreement | None:
    """
    How a project differs between store and index.

    Args:
        published: as the store has it, with its standing; None when it is not published.
        known: as the index has it.
    """
    if published is None:
        return Disagreement.EXTRA if known else None
    if known is None:
        return Disagreement.MISSING
    if known.digest != digest_of(published):
        return Disagreement.OUTDATED
    return None if _alike(known.standing, published.standing or Standing()) else Disagreement.STANDING


def _alike(one: Standing, other: Standing) -> bool:
    # An index may keep trust with fewer bits.
    exact = (one.popularity, one.trending) == (other.popularity, other.trending)
    return exact and math.isclose(one.trust, other.trust, rel_tol=1e-6)
