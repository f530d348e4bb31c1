"""Programs that are spoken to while they run."""

import asyncio
import time

import pytest

from opencode.contracts.execution import (
    Finished,
    Output,
    RunRefused,
    RunRequest,
    SourceFile,
    StageStarted,
    Terminal,
)
from opencode.modules.execution.service.runner import Runs

from .runner import new_run_id

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCREEN = Terminal(80, 24)
ANSWERING = """
import sys
print('ready', flush=True)
for line in sys.stdin: print('heard', line.strip(), flush=True)
print('the end')
"""


class Talk:
    """A live run, and what it has printed so far."""

    def __init__(self, runs: Runs, code: str, language: str = "python", terminal: Terminal | None = None) -> None:
        self.id = new_run_id()
        self.runs = runs
        files = (SourceFile("main.c" if language == "c" else "main", code.encode()),)
        self.events = runs.run(RunRequest(self.id, language, files, live=True, terminal=terminal))
        self.printed = b""
        self.finished: Finished | None = None

    async def until(self, words: bytes) -> bytes:
        """Listen until the program has printed these words."""
        while words not in self.printed:
            await self._listen()
            assert self.finished is None or words in self.printed, (self.printed, self.finished)
        return self.printed

    async def end(self) -> Finished:
        while self.finished is None:
            await self._listen()
        return self.finished

    async def _listen(self) -> None:
        event = await anext(self.events)
        if isinstance(event, Output):
            self.printed += event.data
        elif isinstance(event, Finished):
            self.finished = event


async def test_a_program_answers_line_by_line_and_ends_with_its_input(runs: Runs) -> None:
    talk = Talk(runs, ANSWERING)
    await talk.until(b"ready\n")
    for word in (b"one", b"two"):
        assert await runs.write(talk.id, word + b"\n")
        await talk.until(b"heard " + word + b"\n")
    assert await runs.end_input(talk.id)
    assert not await runs.write(talk.id, b"late")
    assert (await talk.end()).exit_code == 0
    assert talk.printed.endswith(b"the end\n")


async def test_what_is_typed_before_the_program_is_there_waits_for_it(runs: Runs) -> None:
    talk = Talk(runs, "#include <stdio.h>\nint main(void) { char s[9]; while (fgets(s, 9, stdin)) puts(s); }", "c")
    assert await anext(talk.events) == StageStarted("compile")
    assert await runs.write(talk.id, b"early\n")
    assert await runs.end_input(talk.id)
    assert (await talk.end()).exit_code == 0
    assert talk.printed.split() == [b"early"]


async def test_a_signal_reaches_the_program(runs: Runs) -> None:
    code = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
    talk = Talk(runs, code + "print('ready', flush=True)\nwhile True: signal.pause()\n")
    await talk.until(b"ready\n")
    assert await runs.signal(talk.id, "SIGTERM")
    assert (await talk.end()).exit_code == 5


async def test_an_interrupt_ends_a_python_program_as_it_would_anywhere(runs: Runs) -> None:
    talk = Talk(runs, "import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    await talk.until(b"ready\n")
    assert await runs.signal(talk.id, "SIGINT")
    assert (await talk.end()).signal == "SIGINT"
    assert talk.printed.endswith(b"KeyboardInterrupt\n")


async def test_a_signal_that_does_not_exist_is_refused_and_one_to_nobody_is_not_sent(runs: Runs) -> None:
    with pytest.raises(RunRefused, match="There is no signal 'SIGNOT'"):
        await runs.signal("run_unknown", "SIGNOT")
    assert not await runs.signal("run_unknown", "SIGINT")


async def test_a_terminal_is_one_and_has_the_size_that_was_asked_for(runs: Runs) -> None:
    code = "import os, sys\nprint(sys.stdin.isatty(), sys.stdout.isatty(), *os.get_terminal_size())\ninput('name? ')\n"
    talk = Talk(runs, code + "print(*os.get_terminal_size())\n", terminal=SCREEN)
    await talk.until(b"True True 80 24\r\nname? ")
    assert await runs.resize(talk.id, Terminal(132, 50))
    assert await runs.write(talk.id, b"me\r")
    assert (await talk.end()).exit_code == 0
    assert talk.printed.endswith(b"me\r\n132 50\r\n")


async def test_keys_that_stand_for_signals_work_in_a_terminal(runs: Runs) -> None:
    talk = Talk(runs, "trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.1; done", "bash", SCREEN)
    await talk.until(b"ready\r\n")
    assert await runs.write(talk.id, b"\x03")
    assert (await talk.end()).exit_code == 3
    assert b"interrupted" in talk.printed


async def test_the_end_of_input_in_a_terminal_is_what_control_d_says(runs: Runs) -> None:
    talk = Talk(runs, "echo ready; cat; echo after", "bash", SCREEN)
    await talk.until(b"ready\r\n")
    assert await runs.end_input(talk.id)
    assert (await talk.end()).exit_code == 0
    assert talk.printed.endswith(b"after\r\n")


async def test_a_terminal_is_resized_only_where_there_is_one(runs: Runs) -> None:
    talk = Talk(runs, ANSWERING)
    await talk.until(b"ready")
    assert not await runs.resize(talk.id, SCREEN)
    await runs.stop(talk.id)
    assert (await talk.end()).verdict == "stopped"


async def test_whoever_types_faster_than_the_program_reads_is_slowed_down(runs: Runs) -> None:
    talk = Talk(runs, "import sys\nprint('ready', flush=True)\nimport time\ntime.sleep(60)\n")
    await talk.until(b"ready")
    typing = asyncio.create_task(runs.write(talk.id, b"x" * 1_000_000))
    done, _ = await asyncio.wait({typing}, timeout=0.2)
    assert not done
    await runs.stop(talk.id)
    await talk.end()
    await typing


async def test_somebody_who_leaves_takes_the_program_along_within_a_tenth_of_a_second(runs: Runs) -> None:
    durations: list[float] = []
    for _ in range(3):  # the quickest counts: the machine may be busy with other things
        talk = Talk(runs, ANSWERING, terminal=SCREEN)
        await talk.until(b"ready")
        began = time.monotonic()
        await talk.events.aclose()
        durations.append(time.monotonic() - began)
    assert min(durations) < 0.1


async def test_output_in_a_terminal_has_the_same_limit(runs: Runs) -> None:
    talk = Talk(runs, "yes", "bash", SCREEN)
    finished = await talk.end()
    assert (finished.verdict, finished.truncated, len(talk.printed)) == ("output", True, 1024 * 1024)
