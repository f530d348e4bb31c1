"""What a program gets is the same in a sandbox of this process and on another server that speaks the Piston API."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from opencode.contracts.execution import (
    CaseEvent,
    CaseFinished,
    CaseInput,
    CodeRunner,
    Compiled,
    Finished,
    LanguageUnknown,
    Limits,
    Output,
    RunEvent,
    RunRefused,
    RunRequest,
    SourceFile,
    StageStarted,
    Terminal,
    Verdict,
)
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.adapters.piston.runner import PistonRunner
from opencode.modules.execution.adapters.piston.server import PistonServer
from opencode.modules.execution.module import build_piston
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import MIB, ExecutionSettings, PistonSettings
from tests.doubles.identity import IdentityInMemory
from tests.doubles.installer import InstallerInMemory
from tests.doubles.runner import ScriptedRunner
from tests.http import application, client_of
from tests.modules.execution.piston.kit import World, on_a_port
from tests.modules.execution.runner import Outcome, new_run_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

LANGUAGES = {"python", "c", "bash"}
FOREVER = "import time\nprint('here I am', flush=True)\ntime.sleep(60)\n"
ANSWERING = """
import sys
print('ready', flush=True)
for line in sys.stdin: print('heard', line.strip(), flush=True)
print('the end')
"""
PATIENCE_S = 20.0


@pytest.fixture
def database_kind() -> str:
    """Runs keep nothing: one database is enough."""
    return "sqlite"


@pytest.fixture(scope="module")
def settings() -> Iterator[ExecutionSettings]:
    with TemporaryDirectory(dir="/var/tmp", prefix="shelf-") as folder:
        Path(folder).chmod(0o755)
        first_uid = 200_000 + os.getpid() % 1000 * 1024
        yield ExecutionSettings(toolchain_folders=(folder,), concurrency=2, first_uid=first_uid)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cells(settings: ExecutionSettings) -> AsyncIterator[Runs]:
    runs = Runs(settings, tuple(each for each in toolchains.load() if each.id in LANGUAGES))
    report = await runs.probe()
    if not report.available:
        pytest.fail(f"no sandbox on this machine: {report.reason}")
    yield runs
    await runs.close()


@pytest_asyncio.fixture(params=["cells", "piston"], loop_scope="module")
async def runner(
    request: pytest.FixtureRequest, cells: Runs, settings: ExecutionSettings, parts: Parts, clock: ManualClock
) -> AsyncIterator[CodeRunner]:
    """The sandboxes themselves, and the same sandboxes behind a server on a port."""
    if request.param == "cells":
        yield cells
        return
    identity, scripted = IdentityInMemory(clock), ScriptedRunner()
    piston = build_piston(parts, settings, PistonSettings(), cells, InstallerInMemory(scripted, {}), identity)
    app = application(piston.routes, identity)
    async with client_of(app) as client:
        world = World(identity, scripted, clock, piston, app, client)
        async with on_a_port(world) as served:
            server = PistonServer(f"http://127.0.0.1:{served.port}", served.token)
            yield PistonRunner(server, settings, toolchains.load())


def a_request(
    code: str | bytes,
    language: str = "python",
    *,
    others: tuple[SourceFile, ...] = (),
    stdin: bytes = b"",
    args: tuple[str, ...] = (),
    version: str | None = None,
    live: bool = False,
    terminal: Terminal | None = None,
    **limits: int,
) -> RunRequest:
    name = {"python": "main.py", "c": "main.c"}.get(language, "main.sh")
    main = SourceFile(name, code.encode() if isinstance(code, str) else code)
    return RunRequest(
        new_run_id(), language, (main, *others), stdin, args, Limits(**limits), version, live=live, terminal=terminal
    )


def is_running(mark: str) -> bool:
    """Whether a process of this machine has a word among its arguments."""
    for arguments in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if mark.encode() in arguments.read_bytes():
                return True
    return False


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)  # the table of processes tells nobody when it changes


async def outcome_of(runner: CodeRunner, request: RunRequest) -> Outcome:
    async with asyncio.timeout(PATIENCE_S), aclosing(runner.run(request)) as events:
        return Outcome([event async for event in events])


class Listener:
    """Somebody who hears a run while it goes on."""

    def __init__(self, runner: CodeRunner, request: RunRequest) -> None:
        self.events: AsyncGenerator[RunEvent, None] = runner.run(request)
        self.printed = b""

    async def until(self, words: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while words not in self.printed:
                event = await anext(self.events)
                assert not isinstance(event, Finished), (self.printed, event)
                if isinstance(event, Output):
                    self.printed += event.data

    async def end(self) -> Finished:
        async with asyncio.timeout(PATIENCE_S):
            async for event in self.events:
                if isinstance(event, Output):
                    self.printed += event.data
                elif isinstance(event, Finished):
                    return event
        raise AssertionError("a run ended without Finished")


async def test_languages_have_names_versions_and_files(runner: CodeRunner) -> None:
    languages = {language.id: language for language in await runner.languages()}
    python = languages["python"]
    assert set(languages) >= LANGUAGES
    assert (python.name, python.file_name, python.available) == ("Python", "main.py", True)
    assert "print" in python.template
    assert python.version == python.versions[0]
    assert "py" in python.aliases


async def test_events_come_in_their_order(runner: CodeRunner) -> None:
    outcome = await outcome_of(runner, a_request("print('hello')"))
    started, *outputs, finished = outcome.events
    assert started == StageStarted("run")
    assert all(isinstance(output, Output) and output.stage == "run" for output in outputs)
    assert isinstance(finished, Finished)
    assert (outcome.stdout, finished.verdict, finished.exit_code, finished.signal) == ("hello\n", Verdict.OK, 0, None)
    assert finished.message == "Finished."
    assert finished.wall_time_ms > 0


async def test_both_streams_and_the_exit_code_are_told(runner: CodeRunner) -> None:
    code = "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)\n"
    outcome = await outcome_of(runner, a_request(code))
    assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")
    assert (outcome.verdict, outcome.finished.exit_code) == ("error", 3)
    assert outcome.finished.message == "Exited with code 3."


@pytest.mark.parametrize("code", [1, 128, 137, 255])
async def test_no_exit_code_is_mistaken_for_a_signal(runner: CodeRunner, code: int) -> None:
    finished = (await outcome_of(runner, a_request(f"exit {code}", "bash"))).finished
    assert (finished.verdict, finished.exit_code, finished.signal) == (Verdict.ERROR, code, None)


@pytest.mark.parametrize("name", ["SEGV", "KILL", "USR1"])
async def test_a_signal_is_named(runner: CodeRunner, name: str) -> None:
    finished = (await outcome_of(runner, a_request(f"kill -{name} $$", "bash"))).finished
    assert (finished.verdict, finished.exit_code, finished.signal) == (Verdict.SIGNAL, None, f"SIG{name}")


async def test_a_program_that_waits_too_long_keeps_what_it_printed(runner: CodeRunner) -> None:
    outcome = await outcome_of(runner, a_request(FOREVER, wall_time_ms=500))
    assert (outcome.verdict, outcome.stdout) == ("wall_time", "here I am\n")
    assert outcome.finished.message == "Stopped after 0.5 s. What it printed so far is above."


async def test_a_program_that_computes_too_long_is_told_apart(runner: CodeRunner) -> None:
    outcome = await outcome_of(runner, a_request("while True: pass", cpu_time_ms=300))
    assert outcome.verdict == "cpu_time"
    assert outcome.finished.message == "Used more than 0.3 s of processor time and was ended."


@pytest.mark.parametrize("asked", [None, 64 * MIB])
async def test_a_program_that_takes_too_much_memory_hears_so(runner: CodeRunner, asked: int | None) -> None:
    code = "x = bytearray(600 * 1024 * 1024)"
    outcome = await outcome_of(runner, a_request(code, memory_bytes=asked) if asked else a_request(code))
    assert outcome.verdict == "memory"
    if asked:
        assert outcome.finished.message == "Used more than 64 MB of memory and was ended."


@pytest.mark.parametrize("size", [9_999, 10_000, 10_001])
async def test_the_output_limit_is_exact(runner: CodeRunner, size: int) -> None:
    outcome = await outcome_of(runner, a_request(f"print('x' * {size}, end='')", output_bytes=10_000))
    assert len(outcome.stdout) == min(size, 10_000)
    assert outcome.finished.truncated == (size > 10_000)
    assert outcome.verdict == ("output" if size > 10_000 else "ok")


async def test_a_program_that_prints_without_end_keeps_the_beginning(runner: CodeRunner) -> None:
    outcome = await outcome_of(runner, a_request("while True: print('x' * 999)"))
    assert (outcome.verdict, len(outcome.stdout), outcome.finished.truncated) == ("output", MIB, True)


async def test_a_compiler_has_a_stage_of_its_own(runner: CodeRunner) -> None:
    code = '#include <stdio.h>\n#warning mind this\nint main(void) { puts("hi"); }'
    outcome = await outcome_of(runner, a_request(code, "c"))
    stages = [event.stage for event in outcome.events if isinstance(event, StageStarted)]
    assert stages == ["compile", "run"]
    assert sum(isinstance(event, Compiled) for event in outcome.events) == 1
    assert "mind this" in outcome.stderr
    assert (outcome.stdout, outcome.verdict) == ("hi\n", "ok")


async def test_a_program_that_does_not_compile_is_not_run(runner: CodeRunner) -> None:
    outcome = await outcome_of(runner, a_request("int main(void) { return nothing; }", "c"))
    assert (outcome.finished.stage, outcome.verdict) == ("compile", "compile_error")
    assert outcome.finished.message == "The compiler found errors; they are above."
    assert "nothing" in outcome.stderr
    assert not any(isinstance(event, Compiled) for event in outcome.events)


async def test_files_are_where_the_program_looks_for_them(runner: CodeRunner) -> None:
    others = (SourceFile("lib/tree.py", b"NAME = 'oak'"), SourceFile("data/raw.bin", b"\0\xff"))
    code = "import lib.tree\nprint(lib.tree.NAME, open('data/raw.bin', 'rb').read())"
    assert (await outcome_of(runner, a_request(code, others=others))).stdout == "oak b'\\x00\\xff'\n"


@pytest.mark.parametrize("stdin", [b"", b"one\ntwo", b"one\n", b"\0\xff\r\n", "größe".encode()])
async def test_input_reaches_the_program_byte_for_byte(runner: CodeRunner, stdin: bytes) -> None:
    code = "import sys\nprint(sys.stdin.buffer.read().hex())"
    assert (await outcome_of(runner, a_request(code, stdin=stdin))).stdout == stdin.hex() + "\n"


async def test_arguments_reach_the_program(runner: CodeRunner) -> None:
    outcome = await outcome_of(runner, a_request("import sys\nprint(sys.argv[1:])", args=("-v", "a b", "ö", "")))
    assert outcome.stdout == "['-v', 'a b', 'ö', '']\n"


async def test_output_is_passed_on_byte_for_byte(runner: CodeRunner) -> None:
    code = "import sys\nsys.stdout.buffer.write(b'a\\xff\\x00')\nsys.stderr.buffer.write(b'\\xe2\\x82')"
    outcome = await outcome_of(runner, a_request(code))
    streams = {"stdout": b"", "stderr": b""}
    for event in outcome.events:
        if isinstance(event, Output):
            streams[event.stream] += event.data
    assert streams == {"stdout": b"a\xff\0", "stderr": b"\xe2\x82"}


async def test_a_character_that_is_printed_in_two_pieces_comes_whole(runner: CodeRunner) -> None:
    code = "import os, time\nos.write(1, b'\\xe2\\x82')\ntime.sleep(0.05)\nos.write(1, b'\\xac')\n"
    for live in (False, True):
        request = a_request(code, live=live)
        assert (await outcome_of(runner, request)).stdout == "€"


@pytest.mark.parametrize("wanted", [0, -1, 10_001])
async def test_no_limit_can_be_lifted(runner: CodeRunner, wanted: int) -> None:
    with pytest.raises(RunRefused) as refusal:
        await outcome_of(runner, a_request("", wall_time_ms=wanted))
    assert refusal.value.problems[0].pointer == "/limits/wall_time_ms"


async def test_a_file_that_leads_out_of_its_folder_is_refused(runner: CodeRunner) -> None:
    with pytest.raises(RunRefused):
        await outcome_of(runner, a_request("", others=(SourceFile("../up", b""),)))


async def test_a_version_is_chosen_by_a_range(runner: CodeRunner) -> None:
    code = "import sys\nprint(sys.version_info.major)"
    for version in ("3", "3.x", ">=3.1 <4", "*"):
        assert (await outcome_of(runner, a_request(code, version=version))).stdout == "3\n"


@pytest.mark.parametrize(("language", "version"), [("python", "1"), ("python", "no range"), ("klingon", None)])
async def test_what_is_not_there_is_told(runner: CodeRunner, language: str, version: str | None) -> None:
    with pytest.raises(LanguageUnknown):
        await outcome_of(runner, a_request("", language, version=version))


async def test_an_alias_will_do(runner: CodeRunner) -> None:
    request = RunRequest(new_run_id(), "py", (SourceFile("main.py", b"print(1)"),))
    assert (await outcome_of(runner, request)).stdout == "1\n"


@pytest.mark.parametrize("live", [False, True])
async def test_stop_ends_a_run_and_says_so(runner: CodeRunner, live: bool) -> None:
    mark = f"stopped-{os.getpid()}-{live}"
    request = a_request(FOREVER, args=(mark,), live=live)
    listening = asyncio.create_task(outcome_of(runner, request))
    await until(lambda: is_running(mark))
    assert await runner.stop(request.run_id)
    assert (await listening).verdict == "stopped"
    await until(lambda: not is_running(mark))
    assert not await runner.stop(request.run_id)


@pytest.mark.parametrize("live", [False, True])
async def test_whoever_leaves_takes_the_program_along(runner: CodeRunner, live: bool) -> None:
    mark = f"left-{os.getpid()}-{live}"
    listening = asyncio.create_task(outcome_of(runner, a_request(FOREVER, args=(mark,), live=live)))
    await until(lambda: is_running(mark))
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await until(lambda: not is_running(mark))


async def test_a_live_program_answers_line_by_line_and_ends_with_its_input(runner: CodeRunner) -> None:
    request = a_request(ANSWERING, live=True, stdin=b"zero\n")
    listener = Listener(runner, request)
    await listener.until(b"ready\nheard zero\n")
    for word in (b"one", "größe".encode()):
        assert await runner.write(request.run_id, word + b"\n")
        await listener.until(b"heard " + word + b"\n")
    assert await runner.end_input(request.run_id)
    assert not await runner.write(request.run_id, b"late")
    assert (await listener.end()).verdict is Verdict.OK
    assert listener.printed.endswith(b"the end\n")
    assert not await runner.write(request.run_id, b"too late")


async def test_what_is_typed_while_it_compiles_waits_for_the_program(runner: CodeRunner) -> None:
    code = "#include <stdio.h>\nint main(void) { char s[9]; while (fgets(s, 9, stdin)) puts(s); }"
    request = a_request(code, "c", live=True)
    listener = Listener(runner, request)
    assert await anext(listener.events) == StageStarted("compile")
    assert await runner.write(request.run_id, b"early\n")
    assert await runner.end_input(request.run_id)
    assert (await listener.end()).exit_code == 0
    assert listener.printed.split() == [b"early"]


async def test_a_character_that_is_typed_in_two_pieces_arrives_whole(runner: CodeRunner) -> None:
    request = a_request(ANSWERING, live=True)
    listener = Listener(runner, request)
    await listener.until(b"ready\n")
    assert await runner.write(request.run_id, b"\xe2\x82")
    assert await runner.write(request.run_id, b"\xac\n")
    await listener.until("heard €\n".encode())
    await runner.stop(request.run_id)
    assert (await listener.end()).verdict is Verdict.STOPPED


async def test_a_signal_reaches_a_live_program(runner: CodeRunner) -> None:
    code = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
    request = a_request(code + "print('ready', flush=True)\nwhile True: signal.pause()\n", live=True)
    listener = Listener(runner, request)
    await listener.until(b"ready\n")
    assert await runner.signal(request.run_id, "SIGTERM")
    assert (await listener.end()).exit_code == 5


async def test_a_signal_that_does_not_exist_is_refused(runner: CodeRunner) -> None:
    with pytest.raises(RunRefused, match="There is no signal 'SIGNOT'"):
        await runner.signal("run_unknown", "SIGNOT")
    assert not await runner.signal("run_unknown", "SIGINT")


async def test_a_terminal_is_one_and_changes_its_size(runner: CodeRunner) -> None:
    code = "import os, sys\nprint(sys.stdin.isatty(), *os.get_terminal_size())\ninput('name? ')\n"
    request = a_request(code + "print(*os.get_terminal_size())\n", live=True, terminal=Terminal(80, 24))
    listener = Listener(runner, request)
    await listener.until(b"True 80 24\r\nname? ")
    assert await runner.resize(request.run_id, Terminal(132, 50))
    # The new size and the typed word travel on two ways: whoever wants to be sure of their order waits for an answer.
    await asyncio.sleep(0.1)
    assert await runner.write(request.run_id, b"me\r")
    assert (await listener.end()).exit_code == 0
    assert listener.printed.endswith(b"me\r\n132 50\r\n")


async def cases_of(events: AsyncGenerator[CaseEvent, None]) -> list[CaseEvent]:
    async with asyncio.timeout(2 * PATIENCE_S), aclosing(events):
        return [event async for event in events]


@pytest.mark.parametrize("parallel", [1, 3])
async def test_answers_of_a_batch_come_in_the_order_of_the_inputs(runner: CodeRunner, parallel: int) -> None:
    code = "import sys\nprint(int(input()) * 2, *sys.argv[1:])\n"
    inputs = [CaseInput(f"{number}".encode(), (f"arg{number}",)) for number in range(6)]
    cases = await cases_of(runner.batch(a_request(code), inputs, parallel=parallel))
    assert [case.index for case in cases if isinstance(case, CaseFinished)] == list(range(6))
    assert [case.stdout for case in cases if isinstance(case, CaseFinished)] == [
        f"{number * 2} arg{number}\n".encode() for number in range(6)
    ]


async def test_a_batch_tells_of_its_compiler_once(runner: CodeRunner) -> None:
    code = '#include <stdio.h>\nint main(void) { int a; scanf("%d", &a); printf("%d", a + 1); }'
    events = await cases_of(runner.batch(a_request(code, "c"), [CaseInput(b"1"), CaseInput(b"2")], parallel=2))
    assert events[0] == StageStarted("compile")
    assert sum(isinstance(event, Compiled) for event in events) == 1
    assert [event.stdout for event in events if isinstance(event, CaseFinished)] == [b"2", b"3"]


async def test_a_batch_that_does_not_compile_ends_there(runner: CodeRunner) -> None:
    events = await cases_of(runner.batch(a_request("int main(void) { return nothing; }", "c"), [CaseInput()] * 3))
    assert isinstance(events[-1], Finished)
    assert (events[-1].stage, events[-1].verdict) == ("compile", "compile_error")
    assert not any(isinstance(event, CaseFinished) for event in events)


async def test_each_case_has_a_verdict_of_its_own(runner: CodeRunner) -> None:
    code = "if input() == 'loop':\n    while True: pass\n"
    inputs = [CaseInput(b"go\n"), CaseInput(b"loop\n"), CaseInput(b"")]
    cases = await cases_of(runner.batch(a_request(code, cpu_time_ms=300), inputs, parallel=2))
    assert [case.finished.verdict for case in cases if isinstance(case, CaseFinished)] == ["ok", "cpu_time", "error"]


async def test_stop_ends_a_batch_and_no_case_follows(runner: CodeRunner) -> None:
    mark = f"batch-{os.getpid()}"
    request = a_request(FOREVER)
    inputs = [CaseInput(b"", (mark,))] * 9
    listening = asyncio.create_task(cases_of(runner.batch(request, inputs, parallel=2)))
    await until(lambda: is_running(mark))
    assert await runner.stop(request.run_id)
    cases = [case for case in await listening if isinstance(case, CaseFinished)]
    assert [case.finished.verdict for case in cases] == ["stopped"]
    await until(lambda: not is_running(mark))
