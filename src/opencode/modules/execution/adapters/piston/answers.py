"""
What other servers say, and what it means here.

Read leniently: older servers leave keys out, newer ones add some, and nothing that comes is believed to be small.
"""

import base64
import binascii
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import msgspec

from opencode.contracts.execution import (
    Compiled,
    Finished,
    Limits,
    Output,
    RunEvent,
    Stage,
    StageStarted,
    Stream,
    Verdict,
)
from opencode.modules.execution.domain.programs import StageFacts, judge, signal_number
from opencode.modules.execution.settings import StageLimits

T = TypeVar("T")

LIMITS_HELD = "piston"
_KILLED = "SIGKILL"
_NEARLY = 0.98
"""Of the memory limit: the kernel counts pages in batches, so that a peak may stay a little below."""


class NotPiston(Exception):
    """The answer is none that Piston would give."""


class RemoteRuntime(msgspec.Struct, frozen=True):
    """One language in one version, as `GET runtimes` lists it. `runtime` names the package behind it."""

    language: str
    version: str
    aliases: tuple[str, ...] = ()
    runtime: str | None = None


class Report(msgspec.Struct, frozen=True):
    """
    How a stage went. Older servers send neither `status` nor any meters; `verdict` and the `_base64` come from another
    OpenCode alone.
    """

    stdout: str = ""
    stderr: str = ""
    code: int | None = None
    signal: str | None = None
    message: str | None = None
    status: str | None = None
    cpu_time: float | None = None
    wall_time: float | None = None
    memory: float | None = None
    verdict: str | None = None
    stdout_base64: str | None = None
    stderr_base64: str | None = None


class ExecuteAnswer(msgspec.Struct, frozen=True):
    """`compile` is there when there was such a stage; when it failed, `run` is a copy of it."""

    run: Report
    compile: Report | None = None


class Refusal(msgspec.Struct, frozen=True):
    """Why a request was refused."""

    message: str = ""


class Message(msgspec.Struct, frozen=True):
    """Anything that a `connect` socket says; which keys are there depends on `type`."""

    type: str
    stage: Stage | None = None
    stream: Stream | None = None
    data: str = ""
    code: int | None = None
    signal: str | None = None
    status: str | None = None
    cpu_time: float | None = None
    wall_time: float | None = None
    memory: float | None = None
    verdict: str | None = None
    message: str = ""

    def report(self) -> Report:
        """What an `exit` says of its stage."""
        return Report(
            code=self.code,
            signal=self.signal,
            status=self.status,
            cpu_time=self.cpu_time,
            wall_time=self.wall_time,
            memory=self.memory,
            verdict=self.verdict,
        )


