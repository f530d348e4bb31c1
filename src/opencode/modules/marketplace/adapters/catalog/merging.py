"""
Neighbouring segments become one, as a search looks into each. Where a search would wait for it, that is done with few
and small ones only; a thread does it beside searches, and more thoroughly.
"""

from collections.abc import Sequence

import numpy as np

from opencode.modules.marketplace.adapters.catalog.arrays import Keys
from opencode.modules.marketplace.adapters.catalog.columns import Columns
from opencode.modules.marketplace.adapters.catalog.segment import Segment, pack, segment_of_keys

_WORTH_IT = 4  # times that an earlier one may be larger
_MOST_MERGED = 16_384  # projects; merging more would hold up searches
_WORTH_A_THREAD = 16  # times that an earlier one may be larger than all behind it


def is_due(segments: list[Segment]) -> bool:
    """Are the last two worth merging? So each project is merged a handful of times, and few segments stay."""
    if len(segments) < 2:
        return False
    earlier, later = segments[-2:]
    return later.count * _WORTH_IT >= earlier.count and earlier.count <= _MOST_MERGED


def to_unite(segments: Sequence[Segment]) -> Sequence[Segment]:
    """
    Those that are worth a thread's time: the first that is not much larger than all behind it together, and these. So
    a project is moved some sixteen times while the catalogue doubles, and hardly more than two segments stay.
    """
    behind = sum(each.count for each in segments)
    for at, each in enumerate(segments[:-1]):
        behind -= each.count
        if each.count <= behind * _WORTH_A_THREAD:
            return segments[at:]
    return ()


def merged(parts: Sequence[Segment], columns: Columns) -> Segment:
    """All in one. Projects that are gone keep their numbers and lose their words."""
    base = parts[0].base
    words = sorted(set[str]().union(*(part.words for part in parts)))
    numbers = {word: number for number, word in enumerate(words)}
    keys = np.concatenate([_keys(part, base, numbers, columns) for part in parts])
    ends = np.cumsum([part.label_starts[-1] for part in parts])
    label_starts = [part.label_starts[:-1] + end - part.label_starts[-1] for part, end in zip(parts, ends, strict=True)]
    return segment_of_keys(
        base,
        sum(part.count for part in parts),
        words,
        keys,
        np.concatenate([*label_starts, ends[-1:]]),
        np.concatenate([part.labels for part in parts]),
    )


def _keys(part: Segment, base: int, numbers: dict[str, int], columns: Columns) -> Keys:
    number = np.fromiter((numbers[word] for word in part.words), dtype=np.uint64, count=len(part.words))
    keys = pack(np.repeat(number, np.diff(part.starts)), part.places + np.uint32(part.base - base), part.impacts)
    return keys[columns.alive[part.places + np.uint32(part.base)]]
