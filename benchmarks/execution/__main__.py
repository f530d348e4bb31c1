"""
`python -m benchmarks.execution`: hello in each language, from its source to its result, by turns with the bare tools.

Every source is new, so that what was compiled before does not count. Between two runs there is time to make what the
next one finds ready, as there is between two presses of a button.
"""

import argparse
import asyncio
import resource
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from opencode.contracts.execution import Compiled, Finished, RunRequest, SourceFile, Verdict
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.service.runner import Runs

BARE = {
    "python": "python3 main.py",
    "javascript": "{node} main.js",
    "typescript": "{node} --experimental-transform-types main.ts",
    "c": "gcc -std=gnu17 -O1 -Wall -o program main.c && ./program",
    "cpp": "g++ -std=gnu++20 -O1 -Wall -o program main.cpp && ./program",
    "java": "javac -d classes Main.java && java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp classes Main",
}


@dataclass
class Times:
    """Milliseconds of one way to run a hello: until its end, and of processor time."""

    wall: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])

    def __str__(self) -> str:
        return f"{statistics.median(self.wall):.0f} | {min(self.wall):.0f} | {statistics.median(self.cpu):.0f}"


async def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.execution", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", action="append", choices=BARE, help="a language; may be given several times")
    wanted = parser.parse_args()
    runs = Runs()
    await runs.probe()
    await runs.prepare()
    node = await _node(runs)
    print(
        "| hello | bare: p50 ms | least | processor | ours: p50 ms | least | processor |\n|---|---|---|---|---|---|---|"
    )
    for language in wanted.only or BARE:
        bare, ours = Times(), Times()
        await _ours(runs, language, -1)  # the first asks for what the others find
        for number in range(wanted.rounds):
            await _bare(BARE[language].format(node=node), _source(language, number), bare)
            await _ours(runs, language, number, ours)
        print(f"| {language} | {bare} | {ours} |")
    await runs.close()


def _source(language: str, number: int) -> SourceFile:
    runtime = next(one for one in toolchains.load() if one.id == language)
    return SourceFile(runtime.file_name, runtime.hello.replace("Hello", f"Hello {number} {time.time_ns()}").encode())


async def _ours(runs: Runs, language: str, number: int, times: Times | None = None) -> None:
    await runs.settle()
    runs.expect(language)
    await runs.settle()
    cpu_ms = 0
    began = time.perf_counter()
    async for event in runs.run(RunRequest(f"run_{time.time_ns()}", language, (_source(language, number),))):
        if isinstance(event, Compiled | Finished):
            cpu_ms += event.cpu_time_ms
        if isinstance(event, Finished) and event.verdict is not Verdict.OK:
            raise SystemExit(f"{language}: {event.message}")
    if times:
        times.wall.append((time.perf_counter() - began) * 1000)
        times.cpu.append(cpu_ms)


async def _bare(command: str, source: SourceFile, times: Times) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, source.name).write_bytes(source.content)
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        await asyncio.to_thread(subprocess.run, command, shell=True, cwd=folder, check=True, capture_output=True)
        times.wall.append((time.perf_counter() - began) * 1000)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    times.cpu.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)


async def _node(runs: Runs) -> str:
    """Where the one that runs use stands on this machine."""
    runtime = next(one for one in runs.runtimes if one.id == "javascript")
    found = await toolchains.find(runtime, runs.settings.toolchain_folders)
    if not isinstance(found, toolchains.Found):
        raise SystemExit(found.reason)
    place = found.places["node"]
    for outside, inside in found.surroundings.binds:
        place = place.replace(f"{inside}/", f"{outside}/", 1) if place.startswith(f"{inside}/") else place
    return place


if __name__ == "__main__":
    asyncio.run(main())
