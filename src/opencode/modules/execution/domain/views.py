"""How runs are shown: the shapes that answers, events and webhooks carry (docs/execution.md)."""

from datetime import datetime

import msgspec

from opencode.contracts.execution import Stage, Verdict
from opencode.modules.execution.domain.judging import Case, CaseResult, CaseVerdict, Plan, Report
from opencode.modules.execution.domain.runs import CompileResult, Details, Outline, Run, RunProgress, Score
from opencode.modules.execution.domain.texts import text_of


class ScoreView(msgspec.Struct, frozen=True, kw_only=True):
    """The cases of a judged run in numbers. `verdict` is that of the first case that was not accepted."""

    verdict: CaseVerdict
    passed: int
    total: int
    points: float
    points_possible: float

    @classmethod
    def of_score(cls, score: Score) -> "ScoreView":
        return ScoreView(
            verdict=score.verdict,
            passed=score.passed,
            total=score.total,
            points=score.points,
            points_possible=score.points_possible,
        )


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """One case. Of a hidden one nothing is shown but its name, verdict, time and memory."""

    index: int
    name: str
    hidden: bool
    points: float
    verdict: CaseVerdict
    cpu_time_ms: int | None
    wall_time_ms: int | None
    memory_bytes: int | None
    message: str | None = None
    stdin: str | None = None
    args: list[str] | None = None
    expected_stdout: str | None = None
    stdout: str | None = None
    stdout_base64: str | None = None
    stderr: str | None = None
    stderr_base64: str | None = None
    truncated: bool | None = None
    exit_code: int | None = None
    signal: str | None = None

    @classmethod
    def of(cls, index: int, case: Case, result: CaseResult) -> "CaseView":
        shown = cls(
            index=index,
            name=case.name,
            hidden=case.hidden,
            points=case.points,
            verdict=result.verdict,
            cpu_time_ms=result.cpu_time_ms,
            wall_time_ms=result.wall_time_ms,
            memory_bytes=result.memory_bytes,
        )
        if case.hidden:
            return shown
        stdout, stdout_base64 = text_of(result.stdout)
        stderr, stderr_base64 = text_of(result.stderr)
        return msgspec.structs.replace(
            shown,
            message=result.message,
            stdin=text_of(case.stdin)[0],
            args=list(case.args),
            expected_stdout=None if case.expected is None else text_of(case.expected)[0],
            stdout=stdout,
            stdout_base64=stdout_base64,
            stderr=stderr,
            stderr_base64=stderr_base64,
            truncated=result.truncated,
            exit_code=result.exit_code,
            signal=result.signal,
        )


class TestsView(ScoreView, frozen=True, kw_only=True):
    """A judged run's score with each of its cases."""

    cases: list[CaseView]

    @classmethod
    def of(cls, plan: Plan, report: Report) -> "TestsView":
        score = Score.of(plan, report)
        pairs = zip(plan.cases, report.results, strict=True)
        return cls(
            verdict=score.verdict,
            passed=score.passed,
            total=score.total,
            points=score.points,
            points_possible=score.points_possible,
            cases=[CaseView.of(index, case, result) for index, (case, result) in enumerate(pairs)],
        )


class CompileView(msgspec.Struct, frozen=True, kw_only=True):
    """The compile stage. `cached`: the compiler had seen the same sources before."""

    stdout: str
    stdout_base64: str | None
    stderr: str
    stderr_base64: str | None
    exit_code: int | None
    cpu_time_ms: int | None
    wall_time_ms: int | None
    memory_bytes: int | None
    cached: bool

    @classmethod
    def of(cls, result: CompileResult) -> "CompileView":
        stdout, stdout_base64 = text_of(result.stdout)
        stderr, stderr_base64 = text_of(result.stderr)
        return cls(
            stdout=stdout,
            stdout_base64=stdout_base64,
            stderr=stderr,
            stderr_base64=stderr_base64,
            exit_code=result.exit_code,
            cpu_time_ms=result.cpu_time_ms,
            wall_time_ms=result.wall_time_ms,
            memory_bytes=result.memory_bytes,
            cached=result.cached,
        )


class NativeRunOutlineView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A run as lists and `run.finished` show it. `attempt` counts how often it was begun: more than once only after a
    fault of the server's.
    """

    id: str
    language: str
    version: str | None
    state: RunProgress
    attempt: int
    status: Verdict | None
    message: str | None
    stage: Stage | None
    truncated: bool
    exit_code: int | None
    signal: str | None
    cpu_time_ms: int | None
    wall_time_ms: int | None
    memory_bytes: int | None
    tests: ScoreView | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of_outline(cls, run: Outline) -> "NativeRunOutlineView":
        result = run.result
        return NativeRunOutlineView(
            id=run.id,
            language=run.language,
            version=run.version,
            state=run.state,
            attempt=run.attempt,
            status=result.verdict if result else None,
            message=result.message if result else None,
            stage=result.stage if result else None,
            truncated=bool(result and result.truncated),
            exit_code=result.exit_code if result else None,
            signal=result.signal if result else None,
            cpu_time_ms=result.cpu_time_ms if result else None,
            wall_time_ms=result.wall_time_ms if result else None,
            memory_bytes=result.memory_bytes if result else None,
            tests=ScoreView.of_score(result.score) if result and result.score else None,
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
        )


class NativeRunView(NativeRunOutlineView, frozen=True, kw_only=True):
    """
    A run with all that it printed, once it is finished. `position` is how many runs come before it while it is queued.
    The `…_base64` fields hold what is not UTF-8, and are null otherwise.
    """

    position: int | None
    stdout: str
    stdout_base64: str | None
    stderr: str
    stderr_base64: str | None
    compile: CompileView | None
    tests: TestsView | None

    @classmethod
    def of(cls, run: Run, position: int | None = None) -> "NativeRunView":
        details = run.details or Details()
        stdout, stdout_base64 = text_of(details.stdout)
        stderr, stderr_base64 = text_of(details.stderr)
        outline = NativeRunOutlineView.of_outline(run.outline)
        known = {name: getattr(outline, name) for name in outline.__struct_fields__ if name != "tests"}
        return cls(
            **known,
            position=position if run.state is RunProgress.QUEUED else None,
            stdout=stdout,
            stdout_base64=stdout_base64,
            stderr=stderr,
            stderr_base64=stderr_base64,
            compile=CompileView.of(details.compile) if details.compile else None,
            tests=TestsView.of(run.plan, details.report) if run.plan and details.report else None,
        )
