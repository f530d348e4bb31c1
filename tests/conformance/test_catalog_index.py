"""Every index of the catalogue finds what brute force finds, and shows each project once while people write."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from opencode.infra.db import Database
from opencode.kernel.ids import ProjectId, new_id
from opencode.modules.marketplace.adapters.catalog import AtOnce, EmbeddedCatalog
from opencode.modules.marketplace.adapters.catalog.growing import GrowingCatalog
from opencode.modules.marketplace.adapters.catalog.snapshots import FolderSnapshots
from opencode.modules.marketplace.adapters.catalog_postgres import PostgresCatalog
from opencode.modules.marketplace.domain.catalog import (
    CatalogIndex,
    Filters,
    Found,
    Listing,
    Order,
    PriceFilter,
    Search,
    Standing,
)
from opencode.modules.marketplace.domain.digest import digest_of
from opencode.modules.marketplace.domain.ranking import rarity
from opencode.modules.marketplace.domain.spelling import one_letter_away
from opencode.modules.marketplace.domain.words import joined
from tests.databases import PostgresDatabases
from tests.doubles.catalog_in_memory import CatalogInMemory

# From such sizes on the embedded index works otherwise. Nobody makes a hundred thousand projects for each test.
OF_A_LARGE_CATALOGUE = {
    "matching._FEW": 3,
    "matching._MANY": 8,
    "relevance._BLOCK": 4,
    "label_counts._FREQUENT": 4,
    "label_counts._KEPT_BYTES": 1000,
    "embedded.MANY": 1,
    "embedded._DENSE": 5,
    "merging._MOST_MERGED": 8,
}
WORDS = ("fast", "api", "tree", "parser", "green", "lib", "json", "http", "client", "server", "größe", "c++", "tools")
TECHNOLOGIES = ("Python", "Rust", "Go", "C++", "JavaScript")
TAGS = ("web", "cli", "data", "games", "maths", "sound", "text")
LICENSES = ("MIT", "Apache-2.0", "GPL-3.0-only", "")


@pytest.fixture
def of_a_large_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OF_A_LARGE_CATALOGUE.items():
        monkeypatch.setattr(f"opencode.modules.marketplace.adapters.catalog.{name}", value)


@pytest.fixture(scope="module")
def new_schema() -> Callable[[], str]:
    """Names that none has yet: all tests of this file share one database."""
    numbers = count()
    return lambda: f"catalogue_{next(numbers)}"


@pytest.fixture
async def postgres_index(index_database: Database, new_schema: Callable[[], str]) -> PostgresCatalog:
    index = PostgresCatalog(index_database, new_schema())
    assert not await index.open()
    return index


@pytest.fixture(scope="module")
def index_urls() -> list[str]:
    return []


@pytest.fixture
async def index_database(postgres: PostgresDatabases, index_urls: list[str]) -> AsyncIterator[Database]:
    if not index_urls:
        index_urls.append(await postgres.empty())
    database = Database(index_urls[0])
    yield database
    await database.close()


class Restarting(AtOnce):
    """An index that is kept and loaded again: once it has something, and whenever it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(EmbeddedCatalog)
        self._snapshots = FolderSnapshots(folder)

    async def put(self, listings: Iterable[Listing]) -> None:
        is_first = not await self.count()
        await super().put(listings)
        if is_first and await self.count():
            await self.restart()

    async def restart(self) -> None:
        await self.seal()
        await self._snapshots.save(self)
        loaded = await self._snapshots.load()
        assert loaded
        self.index = loaded.index


class ToldBy:
    """What the index knows of its words that is in use at the moment; see `understanding.Words`."""

    def __init__(self, index: AtOnce) -> None:
        self._index = index

    @property
    def _words(self) -> EmbeddedCatalog:
        assert isinstance(self._index.index, EmbeddedCatalog)
        return self._index.index

    def frequency(self, word: str, *, is_open: bool = False) -> int:
        return self._words.frequency(word, is_open=is_open)

    def near(self, word: str, *, is_open: bool = False) -> set[str]:
        return self._words.near(word, is_open=is_open)

    def rarity(self, word: str, *, is_open: bool = False) -> float:
        return self._words.rarity(word, is_open=is_open)


@pytest.fixture
async def apart_index() -> AsyncIterator[GrowingCatalog]:
    """One that leaves this process as soon as it has something."""
    index = GrowingCatalog(large=1)
    yield index
    await index.close()


