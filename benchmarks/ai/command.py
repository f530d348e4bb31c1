"""`python -m benchmarks ai`: measure the gateway beside its peers, and its parts; print the figures, keep them."""

import argparse
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from benchmarks.ai.configuring import loading, reloads
from benchmarks.ai.contenders import KINDS, Gateway, OpenCode
from benchmarks.ai.gateway import FULL, QUICK, Sizes, calls, kept, provider, resting, streams
from benchmarks.ai.metering import pairs
from benchmarks.collaboration.processes import LOAD_CORE
from benchmarks.collaboration.statistics import Figures, medians
from benchmarks.keeping import keep, told

ROUNDS = 3
OURS = OpenCode.name
RATIOS = "ratios"
BESIDE_PEERS = {
    "calls": "one call after the other, and sixteen at once",
    "streams": "a word each 20 ms in many streams at once",
}
ALONE = {
    "configuration": "500 models: load, merge, fill in, check",
    "cache": "answers that the cache has, one after the other",
    "reloads": "new configurations under load",
    "metering": "calls that are reserved, settled and written, on one core",
}
_MORE_IS_BETTER = ("calls_per_s",)
_COMPARED = ("calls_per_s", "cpu_us_per_call", "added_p50_ms", "added_p99_ms", "start_s", "at_rest_mb")


@dataclass(slots=True)
class Found:
    """Figures by what was measured, with their titles, and whether anything failed."""

    figures: dict[str, Figures] = field(default_factory=dict[str, Figures])
    titles: dict[str, str] = field(default_factory=dict[str, str])
    failed: bool = False

    def add(self, name: str, title: str, figures: Figures) -> None:
        self.figures[name], self.titles[name] = figures, title
        print(f"{name}: {title}\n  {told(figures)}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 when all was measured, 1 when something failed."""
    names = [*BESIDE_PEERS, *ALONE, *KINDS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks ai", description="Measure the AI gateway.")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing kept: does it still work?")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", choices=names, help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each gateway, by turns; %(default)s by default")
    parser.add_argument("--no-keep", action="store_true", help="print only; do not add to benchmarks/results")
    given = parser.parse_args(arguments)
    parts, kinds = (_named(given.only, among) for among in ((*BESIDE_PEERS, *ALONE), KINDS))
    found = Found()
    if any(part in BESIDE_PEERS for part in parts):
        uvloop.run(_beside_peers(found, parts, kinds, 1 if given.quick else given.rounds, quick=given.quick))
    if OURS in kinds:
        uvloop.run(_alone(found, parts, quick=given.quick))
    if found.figures and not (given.quick or given.no_keep):
        keep("ai", "The AI gateway, measured", found.titles, found.figures)
    return 1 if found.failed else 0


def _named(only: Sequence[str], among: Iterable[str]) -> list[str]:
    """`--only` narrows the parts when it names any of them, and the gateways likewise."""
    all_of_them = list(among)
    return [name for name in all_of_them if name in only] or all_of_them


async def _beside_peers(found: Found, parts: list[str], kinds: list[str], rounds: int, *, quick: bool) -> None:
    """Each round is a fresh server of each, by turns."""
    os.sched_setaffinity(0, {LOAD_CORE})
    turns: dict[str, list[Figures]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as folder:
        async with provider(Path(folder)) as provider_port:
            for number in range(rounds):
                for name in list(turns):
                    print(f"{name}, round {number + 1}", file=sys.stderr, flush=True)
                    try:
                        turns[name].append(await _turn(name, parts, provider_port, quick=quick))
                    except Exception as failure:  # the others are still measured
                        print(f"{name}: failed: {type(failure).__name__}: {failure}", file=sys.stderr, flush=True)
                        found.failed = True
                        del turns[name]
    middle = {name: medians(figures) for name, figures in turns.items() if figures}
    if OURS in middle and len(middle) > 1:
        ratios = dict(_ratios(middle.pop(OURS), middle))
        found.add(RATIOS, "how many times better ours is", ratios)
    for name, figures in turns.items():
        found.add(name, " · ".join(BESIDE_PEERS[part] for part in parts if part in BESIDE_PEERS), medians(figures))


async def _turn(name: str, parts: list[str], provider_port: int, *, quick: bool) -> Figures:
    sizes = QUICK if quick else FULL
    gateway = KINDS[name](provider_port)
    await gateway.prepare()
    try:
        figures = await resting(gateway)
        if "calls" in parts:
            figures |= await calls(gateway, provider_port, sizes)
        if "streams" in parts and gateway.can_stream:
            figures |= await _streams(gateway, provider_port, sizes, is_ours=name == OURS)
    except Exception:
        if gateway.server is not None:
            print(f"  the server's last words: {gateway.server.last_words()}", file=sys.stderr)
        raise
    finally:
        await gateway.close()
    return figures


async def _streams(gateway: Gateway, provider_port: int, sizes: Sizes, *, is_ours: bool) -> Figures:
    if not is_ours:
        return await streams(gateway, provider_port, sizes.streams_of_peers)
    half = await streams(gateway, provider_port, sizes.streams // 2)
    whole = await streams(gateway, provider_port, sizes.streams)
    return {**{f"half_{name}": value for name, value in half.items()}, **whole}


def _ratios(ours: Figures, peers: dict[str, Figures]) -> Iterator[tuple[str, float]]:
    for name, theirs in peers.items():
        for figure in _COMPARED:
            if figure in ours and figure in theirs:
                ratio = ours[figure] / theirs[figure]
                yield f"{figure}_{name}", ratio if figure in _MORE_IS_BETTER else 1 / ratio


@asynccontextmanager
async def _served(folder: Path, *, keeps_answers: bool = False) -> AsyncGenerator[OpenCode]:
    async with provider(folder) as provider_port:
        server = OpenCode(provider_port, keeps_answers=keeps_answers)
        try:
            await server.start()
            yield server
        finally:
            await server.close()


async def _alone(found: Found, parts: list[str], *, quick: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if "configuration" in parts:
            found.add("configuration", ALONE["configuration"], loading(Path(folder), 5 if quick else 100))
        if "cache" in parts:
            async with _served(Path(folder), keeps_answers=True) as server:
                found.add("cache", ALONE["cache"], await kept(server, 100 if quick else 5_000))
        if "reloads" in parts:
            async with _served(Path(folder)) as server:
                found.add("reloads", ALONE["reloads"], await reloads(server, 3 if quick else 200))
    if "metering" in parts:
        found.add("metering", ALONE["metering"], await pairs(500 if quick else 50_000))
