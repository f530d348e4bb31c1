"""`python -m benchmarks execution`: run the plan, print each figure, keep the results."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import uvloop

from benchmarks.collaboration.statistics import Figures
from benchmarks.execution.measures import Server, plan
from benchmarks.keeping import keep, told


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 when all was measured, 1 when something failed."""
    names = list(plan(quick=True))
    parser = argparse.ArgumentParser(prog="python -m benchmarks execution", description="Measure running programs.")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing kept: does it still work?")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", choices=names, help=", ".join(names))
    parser.add_argument("--no-keep", action="store_true", help="print only; do not add to benchmarks/results")
    given = parser.parse_args(arguments)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found, failed = runner.run(_measure(given.only or names, quick=given.quick))
    if found and not (given.quick or given.no_keep):
        titles = {name: title for name, (title, _) in plan(quick=False).items()}
        keep("execution", "Running programs, measured", titles, found)
    return 1 if failed else 0


async def _measure(names: Sequence[str], *, quick: bool) -> tuple[dict[str, Figures], bool]:
    chosen = {name: one for name, one in plan(quick=quick).items() if name in names}
    found: dict[str, Figures] = {}
    for name, (title, measure) in chosen.items():
        server = Server()
        try:
            found[name] = await measure(server)
            print(f"{name}: {title}\n  {told(found[name])}", flush=True)
        except Exception as failure:  # the others are still measured
            print(f"{name}: failed: {type(failure).__name__}: {failure}", file=sys.stderr, flush=True)
        finally:
            await server.close()
    return found, len(found) < len(chosen)
