"""Judged runs: one verdict a case, hidden cases stay on the server, faults of ours are not the program's."""

from typing import Any

import msgspec
import pytest

from .conftest import Json, World, accepted, finished, outcome, program

CAT = "cat"


def case(stdin: str, expected: str | None = None, **more: Any) -> Json:
    return {"stdin": stdin, "expected_stdout": expected, **more}


async def test_each_case_gets_a_verdict_and_the_run_a_score(world: World) -> None:
    cases = [case("1", "1", name="same", points=2), case("2", "3"), case("5", None, args=["-v"])]
    done = await outcome(world.person(), CAT, tests={"cases": cases})
    assert (done["status"], done["message"], done["stdout"]) == ("ok", "2 of 3 cases accepted.", "")
    tests = done["tests"]
    assert [each["verdict"] for each in tests["cases"]] == ["accepted", "wrong_answer", "accepted"]
    assert (tests["verdict"], tests["passed"], tests["total"]) == ("wrong_answer", 2, 3)
    assert (tests["points"], tests["points_possible"]) == (3.0, 4.0)
    first = tests["cases"][0]
    assert (first["name"], first["stdin"], first["expected_stdout"], first["stdout"]) == ("same", "1", "1", "1")
    assert tests["cases"][1]["name"] == "2"
    assert (done["cpu_time_ms"], done["wall_time_ms"]) == (9, 15)


@pytest.mark.parametrize(
    ("compare", "printed", "expected", "verdict"),
    [
        ("exact", "1 \n", "1\n", "wrong_answer"),
        ("lines", "1 \n\n", "1", "accepted"),
        ("tokens", " 1\n 2", "1 2", "accepted"),
        ("floats", "0.3333333", "0.33333334", "accepted"),
        ("floats", "0.33", "0.34", "wrong_answer"),
    ],
)
async def test_answers_are_compared_as_asked(
    world: World, compare: str, printed: str, expected: str, verdict: str
) -> None:
    done = await outcome(world.person(), CAT, tests={"cases": [case(printed, expected)], "compare": compare})
    assert done["tests"]["cases"][0]["verdict"] == verdict


async def test_a_program_that_ends_badly_gets_the_runners_verdict(world: World) -> None:
    done = await outcome(world.person(), "out 1\nexit 2", tests={"cases": [case("", "1")]})
    assert done["tests"]["cases"][0]["verdict"] == "error"
    assert done["tests"]["cases"][0]["exit_code"] == 2
    assert done["status"] == "ok"


async def test_hidden_cases_show_their_verdict_and_meters_and_nothing_else(world: World) -> None:
    grace = world.person()
    secret = case("secret input", "secret answer", hidden=True, args=["secret argument"])
    run = await accepted(grace, program("cat", tests={"cases": [secret, case("open", "open")]}))
    done = await finished(grace, run["id"])
    shown, other = done["tests"]["cases"]
    assert {name for name, value in shown.items() if value is not None} == {
        *("index", "name", "hidden", "points", "verdict", "cpu_time_ms", "wall_time_ms", "memory_bytes")
    }
    assert other["stdout"] == "open"
    stream = await grace.get(f"/api/v1/runs/{run['id']}/events")
    for text in (stream.text, msgspec.json.encode(done).decode(), (await grace.get("/api/v1/runs")).text):
        assert "secret" not in text
    assert "test.finished" in stream.text


async def test_judging_stops_on_the_first_failure_when_asked_to(world: World) -> None:
    cases = [case("1", "1"), case("2", "x"), case("3", "3")]
    done = await outcome(world.person(), CAT, tests={"cases": cases, "stop_on_failure": True})
    assert [each["verdict"] for each in done["tests"]["cases"]] == ["accepted", "wrong_answer", "not_run"]
    assert [request.stdin for request in world.runner.requests] == [b"1", b"2"]


async def test_a_checker_decides_and_says_why(world: World) -> None:
    checker: Json = {"language": "javascript", "files": [{"content": "args\nexit 1"}]}
    done = await outcome(world.person(), "out answer", tests={"cases": [case("in", "want")], "checker": checker})
    judged = done["tests"]["cases"][0]
    assert (judged["verdict"], judged["message"]) == ("wrong_answer", "input expected actual")
    request = world.runner.requests[-1]
    assert request.language == "javascript"
    assert {file.name: file.content for file in request.files} == {
        "main.js": b"args\nexit 1",
        "input": b"in",
        "expected": b"want",
        "actual": b"answer\n",
    }


@pytest.mark.parametrize("checker", ["exit 3", "refuse refused"])
async def test_a_checker_that_fails_is_a_fault_of_the_checker(world: World, checker: str) -> None:
    tests: Json = {
        "cases": [case("", "")],
        "checker": {"language": "javascript", "files": [{"content": checker}]},
    }
    done = await outcome(world.person(), "out answer", tests=tests)
    assert done["tests"]["verdict"] == "checker_fault"


async def test_a_judged_run_is_stopped_between_its_cases_too(world: World) -> None:
    grace = world.person()
    tests: Json = {
        "cases": [case("", ""), case("", "")],
        "checker": {"language": "javascript", "files": [{"content": "wait checker"}]},
    }
    run = await accepted(grace, program("out answer", tests=tests))
    await world.runner.reached("checker")
    await grace.post(f"/api/v1/runs/{run['id']}/stop")
    done = await finished(grace, run["id"])
    assert (done["status"], done["tests"]["cases"][1]["verdict"]) == ("stopped", "not_run")


async def test_a_fault_of_the_sandbox_in_one_case_begins_the_whole_run_anew(world: World) -> None:
    done = await outcome(world.person(), "refuse sandbox", tests={"cases": [case("", "")]})
    assert (done["status"], done["attempt"], done["tests"]) == ("sandbox_fault", 3, None)
