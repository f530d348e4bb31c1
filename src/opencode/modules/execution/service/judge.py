"""Judging one run's cases: the program runs with each input, a rule or a checker looks at what it printed."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from opencode.contracts.execution import (
    CodeRunner,
    Finished,
    Output,
    RunEvent,
    RunRefused,
    RunRequest,
    SourceFile,
    Verdict,
)
from opencode.modules.execution.domain.judging import (
    CHECKER_FILES,
    NOT_RUN,
    Case,
    CaseResult,
    CaseVerdict,
    Compare,
    Plan,
    Report,
    first_verdict,
    result_of,
    verdict_of_answer,
    verdict_of_checker,
)
from opencode.modules.execution.errors import OurFault

Decision = tuple[CaseVerdict, str]


class Judge:
    """
    Gives each case of a plan its result.

    Args:
        request: the judged program's; checkers run under its id with `.checker` behind it, for the same owner.
        kept_bytes: how much of each stream of a case is kept to be shown.
    """

    def __init__(self, runner: CodeRunner, request: RunRequest, plan: Plan, kept_bytes: int) -> None:
        self._runner = runner
        self._request = request
        self._plan = plan
        self._kept_bytes = kept_bytes

    @property
    def checker_id(self) -> str:
        """What `CodeRunner.stop` takes to end a checker."""
        return f"{self._request.run_id}.checker"

    async def look_at(self, case: Case, stdout: bytes, stderr: bytes, finished: Finished) -> CaseResult:
        """
        Raises:
            OurFault: a sandbox failed, of the program or of its checker.
        """
        if finished.verdict is Verdict.SANDBOX_FAULT:
            raise OurFault(finished.message)
        if (verdict := first_verdict(finished)) is not None:
            decision: Decision = verdict, finished.message
        elif self._plan.checker is not None and self._plan.compare is Compare.CHECKER:
            decision = await self._check(self._plan.checker, case, stdout)
        else:
            decision = verdict_of_answer(case, stdout, self._plan)
        kept = result_of(finished, *decision, stdout[: self._kept_bytes], stderr[: self._kept_bytes])
        cut = max(len(stdout), len(stderr)) > self._kept_bytes
        return replace(kept, truncated=finished.truncated or cut)

    def report(self, results: Sequence[CaseResult]) -> Report:
        """The results so far, and that the others were not run."""
        missing = len(self._plan.cases) - len(results)
        return Report((*results, *[NOT_RUN] * missing))

    async def _check(self, checker: RunRequest, case: Case, actual: bytes) -> Decision:
        contents = (case.stdin, case.expected or b"", actual)
        seen = [SourceFile(name, content) for name, content in zip(CHECKER_FILES, contents, strict=True)]
        request = replace(
            checker,
            run_id=self.checker_id,
            owner=self._request.owner,
            files=(*checker.files, *seen),
            args=CHECKER_FILES,
        )
        try:
            finished, printed = await _hear_out(self._runner.run(request))
        except RunRefused as refusal:
            # Most likely the answer is larger than a program's files may be together.
            return CaseVerdict.CHECKER_FAULT, f"The checker could not look at the answer. {refusal.detail}"
        if finished.verdict is Verdict.SANDBOX_FAULT:
            raise OurFault(finished.message)
        return verdict_of_checker(finished, printed)


async def _hear_out(events: AsyncGenerator[RunEvent]) -> tuple[Finished, bytes]:
    printed: list[bytes] = []
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Output) and event.stage == "run" and event.stream == "stdout":
                printed.append(event.data)
            elif isinstance(event, Finished):
                return event, b"".join(printed)
    raise OurFault("The sandbox ended without a verdict.")
