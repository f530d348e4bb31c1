"""What is wrong with a request is named, all of it at once, and nothing runs."""

from typing import Any

import pytest

from .conftest import Json, Person, World, accepted, program


async def problems(person: Person, body: Any) -> dict[str, str]:
    answer = await person.post("/api/v1/runs", body)
    assert answer.status_code == 400, answer.text
    return {problem["pointer"]: problem["detail"] for problem in answer.json()["errors"]}


@pytest.fixture
def grace(world: World) -> Person:
    return world.person()


async def test_every_wrong_field_is_named_however_deep_it_is(grace: Person) -> None:
    body: Json = {
        "files": [{"content": 1}, {"content": "", "encoding": "latin1"}, {"nmae": "x"}],
        "stdin": 5,
        "tests": {"cases": [{"points": "many"}, {"hidden": 1}], "compare": "roughly"},
        "color": "red",
    }
    assert set(await problems(grace, body)) == {
        "/color",
        "/language",
        "/files/0/content",
        "/files/1/encoding",
        "/files/2/nmae",
        "/files/2/content",
        "/stdin",
        "/tests/cases/0/points",
        "/tests/cases/1/hidden",
        "/tests/compare",
    }


async def test_everything_that_breaks_a_rule_is_named_at_once(world: World, grace: Person) -> None:
    body: Json = {
        "language": "pyhton",
        "files": [
            {"name": "../up", "content": "x"},
            {"name": "b", "content": "%%%", "encoding": "base64"},
            {"name": "c", "content": "abc", "encoding": "hex"},
            {"name": "nul\x00", "content": ""},
            {"content": ""},
        ],
        "args": ["fine", "with\x00nul"],
        "limits": {"wall_time_ms": 10_001, "processes": 1},
        "compile_limits": {"memory_bytes": 2**52},
        "webhook": {"url": "ftp://example.org"},
    }
    found = await problems(grace, body)
    assert set(found) == {
        "/language",
        "/files/0/name",
        "/files/1/content",
        "/files/2/content",
        "/files/3/name",
        "/files/4/name",
        "/args/1",
        "/limits/wall_time_ms",
        "/compile_limits/memory_bytes",
        "/webhook/url",
    }
    assert "python" in found["/language"]
    assert "10000" in found["/limits/wall_time_ms"]
    assert world.runner.requests == []
    assert (await grace.get("/api/v1/runs")).json()["items"] == []


@pytest.mark.parametrize(
    ("language", "version", "pointer", "words"),
    [
        ("jaavscript", None, "/language", "nearest: javascript"),
        ("PYTHN", None, "/language", "nearest: python"),
        ("zzzzzz", None, "/language", "is not known"),
        ("haskell", None, "/language", "not installed"),
        ("python", "1.1", "/version", "nearest: 1.0"),
        ("python", "9", "/version", "there are: 1.0"),
        ("python", "newest", "/version", "fits no version"),
    ],
)
async def test_unknown_languages_and_versions_are_told_with_the_nearest(
    grace: Person, language: str, version: str | None, pointer: str, words: str
) -> None:
    found = await problems(grace, program("out hi", language=language, version=version))
    assert list(found) == [pointer]
    assert words in found[pointer]


@pytest.mark.parametrize("limit", [0, -1, 1.5, "10", float("inf"), True, 2**70])
async def test_a_limit_is_a_whole_number_above_zero_and_nothing_else(grace: Person, limit: Any) -> None:
    text = program("out hi", limits={"cpu_time_ms": "LIMIT"})
    import json

    raw = json.dumps(text).replace('"LIMIT"', json.dumps(limit))
    answer = await grace.call("POST", "/api/v1/runs", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code == 400


async def test_lone_halves_of_characters_are_refused_or_replaced_and_break_nothing(grace: Person) -> None:
    raw = '{"language": "python", "files": [{"content": "out hi"}], "stdin": "\\ud800"}'
    answer = await grace.call("POST", "/api/v1/runs", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code in (202, 400)


@pytest.mark.parametrize(
    "body",
    [
        {"files": []},
        {"files": [{"name": "a", "content": ""}, {"name": "a", "content": ""}]},
        {"files": [{"content": "a" * (1024 * 1024 + 1)}]},
        {"files": [{"name": f"f{number}", "content": ""} for number in range(101)]},
        {"args": ["a"] * 1001},
        {"stdin": "a" * (1024 * 1024 + 1)},
        {"args": ["a" * 65_537]},
    ],
    ids=["no file", "one name twice", "source", "files", "arguments", "stdin", "one argument"],
)
async def test_what_is_too_much_is_refused(grace: Person, body: Json) -> None:
    await problems(grace, program("out hi", **body))


async def test_rules_of_tests_are_held(grace: Person) -> None:
    case: Json = {"stdin": "", "expected_stdout": ""}
    checker: Json = {"language": "python", "files": [{"content": ""}, {"name": "expected", "content": ""}]}
    for tests, pointers in (
        ({"cases": []}, {"/tests/cases"}),
        ({"cases": [case] * 201}, {"/tests/cases"}),
        ({"cases": [case, {"points": -1, "args": ["\x00"]}]}, {"/tests/cases/1/points", "/tests/cases/1/args/0"}),
        ({"cases": [case], "compare": "checker"}, {"/tests/checker"}),
        ({"cases": [case], "compare": "exact", "tolerance": {"absolute": 1}}, {"/tests/tolerance"}),
        ({"cases": [case], "compare": "floats", "tolerance": {"absolute": -1}}, {"/tests/tolerance"}),
        ({"cases": [case], "checker": checker}, {"/tests/checker/files/1/name"}),
        (
            {"cases": [case], "checker": {"language": "nope", "files": [], "limits": {"processes": 5000}}},
            {"/tests/checker/language", "/tests/checker/files", "/tests/checker/limits/processes"},
        ),
    ):
        assert set(await problems(grace, program("out hi", tests=tests))) == pointers
    assert set(await problems(grace, program("cat", stdin="x", tests={"cases": [case]}))) == {"/tests"}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost:8000",
        "http://10.0.0.1",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://user:secret@example.org/",
        "https://",
        "file:///etc/passwd",
        "http://exa mple.org",
        "http://example.org:99999",
    ],
)
async def test_webhooks_that_lead_inside_are_refused(grace: Person, url: str) -> None:
    assert set(await problems(grace, program("out hi", webhook={"url": url}))) == {"/webhook/url"}


async def test_a_request_that_was_refused_may_come_again_with_the_same_key(grace: Person) -> None:
    key = {"Idempotency-Key": "k"}
    refused = await grace.post("/api/v1/runs", program("out hi", language="nope"), **key)
    assert refused.status_code == 400
    await accepted(grace, program("out hi"), **key)
