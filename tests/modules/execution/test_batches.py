"""One program, many inputs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest

from opencode.contracts.execution import (
    CaseEvent,
    CaseFinished,
    CaseInput,
    Compiled,
    Finished,
    Limits,
    RunRequest,
    SourceFile,
    StageStarted,
)
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings

from .runner import Runner, new_run_id

pytestmark = pytest.mark.asyncio(loop_scope="session")

DOUBLING = SourceFile("main.py", b"import sys\nprint(int(input()) * 2, *sys.argv[1:])\n")
ADDING = SourceFile(
    "main.c", b'#include <stdio.h>\nint main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d", a + b); }'
)


def a_request(file: SourceFile, language: str = "python", **limits: int) -> RunRequest:
    return RunRequest(new_run_id(), language, (file,), limits=Limits(**limits))


async def cases_of(events: AsyncGenerator[CaseEvent, None]) -> list[CaseFinished]:
    async with aclosing(events):
        return [event async for event in events if isinstance(event, CaseFinished)]


@pytest.mark.parametrize("parallel", [1, 2, 5])
async def test_answers_come_in_the_order_of_the_inputs(runs: Runs, parallel: int) -> None:
    inputs = [CaseInput(f"{number}\n".encode(), (f"arg{number}",)) for number in range(12)]
    cases = await cases_of(runs.batch(a_request(DOUBLING), inputs, parallel=parallel))
    assert [case.index for case in cases] == list(range(12))
    assert [case.stdout for case in cases] == [f"{number * 2} arg{number}\n".encode() for number in range(12)]


async def test_a_program_is_compiled_once_for_all_its_inputs(runs: Runs) -> None:
    inputs = [CaseInput(f"{number} 1".encode()) for number in range(5)]
    events = [event async for event in runs.batch(a_request(ADDING, "c"), inputs, parallel=2)]
    assert events[0] == StageStarted("compile")
    assert sum(isinstance(event, Compiled) for event in events) == 1
    assert [event.stdout for event in events if isinstance(event, CaseFinished)] == [b"1", b"2", b"3", b"4", b"5"]


async def test_sources_that_were_compiled_before_are_not_compiled_again(runs: Runs, run: Runner) -> None:
    code = '#include <stdio.h>\n#warning mind this\nint main(void) { puts("once"); }'
    first, second = await run("c", code), await run("c", code)
    compiled = [event for outcome in (first, second) for event in outcome.events if isinstance(event, Compiled)]
    assert [event.cached for event in compiled] == [False, True]
    assert first.stdout == second.stdout == "once\n"
    # What the compiler said is said again.
    assert "mind this" in first.stderr
    assert first.stderr == second.stderr


async def test_a_program_that_does_not_compile_ends_there(runs: Runs) -> None:
    broken = SourceFile("main.c", b"int main(void) { return nothing; }")
    events = [event async for event in runs.batch(a_request(broken, "c"), [CaseInput()] * 3)]
    assert isinstance(events[-1], Finished)
    assert (events[-1].stage, events[-1].verdict) == ("compile", "compile_error")
    assert not any(isinstance(event, CaseFinished) for event in events)


async def test_each_case_has_its_own_sandbox_and_its_own_verdict(runs: Runs) -> None:
    code = (
        b"import os\nprint(os.listdir('/tmp'))\nopen('/tmp/left', 'w')\nif input() == 'loop':\n    while True: pass\n"
    )
    inputs = [CaseInput(b"go\n"), CaseInput(b"loop\n"), CaseInput(b""), CaseInput(b"go\n")]
    cases = await cases_of(runs.batch(a_request(SourceFile("main.py", code), cpu_time_ms=300), inputs, parallel=2))
    assert [case.finished.verdict for case in cases] == ["ok", "cpu_time", "error", "ok"]
    assert {case.stdout for case in cases} == {b"[]\n"}


async def test_stop_ends_all_cases_and_none_follows(runs: Runs) -> None:
    request = a_request(SourceFile("main.py", b"import time\nprint(input())\ntime.sleep(60)\n"))
    listening = asyncio.create_task(cases_of(runs.batch(request, [CaseInput(b"x\n")] * 9, parallel=2)))
    while not await runs.stop(request.run_id):
        await asyncio.sleep(0)
    cases = await listening
    assert [case.finished.verdict for case in cases] == ["stopped"]


async def test_whoever_leaves_early_leaves_nothing_behind(runs: Runs) -> None:
    inputs = [CaseInput(b"1\n")] * 50
    async with aclosing(runs.batch(a_request(DOUBLING), inputs, parallel=2)) as events:
        async for event in events:
            if isinstance(event, CaseFinished):
                break
    # `nothing_stays_behind` looks at the rest.


async def test_a_listener_may_run_another_program_between_two_cases(settings: ExecutionSettings) -> None:
    runs = Runs(replace(settings, concurrency=1))
    seen = 0
    async with aclosing(runs.batch(a_request(DOUBLING), [CaseInput(b"1\n"), CaseInput(b"2\n")], parallel=2)) as events:
        async for event in events:
            if isinstance(event, CaseFinished):
                seen += (await Runner(runs)("python", "print('checked')")).stdout == "checked\n"
    await runs.close()
    assert seen == 2
