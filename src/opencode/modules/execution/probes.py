"""
The ten probes: small programs that show what a runtime can do, and what is expected of each.

The programs stand in the runtime files. What is expected is the same for every language, so a language either keeps the
promise or says in `cannot` that it has no means to.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import get_args

from opencode.contracts.execution import CodeRunner, Finished, Limits, Output, RunRequest, SourceFile, Verdict
from opencode.kernel.errors import OpenCodeError
from opencode.kernel.ids import new_id
from opencode.modules.execution.domain.programs import ProbeName, Runtime

PROBES: tuple[ProbeName, ...] = get_args(ProbeName)
LOOP_WALL_TIME_MS = 1000
_INPUT = b"12\n345\n"
_ARGUMENTS = ("one", "two words")
_EXIT_CODE = 7
_HELLO = "Hello, world!"
_UNICODE = "Grüße, 日本 🎉!"
_LINE = "x" * 99
_LINES = 10_000
_NO_PROGRAM = "((( this is no program\n"


class ProbeState(StrEnum):
    """How a probe went."""

    PASSED = "passed"
    FAILED = "failed"
    CANNOT = "cannot"
    """The language has no means for it, says its runtime file."""
    UNWRITTEN = "unwritten"
    """The runtime file has no program for it."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """
    How one probe of one language went.

    Attributes:
        detail: what was expected and what came, when it failed.
    """

    language: str
    probe: ProbeName
    state: ProbeState
    detail: str = ""
    duration_ms: int = 0


@dataclass(slots=True)
class _Seen:
    """What a program did."""

    finished: Finished
    stdout: str = ""
    stderr: str = ""

    def __str__(self) -> str:
        printed = " | ".join(text.strip()[:300] for text in (self.stdout, self.stderr) if text.strip())
        return f"{self.finished.stage}: {self.finished.message} It printed: {printed or 'nothing'}"


@dataclass(frozen=True, slots=True)
class _Expectation:
    words: str
    met: Callable[[_Seen], bool]
    verdicts: tuple[Verdict, ...] = (Verdict.OK,)


@dataclass(frozen=True, slots=True)
class _Probe:
    files: dict[str, str]
    stdin: bytes = b""
    args: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)


def state_of(runtime: Runtime, probe: ProbeName) -> ProbeState | None:
    """What is known of a probe before it is run; None when it can be run."""
    if probe in runtime.probes.cannot:
        return ProbeState.CANNOT
    return None if _program(runtime, probe) else ProbeState.UNWRITTEN


async def run_probe(runner: CodeRunner, runtime: Runtime, probe: ProbeName) -> ProbeResult:
    """Run one probe of one language in a sandbox of its own, and compare."""
    if state := state_of(runtime, probe):
        return ProbeResult(runtime.id, probe, state)
    try:
        seen = await _see(runner, runtime, _request(runtime, probe))
    except OpenCodeError as error:
        return ProbeResult(runtime.id, probe, ProbeState.FAILED, f"{error.detail} {error.action}".strip())
    expected = _EXPECTED[probe]
    good = seen.finished.verdict in expected.verdicts and expected.met(seen)
    return ProbeResult(
        runtime.id,
        probe,
        ProbeState.PASSED if good else ProbeState.FAILED,
        "" if good else f"Expected {expected.words}. {seen}",
        seen.finished.wall_time_ms,
    )


async def _see(runner: CodeRunner, runtime: Runtime, probe: _Probe) -> _Seen:
    (main, *others) = probe.files.items()
    request = RunRequest(
        run_id=new_id("run"),
        language=runtime.id,
        files=(
            SourceFile(runtime.file_name, _whole_lines(main[1])),
            *(SourceFile(name, _whole_lines(text)) for name, text in others),
        ),
        stdin=probe.stdin,
        args=probe.args,
        limits=probe.limits,
    )
    printed: dict[str, bytes] = {"stdout": b"", "stderr": b""}
    async with contextlib.aclosing(runner.run(request)) as events:  # pyright: ignore[reportArgumentType]
        async for event in events:
            if isinstance(event, Output):
                printed[event.stream] += event.data
            elif isinstance(event, Finished):
                stdout, stderr = (printed[stream].decode("utf-8", "replace") for stream in ("stdout", "stderr"))
                return _Seen(event, stdout, stderr)
    raise AssertionError("a run ended without Finished")


def _whole_lines(text: str) -> bytes:
    return (text if text.endswith("\n") else text + "\n").encode()


def _program(runtime: Runtime, probe: ProbeName) -> dict[str, str]:
    """The files of a probe, the main one first; none when nobody wrote them."""
    given = runtime.probes
    match probe:
        case "hello":
            return {"main": runtime.hello}
        case "unicode":
            return {"main": given.unicode or runtime.hello.replace(_HELLO, _UNICODE)}
        case "error":
            return {"main": given.error or _NO_PROGRAM}
        case "files":
            others = {name: text for name, text in given.files.items() if name != "main"}
            return {"main": given.files["main"], **others} if given.files else {}
        case _:
            program: str | None = getattr(given, probe)
            return {"main": program} if program else {}


def _request(runtime: Runtime, probe: ProbeName) -> _Probe:
    files = _program(runtime, probe)
    match probe:
        case "echo":
            return _Probe(files, stdin=_INPUT)
        case "args":
            return _Probe(files, args=_ARGUMENTS)
        case "loop":
            return _Probe(files, limits=Limits(wall_time_ms=LOOP_WALL_TIME_MS))
        case _:
            return _Probe(files)


_EXPECTED: dict[ProbeName, _Expectation] = {
    "hello": _Expectation(f"{_HELLO!r} and nothing else", lambda seen: _only(seen, [_HELLO])),
    "echo": _Expectation("its input again", lambda seen: _only(seen, _INPUT.decode().split())),
    "args": _Expectation("each argument on a line", lambda seen: _only(seen, list(_ARGUMENTS))),
    "exit": _Expectation(
        f"exit code {_EXIT_CODE}", lambda seen: seen.finished.exit_code == _EXIT_CODE, (Verdict.ERROR,)
    ),
    "stderr": _Expectation(
        "its words on stderr alone", lambda seen: seen.stderr.strip() == "to stderr" and not seen.stdout
    ),
    "unicode": _Expectation(f"{_UNICODE!r} and nothing else", lambda seen: _only(seen, [_UNICODE])),
    "output": _Expectation(f"{_LINES} whole lines", lambda seen: _only(seen, [_LINE] * _LINES)),
    "error": _Expectation(
        "a complaint and a bad end",
        lambda seen: bool(seen.stdout.strip() or seen.stderr.strip()),
        (Verdict.ERROR, Verdict.COMPILE_ERROR, Verdict.SIGNAL),
    ),
    "loop": _Expectation(
        f"an end by the limit of {LOOP_WALL_TIME_MS / 1000:g} s", lambda seen: True, (Verdict.WALL_TIME,)
    ),
    "files": _Expectation("what the second file says", lambda seen: _only(seen, ["from the second file"])),
}


def _only(seen: _Seen, lines: list[str]) -> bool:
    """Whether a program printed these lines; blanks around them are a matter of the language's taste."""
    return [line.strip() for line in seen.stdout.split("\n") if line.strip()] == lines and not seen.stderr.strip()
