"""Each measure is given a filled index and returns its figures. All of it is in one process, without HTTP."""

import gc
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.collaboration.statistics import Figures, percentile
from benchmarks.marketplace.catalogue import SEED, catalogue
from benchmarks.marketplace.peer import SqliteCatalog
from benchmarks.marketplace.peer_postgres import peers
from benchmarks.marketplace.queries import labels_of, mixed, with_mistake
from opencode.modules.marketplace.adapters.catalog import EmbeddedCatalog
from opencode.modules.marketplace.domain.catalog import FACET_VALUES, Facets, Listing, Order, Search
from opencode.modules.marketplace.domain.words import joined

_PAGE = 20
_FAR = 10_000
_FAR_TURNS = 400


@dataclass(frozen=True)
class Shop:
    """A filled index, and the listings in it."""

    listings: list[Listing]
    index: EmbeddedCatalog
    built_s: float
    grown_mb: float


def open_shop(size: int) -> Shop:
    listings = [replace(listing, standing=standing) for listing, standing in catalogue(size)]
    before = _resident_mb()
    began = time.perf_counter()
    index = EmbeddedCatalog()
    index.put(listings)
    index.seal()
    index.settle()
    # As in a server, what is there now stays: a collection that looks at a million listings would be measured, too.
    gc.collect()
    gc.freeze()
    return Shop(listings, index, time.perf_counter() - began, _resident_mb() - before)


def build(shop: Shop) -> Figures:
    return {"projects": len(shop.index), "seconds": shop.built_s, "memory_mb": shop.grown_mb}


def load(shop: Shop, times: int) -> Figures:
    """The mixed load, one request after the other."""
    chance = random.Random(SEED)
    searches = [mixed(chance, shop.listings) for _ in range(times)]
    durations: list[float] = []
    processor_s = 0.0
    for search in searches:
        began = time.thread_time()
        durations.append(_timed(partial(shop.index.search, search)))
        processor_s += time.thread_time() - began
    return {**_spread(durations), "per_s": times / sum(durations), "processor_mean_ms": 1e3 * processor_s / times}


def beside_sqlite(shop: Shop, times: int) -> Figures:
    """The mixed load without mistakes, by turns with SQLite's full text on the same data."""
    peer = SqliteCatalog()
    peer.put(shop.listings)
    chance = random.Random(SEED + 1)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(times):
        search = mixed(chance, shop.listings)
        theirs.append(_timed(partial(peer.search, search)))
        ours.append(_timed(partial(shop.index.search, search)))
    return {
        "ours_p50_ms": percentile(ours, 50) * 1e3,
        "sqlite_p50_ms": percentile(theirs, 50) * 1e3,
        "ours_p95_ms": percentile(ours, 95) * 1e3,
        "sqlite_p95_ms": percentile(theirs, 95) * 1e3,
        "times_the_throughput": sum(theirs) / sum(ours),
    }


def beside_postgres(shop: Shop, times: int) -> Figures:
    """The mixed load without mistakes, by turns with PostgreSQL's full text, and with our index in PostgreSQL."""
    with peers() as (peer, in_postgres):
        peer.put(shop.listings)
        began = time.perf_counter()
        in_postgres.put(shop.listings)
        built_s = time.perf_counter() - began
        chance = random.Random(SEED + 1)
        ours: list[float] = []
        theirs: list[float] = []
        inside: list[float] = []
        for _ in range(times):
            search = mixed(chance, shop.listings)
            theirs.append(_timed(partial(peer.search, search)))
            inside.append(_timed(partial(in_postgres.search, search)))
            ours.append(_timed(partial(shop.index.search, search)))
    return {
        "ours_p50_ms": percentile(ours, 50) * 1e3,
        "postgres_p50_ms": percentile(theirs, 50) * 1e3,
        "ours_in_postgres_p50_ms": percentile(inside, 50) * 1e3,
        "ours_p95_ms": percentile(ours, 95) * 1e3,
        "postgres_p95_ms": percentile(theirs, 95) * 1e3,
        "ours_in_postgres_p95_ms": percentile(inside, 95) * 1e3,
        "ours_in_postgres_built_s": built_s,
        "times_the_throughput": sum(theirs) / sum(ours),
    }


