"""Runs and terminals on the real engine: real programs in real sandboxes, real sockets."""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncGenerator

import pytest

from opencode.infra.db import Database
from opencode.infra.plugs import Parts
from opencode.infra.websocket import asgi_sockets
from opencode.kernel.clock import ManualClock
from opencode.modules.execution import module as execution_module
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings
from opencode.modules.interviews.module import build
from opencode.modules.interviews.settings import InterviewsSettings
from tests.doubles.assistants import ScriptedAssistants
from tests.doubles.documents import DocumentsInMemory
from tests.doubles.identity import IdentityInMemory
from tests.doubles.runner import ScriptedRunner
from tests.http import ADDRESS, application, client_of
from tests.modules.interviews.conftest import Room, World, admit, create, join
from tests.modules.interviews.streams import serving
from tests.modules.interviews.test_runs import finished, run
from tests.modules.interviews.test_terminals import SIZE, Theatre

KEYS = 200
SLOW_ECHO_S = 0.05
"""The promise is 5 ms where nothing else runs; here other tests do."""

SHELL = "stty size; while read line; do echo got $line; done; echo over"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
async def real_room(parts: Parts, clock: ManualClock, database: Database) -> AsyncGenerator[Room]:
    """A live interview whose programs really run."""
    identity, documents = IdentityInMemory(clock), DocumentsInMemory(clock)
    engine = Runs(ExecutionSettings(concurrency=2, first_uid=200_000 + os.getpid() % 1000 * 1024))
    await engine.languages()
    settings = InterviewsSettings(join_attempts_per_minute=1000)
    assistants = ScriptedAssistants()
    module = build(parts, settings, identity=identity, documents=documents, runner=engine, assistants=assistants)
    # It serves the addresses of all runs, and asks interviews for theirs.
    execution = execution_module.build(parts, ExecutionSettings(), PistonSettings(), identity=identity, runner=engine)
    execution.open_elsewhere(module.runs)
    app = application([*execution.plug.routes, *module.plug.routes], identity)
    async with client_of(app, address=ADDRESS) as client:
        world = World(parts, clock, identity, documents, ScriptedRunner(), assistants, module, app, client)
        host = world.interviewer()
        interview = await create(host, language="bash")
        candidate = await join(world, interview)
        await admit(host, interview, candidate)
        yield Room(world, interview, host, candidate)
    assert module.plug.stop
    await module.plug.stop()
    await engine.close()


@pytest.fixture
async def theatre(real_room: Room) -> AsyncGenerator[Theatre]:
    world = real_room.world
    async with serving(asgi_sockets(world.app, world.module.sockets)) as base:  # pyright: ignore[reportArgumentType]
        yield Theatre(base)


async def test_a_program_in_a_terminal_reads_what_is_typed_and_knows_its_size(
    real_room: Room, theatre: Theatre
) -> None:
    started = await run(real_room, SHELL, language="bash", terminal=SIZE)
    async with theatre.watching(real_room.candidate, started["id"]) as ada:
        await ada.until(b"30 100\r\n")
        await ada.types(b"hello\n")
        await ada.until(b"got hello\r\n")
        await ada.says("eof")
        assert (await ada.word("exit"))["status"] == "ok"
        assert ada.printed.endswith(b"over\r\n")
    done = await finished(real_room.candidate, started["id"])
    assert "got hello" in done["stdout"]
    assert done["memory_bytes"] is None or done["memory_bytes"] > 0


async def test_a_terminal_that_changes_its_size_tells_the_program(real_room: Room, theatre: Theatre) -> None:
    program = "trap 'stty size; exit 7' WINCH; echo ready; while :; do sleep 0.05; done"
    started = await run(real_room, program, language="bash", terminal=SIZE)
    async with theatre.watching(real_room.candidate, started["id"]) as ada:
        await ada.until(b"ready")
        await ada.says("resize", columns=132, rows=43)
        await ada.until(b"43 132")
        assert (await ada.word("exit"))["exit_code"] == 7


async def test_an_interrupt_reaches_what_runs_in_the_foreground(real_room: Room, theatre: Theatre) -> None:
    started = await run(real_room, "trap 'echo caught; exit 4' INT; echo ready; read x", language="bash", terminal=SIZE)
    async with theatre.watching(real_room.candidate, started["id"]) as ada:
        await ada.until(b"ready")
        await ada.says("signal", signal="SIGINT")
        await ada.until(b"caught")
        assert (await ada.word("exit"))["exit_code"] == 4


async def test_what_the_compiler_says_is_a_stage_of_its_own(real_room: Room) -> None:
    program = '#include <stdio.h>\nint main(void) { int unused; printf("42\\n"); return 0; }'
    started = await run(real_room, program, language="c")
    done = await finished(real_room.candidate, started["id"])
    assert (done["stdout"], done["stage"]) == ("42\n", "run")
    assert done["compile"]["wall_time_ms"] > 0
    again = await finished(real_room.candidate, (await run(real_room, program, language="c"))["id"])
    assert again["compile"]["cached"] is True
    assert again["compile"]["stderr"] == done["compile"]["stderr"]


@pytest.mark.parametrize(
    ("language", "program"),
    [("bash", "echo ready; cat"), ("python", "import sys\nprint('ready')\nfor line in sys.stdin: print(line)")],
)
async def test_the_echo_of_a_key_comes_back_at_once(
    real_room: Room, theatre: Theatre, language: str, program: str
) -> None:
    started = await run(real_room, program, language=language, terminal=SIZE)
    waits: list[float] = []
    async with theatre.watching(real_room.candidate, started["id"]) as ada:
        await ada.until(b"ready")
        for number in range(KEYS):
            key = b"abcdefghij"[number % 10 : number % 10 + 1]
            ada.printed = b""
            began = time.perf_counter()
            await ada.types(b"\n" if number % 50 == 49 else key)
            await ada.until(b"\n" if number % 50 == 49 else key)
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(0.005)
        await ada.says("signal", signal="SIGKILL")
        await ada.word("exit")
    waits.sort()
    p50, p95, p99 = (1000 * waits[int(KEYS * share)] for share in (0.5, 0.95, 0.99))
    sys.stdout.write(f"{language}: echo p50 {p50:.2f} ms, p95 {p95:.2f} ms, p99 {p99:.2f} ms\n")
    assert statistics.median(waits) < SLOW_ECHO_S