@pytest.fixture(params=["embedded", "large", "loaded", "apart", "memory", "postgres"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> CatalogIndex:
    match request.param:
        case "loaded":
            request.getfixturevalue("of_a_large_catalogue")
            return Restarting(tmp_path)
        case "large":
            request.getfixturevalue("of_a_large_catalogue")
            return AtOnce(EmbeddedCatalog)
        case "embedded":
            return AtOnce(EmbeddedCatalog)
        case "memory":
            return AtOnce(CatalogInMemory)
        case name:
            return request.getfixturevalue(f"{name}_index")


class WordsOfPostgres:
    """What an index in PostgreSQL knows of its words; see `understanding.Words`."""

    def __init__(self, index: PostgresCatalog) -> None:
        self._index = index
        self._known: dict[str, tuple[int, int]] = {}
        self._counted = 0

    async def read(self) -> None:
        async with self._index._database.read() as connection:
            tables = await self._index._tables(connection)
            self._counted = (await self._index._sizes(connection, tables))[1]
            rows = await connection.exec_driver_sql(f"select word, projects, counted from {tables.words}")
            self._known = {row.word: (row.projects, row.counted) for row in rows}

    def frequency(self, word: str, *, is_open: bool = False) -> int:
        return sum(projects for projects, _ in self._of(word, is_open))

    def near(self, word: str, *, is_open: bool = False) -> set[str]:
        return set(one_letter_away(word)) - {word}

    def rarity(self, word: str, *, is_open: bool = False) -> float:
        having = sum(counted for _, counted in self._of(word, is_open))
        return rarity(max(self._counted, having), having)

    def _of(self, word: str, is_open: bool) -> list[tuple[int, int]]:
        if is_open:
            return [found for each, found in self._known.items() if each.startswith(word)]
        return [self._known.get(word, (0, 0))]


def listing_of(chance: random.Random, project_id: ProjectId | None = None) -> Listing:
    name = chance.choice(("-", "", "_")).join(chance.sample(WORDS, chance.randint(1, 3)))
    return Listing(
        id=project_id or ProjectId(new_id("prj")),
        name=name.title().replace("-", "") if chance.random() < 0.2 else name,
        title=name,
        summary=" ".join(chance.choices(WORDS, k=chance.randint(0, 6))),
        owner=f"author{chance.randint(1, 9)}",
        created_at=chance.randint(1, 10**6),
        updated_at=chance.randint(1, 50),
        description=" ".join(chance.choices(WORDS, k=chance.randint(0, 20))),
        technologies=tuple(chance.sample(TECHNOLOGIES, chance.randint(0, 3))),
        tags=tuple(chance.sample(TAGS, chance.randint(0, 4))),
        license=chance.choice(LICENSES),
        is_free=chance.random() < 0.8,
        is_featured=chance.random() < 0.2,
    )


def standing_of(chance: random.Random) -> Standing:
    return Standing(
        float(chance.choice((0, 0, 1, 7, 500))), float(chance.randint(0, 9)), chance.choice((1.0, 1.0, 0.5))
    )


def search_of(chance: random.Random) -> Search:
    text = " ".join(chance.sample(WORDS, chance.choice((0, 1, 1, 1, 2, 2, 3))))
    if text and chance.random() < 0.3:
        text = text[: chance.randint(1, len(text))].strip()
    if text and chance.random() < 0.2:
        text += " "
    filters = Filters(
        technologies=tuple(chance.sample(TECHNOLOGIES, chance.choice((0, 0, 1, 2)))),
        tags=tuple(chance.sample(TAGS, chance.choice((0, 0, 0, 1)))),
        license=chance.choice((None, None, "mit", "GPL-3.0-only")),
        price=chance.choice((PriceFilter.ALL, PriceFilter.ALL, PriceFilter.FREE, PriceFilter.PAID)),
        featured=chance.random() < 0.15,
    )
    return Search(text, filters, chance.choice(list(Order)), chance.randint(1, 30))


async def change(chance: random.Random, indexes: tuple[CatalogIndex, ...], known: list[ProjectId]) -> None:
    """The same change of all: some projects come, change, go, or stand otherwise with people."""
    new = [listing_of(chance) for _ in range(chance.randint(0, 5))]
    changed = [listing_of(chance, project_id) for project_id in chance.sample(known, min(3, len(known)))]
    gone = chance.sample(known, min(2, len(known)))
    stood = [(project_id, standing_of(chance)) for project_id in chance.sample(known, min(5, len(known)))]
    for index in indexes:
        await index.put([*new, *changed])
        await index.remove(gone)
        await index.stand(stood)
    known.extend(listing.id for listing in new)
    known[:] = [project_id for project_id in known if project_id not in gone]


async def all_pages(
    index: CatalogIndex, search: Search, meanwhile: Callable[[], Awaitable[None]] | None = None
) -> list[ProjectId]:
    seen: list[ProjectId] = []
    while hits := (await index.search(search)).hits:
        seen += [hit.id for hit in hits]
        search = replace(search, after=hits[-1].position)
        if meanwhile:
            await meanwhile()
    return seen


def same(one: Found, other: Found, search: Search) -> None:
    assert (one.total, one.facets, one.corrected) == (other.total, other.facets, other.corrected), search
    if search.order is Order.RELEVANCE and search.text:
        # Impacts are kept in a byte, so that what is nearly equal may come in another order.
        ours = [hit.position.key for hit in one.hits]
        theirs = [hit.position.key for hit in other.hits]
        assert ours == pytest.approx(theirs, rel=0.05), search
    else:
        assert [hit.id for hit in one.hits] == [hit.id for hit in other.hits], search


async def held_against_brute_force(
    seed: int, index: CatalogIndex, oracle: CatalogIndex, learn: Callable[[], Awaitable[None]], rounds: int
) -> None:
    """Args: learn: called after each change, so that the oracle understands what is typed as the index does."""
    chance = random.Random(seed)
    known: list[ProjectId] = []
    for _ in range(rounds):
        await change(chance, (index, oracle), known)
        if chance.random() < 0.1:
            await index.settle()
        assert await index.count() == await oracle.count() == len(known)
        await learn()
        for _ in range(4):
            search = search_of(chance)
            same(await index.search(search), await oracle.search(search), search)
        names = [joined(name) for name in (*chance.sample(WORDS, 4), "fast-api", "nothing", "")]
        assert await index.named(names, 1000) == await oracle.named(names, 1000)
        assert [each.popularity for each in await index.named(names, 3)] == [
            each.popularity for each in await oracle.named(names, 3)
        ]


def test_what_came_in_large_parts_is_one_part_after_settling_and_what_went_meanwhile_stays_gone(
    of_a_large_catalogue: None,
) -> None:
    del of_a_large_catalogue
    chance = random.Random(5)
    index, other = EmbeddedCatalog(), EmbeddedCatalog()
    parts = [[listing_of(chance) for _ in range(12)] for _ in range(6)]
    for part in parts:
        for each in (index, other):
            each.put(part)
            each.seal()
    put_in_place = index.settle()
    gone, late = [parts[0][0].id, parts[3][7].id], [listing_of(chance) for _ in range(3)]
    for each in (index, other):
        each.remove(gone)
        each.put(late)
        each.seal()
    assert len(index.content().segments) == len(other.content().segments) == 7
    put_in_place()
    assert [segment.count for segment in index.content().segments] == [72, 3]
    for _ in range(200):
        search = search_of(chance)
        assert index.search(search).total == other.search(search).total
        assert index.search(search).facets == other.search(search).facets
        assert {hit.id for hit in index.search(search).hits}.isdisjoint(gone)
    assert len(index) == 73


def test_an_index_that_could_not_be_brought_together_goes_on_merging_what_is_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(6)
    index = EmbeddedCatalog()

    def put(count: int) -> None:
        index.put([listing_of(chance) for _ in range(count)])
        index.seal()

    put(40)
    put(8)
    with monkeypatch.context() as patched, pytest.raises(MemoryError):
        patched.setattr("opencode.modules.marketplace.adapters.catalog.merging._keys", fail_for_want_of_memory)
        index.settle()
    put(8)
    assert [segment.count for segment in index.content().segments] == [56]


def fail_for_want_of_memory(*_: object) -> None:
    raise MemoryError


async def nothing_to_learn() -> None:
    pass


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("seed", range(6))
async def test_it_finds_counts_and_orders_as_brute_force_does_whatever_happened_before(
    seed: int, size: str, request: pytest.FixtureRequest
) -> None:
    if size == "large":
        request.getfixturevalue("of_a_large_catalogue")
    embedded = AtOnce(EmbeddedCatalog)
    assert isinstance(embedded.index, EmbeddedCatalog)
    oracle = AtOnce(partial(CatalogInMemory, told_by=embedded.index))
    await held_against_brute_force(seed, embedded, oracle, nothing_to_learn, rounds=60)


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("seed", range(3))
async def test_loaded_again_and_again_it_finds_counts_and_orders_as_brute_force_does(
    seed: int, size: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if size == "large":
        request.getfixturevalue("of_a_large_catalogue")
    embedded = Restarting(tmp_path)
    oracle = AtOnce(partial(CatalogInMemory, told_by=ToldBy(embedded)))
    chance = random.Random(seed)

    async def restart_now_and_then() -> None:
        if chance.random() < 0.2:
            await embedded.restart()

    await held_against_brute_force(seed, embedded, oracle, restart_now_and_then, rounds=40)


@pytest.mark.parametrize("seed", range(3))
async def test_in_postgres_it_finds_counts_and_orders_as_brute_force_does(
    seed: int, postgres_index: PostgresCatalog
) -> None:
    words = WordsOfPostgres(postgres_index)
    oracle = AtOnce(partial(CatalogInMemory, told_by=words))
    await held_against_brute_force(seed, postgres_index, oracle, words.read, rounds=40)


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("text", ["", "api", "fast tr"])
async def test_going_through_all_pages_shows_what_does_not_change_exactly_once(
    index: CatalogIndex, order: Order, text: str
) -> None:
    chance = random.Random(7)
    listings = [listing_of(chance) for _ in range(400)]
    await index.put(listings)
    await index.stand((listing.id, standing_of(chance)) for listing in listings)
    search = Search(text, order=order, limit=7)
    wanted = set(await all_pages(index, search))
    steady = {project_id for project_id in wanted if chance.random() < 0.7}
    moving = [listing.id for listing in listings if listing.id not in steady]
    seen = await all_pages(index, search, lambda: change(chance, (index,), moving))
    assert [project_id for project_id in seen if seen.count(project_id) > 1 and project_id in steady] == []
    assert steady <= set(seen)


async def test_a_name_is_found_however_its_parts_are_written_and_comes_first(index: CatalogIndex) -> None:
    chance = random.Random(1)
    await index.put(listing_of(chance) for _ in range(300))
    made = replace(listing_of(chance), name="Quick-Sort", title="Quick Sort")
    await index.put([made])
    for text in (
        "quick-sort",
        "QuickSort",
        "quicksort",
        "quick sort",
        "quick_sort",
        "QUICK sort",
        "quiksort",
        "quick srot",
    ):
        assert (await index.search(Search(text))).hits[0].id == made.id, text


async def test_a_score_is_the_product_of_its_parts(index: CatalogIndex) -> None:
    chance = random.Random(2)
    listings = [listing_of(chance) for _ in range(50)]
    await index.put(listings)
    await index.stand((listing.id, standing_of(chance)) for listing in listings)
    for hit in (await index.search(Search("json", limit=50))).hits:
        product = 1.0
        for _, part in hit.why:
            product *= part
        assert hit.position.key == pytest.approx(product, rel=1e-4)


async def test_a_replaced_project_keeps_its_standing_and_loses_its_old_words(index: CatalogIndex) -> None:
    before = replace(listing_of(random.Random(3)), name="oldest", title="oldest", summary="", description="")
    await index.put([before])
    await index.stand([(before.id, Standing(popularity=70.0))])
    await index.put([replace(before, name="newest", title="newest")])
    assert (await index.search(Search("oldest "))).total == 0
    [hit] = (await index.search(Search("newest", order=Order.POPULARITY))).hits
    assert hit.position.key == 70.0
    await index.remove([before.id])
    assert (await index.count(), (await index.search(Search())).total) == (0, 0)


async def test_an_empty_index_finds_nothing_and_says_so(index: CatalogIndex) -> None:
    for text in ("", "x", "two words"):
        for order in Order:
            found = await index.search(Search(text, order=order))
            assert (found.hits, found.total, found.facets.technologies) == ((), 0, ())


async def test_it_tells_what_it_has_of_each_project_in_the_order_of_their_ids(index: CatalogIndex) -> None:
    chance = random.Random(4)
    listings = [replace(listing_of(chance), standing=standing_of(chance)) for _ in range(60)]
    await index.put(listings)
    await index.put([replace(listings[0], title="Another")])
    await index.remove([listings[1].id])
    ids = sorted(listing.id for listing in listings if listing is not listings[1])
    walked: list[ProjectId] = []
    while some := await index.ids_between(walked[-1] if walked else "", "", 7):
        walked += some
    assert walked == ids
    assert await index.ids_between(ids[3], ids[9], 100) == ids[4:10]
    assert await index.ids_between(ids[3], ids[9], 2) == ids[4:6]
    known = {each.id: each for each in await index.known(listing.id for listing in listings)}
    assert sorted(known) == ids
    for listing in listings[2:]:
        assert known[listing.id].digest == digest_of(listing)
        assert known[listing.id].standing == listing.standing
    assert known[listings[0].id].digest != digest_of(listings[0])


async def test_a_successor_is_filled_beside_the_index_and_takes_its_place(index: CatalogIndex) -> None:
    chance = random.Random(5)
    old, new = listing_of(chance), listing_of(chance)
    await index.put([old])
    successor = await index.successor()
    await successor.put([new])
    assert [hit.id for hit in (await index.search(Search())).hits if hit.id == new.id] == []
    await successor.seal()
    await successor.settle()
    assert [hit.id for hit in (await successor.search(Search())).hits] == [new.id]
