"""Each measure starts from a running server and returns its figures."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from websockets.asyncio.client import connect

from benchmarks.collaboration.editing import Editing
from benchmarks.collaboration.ours import Ours
from benchmarks.collaboration.processes import HOST, ServerProcess
from benchmarks.collaboration.statistics import Figures, percentile
from benchmarks.execution.programs import HELLO, LANGUAGES, Folder, Program, system_python, timed_bare
from benchmarks.execution.wire import Connection, connected, encoded

EXECUTE = "/api/v2/execute"
OPEN = {"OCP_PISTON_OPEN": "1", "OCP_PISTON_OPEN_RUNS_PER_MINUTE": "0"}
TYPED_PAUSE_S = 1.5  # between runs of people, in which the next sandbox is made


class Server(Ours):
    """Ours with Piston's API open to everybody; not pinned, since the programs need the cores."""

    def __init__(self, **environment: str) -> None:
        super().__init__()
        self.environment = environment
        self.ready = asyncio.Event()

    def command(self) -> tuple[list[str | Path], dict[str, str]]:
        command, environment = super().command()
        return [*command], {**environment, **OPEN, **self.environment}

    async def start(self, *, pinned: bool = False) -> float:
        seconds = await super().start(pinned=pinned)
        self.ready.set()
        return seconds


def execute(language: str, source: str, file: str | None = None) -> bytes:
    name = {"name": file} if file else {}
    return encoded("POST", EXECUTE, {"language": language, "version": "*", "files": [{**name, "content": source}]})


def good(answer: dict[str, object]) -> None:
    run = answer["run"]
    if not isinstance(run, dict) or run.get("code") != 0:
        raise RuntimeError(f"a run failed: {answer}")


async def timed(connection: Connection, request: bytes) -> float:
    began = time.perf_counter()
    good(await connection.ask(request))
    return time.perf_counter() - began


@dataclass(frozen=True)
class Hello:
    """One client, one Python hello after the other; in turn with the same program started by itself."""

    times: int

    async def measure(self, server: Server) -> Figures:
        await server.start()
        folder = Folder("hello.py", HELLO)
        request = execute("python", HELLO)
        ours: list[float] = []
        bare: list[float] = []
        async with connected(server.port) as connection:
            for _ in range(20):
                await timed(connection, request)
            for _ in range(self.times):
                bare.append(await timed_bare([system_python(), "hello.py"], folder.path))
                ours.append(await timed(connection, request))
        folder.close()
        return {
            "p50_ms": percentile(ours, 50) * 1e3,
            "p99_ms": percentile(ours, 99) * 1e3,
            "bare_p50_ms": percentile(bare, 50) * 1e3,
            "ratio": percentile(ours, 50) / percentile(bare, 50),
        }


@dataclass(frozen=True)
class Rush:
    """Eight clients who run again as soon as they have an answer."""

    clients: int
    seconds: float

    async def measure(self, server: Server) -> Figures:
        await server.start()
        request = execute("python", HELLO)
        await self._rush(server.port, request, 2.0)
        durations = await self._rush(server.port, request, self.seconds)
        folder = Folder("hello.py", HELLO)
        bare = [await timed_bare([system_python(), "hello.py"], folder.path) for _ in range(50)]
        folder.close()
        rate = len(durations) / self.seconds
        return {
            "runs_per_s": rate,
            "p50_ms": percentile(durations, 50) * 1e3,
            "p99_ms": percentile(durations, 99) * 1e3,
            "bare_p50_ms": percentile(bare, 50) * 1e3,
            "runs_per_bare_time": rate * percentile(bare, 50),
        }

    async def _rush(self, port: int, request: bytes, seconds: float) -> list[float]:
        end = time.perf_counter() + seconds
        durations: list[float] = []

        async def client() -> None:
            async with connected(port) as connection:
                while time.perf_counter() < end:
                    durations.append(await timed(connection, request))

        await asyncio.gather(*(client() for _ in range(self.clients)))
        return durations


