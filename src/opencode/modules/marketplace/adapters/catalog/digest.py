"""What of a project goes into the index: its words with their weights, and its labels."""

from collections.abc import Iterable
from functools import lru_cache

from opencode.modules.marketplace.domain.catalog import Filters, Listing, PriceFilter
from opencode.modules.marketplace.domain.ranking import FIELD_WEIGHTS, SATURATION
from opencode.modules.marketplace.domain.words import fold, words_of, words_of_name

DESCRIPTION_LETTERS = 2000
"""So much of the beginning of a description is indexed: further down it is about anything."""
_FULL_IMPACT = 255
_MARK = "\0"
_MOST_REPEATS = 3

Label = tuple[str, str]
"""A facet, and a value of it as it was written."""


def impacts_of(listing: Listing) -> dict[str, int]:
    """How much each word weighs, from 1 to 255; labels are words, too (`word_of_label`)."""
    weights: dict[str, float] = {}
    _weigh(weights, words_of_name(listing.name), FIELD_WEIGHTS["name"])
    if listing.title != listing.name:
        known = set(weights)
        _weigh(weights, (word for word in words_of_name(listing.title) if word not in known), FIELD_WEIGHTS["name"])
    for technology in listing.technologies:
        _weigh(weights, _words_of_label(technology), FIELD_WEIGHTS["technologies"])
    for tag in listing.tags:
        _weigh(weights, _words_of_label(tag), FIELD_WEIGHTS["tags"])
    _weigh(weights, words_of(listing.owner), FIELD_WEIGHTS["owner"])
    _weigh(weights, words_of(listing.summary), FIELD_WEIGHTS["summary"])
    if listing.description:
        _weigh(weights, words_of(listing.description[:DESCRIPTION_LETTERS]), FIELD_WEIGHTS["description"])
    impacts = {word: int(_FULL_IMPACT * weight / (weight + SATURATION)) or 1 for word, weight in weights.items()}
    for facet, value in labels_of(listing):
        impacts[word_of_label(facet, value)] = _FULL_IMPACT
    return impacts


def labels_of(listing: Listing) -> list[Label]:
    labels = [("technologies", value) for value in listing.technologies]
    labels += [("tags", value) for value in listing.tags]
    if listing.license:
        labels.append(("license", listing.license))
    labels.append(("price", PriceFilter.FREE if listing.is_free else PriceFilter.PAID))
    return labels


@lru_cache(maxsize=65536)
def word_of_label(facet: str, value: str) -> str:
    """A word that nobody can type. What differs in case only is one label."""
    return f"{_MARK}{facet}{_MARK}{fold(value)}"


def words_of_filters(filters: Filters) -> list[str]:
    words = [word_of_label("technologies", value) for value in filters.technologies]
    words += [word_of_label("tags", value) for value in filters.tags]
    if filters.license is not None:
        words.append(word_of_label("license", filters.license))
    if filters.price is not PriceFilter.ALL:
        words.append(word_of_label("price", filters.price))
    return words


def _weigh(weights: dict[str, float], words: Iterable[str], weight: float) -> None:
    most = weight * _MOST_REPEATS
    for word in words:
        # What is repeated counts more, but not without end: nobody rises by saying a word a hundred times.
        before = weights.get(word, 0.0)
        weights[word] = before + weight if before < most else before


@lru_cache(maxsize=65536)
def _words_of_label(value: str) -> tuple[str, ...]:
    return tuple(words_of_name(value))
