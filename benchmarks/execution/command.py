"""`python -m benchmarks execution`: run the plan, print each figure, keep the results."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import uvloop

from benchmarks.collaboration.machine import describe
from benchmarks.collaboration.report import RESULTS
from benchmarks.collaboration.statistics import Figures
from benchmarks.execution.measures import Server, plan


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
        _keep(found)
    return 1 if failed else 0


async def _measure(names: Sequence[str], *, quick: bool) -> tuple[dict[str, Figures], bool]:
    chosen = {name: one for name, one in plan(quick=quick).items() if name in names}
    found: dict[str, Figures] = {}
    for name, (title, measure) in chosen.items():
        server = Server()
        try:
            found[name] = await measure(server)
            print(f"{name}: {title}\n  {_told(found[name])}", flush=True)
        except Exception as failure:  # the others are still measured
            print(f"{name}: failed: {type(failure).__name__}: {failure}", file=sys.stderr, flush=True)
        finally:
            await server.close()
    return found, len(found) < len(chosen)


def _told(figures: Figures) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in figures.items())


def _keep(found: dict[str, Figures]) -> None:
    """Append this run to the files of its day."""
    at = datetime.now(UTC)
    titles = plan(quick=False)
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in describe().items() if name != "pinning")
    lines = [f"\n## {at:%Y-%m-%d %H:%M} UTC", "", facts, "", "| | measured |", "| --- | --- |"]
    lines += [f"| {name}: {titles[name][0]} | {_told(figures)} |" for name, figures in found.items()]
    page = RESULTS / f"{at:%Y-%m-%d}-execution.md"
    text = page.read_text() if page.exists() else "# Running programs, measured\n\nThe method: ../README.md.\n"
    page.write_text(text + "\n".join(lines) + "\n")
    data = page.with_suffix(".json")
    earlier: list[object] = json.loads(data.read_text()) if data.exists() else []
    data.write_text(json.dumps([*earlier, {"at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "figures": found}], indent=1) + "\n")
    print(f"Kept in {page.name}")
