"""Two neighbouring segments become one."""

import numpy as np

from opencode.modules.marketplace.adapters.catalog.arrays import Keys
from opencode.modules.marketplace.adapters.catalog.columns import Columns
from opencode.modules.marketplace.adapters.catalog.segment import Segment, pack, segment_of_keys

_WORTH_IT = 4  # times that the earlier one may be larger
_MOST_MERGED = 16_384  # projects; merging more would hold up searches. All become one when the server starts again


def is_due(segments: list[Segment]) -> bool:
    """Are the last two worth merging? So each project is merged a handful of times, and few segments stay."""
    if len(segments) < 2:
        return False
    earlier, later = segments[-2:]
    return later.count * _WORTH_IT >= earlier.count and earlier.count <= _MOST_MERGED


def merged(earlier: Segment, later: Segment, columns: Columns) -> Segment:
    """Both in one. Projects that are gone keep their numbers and lose their words."""
    words = sorted({*earlier.words, *later.words})
    numbers = {word: number for number, word in enumerate(words)}
    keys = np.concatenate([_keys(part, earlier.base, numbers, columns) for part in (earlier, later)])
    label_starts = np.concatenate([earlier.label_starts[:-1], later.label_starts + earlier.label_starts[-1]])
    return segment_of_keys(
        earlier.base,
        earlier.count + later.count,
        words,
        keys,
        label_starts,
        np.concatenate([earlier.labels, later.labels]),
    )


def _keys(part: Segment, base: int, numbers: dict[str, int], columns: Columns) -> Keys:
    number = np.fromiter((numbers[word] for word in part.words), dtype=np.uint64, count=len(part.words))
    keys = pack(np.repeat(number, np.diff(part.starts)), part.places + np.uint32(part.base - base), part.impacts)
    return keys[columns.alive[part.places + np.uint32(part.base)]]
