"""What people ask for over the API, and the run that it becomes: everything that is wrong is found at once."""

import base64
import binascii
import difflib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from opencode.contracts.execution import Language, Limits, RunRefused, RunRequest, SourceFile
from opencode.kernel.addresses import url_problem
from opencode.kernel.errors import FieldProblem
from opencode.kernel.versions import best_match
from opencode.modules.execution.domain.judging import CHECKER_FILES, Case, Compare, Plan, Tolerance
from opencode.modules.execution.domain.programs import check_request, narrow
from opencode.modules.execution.domain.runs import Webhook
from opencode.modules.execution.settings import ExecutionSettings

LONGEST_WORD = 100  # characters of somebody's wrong word that an error repeats


class Encoding(StrEnum):
    UTF8 = "utf8"
    BASE64 = "base64"
    HEX = "hex"


@dataclass(frozen=True, slots=True)
class WishedFile:
    content: str
    name: str | None = None
    encoding: Encoding = Encoding.UTF8


@dataclass(frozen=True, slots=True)
class WishedCase:
    name: str | None = None
    stdin: str = ""
    args: tuple[str, ...] = ()
    expected: str | None = None
    hidden: bool = False
    points: float = 1.0


@dataclass(frozen=True, slots=True)
class WishedProgram:
    """A program in a language; `version` is a range."""

    language: str
    files: tuple[WishedFile, ...]
    version: str | None = None
    limits: Limits = field(default_factory=Limits)
    compile_limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class WishedTests:
    cases: tuple[WishedCase, ...]
    compare: Compare | None = None
    tolerance: Tolerance | None = None
    checker: WishedProgram | None = None
    stop_on_failure: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """A run as somebody asks for it."""

    program: WishedProgram
    stdin: str = ""
    args: tuple[str, ...] = ()
    tests: WishedTests | None = None
    webhook: Webhook | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A wish that can be fulfilled."""

    request: RunRequest
    plan: Plan | None
    webhook: Webhook | None


@dataclass(frozen=True, slots=True)
class House:
    """
    What a wish is held to.

    Attributes:
        elsewhere: programs run on other machines, so that what is installed on this one says nothing.
    """

    languages: Sequence[Language]
    settings: ExecutionSettings
    elsewhere: bool = False


def order_of(wish: Wish, house: House, *, run_id: str, owner: str) -> Order:
    """
    Raises:
        RunRefused: with a problem for each wrong field.
    """
    request, problems = _request_of(wish.program, house, "")
    request = replace(request, run_id=run_id, owner=owner, stdin=_bytes(wish.stdin), args=wish.args)
    problems += _refusals(lambda: check_request(request, house.settings))
    plan = None
    if wish.tests:
        plan, of_tests = _plan_of(wish.tests, house)
        problems += of_tests
        if wish.stdin or wish.args:
            problems.append(FieldProblem("/tests", "brings its own stdin and args; leave out those of the run"))
    if wish.webhook and (wrong := _webhook_problem(wish.webhook, house)):
        problems.append(wrong)
    if problems:
        first = problems[0]
        raise RunRefused(
            f"The run was refused: {first.pointer} {first.detail}.",
            action="Correct what errors lists.",
            problems=tuple(problems),
        )
    return Order(request, plan, wish.webhook)


def _request_of(program: WishedProgram, house: House, at: str) -> tuple[RunRequest, list[FieldProblem]]:
    """A program as the runner takes it, and what is wrong with it but for its files' names and sizes."""
    language = next((one for one in house.languages if program.language in (one.id, *one.aliases)), None)
    problems: list[FieldProblem] = []
    if wrong := _language_problem(program, language, house, at):
        problems.append(wrong)
    files: list[SourceFile] = []
    for index, file in enumerate(program.files):
        place = f"{at}/files/{index}"
        name = file.name
        if name is None and index == 0:
            name = language.file_name if language else "main"
        if name is None:
            problems.append(FieldProblem(f"{place}/name", "is required for every file but the first"))
        content = _decoded(file)
        if content is None:
            problems.append(FieldProblem(f"{place}/content", f"is not {file.encoding.value}"))
        files.append(SourceFile(name or f"file{index}", content or b""))
    for name, limits, ceiling in (
        ("limits", program.limits, house.settings.run),
        ("compile_limits", program.compile_limits, house.settings.compile),
    ):
        found = _refusals(lambda limits=limits, ceiling=ceiling, name=name: narrow(limits, ceiling, name))
        problems += [replace(each, pointer=at + each.pointer) for each in found]
    request = RunRequest(
        run_id="",
        language=language.id if language else program.language,
        files=tuple(files),
        limits=program.limits,
        version=program.version,
        compile_limits=program.compile_limits,
    )
    return request, problems


