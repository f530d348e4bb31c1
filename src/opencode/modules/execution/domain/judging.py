"""The rules of judging: cases, how what was printed is compared with what was expected, and the report."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from opencode.contracts.execution import Finished, RunRequest, Verdict

DEFAULT_TOLERANCE = 1e-6
LONGEST_WORDS = 2_000
"""Characters of a checker's words that are kept."""

CHECKER_FILES = ("input", "expected", "actual")
"""What a checker finds beside its own files, and gets as its arguments."""


class Compare(StrEnum):
    """When what was printed counts as right."""

    EXACT = "exact"
    """Byte for byte."""
    LINES = "lines"
    """Byte for byte, except white space at the ends of lines and empty lines at the end."""
    TOKENS = "tokens"
    """The same words in the same order, whatever white space is between them."""
    FLOATS = "floats"
    """As tokens, and numbers may differ by a tolerance."""
    CHECKER = "checker"
    """A program decides."""


class CaseVerdict(StrEnum):
    """What became of one case: the runner's verdicts, and those of judging."""

    ACCEPTED = "accepted"
    WRONG_ANSWER = "wrong_answer"
    CHECKER_FAULT = "checker_fault"
    """The checker could not decide: it did not compile, broke a limit, or ended with a code other than 0 and 1."""
    NOT_RUN = "not_run"
    """A case before it failed, and the rest was not wanted."""
    ERROR = "error"
    COMPILE_ERROR = "compile_error"
    SIGNAL = "signal"
    WALL_TIME = "wall_time"
    CPU_TIME = "cpu_time"
    MEMORY = "memory"
    OUTPUT = "output"
    PROCESSES = "processes"
    DISK = "disk"
    STOPPED = "stopped"
    SANDBOX_FAULT = "sandbox_fault"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """
    How far a number may be from the expected one: `absolute`, or `relative` times the expected one, whichever lets
    more through.
    """

    absolute: float = DEFAULT_TOLERANCE
    relative: float = DEFAULT_TOLERANCE


@dataclass(frozen=True, slots=True)
class Case:
    """
    One test.

    Attributes:
        expected: what should be printed; None when nothing is compared, and ending well is enough.
        hidden: nothing of it is ever shown but its name, verdict, time and memory.
        points: what it is worth.
    """

    name: str
    stdin: bytes = b""
    args: tuple[str, ...] = ()
    expected: bytes | None = None
    hidden: bool = False
    points: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How a program is judged. `checker` is a program like any other; its `run_id` and `stdin` mean nothing."""

    cases: tuple[Case, ...]
    compare: Compare = Compare.LINES
    tolerance: Tolerance = Tolerance()
    checker: RunRequest | None = None
    stop_on_failure: bool = False


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case. `stdout` and `stderr` are cut; `truncated` says so."""

    verdict: CaseVerdict
    message: str = ""
    stdout: bytes = b""
    stderr: bytes = b""
    truncated: bool = False
    exit_code: int | None = None
    signal: str | None = None
    cpu_time_ms: int | None = None
    wall_time_ms: int | None = None
    memory_bytes: int | None = None


NOT_RUN = CaseResult(CaseVerdict.NOT_RUN, "Not run: a case before it failed.")


@dataclass(frozen=True, slots=True)
class Report:
    """All cases of a plan with their results, in order."""

    results: tuple[CaseResult, ...]

    @property
    def verdict(self) -> CaseVerdict:
        """`accepted` when every case is; else that of the first case which is not."""
        return next(
            (result.verdict for result in self.results if result.verdict is not CaseVerdict.ACCEPTED),
            CaseVerdict.ACCEPTED,
        )

    @property
    def passed(self) -> int:
        return sum(result.verdict is CaseVerdict.ACCEPTED for result in self.results)

    def points(self, plan: Plan) -> float:
        pairs = zip(plan.cases, self.results, strict=True)
        return math.fsum(case.points for case, result in pairs if result.verdict is CaseVerdict.ACCEPTED)


