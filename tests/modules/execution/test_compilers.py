"""
Compilers that are the attackers themselves. Ours are not, but who knows what a source can make of one: here the
compiler is a shell, and the source says what it does. What it leaves must come to the run as it is, or not at all.
"""

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from opencode.contracts.execution import Limits, Output, RunRequest, SourceFile
from opencode.modules.execution.domain.programs import Runtime
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import MIB, ExecutionSettings

from .runner import Outcome, new_run_id

pytestmark = pytest.mark.asyncio(loop_scope="session")

_SHELL = msgspec.convert(
    {
        "id": "hostile",
        "name": "Hostile",
        "aliases": [],
        "file_name": "main.sh",
        "suffixes": [".sh"],
        "compile": ["{bash}", "{main}"],
        "outputs": ["/tmp/program", "/tmp/folder"],
        "run": ["{bash}", "run.sh"],
        "hello": "",
        "template": "",
        "toolchain": {"programs": ["bash"], "version": ["{bash}", "--version"]},
    },
    Runtime,
)
_LOOK = "cat /tmp/program; find /tmp/folder -type f | wc -l"


@pytest_asyncio.fixture(loop_scope="session")
async def hostile(settings: ExecutionSettings) -> AsyncIterator[Runs]:
    runs = Runs(settings, (_SHELL,))
    yield runs
    await runs.close()


async def _run(runs: Runs, compiler: str, program: str = _LOOK) -> Outcome:
    files = (SourceFile("main.sh", compiler.encode()), SourceFile("run.sh", program.encode()))
    limits = Limits(wall_time_ms=3000, memory_bytes=256 * MIB)
    request = RunRequest(new_run_id(), "hostile", files, limits=limits, compile_limits=Limits(wall_time_ms=2000))
    return Outcome([event async for event in runs.run(request)])


TRAPS = {
    # what the compiler leaves: (how, what the run finds)
    "a program": ("echo made >/tmp/program", "made\n0\n"),
    "a folder": ("mkdir /tmp/folder; touch /tmp/folder/{a,b,c}", "3\n"),
    "nothing": ("true", "0\n"),
    "a link to the passwords": ("ln -s /etc/passwd /tmp/program", "0\n"),
    "a link to memory": ("ln -s /proc/self/mem /tmp/program", "0\n"),
    "a link to the memory of whoever collects": ("ln -s /proc/$PPID/mem /tmp/program", "0\n"),
    "a link to its descriptors": ("mkdir /tmp/folder; ln -s /proc/$PPID/fd /tmp/folder/x", "0\n"),
    "a folder that is a link": ("ln -s /etc /tmp/folder", "0\n"),
    "a folder of links": ("mkdir /tmp/folder; ln -s /etc /tmp/folder/x; ln -s / /tmp/folder/y", "0\n"),
    "a pipe with a name": ("mkfifo /tmp/program", "0\n"),
    "pipes in a folder": ("mkdir /tmp/folder; mkfifo /tmp/folder/{a,b}; echo x >/tmp/folder/c", "1\n"),
    "a socket": (
        "perl -MSocket -e 'socket S, AF_UNIX, SOCK_STREAM, 0; bind S, sockaddr_un(\"/tmp/program\")'",
        "0\n",
    ),
    "hard links": ("echo made >/tmp/program; mkdir /tmp/folder; ln /tmp/program /tmp/folder/a", "made\n1\n"),
    "a hard link to a file of the host": ("ln /etc/passwd /tmp/program 2>/dev/null; true", "0\n"),
    "a tebibyte without content": ("truncate -s 1T /tmp/program 2>/dev/null; echo", "0\n"),
    "more than is kept": ("mkdir /tmp/folder; truncate -s 33M /tmp/folder/{a,b}", "0\n"),
    "folders nested deeper than calls": (
        "mkdir /tmp/folder; echo x >/tmp/folder/x; cd /tmp/folder; "
        "perl -e 'for (1..1500) { mkdir q(d); chdir q(d) } open F, q(>x)'",
        "1\n",
    ),
    "folders nested deeper than paths": (
        "echo made >/tmp/program; mkdir /tmp/folder; cd /tmp/folder; n=$(printf 'd%.0s' {1..250}); "
        "for i in {1..30}; do mkdir $n; cd -P $n; done; echo x >x",
        "made\n0\n",
    ),
    "a storm of files": ("mkdir /tmp/folder; cd /tmp/folder; touch {1..3000}", "3000\n"),
    "names of many lines": ("mkdir /tmp/folder; echo x >$'/tmp/folder/a\\nb'; echo x >$'/tmp/folder/-rf'", "3\n"),
    "names that are no text": ("mkdir /tmp/folder; echo x >$'/tmp/folder/\\xff\\xfe'", "1\n"),
    "a file that may not be read": ("echo made >/tmp/program; chmod 000 /tmp/program", "0\n"),
    "a folder that may not be read": ("mkdir /tmp/folder; touch /tmp/folder/a; chmod 000 /tmp/folder", "0\n"),
    "a folder of everything that is shut": ("echo made >/tmp/program; chmod 000 /tmp", "0\n"),
    "a program that becomes root's": ("cp /usr/bin/id /tmp/program; chmod 6755 /tmp/program", None),
    "a source that is gone": ("echo made >/tmp/program; rm run.sh main.sh; ln -s /etc/passwd run.sh", "made\n0\n"),
}


