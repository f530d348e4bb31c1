"""The index of the catalogue by brute force: every search looks at every project. Short enough to be believed."""

from collections import Counter
from collections.abc import Callable, Iterable
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
    Known,
    Listing,
    Namesake,
    Order,
    Position,
    PriceFilter,
    Search,
    Standing,
)
from opencode.modules.marketplace.domain.digest import digest_of
from opencode.modules.marketplace.domain.spelling import one_letter_away
from opencode.modules.marketplace.domain.understanding import (
    Clause,
    Understanding,
    Words,
    is_outdated,
    is_worth_again,
    understand,
    understand_again,
)
from opencode.modules.marketplace.domain.words import fold, joined, words_of, words_of_name


@dataclass(slots=True)
class _Entry:
    listing: Listing
    standing: Standing
    words: dict[str, float]
    """What each word weighs in this project, over all fields."""


class CatalogInMemory:
    """
    See `domain.catalog.CatalogIndex`, without waiting.

    Args:
        told_by: another index that tells how frequent words are, to understand the same and to score alike.
    """

    def __init__(self, told_by: Words | None = None) -> None:
        self._told_by = told_by
        self._entries: dict[ProjectId, _Entry] = {}
        self._put = 0  # projects that ever came, as an index counts that only appends
        self._counted: list[_Entry] = []
        self._counted_at = 0
        self._ever: set[str] = set()  # the words of all that ever came; nothing else has a frequency anywhere
        self._begun: set[str] = set()  # what these begin with

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, listings: Iterable[Listing]) -> None:
        for listing in listings:
            before = self._entries.get(listing.id)
            standing = listing.standing or (before.standing if before else Standing())
            words = _words(listing)
            self._entries[listing.id] = _Entry(listing, standing, words)
            self._put += 1
            for word in words.keys() - self._ever:
                self._ever.add(word)
                self._begun.update(word[:length] for length in range(1, len(word) + 1))
        if is_outdated(self._counted_at, self._put):
            self._counted, self._counted_at = list(self._entries.values()), self._put

    def remove(self, ids: Iterable[ProjectId]) -> None:
        for project_id in ids:
            self._entries.pop(project_id, None)

    def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None:
        for project_id, standing in standings:
            if entry := self._entries.get(project_id):
                entry.standing = standing

    def named(self, names: Iterable[str], limit: int) -> list[Namesake]:
        wanted = set(names)
        found = [
            Namesake(entry.listing.id, joined(entry.listing.name), entry.standing.popularity)
            for entry in self._entries.values()
            if joined(entry.listing.name) in wanted
        ]
        return sorted(found, key=lambda each: (-each.popularity, each.id))[:limit]

    def seal(self) -> None:
        pass  # nothing is left for later

    def settle(self) -> Callable[[], None]:
        return lambda: None  # nothing is kept sorted

    def known(self, ids: Iterable[ProjectId]) -> list[Known]:
        entries = [self._entries[project_id] for project_id in ids if project_id in self._entries]
        return [Known(entry.listing.id, digest_of(entry.listing), entry.standing) for entry in entries]

    def ids_between(self, after: str, upto: str, limit: int) -> list[ProjectId]:
        return sorted(each for each in self._entries if each > after and (not upto or each <= upto))[:limit]

    def frequency(self, word: str, *, is_open: bool = False) -> int:
        if self._told_by:
            return self._told_by.frequency(word, is_open=is_open)
        return _having(self._entries.values(), word, is_open=is_open)

    def near(self, word: str, *, is_open: bool = False) -> set[str]:
        return ((self._begun if is_open else self._ever) & set(one_letter_away(word))) - {word}

    def rarity(self, word: str, *, is_open: bool = False) -> float:
        if self._told_by:
            return self._told_by.rarity(word, is_open=is_open)
        having = _having(self._counted, word, is_open=is_open)
        return ranking.rarity(max(len(self._counted), having), having)

    def search(self, search: Search) -> Found:
        understood = understand(search.text, self)
        found = self._found(search.filters, understood)
        if is_worth_again(understood, len(found)):
            understood = understand_again(understood, search.text, self)
            found = self._found(search.filters, understood)
        order = search.order
        if order is Order.RELEVANCE and not understood.clauses:
            order = Order.POPULARITY
        hits = [_hit(entry, understood, order) for entry in found]
        # Newest first among equals: ids sort by the time they were made.
        hits.sort(key=lambda hit: hit.id, reverse=True)
        hits.sort(key=lambda hit: hit.position.key, reverse=order is not Order.NAME)
        if search.after:
            after = search.after
            hits = [hit for hit in hits if _comes_after(hit.position, after, order)]
        facets = _facets([entry.listing for entry in found]) if search.with_facets else Facets()
        return Found(tuple(hits[: search.limit]), len(found), facets, understood.corrected)

    def _found(self, filters: Filters, understood: Understanding) -> list[_Entry]:
        passing = [entry for entry in self._entries.values() if _passes(entry.listing, filters)]
        return [entry for entry in passing if _text_of(entry, understood) is not None]


