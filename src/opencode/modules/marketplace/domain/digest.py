"""What of a project goes into an index: its words, and the labels that filters ask for."""

import hashlib

from opencode.modules.marketplace.domain.catalog import Filters, Listing, PriceFilter
from opencode.modules.marketplace.domain.words import fold, words_of, words_of_name

DESCRIPTION_LETTERS = 2000
"""So much of the beginning of a description is indexed: further down it is about anything."""
FACETS_OF_WORDS = ("technologies", "tags")
"""Facets whose values are found as text too."""

_FEATURED = ("featured", "true")
"""A label as those of facets are, which no page counts."""
_MARK = "\1"
_DIGEST_BYTES = 8


def labels_of(listing: Listing) -> list[tuple[str, str]]:
    """What filters ask of a project: the values of facets that it has, with the facet, and whether it is featured."""
    labels = [("technologies", value) for value in listing.technologies]
    labels += [("tags", value) for value in listing.tags]
    if listing.license:
        labels.append(("license", listing.license))
    labels.append(("price", (PriceFilter.FREE if listing.is_free else PriceFilter.PAID).value))
    if listing.is_featured:
        labels.append(_FEATURED)
    return labels


def word_of_label(facet: str, value: str) -> str:
    """A word that nobody can type."""
    return f"{_MARK}{facet}{_MARK}{fold(value)}"


def words_of_filters(filters: Filters) -> list[str]:
    """Words all of which a project must have."""
    words = [word_of_label("technologies", value) for value in filters.technologies]
    words += [word_of_label("tags", value) for value in filters.tags]
    if filters.license is not None:
        words.append(word_of_label("license", filters.license))
    if filters.price is not PriceFilter.ALL:
        words.append(word_of_label("price", filters.price.value))
    if filters.featured:
        words.append(word_of_label(*_FEATURED))
    return words


def words_of_listing(listing: Listing) -> frozenset[str]:
    """All words that a project is found by, those of its labels among them."""
    words = {*words_of_name(listing.name), *words_of_name(listing.title)}
    for facet, value in labels_of(listing):
        words.add(word_of_label(facet, value))
        if facet in FACETS_OF_WORDS:
            words.update(words_of_name(value))
    words.update(words_of(listing.owner), words_of(listing.summary))
    words.update(words_of(listing.description[:DESCRIPTION_LETTERS]))
    return frozenset(words)


def digest_of(listing: Listing) -> int:
    """64 bits that tell two listings of a project apart; how it stands with people is not among them."""
    lists = ("\1".join(listing.technologies), "\1".join(listing.tags))
    numbers = (str(listing.created_at), str(listing.updated_at), str(listing.is_free))
    words = (listing.name, listing.title, listing.summary, listing.owner, listing.license)
    parts = (*words, *numbers, *lists, listing.description[:DESCRIPTION_LETTERS])
    # Only then: what an index has kept of all other projects stays as it is.
    parts += _FEATURED if listing.is_featured else ()
    raw = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=_DIGEST_BYTES).digest(), "big")