def _plan_of(tests: WishedTests, house: House) -> tuple[Plan, list[FieldProblem]]:
    problems: list[FieldProblem] = []
    most = house.settings.run_cases
    if not 1 <= len(tests.cases) <= most:
        problems.append(FieldProblem("/tests/cases", f"has {len(tests.cases)} cases; from 1 to {most} are allowed"))
    cases: list[Case] = []
    for index, wished in enumerate(tests.cases[:most]):
        case = _case_of(wished, index)
        cases.append(case)
        problems += _case_problems(case, f"/tests/cases/{index}", house.settings)
    compare = tests.compare or (Compare.CHECKER if tests.checker else Compare.LINES)
    if (compare is Compare.CHECKER) != (tests.checker is not None):
        problems.append(FieldProblem("/tests/checker", "goes with the comparison `checker`, and only with that"))
    if tests.tolerance and not (compare is Compare.FLOATS and _is_tolerance(tests.tolerance)):
        problems.append(FieldProblem("/tests/tolerance", "goes with the comparison `floats`, and is not negative"))
    checker = None
    if tests.checker:
        checker, of_checker = _checker_of(tests.checker, house)
        problems += of_checker
    tolerance = tests.tolerance or Tolerance()
    return Plan(tuple(cases), compare, tolerance, checker, tests.stop_on_failure), problems


def _case_of(wished: WishedCase, index: int) -> Case:
    return Case(
        name=wished.name or f"{index + 1}",
        stdin=_bytes(wished.stdin),
        args=wished.args,
        expected=None if wished.expected is None else _bytes(wished.expected),
        hidden=wished.hidden,
        points=wished.points,
    )


def _case_problems(case: Case, at: str, settings: ExecutionSettings) -> Iterable[FieldProblem]:
    # The rules of a run, for a program that breaks none.
    request = RunRequest("", "", (SourceFile("main", b""),), stdin=case.stdin, args=case.args)
    for problem in _refusals(lambda: check_request(request, settings)):
        yield replace(problem, pointer=at + problem.pointer)
    if not (math.isfinite(case.points) and case.points >= 0):
        yield FieldProblem(f"{at}/points", "must be a number that is not negative")


def _is_tolerance(tolerance: Tolerance) -> bool:
    return all(math.isfinite(number) and number >= 0 for number in (tolerance.absolute, tolerance.relative))


def _checker_of(wished: WishedProgram, house: House) -> tuple[RunRequest, list[FieldProblem]]:
    at = "/tests/checker"
    request, problems = _request_of(wished, house, at)
    found = _refusals(lambda: check_request(request, house.settings))
    problems += [replace(each, pointer=at + each.pointer) for each in found]
    for index, file in enumerate(request.files):
        if file.name.partition("/")[0] in CHECKER_FILES:
            problems.append(FieldProblem(f"{at}/files/{index}/name", f"is taken: {', '.join(CHECKER_FILES)} are ours"))
    return request, problems


def _language_problem(program: WishedProgram, language: Language | None, house: House, at: str) -> FieldProblem | None:
    if language is None:
        nearest = _nearest(program.language, [word for one in house.languages for word in (one.id, *one.aliases)])
        return FieldProblem(f"{at}/language", f"{program.language[:LONGEST_WORD]!r} is not known{nearest}")
    if house.elsewhere:
        return None
    if not language.available:
        return FieldProblem(f"{at}/language", f"is not installed on this server: {language.reason}")
    wanted = program.version
    if wanted is not None and best_match(wanted, language.versions) is None:
        nearest = _nearest(wanted, language.versions) or f"; there are: {', '.join(language.versions)}"
        return FieldProblem(f"{at}/version", f"{wanted[:LONGEST_WORD]!r} fits no version of {language.id}{nearest}")
    return None


def _webhook_problem(webhook: Webhook, house: House) -> FieldProblem | None:
    wrong = url_problem(webhook.url, private_too=house.settings.webhooks_to_private_networks)
    return FieldProblem("/webhook/url", wrong) if wrong else None


def _nearest(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word[:LONGEST_WORD].lower(), list(dict.fromkeys(known)))
    return f"; nearest: {', '.join(found)}" if found else ""


def _decoded(file: WishedFile) -> bytes | None:
    """The bytes of a file; None when they are not in the encoding that it names."""
    try:
        match file.encoding:
            case Encoding.UTF8:
                return file.content.encode()
            case Encoding.BASE64:
                return base64.b64decode(file.content, validate=True)
            case Encoding.HEX:
                return binascii.unhexlify(file.content)
    except (ValueError, binascii.Error):
        return None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _refusals(check: Callable[[], object]) -> list[FieldProblem]:
    try:
        check()
    except RunRefused as refusal:
        return list(refusal.problems)
    return []
