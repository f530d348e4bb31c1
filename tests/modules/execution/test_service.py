"""What a person who presses Run gets."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from opencode.contracts.execution import (
    ExecutionBusy,
    Finished,
    Limits,
    Output,
    RunEvent,
    RunRefused,
    RunRequest,
    SourceFile,
    StageStarted,
    Verdict,
)
from opencode.modules.execution.adapters import processes, zygotes
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings

from .runner import Outcome, Runner, new_run_id

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOREVER = "print('here I am')\nwhile True: pass\n"
SLEEPER = "import time\nprint('here I am')\ntime.sleep(60)\n"
MIB = 1024 * 1024


def a_request(code: str, language: str = "python", limits: Limits | None = None) -> RunRequest:
    return RunRequest(new_run_id(), language, (SourceFile("main.py", code.encode()),), limits=limits or Limits())


async def the_rest(events: list[RunEvent], iteration: AsyncIterator[RunEvent]) -> Outcome:
    return Outcome([*events, *[event async for event in iteration]])


async def test_output_arrives_while_the_program_runs(runs: Runs) -> None:
    request = a_request(SLEEPER)
    iteration = runs.run(request)
    events = [await anext(iteration), await anext(iteration)]
    assert events[0] == StageStarted("run")
    assert isinstance(events[1], Output)
    assert events[1].data.startswith(b"here I am")
    assert await runs.stop(request.run_id)
    assert (await the_rest(events, iteration)).verdict == "stopped"


async def test_a_program_that_never_ends_is_stopped_and_keeps_what_it_printed(run: Runner) -> None:
    outcome = await run("python", SLEEPER, wall_time_ms=800)
    assert (outcome.verdict, outcome.stdout) == ("wall_time", "here I am\n")
    assert outcome.finished.message == "Stopped after 0.8 s. What it printed so far is above."
    assert 800 <= outcome.finished.wall_time_ms < 5000


async def test_a_c_program_keeps_what_it_printed_too(run: Runner) -> None:
    code = '#include <stdio.h>\nint main(void) { printf("here I am\\n"); for (;;); }'
    outcome = await run("c", code, wall_time_ms=800)
    assert (outcome.verdict, outcome.stdout) == ("wall_time", "here I am\n")


async def test_a_program_that_computes_too_long_is_told_apart_from_one_that_waits(run: Runner) -> None:
    outcome = await run("python", FOREVER, cpu_time_ms=300)
    assert (outcome.verdict, outcome.stdout) == ("cpu_time", "here I am\n")
    assert outcome.finished.cpu_time_ms >= 300
    assert outcome.finished.message == "Used more than 0.3 s of processor time and was ended."


async def test_a_program_that_takes_too_much_memory_hears_so(run: Runner) -> None:
    outcome = await run("python", "print('here I am')\nx = bytearray(600 * 1024 * 1024)\n")
    assert (outcome.verdict, outcome.stdout) == ("memory", "here I am\n")
    assert outcome.finished.message == "Used more than 512 MB of memory and was ended."
    assert outcome.finished.memory_bytes is not None
    assert outcome.finished.memory_bytes <= 512 * MIB


async def test_a_program_that_prints_too_much_keeps_the_beginning(run: Runner) -> None:
    outcome = await run("python", "import os\nwhile True: os.write(1, b'x' * 999)\n", output_bytes=10_000)
    assert (outcome.verdict, outcome.stdout) == ("output", "x" * 10_000)
    assert outcome.finished.truncated


@pytest.mark.parametrize("size", [9_999, 10_000, 10_001])
async def test_the_output_limit_is_exact(run: Runner, size: int) -> None:
    outcome = await run("python", f"print('x' * {size}, end='')", output_bytes=10_000)
    assert len(outcome.stdout) == min(size, 10_000)
    assert outcome.finished.truncated == (size > 10_000)


async def test_a_program_that_starts_too_many_processes_hears_so(run: Runner) -> None:
    outcome = await run("bash", "for i in {1..50}; do sleep 9 & done; echo unreachable", processes=10)
    assert outcome.verdict == "processes"
    assert "more than 10 processes" in outcome.finished.message


async def test_exit_codes_and_both_streams_are_passed_on(run: Runner) -> None:
    outcome = await run("python", "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)\n")
    assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")
    assert (outcome.verdict, outcome.finished.exit_code, outcome.finished.signal) == ("error", 3, None)
    assert outcome.finished.message == "Exited with code 3."


@pytest.mark.parametrize("code", [1, 126, 127, 128, 129, 134, 137, 139, 143, 255])
async def test_no_exit_code_is_mistaken_for_a_signal(run: Runner, code: int) -> None:
    finished = (await run("bash", f"exit {code}")).finished
    assert (finished.exit_code, finished.signal) == (code, None)


@pytest.mark.parametrize("name", ["SEGV", "ABRT", "KILL", "TERM", "FPE", "INT", "PIPE", "USR1", "XCPU"])
async def test_a_signal_is_named(run: Runner, name: str) -> None:
    finished = (await run("bash", f"kill -{name} $$")).finished
    assert (finished.verdict, finished.exit_code, finished.signal) == (Verdict.SIGNAL, None, f"SIG{name}")


async def test_stop_ends_a_run_and_says_so(runs: Runs) -> None:
    request = a_request(SLEEPER)
    iteration = runs.run(request)
    events = [await anext(iteration)]
    while b"\n" not in b"".join(event.data for event in events if isinstance(event, Output)):
        events.append(await anext(iteration))  # the line's end may come by itself
    assert await runs.stop(request.run_id)
    outcome = await the_rest(events, iteration)
    assert outcome.verdict == "stopped"
    assert outcome.stdout == "here I am\n"
    assert not await runs.stop(request.run_id)


async def test_leaving_the_iteration_ends_the_cell_at_once(runs: Runs) -> None:
    durations: list[float] = []
    for _ in range(3):  # the quickest counts: the machine may be busy with other things
        iteration = runs.run(a_request(SLEEPER))
        await anext(iteration)
        await anext(iteration)
        began = time.monotonic()
        await iteration.aclose()
        durations.append(time.monotonic() - began)
    assert min(durations) < 0.1


async def test_a_listener_that_is_cancelled_ends_the_cell(runs: Runs) -> None:
    printed = asyncio.Event()

    async def listen() -> None:
        async for event in runs.run(a_request(SLEEPER)):
            if isinstance(event, Output):
                printed.set()

    task = asyncio.create_task(listen())
    await printed.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    # `nothing_stays_behind` looks at the rest.


async def test_a_run_ends_with_its_main_program_even_if_children_hold_its_output(run: Runner) -> None:
    outcome = await run("bash", "(sleep 60; echo late) & setsid sleep 60 & echo done")
    assert (outcome.verdict, outcome.stdout) == ("ok", "done\n")
    assert outcome.finished.wall_time_ms < 5000


async def test_a_program_may_close_its_output_and_go_on(run: Runner) -> None:
    outcome = await run("python", "import os, sys\nos.close(1)\nos.close(2)\nsys.stdout = None\nos._exit(7)\n")
    assert outcome.finished.exit_code == 7


async def test_more_runs_than_slots_wait_in_line_and_more_than_the_line_are_refused(
    settings: ExecutionSettings,
) -> None:
    runs = Runs(replace(settings, concurrency=1, queue_length=1))
    await runs.languages()
    first = runs.run(a_request(SLEEPER))
    events = [await anext(first), await anext(first)]
    waiting_request = a_request("print('second')")
    waiting = asyncio.create_task(the_rest([], runs.run(waiting_request)))
    await asyncio.sleep(0)  # one step of the loop: the second run stands in line
    await asyncio.sleep(0)
    with pytest.raises(ExecutionBusy) as refusal:
        await anext(runs.run(a_request("print('third')")))
    assert refusal.value.retry_after_s >= 1
    assert not waiting.done()
    await first.aclose()
    assert (await waiting).stdout == "second\n"
    assert len(events) == 2
    await runs.close()


async def test_a_run_can_be_stopped_while_it_waits(settings: ExecutionSettings) -> None:
    runs = Runs(replace(settings, concurrency=1, queue_length=2))
    first = runs.run(a_request(SLEEPER))
    await anext(first)
    request = a_request("print('never')")
    waiting = asyncio.create_task(the_rest([], runs.run(request)))
    await asyncio.sleep(0)
    assert await runs.stop(request.run_id)
    outcome = await waiting
    assert (outcome.verdict, outcome.finished.message) == ("stopped", "Stopped before it began.")
    await first.aclose()
    await runs.close()


async def test_closing_ends_every_run_and_each_hears_of_it(settings: ExecutionSettings) -> None:
    runs = Runs(replace(settings, concurrency=2))
    one, two = (runs.run(a_request(SLEEPER)) for _ in range(2))
    await anext(one)
    await anext(two)
    await runs.close()
    assert (await the_rest([], one)).verdict == (await the_rest([], two)).verdict == "stopped"


async def test_many_runs_at_once_each_get_their_own_output(run: Runner) -> None:
    outcomes = await asyncio.gather(*(run("bash", f"echo {number}") for number in range(20)))
    assert [outcome.stdout for outcome in outcomes] == [f"{number}\n" for number in range(20)]


@pytest.mark.parametrize("wanted", [0, -1, 10_001, 10**30])
async def test_no_limit_can_be_lifted(run: Runner, wanted: int) -> None:
    with pytest.raises(RunRefused) as refusal:
        await run("python", "", wall_time_ms=wanted)
    assert refusal.value.problems[0].pointer == "/limits/wall_time_ms"


async def test_two_runs_of_one_id_do_not_mix(runs: Runs) -> None:
    request = a_request(SLEEPER)
    iteration = runs.run(request)
    await anext(iteration)
    with pytest.raises(RunRefused, match="under way"):
        await anext(runs.run(request))
    await iteration.aclose()


async def test_the_probe_says_how_cells_are_held(runs: Runs) -> None:
    report = await runs.probe()
    assert report.available
    assert report.limits_held in {"cgroup-v1", "cgroup-v2", "rlimits"}


FORBIDDEN = """
import asyncio, sys
from opencode.modules.execution.service.runner import Runs
report = asyncio.run(Runs().probe())
print(report.available, report.reason)
"""


async def test_a_machine_that_forbids_sandboxes_runs_nothing_and_says_what_to_do() -> None:
    # A user namespace has limits of its own, so that forbidding more of them there hits nobody else.
    inside = f"echo 0 >/proc/sys/user/max_user_namespaces && exec {sys.executable} -c '{FORBIDDEN}'"
    process = await asyncio.create_subprocess_exec(
        "unshare", "--user", "--map-root-user", "sh", "-c", inside, stdout=subprocess.PIPE, env=os.environ
    )
    said, _ = await process.communicate()
    assert said.decode().startswith("False No sandbox can be made on this machine. ")
    assert "Raise sysctl user.max_user_namespaces." in said.decode()


@pytest.mark.parametrize(
    ("number", "advice"), [(1, "kernel.unprivileged_userns_clone=1"), (38, "Linux 5.12 or later is needed")]
)
async def test_what_the_kernel_refuses_is_said_with_what_to_do(number: int, advice: str) -> None:
    assert advice in zygotes._advice(b"X%d refused" % number)


async def test_a_zygote_that_is_killed_costs_one_try_and_not_the_next_run(run: Runner, runs: Runs) -> None:
    assert (await run("bash", "echo one")).stdout == "one\n"
    for nursery in runs._sandbox._nurseries.values():
        if nursery._zygote:
            above = processes.number_of(nursery._zygote._process)
            (zygote,) = Path(f"/proc/{above}/task/{above}/children").read_text().split()
            os.kill(int(zygote), signal.SIGKILL)
    assert (await run("bash", "echo two")).stdout == "two\n"


async def test_the_end_is_the_last_event_and_comes_once(run: Runner) -> None:
    outcome = await run("c", "int main(void) { return 0; }")
    stages = [event for event in outcome.events if isinstance(event, StageStarted)]
    assert stages == [StageStarted("compile"), StageStarted("run")]
    assert sum(isinstance(event, Finished) for event in outcome.events) == 1
