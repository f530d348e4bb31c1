"""
The published formulas of rank. Every part of a result's score is shown to whoever asks.

    score = text * (1 + POPULARITY_WEIGHT * log10(1 + popularity)) * trust * (EXACT_NAME, NEAR_NAME or 1)

`text` is a BM25F: see `FIELD_WEIGHTS`, and `domain.words` for what a word is. A project whose name is exactly what was
typed comes before all others.
"""

import math

POPULARITY_WEIGHT = 0.25
STAR_WEIGHT = 3.0
"""A star is worth that many downloads: it takes an account, and counts once."""
HALF_LIFE_S = 7 * 86_400
"""What happened a week ago weighs half of what happens now."""

FIELD_WEIGHTS = {"name": 6.0, "technologies": 3.0, "tags": 3.0, "owner": 1.5, "summary": 2.0, "description": 0.7}
SATURATION = 4.0
"""The weight of a word in a project, at which it has half of its effect (`k1` of BM25)."""
MOST_REPEATS = 3
"""A field adds its weight to a word as often as it has it, while the word weighs less than so many times that."""
EXACT_NAME = 1e6
"""What the score of an exact name is multiplied by, so that nothing comes before it."""
NEAR_NAME = 1e3
"""What the score of a name is multiplied by that is one letter away from what was typed; see `understanding`."""
UNFINISHED = 0.7
"""What a word counts that only begins with what was typed."""
CORRECTED = 0.5
"""What a word counts that is one letter away from what was typed."""


def popularity(stars: int, downloads: int) -> float:
    """The key of the order by popularity."""
    return STAR_WEIGHT * stars + downloads


def boost(popularity: float) -> float:
    """What the text's score is multiplied by."""
    return 1.0 + POPULARITY_WEIGHT * math.log10(1.0 + popularity)


def rarity(projects: int, having: int) -> float:
    """How much a word tells: the inverse document frequency of BM25, which is never negative."""
    return math.log(1.0 + (projects - having + 0.5) / (having + 0.5))


def trend(before: float, weight: float, at_s: float) -> float:
    """
    The key of the order by trend after something happened: forward decay (Cormode et al., ICDE 2009). It is the
    logarithm of the sum of `weight * 2 ** (at / half-life)` over all that ever happened, so the order between two
    projects changes only when something happens to one of them, never by the passing of time.

    Args:
        before: the key until now, or -inf.
        weight: of what happened, such as `STAR_WEIGHT`.
        at_s: when, in seconds since 1970.
    """
    added = math.log2(weight) + at_s / HALF_LIFE_S
    low, high = sorted((before, added))
    return high if math.isinf(low) else high + math.log2(1.0 + 2.0 ** (low - high))
