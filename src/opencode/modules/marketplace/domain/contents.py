"""What of a project goes into an index: its words with their weights, and its labels. All indexes have the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from opencode.modules.marketplace.domain.catalog import Listing
from opencode.modules.marketplace.domain.digest import DESCRIPTION_LETTERS, FACETS_OF_WORDS
from opencode.modules.marketplace.domain.ranking import FIELD_WEIGHTS, MOST_REPEATS, SATURATION
from opencode.modules.marketplace.domain.words import words_of, words_of_name

FULL_IMPACT = 255
"""The most that a word weighs in a project, as indexes keep it."""


@dataclass(frozen=True, slots=True)
class Label:
    """
    A value of a facet.

    Attributes:
        number: of the index that has it.
        written: as people see it.
        word: what it is found by as a filter; `words` what it is found by as text.
    """

    number: int
    facet: str
    written: str
    word: str
    words: tuple[str, ...]


def impacts_of(listing: Listing, labels: Sequence[Label]) -> dict[str, int]:
    """How much each word weighs, from 1 to 255; those of labels are among them."""
    weights = dict.fromkeys(words_of_name(listing.name), FIELD_WEIGHTS["name"])
    if listing.title != listing.name:
        weights |= dict.fromkeys(words_of_name(listing.title), FIELD_WEIGHTS["name"])
    for label in labels:
        if label.facet in FACETS_OF_WORDS:
            _weigh(weights, label.words, FIELD_WEIGHTS[label.facet])
    _weigh(weights, _words_of_owner(listing.owner), FIELD_WEIGHTS["owner"])
    _weigh(weights, words_of(listing.summary), FIELD_WEIGHTS["summary"])
    if listing.description:
        _weigh(weights, words_of(listing.description[:DESCRIPTION_LETTERS]), FIELD_WEIGHTS["description"])
    impacts = dict(zip(weights, map(_IMPACTS.__getitem__, weights.values()), strict=True))
    for label in labels:
        impacts[label.word] = FULL_IMPACT
    return impacts


def _weigh(weights: dict[str, float], words: Iterable[str], weight: float) -> None:
    # What is repeated counts more, but not without end: nobody rises by saying a word a hundred times.
    most = weight * MOST_REPEATS
    for word in words:
        if (before := weights.get(word, 0.0)) < most:
            weights[word] = before + weight


class _Impacts(dict[float, int]):
    """Of weights, of which there are few different ones: sums of some of `FIELD_WEIGHTS`."""

    def __missing__(self, weight: float) -> int:
        impact = self[weight] = int(FULL_IMPACT * weight / (weight + SATURATION)) or 1
        return impact


_IMPACTS = _Impacts()


@lru_cache(maxsize=1 << 16)
def _words_of_owner(owner: str) -> tuple[str, ...]:
    return tuple(words_of(owner))
