"""A run that people asked for over the API: what it is made of, where it stands, and what became of it."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from opencode.contracts.execution import Finished, RunRequest, Stage, Verdict
from opencode.kernel.ids import RunId
from opencode.modules.execution.domain.judging import CaseVerdict, Plan, Report

RETRIES = 2
"""How often a run begins anew after a fault of ours. The program's own faults are its result and never retried."""
BEATS_A_LEASE = 4
"""A worker says that it lives so many times within one lease, so that one lost word costs nobody their run."""

STOPPED_WHILE_QUEUED = "Stopped before it started."
WORKERS_LOST = f"The server lost this run {RETRIES + 1} times while it ran, and gave it up."
OUR_FAULT = "The server made a mistake while this ran. Its log says more."


class RunProgress(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"


class RunEventType(StrEnum):
    """What the event stream of a run tells."""

    RUN_QUEUED = "run.queued"
    RUN_STARTED = "run.started"
    RUN_OUTPUT = "run.output"
    RUN_COMPILED = "run.compiled"
    TEST_FINISHED = "test.finished"
    RUN_FINISHED = "run.finished"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Whom to tell of the end. `secret` signs what is told."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class CompileResult:
    """What became of the compile stage; its output, and its meters once it ended."""

    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int | None = None
    cpu_time_ms: int | None = None
    wall_time_ms: int | None = None
    memory_bytes: int | None = None
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """A report in numbers."""

    verdict: CaseVerdict
    passed: int
    total: int
    points: float
    points_possible: float

    @classmethod
    def of(cls, plan: Plan, report: Report) -> "Score":
        possible = math.fsum(case.points for case in plan.cases)
        return cls(report.verdict, report.passed, len(plan.cases), report.points(plan), possible)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a run, without what it printed. `score` is of a run that is judged."""

    verdict: Verdict
    message: str
    stage: Stage | None = None
    truncated: bool = False
    exit_code: int | None = None
    signal: str | None = None
    cpu_time_ms: int | None = None
    wall_time_ms: int | None = None
    memory_bytes: int | None = None
    score: Score | None = None

    @classmethod
    def of(cls, finished: Finished) -> "Result":
        return cls(
            verdict=finished.verdict,
            message=finished.message,
            stage=finished.stage,
            truncated=finished.truncated,
            exit_code=finished.exit_code,
            signal=finished.signal,
            cpu_time_ms=finished.cpu_time_ms,
            wall_time_ms=finished.wall_time_ms,
            memory_bytes=finished.memory_bytes,
        )


@dataclass(frozen=True, slots=True)
class Details:
    """
    What a run printed, and what its parts were.

    Attributes:
        compile: None when the language has no compile stage, or it was not reached.
        report: of the cases, for a run that is judged.
    """

    stdout: bytes = b""
    stderr: bytes = b""
    compile: CompileResult | None = None
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """A run as lists show it: without what it is made of, and without what it printed."""

    id: RunId
    language: str
    version: str | None
    state: RunProgress
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: Result | None


@dataclass(frozen=True, slots=True)
class Run:
    """
    One run.

    Attributes:
        attempt: how often a worker began it. It is the fence: what a worker says of an earlier attempt is not heard.
        faults: how often it was lost or failed by a fault of ours.
        lease_until: the worker that holds it is taken for dead from then on, unless heard of.
        stop_asked: somebody pressed Stop; whoever holds it ends it.
    """

    id: RunId
    owner_id: str
    request: RunRequest
    created_at: datetime
    plan: Plan | None = None
    webhook: Webhook | None = None
    state: RunProgress = RunProgress.QUEUED
    attempt: int = 0
    faults: int = 0
    worker_id: str | None = None
    lease_until: datetime | None = None
    stop_asked: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None
    result: Result | None = None
    details: Details | None = None

    @property
    def is_finished(self) -> bool:
        return self.state is RunProgress.FINISHED

    @property
    def outline(self) -> Outline:
        return Outline(
            id=self.id,
            language=self.request.language,
            version=self.request.version,
            state=self.state,
            attempt=self.attempt,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            result=self.result,
        )

    def is_free(self, now: datetime) -> bool:
        """May a worker begin it? Nobody has it, or whoever had it was not heard of for a lease."""
        if self.state is RunProgress.RUNNING:
            return self.lease_until is None or self.lease_until <= now
        return self.state is RunProgress.QUEUED

    def begun(self, worker_id: str, now: datetime, lease_until: datetime) -> "Run":
        """As a worker holds it. A run that another one held before was lost, which is a fault of ours."""
        lost = self.state is RunProgress.RUNNING
        return replace(
            self,
            state=RunProgress.RUNNING,
            attempt=self.attempt + 1,
            faults=self.faults + lost,
            worker_id=worker_id,
            lease_until=lease_until,
            started_at=now,
        )

    def finish(self, result: Result, details: Details, now: datetime) -> "Run":
        return replace(
            self,
            state=RunProgress.FINISHED,
            worker_id=None,
            lease_until=None,
            finished_at=now,
            result=result,
            details=details,
        )

    def queue_again(self, *, fault: bool) -> "Run":
        """
        Args:
            fault: ours, and counted. A worker that goes down in order gives its runs back without one.
        """
        return replace(
            self,
            state=RunProgress.QUEUED,
            faults=self.faults + fault,
            worker_id=None,
            lease_until=None,
            started_at=None,
        )


@dataclass(frozen=True, slots=True)
class Said:
    """One event of a run's stream. `data` is the JSON that goes out; `seq` counts from 1 without gaps."""

    run_id: RunId
    seq: int
    type: RunEventType
    at: datetime
    data: str


def lease(now: datetime, lease_s: float) -> datetime:
    """Until when a worker that is heard of now holds its runs."""
    return now + timedelta(seconds=lease_s)


def is_worn_out(faults: int) -> bool:
    """Have so many faults of ours hit a run that it does not begin anew?"""
    return faults > RETRIES
