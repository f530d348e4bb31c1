"""The index that is in this process."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.adapters.catalog import merging
from opencode.modules.marketplace.adapters.catalog.arrays import Mask, Offsets
from opencode.modules.marketplace.adapters.catalog.columns import Columns, Key, hash_of_name
from opencode.modules.marketplace.adapters.catalog.content import Content
from opencode.modules.marketplace.adapters.catalog.frequent import FrequentWords
from opencode.modules.marketplace.adapters.catalog.label_counts import LabelCounts
from opencode.modules.marketplace.adapters.catalog.labels import Labels
from opencode.modules.marketplace.adapters.catalog.looking import Look
from opencode.modules.marketplace.adapters.catalog.matched import Kept, Matched
from opencode.modules.marketplace.adapters.catalog.matching import Matches
from opencode.modules.marketplace.adapters.catalog.numbering import Numbering
from opencode.modules.marketplace.adapters.catalog.ordering import Numbers, Ordering, Value, older
from opencode.modules.marketplace.adapters.catalog.relevance import Best, Names, best_of
from opencode.modules.marketplace.adapters.catalog.segment import MANY, Segment, SegmentBuilder
from opencode.modules.marketplace.domain.catalog import (
    Facets,
    Filters,
    Found,
    Hit,
    Known,
    Listing,
    Namesake,
    Order,
    Position,
    Search,
    Standing,
)
from opencode.modules.marketplace.domain.contents import impacts_of
from opencode.modules.marketplace.domain.digest import labels_of, words_of_filters
from opencode.modules.marketplace.domain.ranking import rarity
from opencode.modules.marketplace.domain.understanding import (
    Alternative,
    Understanding,
    is_outdated,
    is_worth_again,
    understand,
    understand_again,
)

_CACHE_BYTES = 40 * 1024 * 1024
_SORTED_WHOLE = 4  # times a page: so many ids are rather sorted than divided
_DENSE = 8192  # from so many results on, an order that is sorted already is gone through
_RESORT_AFTER = 2000
_RESORT_AFTER_SHARE = 0.01  # of all projects: a growing catalogue is not sorted at every breath
_NEW = Standing()
_NO_NUMBERS: Numbers = np.zeros(0, dtype=np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class _Results:
    """
    Attributes:
        kept: what was found in each segment, what is gone included; `parts` without it.
        everything: nothing was asked, so that the parts need not be looked at.
    """

    kept: list[Kept]
    parts: list[Matches]
    total: int
    everything: bool


class EmbeddedCatalog:
    """
    See `CatalogIndex`, without waiting. Words and labels are looked up in segments, which never change: a change makes
    a new small segment, and marks the old version of the project as gone. Small segments are merged as they come.

    Attributes:
        changes: how many projects were put, removed, or moved to another segment; `stood` how many were noted to stand
            otherwise.
    """

    def __init__(self) -> None:
        self.changes = 0
        self.stood = 0
        columns = self._columns = Columns()
        self._labels = Labels()
        self._segments: list[Segment] = []
        self._unsealed = SegmentBuilder(0)
        self._count = 0
        self._gone: list[Numbers | None] = []  # of each segment the places of those that are gone; None: look anew
        self._numbering = Numbering(columns)
        self._matched = Matched(_CACHE_BYTES)
        self._counted: tuple[Segment, ...] = ()  # by which rarity is told
        self._is_uniting = False  # a thread has segments in its hands, which must stay
        self._orderings = {
            Order.POPULARITY: Ordering(columns, lambda columns: columns.popularity),
            Order.TRENDING: Ordering(columns, lambda columns: columns.trending),
            Order.RECENT: Ordering(columns, lambda columns: columns.updated, steady=True),
            Order.NAME: Ordering(columns, lambda columns: columns.names, ascending=True, steady=True),
        }

    def __len__(self) -> int:
        return self._count

    # --------------------------------------------------------------------------------------------------------- keeping

    def content(self) -> Content:
        """
        What there is up to the last `seal`, at no cost: nothing is copied. While it is read the index may change; a
        project that changed meanwhile is old in it, or missing, and a standing may be of any moment since.
        """
        count = sum(segment.count for segment in self._segments)
        labels = [(label.facet, label.written) for label in self._labels]
        steady = {order: each for order, each in self._orderings.items() if each.steady}
        orders = {order.value: each.kept(count) for order, each in steady.items()}
        return Content(count, self._columns.kept(count), tuple(self._segments), labels, orders)

    @classmethod
    def of(cls, content: Content) -> Self:
        """
        An index with this content, which is used up.

        Raises:
            ValueError: it does not fit together.
            KeyError: something is missing.
        """
        index = cls()
        index._columns = columns = Columns.of(content.columns, content.count)
        for facet, written in content.labels:
            index._labels.label(facet, written)
        if len(index._labels) != len(content.labels):
            raise ValueError("a label comes twice")
        index._segments = [index._prepared(segment) for segment in content.segments]
        index._gone = [None] * len(index._segments)
        index._counted = tuple(index._segments)
        index._unsealed = SegmentBuilder(content.count)
        index._count = int(np.count_nonzero(columns.alive))
        index._numbering = Numbering(columns)
        index._numbering.take_up()
        for order, ordering in index._orderings.items():
            ordering.columns = columns
            if ordering.steady:
                ordering.take_up(*content.orders[order.value])
            else:
                ordering.sort()
        return index

    def look_through(self) -> "Look":
        """Find out what differs from the store, by versions."""
        return Look(self._columns, self._numbering)

    # -------------------------------------------------------------------------------------------------------- changing

    def put(self, listings: Iterable[Listing]) -> None:
        """See `CatalogIndex.put`. What comes becomes a segment when it is first asked for."""
        columns, labels = self._columns, self._labels
        for listing in listings:
            self.changes += 1
            key = Key.of(listing.id)
            before = self._numbering.find(key)
            known = _NEW
            if before is not None:
                known = columns.standing(before)
                self._forget(before)
            number = columns.add(key, listing, listing.standing or known)
            self._count += 1
            self._numbering.add(key, number)
            described = [labels.label(*each) for each in labels_of(listing)]
            self._unsealed.add(impacts_of(listing, described), [label.number for label in described])

    def remove(self, ids: Iterable[ProjectId]) -> None:
        """See `CatalogIndex.remove`."""
        for project_id in ids:
            number = self._numbering.find(Key.of(project_id))
            if number is not None:
                self.changes += 1
                self._forget(number)

    def stand(self, standings: Iterable[tuple[ProjectId, Standing]]) -> None:
        """See `CatalogIndex.stand`."""
        for project_id, standing in standings:
            number = self._numbering.find(Key.of(project_id))
            if number is None:
                continue
            self.stood += 1
            self._columns.stand(number, standing)
            for order in (Order.POPULARITY, Order.TRENDING):
                self._orderings[order].note(number)

    def seal(self) -> None:
        """See `CatalogIndex.seal`."""
        if not len(self._unsealed):
            return
        self._segments.append(self._prepared(self._unsealed.build()))
        self._gone.append(None)
        self._unsealed = SegmentBuilder(self._columns.count)
        while not self._is_uniting and merging.is_due(self._segments):
            later, earlier = self._segments.pop(), self._segments.pop()
            self._segments.append(self._prepared(merging.merged((earlier, later), self._columns)))
            self._gone[-2:] = [None]
        if is_outdated(sum(each.count for each in self._counted), sum(each.count for each in self._segments)):
            self._counted = tuple(self._segments)

    def _prepared(self, segment: Segment) -> Segment:
        """With what counting the labels of many projects needs, if it has so many."""
        if segment.count < MANY:
            return segment
        words = ((label.number, segment.words.find(label.word)) for label in self._labels)
        having = ((label, word, segment.having(word, word + 1)[0]) for label, word in words if word >= 0)
        label_counts = LabelCounts(segment.count, np.bincount(segment.labels), having)
        return replace(segment, label_counts=label_counts, frequent=FrequentWords())

    def settle(self) -> Callable[[], None]:
        """See `CatalogIndex.settle`, and `PromptIndex` for what is returned."""
        most = max(_RESORT_AFTER, int(self._columns.count * _RESORT_AFTER_SHARE))
        for ordering in self._orderings.values():
            if ordering.moved > most:
                ordering.sort()
        self._is_uniting = True
        try:
            parts = merging.to_unite(tuple(self._segments))
            united = self._prepared(merging.merged(parts, self._columns)) if parts else None
        except BaseException:
            self._is_uniting = False
            raise
        return partial(self._take_over, parts, united)

    def _take_over(self, parts: Sequence[Segment], united: Segment | None) -> None:
        """Put a segment in the place of those that it was made of."""
        self._is_uniting = False
        first = self._segments.index(parts[0]) if united and parts[0] in self._segments else 0
        behind = first + len(parts)
        if united is None or tuple(self._segments[first:behind]) != tuple(parts):
            return  # some were merged in the very moment in which they were looked at
        self._segments[first:behind] = [united]
        # Who has gone meanwhile is found by looking anew.
        self._gone[first:behind] = [None]
        self._matched = Matched(_CACHE_BYTES)
        self._recount(parts, united)
        if united.count > MANY:
            self.changes += united.count  # of little, the next start makes one in no time

    def _recount(self, parts: Sequence[Segment], united: Segment) -> None:
        """
        Tell rarity by the segment that there is now: where it is by the same projects, so that cursors stay good, or
        where those that were would take much memory.
        """
        if set(self._counted).issuperset(parts):
            at = self._counted.index(parts[0])
            self._counted = (*self._counted[:at], united, *self._counted[at + len(parts) :])
        elif united.count > MANY:
            self._counted = tuple(self._segments)

    def _forget(self, number: int) -> None:
        self._columns.alive[number] = False
        self._count -= 1
        for at, segment in enumerate(self._segments):
            if segment.base <= number < segment.base + segment.count:
                self._gone[at] = None

    # ------------------------------------------------------------------------------------------------------- comparing

    def known(self, ids: Iterable[ProjectId]) -> list[Known]:
        """See `CatalogIndex.known`."""
        columns, found = self._columns, list[Known]()
        for project_id in ids:
            number = self._numbering.find(Key.of(project_id))
            if number is not None:
                found.append(Known(project_id, int(columns.digest[number]), columns.standing(number)))
        return found

    def ids_between(self, after: str, upto: str, limit: int) -> list[ProjectId]:
        """See `CatalogIndex.ids_between`. A look at all numbers, a few milliseconds among a million."""
        columns = self._columns
        numbers = np.flatnonzero(columns.alive[: columns.count]).astype(np.uint32)
        if after:
            first = Key.of(after)
            numbers = numbers[~older(columns, numbers, first)]
            numbers = numbers[(columns.high[numbers] != first.high) | (columns.low[numbers] != first.low)]
        if upto:
            last = Key.of(upto)
            at_end = (columns.high[numbers] == last.high) & (columns.low[numbers] == last.low)
            numbers = numbers[older(columns, numbers, last) | at_end]
        if len(numbers) > _SORTED_WHOLE * limit:
            some = columns.high[numbers]
            numbers = numbers[some <= np.partition(some, limit)[limit]]
        keys = sorted(columns.key(number) for number in numbers.tolist())
        return [key.id for key in keys[:limit]]

    # ------------------------------------------------------------------------------------------------------- searching

    def search(self, search: Search) -> Found:
        """See `CatalogIndex.search`."""
        self.seal()
        understood = understand(search.text, self)
        results = self._found(search.filters, understood)
        if is_worth_again(understood, results.total):
            understood = understand_again(understood, search.text, self)
            results = self._found(search.filters, understood)
        if search.order is Order.RELEVANCE and understood.clauses:
            hits = self._by_relevance(results, understood, search)
        else:
            hits = self._by_order(results, search)
        facets = self._facets(results.kept) if search.with_facets else Facets()
        return Found(hits, results.total, facets, understood.corrected)

    def named(self, names: Iterable[str], limit: int) -> list[Namesake]:
        """See `CatalogIndex.named`."""
        self.seal()
        wanted = dict.fromkeys(names)
        found: list[Namesake] = []
        for segment in self._segments:
            known = [(name, number) for name in wanted if (number := segment.words.find(name)) >= 0]
            for name, number in known:
                found += self._named_in(segment, name, number, limit)
        return sorted(found, key=lambda each: (-each.popularity, each.id))[:limit]

    def _named_in(self, segment: Segment, name: str, word: int, limit: int) -> list[Namesake]:
        columns = self._columns
        numbers = segment.having(word, word + 1)[0] + np.uint32(segment.base)
        numbers = numbers[columns.alive[numbers] & (columns.name_hash[numbers] == hash_of_name(name))]
        best = numbers[np.argsort(-columns.popularity[numbers], kind="stable")][:limit]
        return [Namesake(columns.key(number).id, name, float(columns.popularity[number])) for number in best.tolist()]

    def frequency(self, word: str, *, is_open: bool = False) -> int:
        """See `understanding.Words`."""
        return sum(_having(segment, word, is_open=is_open) for segment in self._segments)

    def near(self, word: str, *, is_open: bool = False) -> set[str]:
        """See `understanding.Words`."""
        return set[str]().union(*(segment.words.near(word, is_open=is_open) for segment in self._segments))

    def rarity(self, word: str, *, is_open: bool = False) -> float:
        """See `understanding.Words`."""
        having = sum(_having(segment, word, is_open=is_open) for segment in self._counted)
        projects = sum(segment.count for segment in self._counted)
        return rarity(max(projects, having), having)

    def _found(self, filters: Filters, understood: Understanding) -> _Results:
        asked = tuple((Alternative(word, 0.0),) for word in words_of_filters(filters))
        others = (*asked, understood.names) if understood.names else ()
        kept = [self._matched.of(segment, (*asked, *understood.clauses), others) for segment in self._segments]
        everything = not asked and not understood.clauses
        parts = [each.matches.without(self._gone_of(at)) for at, each in enumerate(kept)]
        return _Results(kept, parts, len(self) if everything else sum(part.total for part in parts), everything)

    def _by_relevance(self, results: _Results, understood: Understanding, search: Search) -> tuple[Hit, ...]:
        columns = self._columns
        names = Names(understood.exact, [each.word for each in understood.names])
        after = (np.float32(search.after.key), Key.of(search.after.id)) if search.after else None
        parts = [best_of(part, columns, names, after, search.limit) for part in results.parts]
        if not parts:
            return ()
        best = Best.merged(parts)
        order = np.lexsort((columns.low[best.numbers], columns.high[best.numbers], best.scores))[::-1][: search.limit]
        numbers = best.numbers[order]
        return tuple(
            map(
                _hit,
                map(Key, columns.high[numbers].tolist(), columns.low[numbers].tolist()),
                best.scores[order].tolist(),
                best.texts[order].tolist(),
                best.named[order].tolist(),
                columns.boost[numbers].tolist(),
                columns.trust[numbers].tolist(),
            )
        )

    def _by_order(self, results: _Results, search: Search) -> tuple[Hit, ...]:
        order = Order.POPULARITY if search.order is Order.RELEVANCE else search.order
        ordering = self._orderings[order]
        after = (_value_of(order, search.after), Key.of(search.after.id)) if search.after else None
        if results.everything or results.total > _DENSE:
            numbers = ordering.walk(self._marked(results), search.limit, after)
        else:
            found = np.concatenate([_NO_NUMBERS, *(part.numbers for part in results.parts)])
            some = ordering.behind(found, *after) if after else found
            numbers = ordering.best_first(some)[: search.limit].tolist()
        return tuple(self._listed(ordering, number) for number in numbers)

    def _marked(self, results: _Results) -> Mask:
        """By number, which projects were found."""
        if results.everything:
            return self._columns.alive
        marked = np.zeros(self._columns.count, dtype=np.bool_)
        for part in results.parts:
            here = marked[part.segment.base : part.segment.base + part.segment.count]
            if part.mask is None:
                here[part.places] = True
            else:
                here[:] = part.mask
        return marked

    def _listed(self, ordering: Ordering, number: int) -> Hit:
        project_id, value = self._columns.key(number).id, ordering.value(number)
        return Hit(project_id, Position(value.hex() if isinstance(value, bytes) else value, project_id))

    def _facets(self, found: Sequence[Kept]) -> Facets:
        kinds = len(self._labels)
        counts: Offsets = np.zeros(kinds, dtype=np.int64)
        for at, kept in enumerate(found):
            counts += kept.label_counts(kinds)
            gone = self._gone_of(at)
            if len(gone):
                counts -= kept.matches.segment.count_labels(kept.matches.among(gone), kinds)
        return self._labels.facets(counts)

    def _gone_of(self, at: int) -> Numbers:
        gone = self._gone[at]
        if gone is None:
            segment = self._segments[at]
            alive = self._columns.alive[segment.base : segment.base + segment.count]
            gone = self._gone[at] = np.flatnonzero(~alive).astype(np.uint32)
        return gone


def _hit(key: Key, score: float, text: float, named: float, boost: float, trust: float) -> Hit:
    why = [("text", text), ("popularity", boost / trust if trust else 0.0), ("trust", trust)]
    if named != 1.0:
        why.append(("name", named))
    project_id = key.id
    return Hit(project_id, Position(score, project_id), tuple(why))


def _having(segment: Segment, word: str, *, is_open: bool) -> int:
    if is_open:
        return segment.frequency(*segment.words.beginning(word))
    number = segment.words.find(word)
    return segment.frequency(number, number + 1) if number >= 0 else 0


def _value_of(order: Order, position: Position) -> Value:
    """
    Raises:
        ValueError: the position is of another order.
    """
    if order is Order.NAME and isinstance(position.key, str):
        return bytes.fromhex(position.key)
    if order is Order.NAME or isinstance(position.key, str):
        raise ValueError(f"{position.key!r} is no position in the order by {order}")
    return position.key
