"""The best of what was found in a segment, by the formula of `domain.ranking`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.arrays import NO_PLACES, Scores, are_among
from opencode.modules.marketplace.adapters.catalog.columns import Columns, Key, hash_of_name
from opencode.modules.marketplace.adapters.catalog.matching import Matches
from opencode.modules.marketplace.adapters.catalog.ordering import Numbers, older
from opencode.modules.marketplace.domain.ranking import EXACT_NAME, NEAR_NAME

_SORTED_WHOLE = 4  # times a page: so many results are rather sorted than divided
_PASSED_BY = 8
"""Looking one project up costs as much as passing so many by."""
_BLOCK = 256  # scores; only blocks whose best is good enough are looked at

Chosen = npt.NDArray[np.int64]


class Names(NamedTuple):
    """Names that are meant: exactly what was typed, and what is one letter away."""

    exact: str
    near: list[str]


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
    base, many = found.segment.base, found.mask is not None
    boost = columns.boost[base : base + found.segment.count]
    scores = found.scores * (boost if many else boost.take(found.places, mode="clip"))
    named = _named(found, columns, names)
    for at, factor in named:
        scores[at] *= factor
    if after is not None:
        places = np.arange(len(scores), dtype=np.uint32) if many else found.places
        scores[~_is_behind(columns, places + np.uint32(base), scores, after)] = 0
    best = _greatest_of_many(scores, limit) if many else _greatest(scores, limit)
    best = best[scores[best] > 0]
    factors = np.ones(len(best), dtype=np.float32)
    for at, factor in named:
        if len(at):
            factors[are_among(best, at)] = factor
    places = best.astype(np.uint32) if many else found.places[best]
    return Best(places + np.uint32(base), scores[best], found.scores[best], factors)


def _named(found: Matches, columns: Columns, names: Names) -> list[tuple[Chosen, np.float32]]:
    """Where in the scores those are that have one of the names, and what that multiplies their scores by."""
    meant = [(name, np.float32(NEAR_NAME)) for name in names.near] + [(names.exact, np.float32(EXACT_NAME))]
    segment = found.segment
    hashes = columns.name_hash[segment.base : segment.base + segment.count]
    if found.mask is None:
        hashes = hashes.take(found.places, mode="clip")
        return [(np.flatnonzero(hashes == hash_of_name(name)), factor) for name, factor in meant]
    named: list[tuple[Chosen, np.float32]] = []
    for name, factor in meant:
        # A project has its name as a word, too.
        word = segment.words.find(name)
        places = segment.having(word, word + 1)[0] if word >= 0 else NO_PLACES
        if len(places) * _PASSED_BY > segment.count:
            named.append((np.flatnonzero(hashes == hash_of_name(name)), factor))
        else:
            named.append((places[hashes[places] == hash_of_name(name)].astype(np.int64), factor))
    return named


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
    """As `_greatest`; among few that are above zero some may be zero."""
    blocks = np.maximum.reduceat(scores, np.arange(0, len(scores), _BLOCK))
    # The best of each of the best blocks: that many are at least as good, so nothing below is among the greatest.
    least = np.float32(0) if len(blocks) <= limit else max(np.partition(blocks, -limit)[-limit], np.float32(0))
    good = np.flatnonzero(blocks >= least)
    at = (good[:, None] * _BLOCK + np.arange(_BLOCK)).ravel()
    at = at[at < len(scores)]
    at = at[scores[at] >= least]
    return at[_greatest(scores[at], limit)]