def decoded(data: bytes | str, kind: type[T]) -> T:
    """
    Raises:
        NotPiston: it is no JSON, or not of this shape.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise NotPiston("it answered with something that Piston would not say") from None


@dataclass(slots=True)
class Account:
    """
    Turns what a server tells of one run into events.

    Args:
        compiling, running: what was asked for; a limit that was not is the other server's own, which nobody knows.
        most: what a stage may print here, whatever the other server lets through.
    """

    compiling: Limits
    running: Limits
    most: dict[Stage, int]

    stage: Stage = "run"
    is_over: bool = False
    _printed: int = 0
    _began: float = field(default_factory=time.monotonic)

    def answer(self, answer: ExecuteAnswer) -> Iterator[RunEvent]:
        """All events of an answer of `execute`. Which stream came first where is not told: stdout does."""
        reports: list[tuple[Stage, Report]] = [("run", answer.run)]
        if answer.compile:
            reports.insert(0, ("compile", answer.compile))
        began = self._began
        for stage, report in reports:
            yield self.begin(stage)
            if len(reports) == 1:
                self._began = began
            for stream, data in _streams(report):
                yield from self.printed(stream, data)
            if not self.is_over:
                yield self.end(report)
            if self.is_over:
                return

    def begin(self, stage: Stage) -> StageStarted:
        self.stage, self._printed, self._began = stage, 0, time.monotonic()
        return StageStarted(stage)

    def printed(self, stream: Stream, data: bytes) -> Iterator[RunEvent]:
        """What was printed; the end of the run when it is too much."""
        fits = data[: self.most[self.stage] - self._printed]
        self._printed += len(fits)
        if fits:
            yield Output(self.stage, stream, fits)
        if len(fits) < len(data):
            yield self.end(Report(signal=_KILLED, status="OL"))

    def end(self, report: Report) -> Compiled | Finished:
        """What a stage's end means: that the next one comes, or what became of the run."""
        return self._finish(report, self._cause(report))

    def stopped(self) -> Finished:
        """The run was stopped from here."""
        finished = self._finish(Report(signal=_KILLED), Verdict.STOPPED)
        assert isinstance(finished, Finished)
        return finished

    @property
    def _asked(self) -> Limits:
        return self.compiling if self.stage == "compile" else self.running

    def _cause(self, report: Report) -> Verdict | None:
        """Why the server ended the stage; None when it ended by itself."""
        asked = self._asked
        if report.verdict in {Verdict.MEMORY, Verdict.PROCESSES, Verdict.DISK}:
            return Verdict(report.verdict)
        # Stopped, and not from here: the other server was shut down, or its operator stopped it.
        if report.status == "XX" or report.verdict == Verdict.STOPPED:
            return Verdict.SANDBOX_FAULT
        if report.status in {"OL", "EL"}:
            return Verdict.OUTPUT
        if report.status == "TO":
            return Verdict.CPU_TIME if _is_processor_time(report, asked) else Verdict.WALL_TIME
        if report.signal != _KILLED:
            return None
        if report.memory and asked.memory_bytes and report.memory >= asked.memory_bytes * _NEARLY:
            return Verdict.MEMORY
        # A server without `status` kills what takes too long, and says no more than that.
        if report.status is None and asked.wall_time_ms and self._wall_time_ms(report) >= asked.wall_time_ms:
            return Verdict.WALL_TIME
        return None

    def _finish(self, report: Report, cause: Verdict | None) -> Compiled | Finished:
        cpu_time_ms, wall_time_ms = round(report.cpu_time or 0), self._wall_time_ms(report)
        memory_bytes = None if report.memory is None else round(report.memory)
        facts = StageFacts(
            stage=self.stage,
            began=cause is not Verdict.SANDBOX_FAULT,
            status=_wait_status(report),
            ended_for=cause,
            cpu_time_ms=cpu_time_ms,
        )
        judgement = judge(facts, self._limits_for_words(cause, cpu_time_ms, wall_time_ms, memory_bytes))
        if judgement.verdict is Verdict.OK and self.stage == "compile":
            return Compiled(cpu_time_ms, wall_time_ms, memory_bytes)
        self.is_over = True
        return Finished(
            stage=self.stage,
            verdict=judgement.verdict,
            message=judgement.message,
            exit_code=judgement.exit_code,
            signal=judgement.signal,
            cpu_time_ms=cpu_time_ms,
            wall_time_ms=wall_time_ms,
            memory_bytes=memory_bytes,
            truncated=cause is Verdict.OUTPUT,
            limits_held=LIMITS_HELD,
        )

    def _wall_time_ms(self, report: Report) -> int:
        measured = (time.monotonic() - self._began) * 1000
        return round(measured if report.wall_time is None else report.wall_time)

    def _limits_for_words(
        self, cause: Verdict | None, cpu_time_ms: int, wall_time_ms: int, memory_bytes: int | None
    ) -> StageLimits:
        """The limits that were asked for; in place of one that was not and was reached, what was used."""
        asked, usual = self._asked, StageLimits()
        used_cpu_time_ms = cpu_time_ms if cause is Verdict.CPU_TIME else sys.maxsize
        return replace(
            usual,
            wall_time_ms=asked.wall_time_ms or wall_time_ms,
            cpu_time_ms=asked.cpu_time_ms or used_cpu_time_ms,
            memory_bytes=asked.memory_bytes or memory_bytes or usual.memory_bytes,
            output_bytes=self._printed,
            processes=asked.processes or usual.processes,
        )


def _is_processor_time(report: Report, asked: Limits) -> bool:
    if asked.cpu_time_ms and report.cpu_time is not None:
        return report.cpu_time >= asked.cpu_time_ms
    # The limit was the server's own: what is left are its words, see docs/piston.md.
    return report.message == "Time limit exceeded"


def _wait_status(report: Report) -> int:
    """As wait(2) would have it."""
    if report.signal:
        try:
            return signal_number(report.signal)
        except Exception:
            return signal_number(_KILLED)
    if report.code is None:
        return signal_number(_KILLED)
    return (report.code & 0xFF) << 8


def _streams(report: Report) -> Iterator[tuple[Stream, bytes]]:
    yield "stdout", _bytes(report.stdout, report.stdout_base64)
    yield "stderr", _bytes(report.stderr, report.stderr_base64)


def _bytes(text: str, exact: str | None) -> bytes:
    try:
        return text.encode() if exact is None else base64.b64decode(exact, validate=True)
    except (binascii.Error, ValueError):
        raise NotPiston("it answered with something that Piston would not say") from None