@dataclass(frozen=True)
class Language:
    """Sources that were never seen, at the pace of a person, in turn with the tools by themselves."""

    program: Program
    times: int

    async def measure(self, server: Server) -> Figures:
        await server.start()
        ours: list[float] = []
        bare: list[float] = []
        async with connected(server.port) as connection:
            for number in range(self.times + 2):
                source = self.program.numbered(number)
                folder = Folder(self.program.file, source)
                bare.append(await timed_bare(["sh", "-c", self.program.bare], folder.path))
                folder.close()
                await asyncio.sleep(TYPED_PAUSE_S)
                ours.append(await timed(connection, execute(self.program.language, source, self.program.file)))
                await asyncio.sleep(TYPED_PAUSE_S)
        # The first two find the server cold.
        return {
            "p50_ms": median(ours[2:]) * 1e3,
            "worst_ms": max(ours[2:]) * 1e3,
            "first_ms": ours[0] * 1e3,
            "bare_p50_ms": median(bare[2:]) * 1e3,
        }


@dataclass(frozen=True)
class Cold:
    """A shell that does nothing, in a sandbox made when it is asked for, in turn with the shell by itself."""

    times: int

    async def measure(self, server: Server) -> Figures:
        server.environment["OCP_WARM_CELLS"] = "0"
        await server.start()
        folder = Folder("main.sh", ":\n")
        request = execute("bash", ":\n")
        ours: list[float] = []
        bare: list[float] = []
        async with connected(server.port) as connection:
            for _ in range(20):
                await timed(connection, request)
            for _ in range(self.times):
                bare.append(await timed_bare(["/bin/bash", "main.sh"], folder.path))
                ours.append(await timed(connection, request))
        folder.close()
        over = percentile(ours, 50) - percentile(bare, 50)
        return {
            "over_bare_ms": over * 1e3,
            "p50_ms": percentile(ours, 50) * 1e3,
            "p99_ms": percentile(ours, 99) * 1e3,
            "bare_p50_ms": percentile(bare, 50) * 1e3,
        }


@dataclass(frozen=True)
class Cases:
    """One request with many test cases, until the last verdict."""

    language: str
    source: str
    cases: int
    times: int

    async def measure(self, server: Server) -> Figures:
        await server.start()
        durations: list[float] = []
        for number in range(self.times + 1):
            began = time.perf_counter()
            await self._judge(server, number)
            durations.append(time.perf_counter() - began)
        return {"p50_s": median(durations[1:]), "worst_s": max(durations[1:]), "first_s": durations[0]}

    async def _judge(self, server: Server, number: int) -> None:
        cases = [{"stdin": f"{n} {number}\n", "expected_stdout": f"{n + number}\n"} for n in range(self.cases)]
        source = self.source.replace("{n}", str(number))
        made = await server.call(
            "POST",
            "/api/v1/runs",
            {"language": self.language, "files": [{"content": source}], "tests": {"cases": cases}},
        )
        while (run := await server.call("GET", f"/api/v1/runs/{made['id']}"))["state"] != "finished":
            await asyncio.sleep(0.01)
        if run["tests"]["passed"] != self.cases:
            raise RuntimeError(f"not all cases passed: {json.dumps(run)[:500]}")


@dataclass(frozen=True)
class Echo:
    """Keys typed into `cat`, one at a time, until each comes back."""

    keys: int

    async def measure(self, server: Server) -> Figures:
        await server.start()
        durations: list[float] = []
        async with connect(f"ws://{HOST}:{server.port}/api/v2/connect") as socket:
            files = [{"content": "exec cat\n"}]
            words = {"type": "init", "language": "bash", "version": "*", "files": files}
            await socket.send(json.dumps({**words, "terminal": {"columns": 80, "rows": 24}}))
            while json.loads(await socket.recv())["type"] != "stage":
                pass
            await asyncio.sleep(0.5)
            for number in range(self.keys):
                key = "abcdefghij"[number % 10]
                began = time.perf_counter()
                await socket.send(json.dumps({"type": "data", "stream": "stdin", "data": key}))
                while key not in json.loads(await socket.recv()).get("data", ""):
                    pass
                durations.append(time.perf_counter() - began)
                await asyncio.sleep(0.01)
        return {"p50_ms": percentile(durations, 50) * 1e3, "p99_ms": percentile(durations, 99) * 1e3}