@pytest.mark.parametrize("name", TRAPS)
async def test_what_a_compiler_leaves_comes_to_the_run_as_it_is_or_not_at_all(hostile: Runs, name: str) -> None:
    how, found = TRAPS[name]
    program = _LOOK if found is not None else "stat -c %a /tmp/program"
    outcome = await _run(hostile, how, program)
    assert (outcome.finished.stage, outcome.verdict) == ("run", "ok"), (outcome.finished, outcome.stderr)
    assert outcome.stdout.lstrip() == (found if found is not None else "755\n")


TRICKS = {
    "ends whoever waits for it": ("kill -9 $PPID; sleep 9", {"compile_error"}),
    "asks it politely to end": ("kill -TERM $PPID; sleep 9", {"compile_error"}),
    "stops it": ("kill -STOP $PPID; sleep 9", {"wall_time"}),
    "ends everybody": ("kill -9 -1; sleep 9", {"compile_error"}),
    "stops itself": ("kill -STOP $$", {"wall_time"}),
    "leaves it no descriptors": (
        "echo made >/tmp/program; prlimit --pid $PPID --nofile=0:0 --core=0:0",
        {"ok", "compile_error"},
    ),
    "leaves it no room for a file": (
        "echo made >/tmp/program; prlimit --pid $PPID --fsize=1:1",
        {"ok", "compile_error", "disk"},
    ),
    "says that it ended well": (
        "for n in {3..40}; do printf 'C\\0\\0\\0\\0%032d' 0 >&$n; done 2>/dev/null; "
        "for f in /proc/$PPID/fd/*; do printf 'C' >$f; done 2>/dev/null; exit 3",
        {"compile_error"},
    ),
    "prints without end": ("yes", {"output"}),
    # The first shell of them may be through before anybody looks.
    "forks without end": (":(){ :|:& };:; wait", {"ok", "processes", "wall_time", "cpu_time"}),
}


@pytest.mark.parametrize("name", TRICKS)
async def test_a_compiler_cannot_make_its_failure_ours(hostile: Runs, name: str) -> None:
    how, verdicts = TRICKS[name]
    assert (await _run(hostile, how)).verdict in verdicts


async def test_nothing_that_a_compiler_started_lives_on_in_the_run(hostile: Runs) -> None:
    compiler = (
        "echo made >/tmp/program; for n in 1 2 3; do setsid sh -c 'while :; do echo later >>/tmp/program; done' & done"
    )
    outcome = await _run(
        hostile,
        compiler,
        "ls /proc | grep -c '^[0-9]'; a=$(stat -c %s /tmp/program); sleep 0.1; "
        "[ $a = $(stat -c %s /tmp/program) ] && echo same",
    )
    processes, same = outcome.stdout.split()
    assert int(processes) <= 5
    assert same == "same"


async def test_a_file_that_changes_places_while_it_is_collected_is_whole_or_not_there(hostile: Runs) -> None:
    compiler = (
        "mkdir /tmp/folder; head -c 1M /dev/zero | tr '\\0' x >/tmp/folder/a; "
        "setsid sh -c 'cd /tmp; while :; do mv folder f; ln -s /etc folder; rm folder; mv f folder; done' & "
        "sleep 0.05"
    )
    outcome = await _run(hostile, compiler, "find /tmp/folder -type f | xargs -r stat -c '%n %s'")
    assert outcome.verdict == "ok", outcome.stderr
    assert outcome.stdout in {"", "/tmp/folder/a 1048576\n"}


async def test_the_same_source_gets_the_same_program_and_another_gets_another(hostile: Runs) -> None:
    compiler = "date +%s%N >/tmp/program"
    first, second = [(await _run(hostile, compiler)).stdout for _ in range(2)]
    assert first == second
    assert (await _run(hostile, compiler + " ")).stdout != first
    assert (await _run(hostile, compiler, _LOOK + " ")).stdout != first


async def test_a_compilation_that_failed_is_never_kept(hostile: Runs) -> None:
    for _ in range(2):
        outcome = await _run(hostile, "echo tried; exit 1")
        assert outcome.verdict == "compile_error"
        assert [event.data for event in outcome.events if isinstance(event, Output)] == [b"tried\n"]


async def test_a_run_cannot_change_what_the_next_run_of_its_program_gets(hostile: Runs) -> None:
    for _ in range(2):
        outcome = await _run(hostile, "echo made >/tmp/program", "cat /tmp/program; echo poisoned >/tmp/program")
        assert outcome.stdout == "made\n"
