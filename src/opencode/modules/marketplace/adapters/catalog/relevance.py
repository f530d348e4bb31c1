"""The best of what was found in a segment, by the formula of `domain.ranking`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.columns import Columns, Key
from opencode.modules.marketplace.adapters.catalog.matching import Matches, Scores
from opencode.modules.marketplace.adapters.catalog.ordering import Numbers, older
from opencode.modules.marketplace.domain.ranking import EXACT_NAME, NEAR_NAME

_SORTED_WHOLE = 4  # times a page: so many results are rather sorted than divided
_BLOCK = 256  # scores; only blocks whose best is good enough are looked at

Chosen = npt.NDArray[np.int64]


class Names(NamedTuple):
    """Hashes of names that are meant: exactly what was typed, and what is one letter away."""

    exact: int
    near: list[int]


@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """Results with the parts of their scores, side by side."""

    numbers: Numbers
    scores: Scores
    texts: Scores
    named: Scores

    @classmethod
    def merged(cls, parts: "Sequence[Best]") -> "Best":
        return cls(
            np.concatenate([part.numbers for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.texts for part in parts]),
            np.concatenate([part.named for part in parts]),
        )


def best_of(found: Matches, columns: Columns, names: Names, after: tuple[np.float32, Key] | None, limit: int) -> Best:
    """
    At least the best `limit` of the results behind a place, in no order.

    Args:
        after: score and id of the last result before.
    """
    base = found.segment.base
    if found.mask is None:
        numbers = found.places + np.uint32(base)
        scores, named = _scored(found.scores, columns.boost[numbers], columns.name_hash[numbers], names)
        at = np.arange(len(numbers)) if after is None else np.flatnonzero(_is_behind(columns, numbers, scores, after))
        at = at[_greatest(scores[at], limit)]
        return Best(numbers[at], scores[at], found.scores[at], named[at])
    here = slice(base, base + found.segment.count)
    scores, named = _scored(found.scores, columns.boost[here], columns.name_hash[here], names)
    wanted = found.mask
    if after is not None:
        numbers = np.arange(base, base + len(scores), dtype=np.uint32)
        wanted = wanted & _is_behind(columns, numbers, scores, after)
    at = _greatest_of_many(np.where(wanted, scores, np.float32(-1)), limit)
    return Best(at.astype(np.uint32) + np.uint32(base), scores[at], found.scores[at], named[at])


def _scored(texts: Scores, boost: Scores, name_hash: npt.NDArray[np.int64], names: Names) -> tuple[Scores, Scores]:
    """Scores, and what of them the names made."""
    named = np.ones(len(texts), dtype=np.float32)
    for near in names.near:
        named[name_hash == near] = NEAR_NAME
    named[name_hash == names.exact] = EXACT_NAME
    return texts * boost * named, named


def _is_behind(
    columns: Columns, numbers: Numbers, scores: Scores, after: tuple[np.float32, Key]
) -> npt.NDArray[np.bool_]:
    value, key = after
    behind = scores < value
    equal = np.flatnonzero(scores == value)
    behind[equal] = older(columns, numbers[equal], key)
    return behind


def _greatest(scores: Scores, limit: int) -> Chosen:
    """Where the greatest are, and what equals the least of them."""
    if len(scores) <= _SORTED_WHOLE * limit:
        return np.arange(len(scores))
    return np.flatnonzero(scores >= np.partition(scores, len(scores) - limit)[len(scores) - limit])


def _greatest_of_many(scores: Scores, limit: int) -> Chosen:
    """As `_greatest`, of what is not negative."""
    blocks = np.maximum.reduceat(scores, np.arange(0, len(scores), _BLOCK))
    # The best of each of the best blocks: that many are at least as good, so nothing below is among the greatest.
    least = np.float32(0) if len(blocks) <= limit else max(np.partition(blocks, -limit)[-limit], np.float32(0))
    good = np.flatnonzero(blocks >= least)
    at = (good[:, None] * _BLOCK + np.arange(_BLOCK)).ravel()
    at = at[at < len(scores)]
    at = at[scores[at] >= least]
    return at[_greatest(scores[at], limit)]
