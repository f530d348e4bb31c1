"""The same API over real programs in real sandboxes."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.execution.module import build_piston
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings
from tests.doubles.identity import IdentityInMemory
from tests.doubles.installer import InstallerInMemory
from tests.doubles.runner import ScriptedRunner
from tests.http import application, client_of

from .kit import Json, World, on_a_port

PISTON = PistonSettings(piston_open=True, piston_open_runs_per_minute=0)


@pytest.fixture
def execution_settings(shelf: Path) -> ExecutionSettings:
    first_uid = 61_000 + os.getpid() % 900 * 4
    return ExecutionSettings(toolchain_folders=(str(shelf),), concurrency=2, first_uid=first_uid)


@asynccontextmanager
async def engine_world(
    parts: Parts, clock: ManualClock, settings: ExecutionSettings, piston_settings: PistonSettings
) -> AsyncGenerator[World]:
    identity, runs = IdentityInMemory(clock), Runs(settings)
    scripted = ScriptedRunner()
    installer = InstallerInMemory(scripted, {})
    piston = build_piston(parts, settings, piston_settings, runs, installer, identity)
    app = application(piston.routes, identity)
    async with client_of(app) as client:
        yield World(identity, scripted, clock, piston, app, client)
    await runs.close()


@pytest.fixture
async def engine(parts: Parts, clock: ManualClock, execution_settings: ExecutionSettings) -> AsyncGenerator[World]:
    async with engine_world(parts, clock, execution_settings, PISTON) as world:
        yield world


async def execute(world: World, language: str, *contents: str, **fields: Any) -> Json:
    files = [{"content": content} for content in contents]
    body = {"language": language, "version": "*", "files": files, **fields}
    response: httpx.Response = await world.client.post("/api/v2/execute", json=body, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()


async def test_python_says_hello_and_what_it_cost(engine: World) -> None:
    answer = await execute(engine, "python", "print('hello')")
    run = answer["run"]
    assert (answer["language"], answer["version"].count(".")) == ("python", 2)
    assert "compile" not in answer
    assert (run["stdout"], run["output"], run["code"], run["status"]) == ("hello\n", "hello\n", 0, None)
    assert run["cpu_time"] >= 0
    assert run["wall_time"] > 0
    assert run["memory"] is None or run["memory"] > 100_000


async def test_input_and_arguments_reach_the_program(engine: World) -> None:
    code = "import sys\nprint(sys.argv[1:], input(), sys.stdin.read() == '')"
    run = (await execute(engine, "python", code, stdin="Ada", args=["-v", "a b"]))["run"]
    assert run["stdout"] == "['-v', 'a b'] Ada True\n"


async def test_an_exception_is_status_re(engine: World) -> None:
    run = (await execute(engine, "python", "1 / 0"))["run"]
    assert (run["code"], run["signal"], run["status"]) == (1, None, "RE")
    assert "ZeroDivisionError" in run["stderr"]
    assert run["message"] == "Exited with error status 1"


async def test_a_signal_is_status_sg(engine: World) -> None:
    run = (await execute(engine, "python", "import os\nos.kill(os.getpid(), 11)"))["run"]
    assert (run["code"], run["signal"], run["status"]) == (None, "SIGSEGV", "SG")
    assert run["message"] == "Caught fatal signal 11"


async def test_a_program_without_end_is_status_to_and_keeps_what_it_printed(engine: World) -> None:
    code = "import time\nprint('so far', flush=True)\ntime.sleep(60)"
    run = (await execute(engine, "python", code, run_timeout=400))["run"]
    assert (run["stdout"], run["signal"], run["status"]) == ("so far\n", "SIGKILL", "TO")
    assert run["message"] == "Time limit exceeded (wall clock)"


async def test_a_program_that_computes_without_end_is_status_to(engine: World) -> None:
    run = (await execute(engine, "python", "while True: pass", run_cpu_time=300))["run"]
    assert (run["signal"], run["status"], run["message"]) == ("SIGKILL", "TO", "Time limit exceeded")


async def test_a_limit_of_zero_is_the_default_and_not_endless(
    parts: Parts, clock: ManualClock, execution_settings: ExecutionSettings
) -> None:
    settings = PistonSettings(piston_open=True, piston_run_timeout_ms=400)
    async with engine_world(parts, clock, execution_settings, settings) as world:
        run = (await execute(world, "python", "import time\ntime.sleep(60)", run_timeout=0, run_cpu_time=0))["run"]
    assert run["status"] == "TO"


async def test_too_much_output_is_status_ol_and_its_beginning_is_kept(
    parts: Parts, clock: ManualClock, execution_settings: ExecutionSettings
) -> None:
    settings = PistonSettings(piston_open=True, piston_output_bytes=1024)
    async with engine_world(parts, clock, execution_settings, settings) as world:
        run = (await execute(world, "python", "while True: print('x' * 100)"))["run"]
        errors = (await execute(world, "python", "import sys\nwhile True: print('x' * 100, file=sys.stderr)"))["run"]
    assert (run["signal"], run["status"], run["message"]) == ("SIGKILL", "OL", "stdout length exceeded")
    assert len(run["stdout"]) == 1024
    assert (errors["status"], errors["message"]) == ("EL", "stderr length exceeded")


async def test_too_much_memory_ends_with_sigkill(engine: World) -> None:
    code = "x = b'x' * (400 * 1024 * 1024)"
    run = (await execute(engine, "python", code, run_memory_limit=64 * 1024 * 1024))["run"]
    assert run["status"] in {"SG", "RE"}
    assert run["code"] != 0


async def test_c_is_compiled_without_a_name_for_its_file(engine: World) -> None:
    answer = await execute(engine, "c", '#include <stdio.h>\nint main(void) { puts("hi"); return 0; }')
    assert (answer["run"]["code"], answer["run"]["stdout"]) == (0, "hi\n")


async def test_a_compiler_that_finds_errors_is_the_run_as_well(engine: World) -> None:
    answer = await execute(engine, "c", "int main(void) { return nothing; }")
    assert answer["compile"] == answer["run"]
    assert (answer["run"]["code"], answer["run"]["status"]) == (1, "RE")
    assert "nothing" in answer["run"]["stderr"]


async def test_files_are_where_the_program_looks_for_them(engine: World) -> None:
    files = [
        {"name": "data/raw.bin", "content": "AP8=", "encoding": "base64"},
        {"name": "main.py", "content": "import lib.tree\nprint(lib.tree.NAME, open('data/raw.bin', 'rb').read())"},
        {"name": "lib/tree.py", "content": "NAME = 'oak'"},
    ]
    run = (await execute(engine, "python", files=files))["run"]
    assert run["stdout"] == "oak b'\\x00\\xff'\n"


async def test_bytes_that_are_no_text_come_whole(engine: World) -> None:
    run = (await execute(engine, "python", "import sys\nsys.stdout.buffer.write(b'a\\xff')"))["run"]
    assert (run["stdout"], run["stdout_base64"]) == ("a\ufffd", "Yf8=")


async def test_two_files_of_one_name_are_told(engine: World) -> None:
    files = [{"name": "a.py", "content": ""}, {"name": "a.py", "content": ""}]
    body = {"language": "python", "version": "*", "files": files}
    response = await engine.client.post("/api/v2/execute", json=body)
    assert response.status_code == 400
    assert response.json()["errors"] == [{"pointer": "/files", "detail": "has two files of one name"}]


async def test_runtimes_are_those_of_this_machine(engine: World) -> None:
    response = await engine.client.get("/api/v2/runtimes", timeout=60)
    python = next(each for each in response.json() if each["language"] == "python")
    assert python["version"].count(".") == 2
    assert "py" in python["aliases"]


async def test_a_socket_hears_a_program_while_it_runs(engine: World) -> None:
    code = "import time\nprint('ready', flush=True)\ntime.sleep(0.2)\nprint('done')"
    async with on_a_port(engine) as served:
        line = await served.open()
        await line.say({"type": "init", "language": "python", "version": "*", "files": [{"content": code}]})
        begun = [await line.hear() for _ in range(3)]
        heard_at = time.monotonic()
        heard = [*begun, *await line.rest()]
    assert [each["type"] for each in begun] == ["runtime", "stage", "data"]
    assert "".join(each["data"] for each in heard if each["type"] == "data") == "ready\ndone\n"
    # Heard while it ran, not when it was over.
    assert time.monotonic() - heard_at > 0.1
    assert (heard[-1]["code"], heard[-1]["status"]) == (0, None)
    assert heard[-1]["wall_time"] >= 200
    assert line.closed == (4999, "Job Completed")


async def test_a_client_that_hangs_up_leaves_no_process_behind(engine: World) -> None:
    code = "import time\nprint('ready', flush=True)\ntime.sleep(60)"
    async with on_a_port(engine) as served:
        line = await served.open()
        mark = f"hung-up-{os.getpid()}"
        words = {"type": "init", "language": "python", "version": "*", "files": [{"content": code}], "args": [mark]}
        await line.say(words)
        while (await line.hear())["type"] != "data":
            pass
        assert _running(mark)
        line.socket.transport.abort()
        async with asyncio.timeout(10):
            while _running(mark):
                await asyncio.sleep(0.01)  # the table of processes tells nobody when it changes


def _running(mark: str) -> bool:
    """Whether a process of this machine has a word among its arguments."""
    for arguments in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if mark.encode() in arguments.read_bytes():
                return True
    return False
