"""The rules of judging."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.contracts.execution import Finished, Stage, Verdict
from opencode.modules.execution.domain.judging import (
    Case,
    CaseResult,
    CaseVerdict,
    Compare,
    Plan,
    Report,
    Tolerance,
    first_verdict,
    is_right,
    stops_judging,
    verdict_of_answer,
    verdict_of_checker,
)

STRICT = Tolerance(0, 0)
SPACES = st.text(" \t\r\f\v", max_size=3).map(str.encode)
WORDS = st.lists(st.binary(min_size=1, max_size=4).filter(lambda word: not set(word) & set(b" \t\r\n\f\v")), max_size=8)


def right(actual: bytes, expected: bytes, compare: Compare, tolerance: Tolerance = STRICT) -> bool:
    return is_right(actual, expected, compare, tolerance)


def ended(verdict: Verdict, exit_code: int | None = 0, stage: Stage = "run") -> Finished:
    return Finished(stage, verdict, f"It ended: {verdict}.", exit_code, None, 1, 2, 3)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_exact_means_byte_for_byte(one: bytes, other: bytes) -> None:
    assert right(one, one, Compare.EXACT)
    assert right(one, other, Compare.EXACT) == (one == other)


@given(st.lists(st.tuples(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b"")), SPACES)), st.integers(0, 3))
def test_lines_forgive_white_space_at_their_ends_and_empty_lines_at_the_end(
    lines: list[tuple[bytes, bytes]], more: int
) -> None:
    plain = b"\n".join(line for line, _ in lines)
    padded = b"\n".join(line + space for line, space in lines) + b"\n" * more
    assert right(padded, plain, Compare.LINES)


@pytest.mark.parametrize("actual", [b" 1 2", b"1  2", b"\n1 2", b"1\n2", b"1 2\n\n3"])
def test_lines_forgive_nothing_else(actual: bytes) -> None:
    assert not right(actual, b"1 2", Compare.LINES)


@given(WORDS, st.data())
def test_tokens_forgive_all_white_space_between_words(words: list[bytes], data: st.DataObject) -> None:
    gaps = st.text(" \t\n\r", min_size=1, max_size=3).map(str.encode)
    printed = b"".join(word + data.draw(gaps) for word in words)
    assert right(printed, b" ".join(words), Compare.TOKENS)
    assert right(printed, b" ".join(words), Compare.FLOATS)


@given(WORDS, WORDS)
def test_tokens_forgive_no_other_word(one: list[bytes], other: list[bytes]) -> None:
    assert right(b" ".join(one), b" ".join(other), Compare.TOKENS) == (one == other)


FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@given(FINITE, st.floats(0, 1e6), st.floats(0, 0.5))
def test_a_number_within_either_tolerance_is_right(expected: float, absolute: float, relative: float) -> None:
    room = max(absolute, relative * abs(expected))
    for part, answer in ((0.999, True), (-0.999, True), (1.001, False), (-1.001, False)):
        actual = expected + part * room
        # Where the sum itself is rounded by more than the step, the question has no answer.
        if room > 1e-6 * abs(expected) and room > 1e-200:
            printed = repr(actual).encode()
            assert right(printed, repr(expected).encode(), Compare.FLOATS, Tolerance(absolute, relative)) is answer


@given(FINITE)
def test_a_number_is_right_however_it_is_written(number: float) -> None:
    assert right(f"{number:.17e}".encode(), repr(number).encode(), Compare.FLOATS, Tolerance(0, 1e-15))
    assert right(f"{number:+.17E}\n".encode(), repr(number).encode(), Compare.FLOATS, Tolerance(0, 1e-15))


@pytest.mark.parametrize(
    ("actual", "expected", "answer"),
    [
        (b"nan", b"NaN", True),
        (b"-nan", b"nan", True),
        (b"nan", b"1", False),
        (b"1", b"nan", False),
        (b"inf", b"Infinity", True),
        (b"-inf", b"inf", False),
        (b"1e308", b"inf", False),
        (b"1e999", b"inf", True),
        (b"inf", b"1e308", False),
        (b"1.0", b"1", True),
        (b".5", b"0.5", True),
        (b"5.", b"5", True),
        (b"-0.0", b"0", True),
        (b"abc", b"abc", True),
        (b"abc", b"abd", False),
        (b"1_0", b"10", False),
        (b"0x10", b"16", False),
        ("١".encode(), b"1", False),
        (b"1 2", b"1", False),
        (b"", b"", True),
        (b"", b"0", False),
        (b"\xff", b"1", False),
    ],
)
def test_numbers_that_are_none_and_words_beside_them(actual: bytes, expected: bytes, answer: bool) -> None:
    assert right(actual, expected, Compare.FLOATS, Tolerance(0, 1e-9)) is answer


def test_a_case_without_an_expectation_wants_the_program_to_end_well_and_nothing_more() -> None:
    plan = Plan((Case("ends"),))
    assert verdict_of_answer(plan.cases[0], b"whatever", plan)[0] is CaseVerdict.ACCEPTED


def test_what_the_runner_found_comes_before_what_was_printed() -> None:
    assert first_verdict(ended(Verdict.OK)) is None
    for verdict in Verdict:
        if verdict is not Verdict.OK:
            assert first_verdict(ended(verdict)) == verdict.value


@pytest.mark.parametrize(
    ("finished", "verdict"),
    [
        (ended(Verdict.OK), CaseVerdict.ACCEPTED),
        (ended(Verdict.ERROR, 1), CaseVerdict.WRONG_ANSWER),
        (ended(Verdict.ERROR, 2), CaseVerdict.CHECKER_FAULT),
        (ended(Verdict.WALL_TIME, None), CaseVerdict.CHECKER_FAULT),
        (ended(Verdict.SIGNAL, None), CaseVerdict.CHECKER_FAULT),
        (ended(Verdict.COMPILE_ERROR, 1, "compile"), CaseVerdict.CHECKER_FAULT),
    ],
)
def test_a_checker_ends_with_zero_for_right_and_one_for_wrong(finished: Finished, verdict: CaseVerdict) -> None:
    assert verdict_of_checker(finished, b"because\n")[0] is verdict


def test_a_checkers_words_are_kept_and_cut() -> None:
    assert verdict_of_checker(ended(Verdict.ERROR, 1), b" close, but no \n")[1] == "close, but no"
    assert len(verdict_of_checker(ended(Verdict.OK), b"a" * 1_000_000)[1]) == 2_000
    assert verdict_of_checker(ended(Verdict.OK), b"\xff")[1] == "\ufffd"


@given(st.lists(st.tuples(st.sampled_from(CaseVerdict), st.floats(0, 100)), min_size=1))
def test_a_report_adds_up(outcomes: list[tuple[CaseVerdict, float]]) -> None:
    plan = Plan(tuple(Case(f"{number}", points=points) for number, (_, points) in enumerate(outcomes)))
    report = Report(tuple(CaseResult(verdict) for verdict, _ in outcomes))
    accepted = [points for verdict, points in outcomes if verdict is CaseVerdict.ACCEPTED]
    assert report.passed == len(accepted)
    assert math.isclose(report.points(plan), sum(accepted))
    assert (report.verdict is CaseVerdict.ACCEPTED) == (len(accepted) == len(outcomes))


def test_judging_stops_after_a_failure_only_where_that_was_asked_for() -> None:
    failed, passed = CaseResult(CaseVerdict.WRONG_ANSWER), CaseResult(CaseVerdict.ACCEPTED)
    assert stops_judging(failed, Plan((), stop_on_failure=True))
    assert not stops_judging(passed, Plan((), stop_on_failure=True))
    assert not stops_judging(failed, Plan(()))
