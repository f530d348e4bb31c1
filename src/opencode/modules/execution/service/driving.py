"""Driving one attempt of a run: from the runner's events to news on the way, and a result at the end."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from opencode.contracts.execution import (
    CaseEvent,
    CaseFinished,
    CaseInput,
    CodeRunner,
    Compiled,
    Finished,
    Output,
    StageStarted,
    Verdict,
)
from opencode.modules.execution.domain.judging import (
    CaseResult,
    CaseVerdict,
    Plan,
    Report,
    all_alike,
    stops_judging,
)
from opencode.modules.execution.domain.runs import CompileResult, Details, Result, Run, RunEventType, Score
from opencode.modules.execution.domain.views import CaseView
from opencode.modules.execution.errors import OurFault
from opencode.modules.execution.service.judge import Judge
from opencode.modules.execution.service.telling import Tell, Teller
from opencode.modules.execution.store import News

_PARALLEL = len(os.sched_getaffinity(0))
STOPPED = "Stopped. What it printed so far is above."
NO_VERDICT = "The sandbox ended without a verdict."


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of an attempt, and what is left to tell."""

    result: Result
    details: Details
    news: list[News]


class Driver:
    """Drives one attempt in this process."""

    def __init__(self, run: Run, runner: CodeRunner, tell: Tell, *, kept_bytes: int, on_refused: Callable[[], object]):
        self.run = run
        self._runner = runner
        # An attempt has a name of its own: one that was lost here may still be ending while the next one begins.
        self._request = replace(run.request, run_id=f"{run.id}.{run.attempt}")
        self._teller = Teller(tell, on_refused)
        self._judge = Judge(runner, self._request, run.plan, kept_bytes) if run.plan else None
        self._printed: dict[tuple[str, str], list[bytes]] = {}
        self._compile: CompileResult | None = None
        self._results: list[CaseResult] = []
        self._stopped = asyncio.Event()

    async def drive(self) -> Ending:
        """
        Raises:
            OurFault: the attempt failed, and not by the program.
            Whatever `CodeRunner.run` raises.
        """
        self._teller.start()
        try:
            finished = await self._until_stopped()
        finally:
            left = await self._teller.close()
        result, details = self._sum_up(finished)
        return Ending(result, details, left)

    async def stop(self) -> None:
        """A person wants it to end: the runner says so where it runs already, else here."""
        names = [self._request.run_id, *([self._judge.checker_id] if self._judge else [])]
        if not any([await self._runner.stop(name) for name in names]):
            self._stopped.set()

    async def _until_stopped(self) -> Finished | None:
        """The last event, or None when the run was stopped between two programs."""
        following = asyncio.create_task(self._follow())
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({following, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return following.result() if following.done() else None
        finally:
            for task in (following, stopped):
                task.cancel()
            await asyncio.gather(following, stopped, return_exceptions=True)

    async def _follow(self) -> Finished | None:
        async with aclosing(self._events()) as events:
            async for event in events:
                match event:
                    case Finished():
                        return self._ours_or_theirs(event)
                    case CaseFinished() if self._judge and self.run.plan:
                        if await self._judged(event, self._judge, self.run.plan):
                            return None
                    case Output():
                        self._printed.setdefault((event.stage, event.stream), []).append(event.data)
                        self._teller.print(event)
                    case _:
                        self._note(event)
        if self._judge is None:
            raise OurFault(NO_VERDICT)
        return None

    def _events(self) -> AsyncGenerator[CaseEvent]:
        if self.run.plan is None:
            return self._runner.run(self._request)
        inputs = [CaseInput(case.stdin, case.args) for case in self.run.plan.cases]
        # Whoever stops at the first failure should not have paid for many cases more.
        return self._runner.batch(self._request, inputs, parallel=_PARALLEL)

    def _ours_or_theirs(self, finished: Finished) -> Finished:
        if finished.verdict is Verdict.SANDBOX_FAULT:
            raise OurFault(finished.message)
        return finished

    async def _judged(self, event: CaseFinished, judge: Judge, plan: Plan) -> bool:
        """Note what became of a case. True when no other is wanted."""
        case = plan.cases[event.index]
        result = await judge.look_at(case, event.stdout, event.stderr, event.finished)
        self._results.append(result)
        view = CaseView.of(event.index, case, result)
        self._teller.add(News(RunEventType.TEST_FINISHED, {"test": view}))
        return result.verdict is CaseVerdict.STOPPED or stops_judging(result, plan)

    def _note(self, event: CaseEvent) -> None:
        if isinstance(event, StageStarted) and event.stage == "compile":
            self._compile = CompileResult()
        elif isinstance(event, Compiled):
            self._compile = CompileResult(
                exit_code=0,
                cpu_time_ms=event.cpu_time_ms,
                wall_time_ms=event.wall_time_ms,
                memory_bytes=event.memory_bytes,
                cached=event.cached,
            )
            meters = {name: getattr(event, name) for name in event.__slots__}
            self._teller.add(News(RunEventType.RUN_COMPILED, meters))

    def _sum_up(self, finished: Finished | None) -> tuple[Result, Details]:
        compiling = self._compile
        if compiling is not None:
            compiling = replace(compiling, stdout=self._all("compile", "stdout"), stderr=self._all("compile", "stderr"))
            if finished and finished.stage == "compile":
                compiling = replace(
                    compiling,
                    exit_code=finished.exit_code,
                    cpu_time_ms=finished.cpu_time_ms,
                    wall_time_ms=finished.wall_time_ms,
                    memory_bytes=finished.memory_bytes,
                )
        report = self._report(finished)
        details = Details(self._all("run", "stdout"), self._all("run", "stderr"), compiling, report)
        if finished is not None:
            result = Result.of(finished)
        elif report is None or self._was_stopped:
            result = Result(Verdict.STOPPED, STOPPED, truncated=False)
        else:
            result = _of_report(report)
        score = Score.of(self.run.plan, report) if self.run.plan and report else None
        return replace(result, score=score), details

    def _report(self, finished: Finished | None) -> Report | None:
        if self._judge is None or self.run.plan is None:
            return None
        if finished is not None:  # it did not compile
            return all_alike(self.run.plan, CaseResult(CaseVerdict(finished.verdict.value), finished.message))
        return self._judge.report(self._results)

    @property
    def _was_stopped(self) -> bool:
        return self._stopped.is_set() or any(result.verdict is CaseVerdict.STOPPED for result in self._results)

    def _all(self, stage: str, stream: str) -> bytes:
        return b"".join(self._printed.get((stage, stream), ()))


def _of_report(report: Report) -> Result:
    """A judged run's own result: it came to its end, and used what its cases used together."""
    memory = [result.memory_bytes for result in report.results if result.memory_bytes is not None]
    return Result(
        verdict=Verdict.OK,
        message=f"{report.passed} of {len(report.results)} cases accepted.",
        stage="run",
        cpu_time_ms=sum(result.cpu_time_ms or 0 for result in report.results),
        wall_time_ms=sum(result.wall_time_ms or 0 for result in report.results),
        memory_bytes=max(memory, default=None),
    )
