"""What people ask of a catalogue: names and their beginnings, mistakes, plain words, filters, orders."""

import random
from collections.abc import Sequence

from opencode.modules.marketplace.domain.catalog import Filters, Listing, Order, PriceFilter, Search

MISTAKES = 0.2
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def mixed(chance: random.Random, listings: Sequence[Listing]) -> Search:
    """One request of the mixed load. `listings`: some that names, words and values are taken from."""
    listing = chance.choice(listings)
    words = listing.name if chance.random() < 0.5 else " ".join(chance.sample(listing.summary.split(), 1))
    shape = chance.random()
    if shape < 0.4:
        words = words[: chance.randint(2, max(2, len(words)))]
    elif shape < 0.5:
        words = ""
    if len(words) > 4 and chance.random() < MISTAKES:
        words = with_mistake(chance, words)
    filters = Filters(
        technologies=listing.technologies[:1] if chance.random() < 0.3 else (),
        tags=listing.tags[:1] if chance.random() < 0.15 else (),
        license=listing.license if chance.random() < 0.15 else None,
        price=PriceFilter.FREE if chance.random() < 0.1 else PriceFilter.ALL,
    )
    order = Order.RELEVANCE if chance.random() < 0.8 else chance.choice(list(Order))
    return Search(words, filters, order)


def labels_of(search: Search) -> list[tuple[str, str]]:
    """What a search is narrowed by: (facet, value)."""
    filters = search.filters
    labels = [("technologies", value) for value in filters.technologies] + [("tags", tag) for tag in filters.tags]
    labels += [("license", filters.license)] if filters.license else []
    labels += [("price", filters.price.value)] if filters.price is not PriceFilter.ALL else []
    return labels


def with_mistake(chance: random.Random, word: str) -> str:
    """One letter less, one more, another one, or two that changed places."""
    at = chance.randrange(len(word))
    match chance.randrange(4):
        case 0:
            return word[:at] + word[at + 1 :]
        case 1:
            return word[:at] + chance.choice(_LETTERS) + word[at:]
        case 2:
            return word[:at] + chance.choice(_LETTERS) + word[at + 1 :]
        case _:
            return word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :]
