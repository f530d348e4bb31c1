"""`python -m benchmarks marketplace`: fill an index and a server, ask them, print each figure, keep the results."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.collaboration.statistics import Figures
from benchmarks.keeping import keep, told
from benchmarks.marketplace import measures
from benchmarks.marketplace.kept import Kept
from benchmarks.marketplace.measures import Shop
from benchmarks.marketplace.served import Served, hot, searching, visible

_FULL, _QUICK = 1_000_000, 20_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0."""
    names = list(_plan(quick=True, data=None))
    parser = argparse.ArgumentParser(prog="python -m benchmarks marketplace", description="Measure finding projects.")
    parser.add_argument("--quick", action="store_true", help="20,000 projects, nothing kept: does it still work?")
    parser.add_argument("--size", type=int, help="so many projects; a million by default")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", choices=names, help=", ".join(names))
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="keep the filled data folder of `served` in it, and use it again when it has the same catalogue",
    )
    parser.add_argument("--no-keep", action="store_true", help="print only; do not add to benchmarks/results")
    given = parser.parse_args(arguments)
    shop = measures.open_shop(given.size or (_QUICK if given.quick else _FULL))
    plan = _plan(quick=given.quick, data=given.data)
    found: dict[str, Figures] = {}
    for name in given.only or names:
        title, measure = plan[name]
        found[name] = measure(shop)
        print(f"{name}: {title}\n  {told(found[name])}", flush=True)
    if not (given.quick or given.no_keep):
        keep("marketplace", "Finding projects, measured", {name: title for name, (title, _) in plan.items()}, found)
    return 0


def _plan(*, quick: bool, data: Path | None) -> dict[str, tuple[str, Callable[[Shop], Figures]]]:
    """Name -> (title, how)."""
    few, many = (30, 200) if quick else (40, 5000)
    return {
        "build": ("an index from nothing", measures.build),
        "load": ("mixed requests, one after the other", lambda shop: measures.load(shop, many)),
        "names": ("names as they are, and with one mistake", lambda shop: measures.names(shop, many)),
        "facets": ("counts against plain sets", lambda shop: measures.facets(shop, 20 if quick else 2000)),
        "far": ("page 10,000 against page 1", measures.far),
        "served": (
            "over HTTP: filling, searching, one hot project, until a publication and a start are seen",
            lambda shop: asyncio.run(_served(shop, data, seconds=3 if quick else 30)),
        ),
        "sqlite": ("by turns with SQLite FTS5 and GROUP BY", lambda shop: measures.beside_sqlite(shop, few)),
        "postgres": ("by turns with PostgreSQL FTS and GROUP BY", lambda shop: measures.beside_postgres(shop, few)),
    }


async def _served(shop: Shop, data: Path | None, seconds: float) -> Figures:
    server = Served(Kept(data, shop.listings) if data else None)
    try:
        filled_s = await server.open(shop.listings)
        parts = {
            "search": await searching(server, shop.listings, seconds),
            "hot": await hot(server, seconds),
            "visible": await visible(server, int(seconds * 10)),
        }
        searchable_s = await server.restart()
        await server.tidy()
    finally:
        await server.close()
    found = {f"{part}_{name}": value for part, figures in parts.items() for name, value in figures.items()}
    filled = {} if filled_s is None else {"filled_s": filled_s}
    return {**filled, "searchable_after_a_start_s": searchable_s, **found}