def _text_of(entry: _Entry, understood: Understanding) -> float | None:
    """The score of the text; None when the project is not found."""
    scores = [_score(entry, clause) for clause in understood.clauses]
    found = [sum(scores)] if all(scores) else []
    if named := _score(entry, understood.names):
        found.append(named)
    return max(found, default=None)


def _having(entries: Iterable[_Entry], word: str, *, is_open: bool) -> int:
    if is_open:
        return sum(each.startswith(word) for entry in entries for each in entry.words)
    return sum(word in entry.words for entry in entries)


def _hit(entry: _Entry, understood: Understanding, order: Order) -> Hit:
    listing, standing = entry.listing, entry.standing
    if order is not Order.RELEVANCE:
        keys: dict[Order, float | int | str] = {
            Order.POPULARITY: standing.popularity,
            Order.TRENDING: standing.trending,
            Order.RECENT: listing.updated_at,
            Order.NAME: fold(listing.name),
        }
        return Hit(listing.id, Position(keys[order], listing.id))
    text = _text_of(entry, understood) or 0.0
    why = [("text", text), ("popularity", ranking.boost(standing.popularity)), ("trust", standing.trust)]
    if joined(listing.name) == understood.exact:
        why.append(("name", ranking.EXACT_NAME))
    elif joined(listing.name) in {each.word for each in understood.names}:
        why.append(("name", ranking.NEAR_NAME))
    score = 1.0
    for _, part in why:
        score *= part
    return Hit(listing.id, Position(score, listing.id), tuple(why))


def _score(entry: _Entry, clause: Clause) -> float:
    best = 0.0
    for alternative in clause:
        for word, weight in entry.words.items():
            if word == alternative.word or (alternative.is_open and word.startswith(alternative.word)):
                best = max(best, alternative.weight * weight / (weight + ranking.SATURATION))
    return best


def _words(listing: Listing) -> dict[str, float]:
    weights = dict.fromkeys(
        [*words_of_name(listing.name), *words_of_name(listing.title)], ranking.FIELD_WEIGHTS["name"]
    )
    fields = {
        "technologies": [word for value in listing.technologies for word in words_of_name(value)],
        "tags": [word for value in listing.tags for word in words_of_name(value)],
        "owner": words_of(listing.owner),
        "summary": words_of(listing.summary),
        "description": words_of(listing.description),
    }
    for name, words in fields.items():
        for word in words:
            if weights.get(word, 0.0) < ranking.FIELD_WEIGHTS[name] * ranking.MOST_REPEATS:
                weights[word] = weights.get(word, 0.0) + ranking.FIELD_WEIGHTS[name]
    return weights


def _passes(listing: Listing, filters: Filters) -> bool:
    if filters.license is not None and fold(filters.license) != fold(listing.license):
        return False
    if filters.price is not PriceFilter.ALL and listing.is_free is not (filters.price is PriceFilter.FREE):
        return False
    if filters.featured and not listing.is_featured:
        return False
    return _has_all(listing.technologies, filters.technologies) and _has_all(listing.tags, filters.tags)


def _has_all(there: Iterable[str], wanted: Iterable[str]) -> bool:
    return set(map(fold, wanted)) <= set(map(fold, there))


def _facets(listings: list[Listing]) -> Facets:
    return Facets(
        technologies=_counted(value for listing in listings for value in listing.technologies),
        license=_counted(listing.license for listing in listings if listing.license),
        price=_counted("free" if listing.is_free else "paid" for listing in listings),
        tags=_counted(value for listing in listings for value in listing.tags),
    )


def _counted(values: Iterable[str]) -> tuple[FacetValue, ...]:
    """What differs in case only is one value, shown as it came first."""
    shown: dict[str, str] = {}
    counts = Counter(fold(shown.setdefault(fold(value), value)) for value in values)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], shown[item[0]].casefold()))
    return tuple(FacetValue(shown[value], count) for value, count in ordered[:FACET_VALUES])


def _comes_after(position: Position, last: Position, order: Order) -> bool:
    if position.key == last.key:
        return position.id < last.id
    return position.key > last.key if order is Order.NAME else position.key < last.key  # type: ignore[operator]