def names(shop: Shop, times: int) -> Figures:
    """How often a name is first, and how often it is among the first five when it has a mistake."""
    chance = random.Random(SEED + 2)
    by_id = {listing.id: joined(listing.name) for listing in shop.listings}
    sampled = [listing.name for listing in chance.sample(shop.listings, min(times, len(shop.listings)))]
    first = found = 0
    durations: list[float] = []
    for name in sampled:
        hits = shop.index.search(Search(name, limit=5)).hits
        first += bool(hits) and by_id[hits[0].id] == joined(name)
        typed = with_mistake(chance, name)
        began = time.perf_counter()
        hits = shop.index.search(Search(typed, limit=5)).hits
        durations.append(time.perf_counter() - began)
        found += any(by_id[hit.id] == joined(name) for hit in hits) or joined(typed) == joined(name)
    return {
        "exact_first_percent": 100 * first / len(sampled),
        "mistake_in_five_percent": 100 * found / len(sampled),
        **{f"mistake_{name}": value for name, value in _spread(durations).items()},
    }


def facets(shop: Shop, times: int) -> Figures:
    """Random filters; every count is held against plain Python sets."""
    sets = _sets(shop.listings)
    chance = random.Random(SEED + 3)
    wrong = 0
    for _ in range(times):
        search = replace(mixed(chance, shop.listings), text="")
        found = shop.index.search(search)
        wanted = _matching(search, sets, len(shop.listings))
        wrong += found.total != wanted.bit_count() or not _counts_right(found.facets, wanted, sets)
    return {"requests": times, "wrong": wrong}


def far(shop: Shop) -> Figures:
    """The first page and the ten-thousandth, of each order."""
    found: Figures = {}
    for order in Order:
        first = Search(order=order, limit=_PAGE)
        search = replace(first, limit=_PAGE * _FAR if len(shop.index) > _PAGE * _FAR else len(shop.index) // 2)
        last = shop.index.search(search).hits[-1].position
        beyond = replace(first, after=last)
        # By turns: a machine that others use, too, is not equally fast from one moment to the next.
        turns = [[_timed(partial(shop.index.search, each)) for each in (first, beyond)] for _ in range(_FAR_TURNS)]
        at_first, at_far = (percentile(list(each), 50) for each in zip(*turns, strict=True))
        found[f"{order.value}_times"] = at_far / at_first
    return found


def _sets(listings: list[Listing]) -> dict[tuple[str, str], int]:
    """For each value of a facet the projects that have it, as the bits of a number."""
    having: dict[tuple[str, str], bytearray] = {}
    size = len(listings) // 8 + 1
    for number, listing in enumerate(listings):
        values = [("technologies", value) for value in listing.technologies] + [("tags", tag) for tag in listing.tags]
        values += [("license", listing.license), ("price", "free" if listing.is_free else "paid")]
        for value in values:
            having.setdefault(value, bytearray(size))[number >> 3] |= 1 << (number & 7)
    return {value: int.from_bytes(bits, "little") for value, bits in having.items()}


def _matching(search: Search, sets: dict[tuple[str, str], int], count: int) -> int:
    matching = (1 << count) - 1
    for value in labels_of(search):
        matching &= sets[value]
    return matching


def _counts_right(found: Facets, matching: int, sets: dict[tuple[str, str], int]) -> bool:
    counts = Counter({value: (bits & matching).bit_count() for value, bits in sets.items()})
    for facet in Facets.__struct_fields__:
        shown = [(each.value, each.count) for each in getattr(found, facet)]
        right = sorted((count for (name, _), count in counts.items() if name == facet and count), reverse=True)
        if [count for _, count in shown] != right[: len(shown)] or len(shown) != min(len(right), FACET_VALUES):
            return False
        if any(counts[facet, value] != count for value, count in shown):
            return False
    return True


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _spread(durations: list[float]) -> Figures:
    return {f"p{percent}_ms": percentile(durations, percent) * 1e3 for percent in (50, 95, 99)}


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