@dataclass(frozen=True)
class Beside:
    """People type in interviews while 50 programs at once are asked for, again and again."""

    interviews: int
    at_once: int
    seconds: float

    async def measure(self, server: Server) -> Figures:
        editing = Editing(self.interviews, 2, 1, 10, 1.0, self.seconds)
        ended_at: list[float] = []
        # Runs go on until they are stopped: should one fail, so does the measure.
        async with asyncio.TaskGroup() as together:
            running = together.create_task(self._run_all_along(server, ended_at))
            figures = await editing.measure(server)
            running.cancel()
        kept = ("propagation_p50_ms", "propagation_p99_ms", "acknowledgement_p99_ms", "load_lateness_p99_ms")
        measured = [moment for moment in ended_at if moment > ended_at[-1] - self.seconds]
        return {**{name: figures[name] for name in kept}, "runs_per_s": len(measured) / self.seconds}

    async def _run_all_along(self, server: Server, ended_at: list[float]) -> None:
        await server.ready.wait()
        request = execute("python", "sum(range(10 ** 5))\nprint('done')\n")

        async def client() -> None:
            async with connected(server.port) as connection:
                while True:
                    await timed(connection, request)
                    ended_at.append(time.perf_counter())

        await asyncio.gather(*(client() for _ in range(self.at_once)))


@dataclass(frozen=True)
class Soak:
    """Many runs in a row, and what the machine looks like before and afterwards."""

    runs: int

    async def measure(self, server: Server) -> Figures:
        await server.start()
        request = execute("python", HELLO)
        await self._run(server.port, request, self.runs // 10)
        before = await _still(server.running)
        began = time.perf_counter()
        await self._run(server.port, request, self.runs)
        elapsed = time.perf_counter() - began
        after = await _still(server.running)
        growth = {f"{name}_growth": after[name] - before[name] for name in before if name != "resident_mb"}
        return {
            **growth,
            "before_mb": before["resident_mb"],
            "after_mb": after["resident_mb"],
            "memory_growth_percent": (after["resident_mb"] / before["resident_mb"] - 1) * 100,
            "runs_per_s": self.runs / elapsed,
        }

    async def _run(self, port: int, request: bytes, count: int) -> None:
        left = iter(range(count))

        async def client() -> None:
            async with connected(port) as connection:
                for _ in left:
                    await timed(connection, request)

        await asyncio.gather(*(client() for _ in range(4)))


async def _still(server: ServerProcess) -> Figures:
    """What there is once the pools have come to rest."""
    await asyncio.sleep(15)
    return {
        "processes": len(server.family()),
        "mounts": len(Path(f"/proc/{server.pid}/mountinfo").read_text().splitlines()),
        "groups": sum(1 for _ in Path("/sys/fs/cgroup").glob(f"**/oc-{server.pid}-*")),
        "descriptors": sum(1 for _ in Path(f"/proc/{server.pid}/fd").iterdir()),
        "files": sum(1 for _ in Path("/tmp").iterdir()),
        "resident_mb": server.resident_bytes() / 1e6,
    }


Measure = Callable[[Server], Awaitable[Figures]]

ADD_IN_CPP = """#include <iostream>
int main() { long a, b; std::cin >> a >> b; std::cout << a + b << "\\n"; }
// {n}
"""
ADD_IN_PYTHON = "a, b = map(int, input().split())\nprint(a + b)\n"


def plan(*, quick: bool) -> dict[str, tuple[str, Measure]]:
    """Name -> (title, how)."""
    few, runs, times = (20, 200, 2) if quick else (300, 20_000, 9)
    seconds = 3.0 if quick else 12.0
    found: dict[str, tuple[str, Measure]] = {
        "hello": ("a Python hello over HTTP, one client", Hello(few).measure),
        "rush": ("Python hellos, 8 clients", Rush(8, seconds).measure),
        "cold": ("a shell in a sandbox made on demand", Cold(few).measure),
    }
    for program in LANGUAGES:
        title = f"a {program.language} hello, source never seen"
        found[program.language] = title, Language(program, times).measure
    found |= {
        "cases-cpp": ("100 test cases, C++", Cases("cpp", ADD_IN_CPP, 100, times // 2).measure),
        "cases-python": ("100 test cases, Python", Cases("python", ADD_IN_PYTHON, 100, times // 2).measure),
        "echo": ("a key typed into cat in a terminal", Echo(20 if quick else 150).measure),
        "beside": ("20 interviews in which people type, beside 50 runs at once", Beside(20, 50, seconds).measure),
        "soak": (f"{runs} runs in a row", Soak(runs).measure),
    }
    return found