def is_right(actual: bytes, expected: bytes, compare: Compare, tolerance: Tolerance) -> bool:
    """Is what a program printed what it should have printed? Not for `Compare.CHECKER`."""
    match compare:
        case Compare.EXACT:
            return actual == expected
        case Compare.LINES:
            return _lines(actual) == _lines(expected)
        case Compare.TOKENS:
            return actual.split() == expected.split()
        case Compare.FLOATS:
            return _near_tokens(actual.split(), expected.split(), tolerance)
        case Compare.CHECKER:
            raise ValueError("a checker decides, not a rule")


def result_of(finished: Finished, verdict: CaseVerdict, message: str, stdout: bytes, stderr: bytes) -> CaseResult:
    """A case's result with the meters of its run."""
    return CaseResult(
        verdict=verdict,
        message=message,
        stdout=stdout,
        stderr=stderr,
        truncated=finished.truncated,
        exit_code=finished.exit_code,
        signal=finished.signal,
        cpu_time_ms=finished.cpu_time_ms,
        wall_time_ms=finished.wall_time_ms,
        memory_bytes=finished.memory_bytes,
    )


def first_verdict(finished: Finished) -> CaseVerdict | None:
    """What the runner says of a case; None when the program ended well, so that its answer must be looked at."""
    return None if finished.verdict is Verdict.OK else CaseVerdict(finished.verdict.value)


def verdict_of_answer(case: Case, actual: bytes, plan: Plan) -> tuple[CaseVerdict, str]:
    """The verdict on what a program printed that ended well, with its words. Not for `Compare.CHECKER`."""
    if case.expected is None or is_right(actual, case.expected, plan.compare, plan.tolerance):
        return CaseVerdict.ACCEPTED, "Accepted."
    return CaseVerdict.WRONG_ANSWER, "The answer is not what was expected."


def verdict_of_checker(finished: Finished, stdout: bytes) -> tuple[CaseVerdict, str]:
    """What a checker decided: it ends with 0 for right and 1 for wrong, and prints why."""
    said = stdout.decode("utf-8", "replace").strip()[:LONGEST_WORDS]
    if finished.stage == "run" and finished.verdict is Verdict.OK:
        return CaseVerdict.ACCEPTED, said or "Accepted."
    if finished.stage == "run" and finished.verdict is Verdict.ERROR and finished.exit_code == 1:
        return CaseVerdict.WRONG_ANSWER, said or "The checker does not accept the answer."
    if finished.verdict is Verdict.STOPPED:
        return CaseVerdict.STOPPED, finished.message
    return CaseVerdict.CHECKER_FAULT, f"The checker could not decide. {finished.message}"


def stops_judging(result: CaseResult, plan: Plan) -> bool:
    """Is no other case wanted after this one?"""
    return plan.stop_on_failure and result.verdict is not CaseVerdict.ACCEPTED


def all_alike(plan: Plan, result: CaseResult) -> Report:
    """The report of a program that never ran, such as one that does not compile."""
    return Report(tuple(result for _ in plan.cases))


def _lines(text: bytes) -> list[bytes]:
    lines = [line.rstrip() for line in text.split(b"\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


# As programs print numbers: decimal, with an exponent or without, or one of the words that are no number or endless.
_NUMBER = re.compile(rb"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE)


def _near_tokens(actual: Sequence[bytes], expected: Sequence[bytes], tolerance: Tolerance) -> bool:
    return len(actual) == len(expected) and all(
        _near(one, other, tolerance) for one, other in zip(actual, expected, strict=True)
    )


def _near(actual: bytes, expected: bytes, tolerance: Tolerance) -> bool:
    if actual == expected:
        return True
    if not (_NUMBER.fullmatch(actual) and _NUMBER.fullmatch(expected)):
        return False
    one, other = float(actual), float(expected)
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    if math.isinf(one) or math.isinf(other):
        return one == other
    return abs(one - other) <= max(tolerance.absolute, tolerance.relative * abs(other))
