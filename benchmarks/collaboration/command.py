"""`python -m benchmarks`: run the plan, print the tables, keep the results."""

import argparse
import asyncio
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import uvloop

from benchmarks.collaboration.contenders import Contender
from benchmarks.collaboration.machine import describe
from benchmarks.collaboration.plan import ALL, Scenario, scenarios
from benchmarks.collaboration.processes import LOAD_CORE
from benchmarks.collaboration.report import Report
from benchmarks.installing import NotInstalled

FILES_WANTED = 16_384  # two sockets for each of 1,000 interviews, on both sides, with room to spare
MEASURE_LIMIT_S = 900.0


@dataclass(frozen=True)
class Options:
    quick: bool
    only: Sequence[str]
    rounds: int
    warm_up_s: float
    measured_s: float
    keep: bool

    def wants(self, name: str, among: Sequence[str]) -> bool:
        """`--only` narrows the scenarios when it names any of them, and the contenders likewise."""
        named = [one for one in self.only if one in among]
        return not named or name in named


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 when all was measured, 1 when something failed, 130 when interrupted."""
    options = _parse(arguments)
    _raise_limit_of_files()
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_run(options))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("interrupted; nothing was kept", file=sys.stderr)
        return 130


async def _run(options: Options) -> int:
    _cancel_on_signals()
    plan = scenarios(quick=options.quick, warm_up_s=options.warm_up_s, measured_s=options.measured_s)
    names = [scenario.name for scenario in plan]
    report = Report(
        describe(),
        {
            "rounds": options.rounds,
            "warm_up_s": options.warm_up_s,
            "measured_s": options.measured_s,
            "quick": options.quick,
        },
    )
    present = await _prepared(options, report)
    for scenario in plan:
        if options.wants(scenario.name, names):
            await _measure(scenario, present, options, report)
            print(f"\n{report.table(scenario)}\n", flush=True)
    if options.keep:
        print(f"Kept in {os.path.relpath(report.write(plan))}")
    return 1 if report.failed else 0


def _cancel_on_signals() -> None:
    """Ctrl-C and `kill` unwind the measurement, which ends the servers."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def _prepared(options: Options, report: Report) -> list[type[Contender]]:
    """The contenders that can be measured here; the others are noted."""
    present: list[type[Contender]] = []
    for kind in ALL:
        if not options.wants(kind.name, [one.name for one in ALL]):
            continue
        try:
            await kind().prepare()
        except NotInstalled as reason:
            report.notes.append(f"Not measured: {kind.name} ({reason}).")
            print(report.notes[-1], file=sys.stderr)
        else:
            present.append(kind)
    return present


async def _measure(scenario: Scenario, present: Sequence[type[Contender]], options: Options, report: Report) -> None:
    for number, kind in _turns(scenario, present, options.rounds):
        outcome = report.outcome(scenario.name, kind.name)
        if outcome.failure:
            continue
        print(f"{scenario.name}: {kind.name}, round {number}", file=sys.stderr, flush=True)
        contender = kind()
        try:
            async with asyncio.timeout(MEASURE_LIMIT_S):
                outcome.rounds.append(await scenario.measure.measure(contender))
        except Exception as failure:  # one contender's failure is a result; the others are still measured
            outcome.failure = _explained(failure, contender)
            print(f"  failed: {outcome.failure}", file=sys.stderr)
        finally:
            await contender.close()


def _explained(failure: Exception, contender: Contender) -> str:
    """What went wrong, and the server's own words when it is no longer there."""
    told = f"{type(failure).__name__}: {failure}"
    if contender.server is not None and contender.server.process.poll() is not None:
        told += f"; the server has ended with status {contender.server.process.returncode}"
    if contender.server is not None and (words := contender.server.last_words()):
        print(f"  the server's last words: {words}", file=sys.stderr)
    return told.replace("\n", " ")[:300]


def _turns(
    scenario: Scenario, present: Sequence[type[Contender]], rounds: int
) -> Iterator[tuple[int, type[Contender]]]:
    """The main contenders take turns (ours, peer, ours, peer …); the others follow once."""
    for number in range(1, (scenario.rounds or rounds) + 1):
        yield from ((number, kind) for kind in scenario.contenders if kind in present)
    yield from ((1, kind) for kind in scenario.once if kind in present)


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure shared editing beside peers.")
    parser.add_argument("--quick", action="store_true", help="a minute to see that all works; the sizes are small")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        choices=_names(),
        help=f"a scenario or a contender, may be repeated: {', '.join(_names())}",
    )
    parser.add_argument("--rounds", type=int, help="alternating rounds, of which the median counts (3; quick: 1)")
    parser.add_argument("--warm-up", type=float, metavar="S", help="seconds of typing before measuring (3; quick: 1)")
    parser.add_argument("--seconds", type=float, metavar="S", help="seconds of measured typing (12; quick: 3)")
    parser.add_argument("--no-keep", action="store_true", help="print only; do not add to benchmarks/results")
    given = parser.parse_args(arguments)
    rounds, warm_up_s, measured_s = (1, 1.0, 3.0) if given.quick else (3, 3.0, 12.0)
    return Options(
        quick=given.quick,
        only=given.only,
        rounds=given.rounds or rounds,
        warm_up_s=given.warm_up or warm_up_s,
        measured_s=given.seconds or measured_s,
        keep=not (given.no_keep or given.quick),
    )


def _names() -> list[str]:
    plan = scenarios(quick=True, warm_up_s=1, measured_s=1)
    return [scenario.name for scenario in plan] + [kind.name for kind in ALL]


def _raise_limit_of_files() -> None:
    """For us and for the servers, which inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_WANTED:
        wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
