"""What comes in over HTTP, beside the shapes of `domain.views`."""

from typing import Annotated

from msgspec import Meta

from opencode.contracts.execution import Limits
from opencode.infra.http import Body
from opencode.modules.execution.domain.judging import DEFAULT_TOLERANCE, Compare, Tolerance
from opencode.modules.execution.domain.runs import Webhook
from opencode.modules.execution.domain.wishes import (
    Encoding,
    Wish,
    WishedCase,
    WishedFile,
    WishedProgram,
    WishedTests,
)

_Word = Annotated[str, Meta(min_length=1, max_length=60, description="id or alias, see /api/v1/languages")]
_Version = Annotated[
    str, Meta(max_length=100, pattern=r"^[^\x00]*$", description="a range, such as 3, ^3.10 or *; the highest is taken")
]
_Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
_Limit = Annotated[int, Meta(ge=1, le=2**53)]


class LimitsDraft(Body):
    """Limits of one stage; what is absent is the server's own, which is also the most."""

    wall_time_ms: _Limit | None = None
    cpu_time_ms: _Limit | None = None
    memory_bytes: _Limit | None = None
    output_bytes: _Limit | None = None
    processes: _Limit | None = None

    def limits(self) -> Limits:
        return Limits(self.wall_time_ms, self.cpu_time_ms, self.memory_bytes, self.output_bytes, self.processes)


class FileDraft(Body):
    """One file. The name of the first may be left out: it is what the language calls its main file."""

    content: str
    name: str | None = None
    encoding: Encoding = Encoding.UTF8

    def wished(self) -> WishedFile:
        return WishedFile(self.content, self.name, self.encoding)


class CaseDraft(Body):
    """
    One test. Without `expected_stdout` the program has to end well, whatever it prints. Of a `hidden` one nothing is
    ever shown but its name, verdict, time and memory.
    """

    name: _Name | None = None
    stdin: str = ""
    args: tuple[str, ...] = ()
    expected_stdout: str | None = None
    hidden: bool = False
    points: float = 1.0

    def wished(self) -> WishedCase:
        return WishedCase(self.name, self.stdin, self.args, self.expected_stdout, self.hidden, self.points)


class ToleranceDraft(Body):
    """How far a number may be off, for the comparison `floats`: whichever of the two lets more through."""

    absolute: float = DEFAULT_TOLERANCE
    relative: float = DEFAULT_TOLERANCE


class CheckerDraft(Body):
    """
    A program that decides. It finds `input`, `expected` and `actual` beside its own files and as its arguments, ends
    with 0 for right or 1 for wrong, and prints why.
    """

    language: _Word
    files: list[FileDraft]
    version: _Version | None = None
    limits: LimitsDraft | None = None
    compile_limits: LimitsDraft | None = None


class TestsDraft(Body):
    """How the program is judged. `compare` is `lines` when nothing is said, or `checker` when there is one."""

    cases: list[CaseDraft]
    compare: Compare | None = None
    tolerance: ToleranceDraft | None = None
    checker: CheckerDraft | None = None
    stop_on_failure: bool = False

    def wished(self) -> WishedTests:
        return WishedTests(
            cases=tuple(case.wished() for case in self.cases),
            compare=self.compare,
            tolerance=Tolerance(self.tolerance.absolute, self.tolerance.relative) if self.tolerance else None,
            checker=_program(self.checker) if self.checker else None,
            stop_on_failure=self.stop_on_failure,
        )


class WebhookDraft(Body):
    """Whom to tell of the end. With a `secret` what is told is signed, see docs/execution.md."""

    url: Annotated[str, Meta(min_length=1)]
    secret: Annotated[str, Meta(min_length=8, max_length=200, pattern=r"^[^\x00]*$")] | None = None


class NativeRunDraft(Body):
    """A program to run, once or with each of its test cases."""

    language: _Word
    files: list[FileDraft]
    version: _Version | None = None
    stdin: str = ""
    args: tuple[str, ...] = ()
    limits: LimitsDraft | None = None
    compile_limits: LimitsDraft | None = None
    tests: TestsDraft | None = None
    webhook: WebhookDraft | None = None

    def wish(self) -> Wish:
        return Wish(
            program=_program(self),
            stdin=self.stdin,
            args=self.args,
            tests=self.tests.wished() if self.tests else None,
            webhook=Webhook(self.webhook.url, self.webhook.secret or "") if self.webhook else None,
        )


def _program(draft: NativeRunDraft | CheckerDraft) -> WishedProgram:
    return WishedProgram(
        language=draft.language,
        files=tuple(file.wished() for file in draft.files),
        version=draft.version,
        limits=draft.limits.limits() if draft.limits else Limits(),
        compile_limits=draft.compile_limits.limits() if draft.compile_limits else Limits(),
    )
