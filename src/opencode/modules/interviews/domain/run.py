"""A run: the shared text at one moment, and what became of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from opencode.contracts.execution import Compiled, Finished, Stage, Terminal, Verdict
from opencode.kernel.ids import InterviewId, RunId

HEARTBEAT_S = 5.0
LOST_AFTER = timedelta(seconds=20)
"""A run whose server has not been heard of for four heartbeats will never finish."""

RESTARTED = "The server restarted while this ran."
INTERVIEW_ENDED = "Stopped: the interview ended."
STOPPED_BEFORE_START = "Stopped before it started."


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Compilation:
    """A compile stage that ended well: what it took, and what the compiler printed."""

    cpu_time_ms: int
    wall_time_ms: int
    memory_bytes: int | None
    cached: bool
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Run:
    """
    One run.

    Attributes:
        source: the text that ran, as the server had it.
        terminal: the size with which its terminal began; None when it has pipes.
        compilation: what came before the run stage, once it ended well.
        stdout, stderr: all that was printed in the stage in which the run ended; empty before it is finished.
        status: a word of `contracts.execution.Verdict`, once finished.
        alive_at: when the server that drives it was last heard of.
    """

    id: RunId
    interview_id: InterviewId
    language: str
    source: str
    stdin: str
    args: tuple[str, ...]
    requested_by_id: str
    requested_by_name: str
    created_at: datetime
    alive_at: datetime
    terminal: Terminal | None = None
    state: RunState = RunState.QUEUED
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    exit_code: int | None = None
    signal: str | None = None
    status: Verdict | None = None
    message: str | None = None
    stage: Stage | None = None
    compilation: Compilation | None = None
    cpu_time_ms: int | None = None
    wall_time_ms: int | None = None
    memory_bytes: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        return self.state is RunState.FINISHED

    def running(self, stage: Stage, at: datetime) -> "Run":
        return replace(self, state=RunState.RUNNING, stage=stage, started_at=self.started_at or at)

    def compiled(self, meters: Compiled, *, stdout: str, stderr: str) -> "Run":
        """The compile stage is over, and the run stage follows."""
        compilation = Compilation(
            cpu_time_ms=meters.cpu_time_ms,
            wall_time_ms=meters.wall_time_ms,
            memory_bytes=meters.memory_bytes,
            cached=meters.cached,
            stdout=stdout,
            stderr=stderr,
        )
        return replace(self, stage="run", compilation=compilation)

    def finish(self, verdict: Finished, *, stdout: str, stderr: str, at: datetime) -> "Run":
        return replace(
            self,
            state=RunState.FINISHED,
            stdout=stdout,
            stderr=stderr,
            truncated=verdict.truncated,
            exit_code=verdict.exit_code,
            signal=verdict.signal,
            status=verdict.verdict,
            message=verdict.message,
            stage=verdict.stage,
            cpu_time_ms=verdict.cpu_time_ms,
            wall_time_ms=verdict.wall_time_ms,
            memory_bytes=verdict.memory_bytes,
            finished_at=at,
        )

    def give_up(self, status: Verdict, message: str, *, stdout: str, stderr: str, at: datetime) -> "Run":
        """Finish a run that has no verdict of its own: stopped from outside, or lost by the server."""
        return replace(
            self,
            state=RunState.FINISHED,
            stdout=stdout,
            stderr=stderr,
            status=status,
            message=message,
            finished_at=at,
        )
