"""`python -m benchmarks ai`: measure the meter, print the figures, keep them."""

import argparse
from collections.abc import Sequence

import uvloop

from benchmarks.ai.metering import pairs
from benchmarks.keeping import keep, told

TITLE = "calls that are reserved, settled and written, on one core"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks ai", description="Measure the AI gateway's parts.")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing kept: does it still work?")
    parser.add_argument("--no-keep", action="store_true", help="print only; do not add to benchmarks/results")
    given = parser.parse_args(arguments)
    figures = uvloop.run(pairs(500 if given.quick else 50_000))
    print(f"metering: {TITLE}\n  {told(figures)}", flush=True)
    if not (given.quick or given.no_keep):
        keep("ai", "The AI gateway, measured", {"metering": TITLE}, {"metering": figures})
    return 0
