"""What became of a job, in Piston's words."""

import base64
import codecs
import signal
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from opencode.contracts.execution import Compiled, Finished, Output, RunEvent, Stage, Stream, Verdict

KILLED = "SIGKILL"


class StageReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    One stage of a job. The keys are Piston's, but for the last three.

    Attributes:
        output: stdout and stderr in the order in which they came.
        signal: such as `SIGSEGV`.
        message: why it did not end well, in words.
        status: None when all is well; RE exit code other than 0, SG ended by a signal, TO out of time, OL too much on
            stdout, EL too much on stderr, XX a fault of the sandbox.
        cpu_time: milliseconds, as `wall_time`.
        memory: peak in bytes; None where the kernel cannot tell.
        verdict: ours, only where Piston has no word for it: memory, stopped, processes, disk.
        stdout_base64: all bytes, only where they are not UTF-8 and `stdout` has lost some; likewise `stderr_base64`.
    """

    stdout: str
    stderr: str
    output: str
    code: int | None
    signal: str | None
    message: str | None
    status: str | None
    cpu_time: int
    wall_time: int
    memory: int | None
    verdict: Verdict | UnsetType = UNSET
    stdout_base64: str | UnsetType = UNSET
    stderr_base64: str | UnsetType = UNSET


class ExecuteAnswer(msgspec.Struct, frozen=True):
    """`compile` is there when there was such a stage; when it failed, `run` is a copy of it."""

    run: StageReport
    language: str
    version: str
    compile: StageReport | UnsetType = UNSET


class Ending(NamedTuple):
    """How a stage ended; see `StageReport`."""

    code: int | None = None
    signal: str | None = None
    message: str | None = None
    status: str | None = None
    verdict: Verdict | UnsetType = UNSET


def ending_of(finished: Finished, *, mostly_stderr: bool) -> Ending:
    """
    A verdict in Piston's words.

    Args:
        mostly_stderr: more was printed there, so that it is to blame for too much output.
    """
    match finished.verdict:
        case Verdict.OK:
            return Ending(code=0)
        case Verdict.WALL_TIME:
            return Ending(None, KILLED, "Time limit exceeded (wall clock)", "TO")
        case Verdict.CPU_TIME:
            return Ending(None, KILLED, "Time limit exceeded", "TO")
        case Verdict.OUTPUT if mostly_stderr:
            return Ending(None, KILLED, "stderr length exceeded", "EL")
        case Verdict.OUTPUT:
            return Ending(None, KILLED, "stdout length exceeded", "OL")
        case Verdict.SANDBOX_FAULT:
            return Ending(None, None, finished.message, "XX")
        case Verdict.MEMORY | Verdict.STOPPED:
            # Piston has no word for them; the signal is what it would show, the message tells more.
            return Ending(None, KILLED, finished.message, "SG", finished.verdict)
        case Verdict.PROCESSES | Verdict.DISK:
            return _by_code_or_signal(finished, finished.message)._replace(verdict=finished.verdict)
        case Verdict.ERROR | Verdict.COMPILE_ERROR | Verdict.SIGNAL:
            return _by_code_or_signal(finished, None)


def _by_code_or_signal(finished: Finished, message: str | None) -> Ending:
    if finished.signal:
        return Ending(None, finished.signal, message or _caught(finished.signal), "SG")
    if finished.exit_code is None:
        return Ending(None, KILLED, message or finished.message, "SG")
    return Ending(finished.exit_code, None, message or f"Exited with error status {finished.exit_code}", "RE")


def _caught(name: str) -> str:
    first, _, more = name.partition("+")
    number = signal.Signals.__members__.get(first)
    return f"Caught fatal signal {number + int(more or 0)}" if number else f"Caught fatal signal {name}"


class Transcript:
    """What a job prints and how its stages end, event by event."""

    def __init__(self) -> None:
        self._printed: list[tuple[Stream, bytes]] = []
        self._compiled: StageReport | UnsetType = UNSET
        self._ended: tuple[Stage, StageReport] | None = None

    def take(self, event: RunEvent) -> None:
        match event:
            case Output():
                self._printed.append((event.stream, event.data))
            case Compiled():
                self._compiled = _report(self._printed, Ending(code=0), event)
                self._printed = []
            case Finished():
                is_stderr = _size(self._printed, "stderr") > _size(self._printed, "stdout")
                ending = ending_of(event, mostly_stderr=is_stderr)
                self._ended = event.stage, _report(self._printed, ending, event)
            case _:
                pass

    def answer(self, language: str, version: str) -> ExecuteAnswer:
        """The answer, once `Finished` was taken."""
        assert self._ended, "a run ends with Finished"
        stage, report = self._ended
        return ExecuteAnswer(report, language, version, report if stage == "compile" else self._compiled)


def _report(printed: list[tuple[Stream, bytes]], ending: Ending, meters: Compiled | Finished) -> StageReport:
    stdout, stderr = (b"".join(data for stream, data in printed if stream == name) for name in ("stdout", "stderr"))
    text, stdout_base64 = _decoded(stdout)
    error_text, stderr_base64 = _decoded(stderr)
    return StageReport(
        stdout=text,
        stderr=error_text,
        output=_interleaved(printed) if stdout and stderr else text or error_text,
        code=ending.code,
        signal=ending.signal,
        message=ending.message,
        status=ending.status,
        cpu_time=meters.cpu_time_ms,
        wall_time=meters.wall_time_ms,
        memory=meters.memory_bytes,
        verdict=ending.verdict,
        stdout_base64=stdout_base64,
        stderr_base64=stderr_base64,
    )


def _size(printed: list[tuple[Stream, bytes]], stream: Stream) -> int:
    return sum(len(data) for name, data in printed if name == stream)


def _decoded(data: bytes) -> tuple[str, str | UnsetType]:
    """The text, and all bytes in base64 where the text has lost some."""
    try:
        return data.decode(), UNSET
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace"), base64.b64encode(data).decode()


def _interleaved(printed: list[tuple[Stream, bytes]]) -> str:
    # A character of one stream may be split by what came on the other.
    decoders = StreamDecoders()
    return "".join([decoders.decode(stream, data) for stream, data in printed]) + "".join(
        text for _, text in decoders.rest()
    )


class StreamDecoders:
    """UTF-8 in pieces, for each stream by itself: a character that is split over two pieces comes out whole."""

    def __init__(self) -> None:
        make = codecs.getincrementaldecoder("utf-8")
        self._decoders: dict[Stream, codecs.IncrementalDecoder] = {
            "stdout": make("replace"),
            "stderr": make("replace"),
        }

    def decode(self, stream: Stream, data: bytes) -> str:
        return self._decoders[stream].decode(data)

    def rest(self) -> list[tuple[Stream, str]]:
        """What stands for the unfinished characters at the end."""
        return [
            (stream, text) for stream, decoder in self._decoders.items() if (text := decoder.decode(b"", final=True))
        ]
