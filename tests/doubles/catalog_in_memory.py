"""The catalogue's index by brute force: every search looks at every project. Slow, and short enough to be believed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain import ranking
from opencode.modules.marketplace.domain.catalog import (
    FACET_VALUES,
    Facets,
    FacetValue,
    Filters,
    Found,
    Hit,
    Listing,
    Order,
    Position,
    PriceFilter,
    Search,
    Standing,
)
from opencode.modules.marketplace.domain.words import (
    MOST_QUERY_WORDS,
    fold,
    joined,
    words_of,
    words_of_name,
)

SHORTEST_CORRECTED = 4
"""Letters of a word from which on one letter may be wrong."""
EXACT = 1_000_000.0
"""Added to the score of a project whose name is exactly what was typed."""


@dataclass(slots=True)
class _Entry:
    listing: Listing
    standing: Standing
    weights: dict[str, float]
    """Of each word: what it weighs in this project, over all fields."""


class CatalogInMemory:
    """See `domain.catalog.CatalogIndex`."""

    def __init__(self) -> None:
        self._entries: dict[ProjectId, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, listings: Iterable[Listing]) -> None:
        for listing in listings:
            before = self._entries.get(listing.id)
            standing = before.standing if before else Standing()
            self._entries[listing.id] = _Entry(listing, standing, _weights(listing))

    def remove(self, ids: Iterable[ProjectId]) -> None:
        for project_id in ids:
            self._entries.pop(project_id, None)

    def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None:
        for project_id, standing in standings:
            if entry := self._entries.get(project_id):
                entry.standing = standing

    def search(self, search: Search) -> Found:
        wanted, corrected = self._understood(search.text)
        order = Order.POPULARITY if search.order is Order.RELEVANCE and not wanted else search.order
        matching = [entry for entry in self._entries.values() if _passes(entry.listing, search.filters)]
        matching = [entry for entry in matching if all(_matches(entry, forms) for forms in wanted)]
        hits = [self._hit(entry, wanted, search.text, order) for entry in matching]
        # Newest first among equals: ids sort by the time they were made.
        hits.sort(key=lambda hit: hit.id, reverse=True)
        hits.sort(key=lambda hit: hit.position.key, reverse=order is not Order.NAME)
        if search.after:
            hits = [hit for hit in hits if _comes_after(hit.position, search.after, order)]
        facets = _facets([entry.listing for entry in matching]) if search.with_facets else Facets()
        return Found(tuple(hits[: search.limit]), len(matching), facets, corrected)

    def suggest(self, text: str, limit: int) -> Sequence[str]:
        typed = joined(text)
        found = [entry for entry in self._entries.values() if typed and joined(entry.listing.name).startswith(typed)]
        found.sort(key=lambda entry: (-entry.standing.popularity, entry.listing.name))
        return list(dict.fromkeys(entry.listing.name for entry in found))[:limit]

    def _understood(self, text: str) -> tuple[list[dict[str, float]], str | None]:
        """For each word typed, the words that it may stand for and what each counts; and the text as corrected."""
        typed = words_of(text)[:MOST_QUERY_WORDS]
        known = Counter(word for entry in self._entries.values() for word in entry.weights)
        understood: list[dict[str, float]] = []
        spelt: list[str] = []
        for place, word in enumerate(typed):
            forms = {word: 1.0} if word in known else {}
            if place == len(typed) - 1 and not text.endswith(" "):
                forms |= {each: ranking.UNFINISHED for each in known if each.startswith(word) and each != word}
            spelt.append(word)
            if not forms and len(word) >= SHORTEST_CORRECTED:
                near = [each for each in known if _one_letter_apart(word, each)]
                forms = dict.fromkeys(near, ranking.CORRECTED)
                spelt[-1] = max(near, key=lambda each: (known[each], each), default=word)
            understood.append(forms)
        return understood, " ".join(spelt) if spelt != typed else None

    def _hit(self, entry: _Entry, wanted: list[dict[str, float]], text: str, order: Order) -> Hit:
        listing, standing = entry.listing, entry.standing
        if order is not Order.RELEVANCE:
            keys: dict[Order, float | int | str] = {
                Order.POPULARITY: standing.popularity,
                Order.TRENDING: standing.trending,
                Order.RECENT: listing.updated_at,
                Order.NAME: fold(listing.name),
            }
            return Hit(listing.id, Position(keys[order], listing.id))
        boost = ranking.boost(standing.popularity)
        by_text = sum(self._score(entry, forms) for forms in wanted)
        score = by_text * boost * standing.trust
        if joined(text) in {joined(listing.name), joined(listing.title)}:
            score += EXACT
        why = (("text", by_text), ("popularity", boost), ("trust", standing.trust))
        return Hit(listing.id, Position(score, listing.id), why)

    def _score(self, entry: _Entry, forms: dict[str, float]) -> float:
        best = 0.0
        for word, counts in forms.items():
            if weight := entry.weights.get(word):
                having = sum(word in each.weights for each in self._entries.values())
                told = ranking.rarity(len(self._entries), having) * weight / (weight + ranking.SATURATION)
                best = max(best, counts * told)
        return best


def _weights(listing: Listing) -> dict[str, float]:
    words_by_field = {
        "name": [*words_of_name(listing.name), *words_of_name(listing.title)],
        "technologies": [word for value in listing.technologies for word in words_of_name(value)],
        "tags": [word for value in listing.tags for word in words_of_name(value)],
        "owner": words_of_name(listing.owner),
        "summary": words_of(listing.summary),
        "description": words_of(listing.description),
    }
    weights: dict[str, float] = {}
    for name, words in words_by_field.items():
        for word in words:
            weights[word] = weights.get(word, 0.0) + ranking.FIELD_WEIGHTS[name]
    return weights


def _matches(entry: _Entry, forms: dict[str, float]) -> bool:
    return any(word in entry.weights for word in forms)


def _passes(listing: Listing, filters: Filters) -> bool:
    if filters.license is not None and filters.license.lower() != listing.license.lower():
        return False
    if filters.price is not PriceFilter.ALL and listing.is_free is not (filters.price is PriceFilter.FREE):
        return False
    return _has_all(listing.technologies, filters.technologies) and _has_all(listing.tags, filters.tags)


def _has_all(there: Iterable[str], wanted: Iterable[str]) -> bool:
    return {value.lower() for value in wanted} <= {value.lower() for value in there}


def _facets(listings: list[Listing]) -> Facets:
    return Facets(
        technologies=_counted(value for listing in listings for value in listing.technologies),
        license=_counted(listing.license for listing in listings if listing.license),
        price=_counted("free" if listing.is_free else "paid" for listing in listings),
        tags=_counted(value for listing in listings for value in listing.tags),
    )


def _counted(values: Iterable[str]) -> tuple[FacetValue, ...]:
    """By spelling without case; shown is the spelling that came first."""
    shown: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for value in values:
        shown.setdefault(value.lower(), value)
        counts[value.lower()] += 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(FacetValue(shown[value], count) for value, count in ordered[:FACET_VALUES])


def _comes_after(position: Position, last: Position, order: Order) -> bool:
    key, last_key = (position.key, position.id), (last.key, last.id)
    if position.key == last.key:
        return position.id < last.id
    return key > last_key if order is Order.NAME else key < last_key  # type: ignore[operator]


def _one_letter_apart(one: str, other: str) -> bool:
    """One letter changed, added, left out, or two neighbours swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, other_rest = one[start:], other[start:]
    swapped = len(rest) >= 2 and rest[1::-1] + rest[2:] == other_rest
    return swapped or rest[1:] == other_rest or rest == other_rest[1:] or rest[1:] == other_rest[1:]
