"""People who should not, and requests that nobody sensible sends."""

import re
from typing import Any

import pytest
from litestar.routes import HTTPRoute

from opencode.kernel.ids import new_id
from opencode.modules.interviews.settings import InterviewsSettings
from tests.doubles.assistants import MODEL
from tests.modules.interviews.conftest import Json, Person, Room, World, create, join

Call = tuple[str, str]


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


BODIES: dict[Call, Any] = {
    ("POST", "/api/v1/interviews"): {"title": "Mine"},
    ("PATCH", "/api/v1/interviews/{interview_id}"): {"title": "Mine"},
    ("POST", "/api/v1/interviews/{interview_id}/runs"): {},
    ("POST", "/api/v1/interviews/{interview_id}/messages"): {"text": "hello"},
    ("POST", "/api/v1/interviews/{interview_id}/signals"): {"signals": []},
    ("POST", "/api/v1/interviews/{interview_id}/assistant/questions"): {"text": "hello"},
    ("POST", "/api/v1/interviews/{interview_id}/summary"): {},
    ("PUT", "/api/v1/interviews/{interview_id}/summary"): {"id": "sum_1", "text": "Mine", "revision": 0},
    ("POST", "/api/v1/interviews/{interview_id}/summary/accept"): {"id": "sum_1", "revision": 0},
    ("POST", "/api/v1/join"): {"code": "000000", "name": "Ada"},
}

OPEN_TO_ALL = {("GET", "/api/v1/languages"), ("POST", "/api/v1/join")}

OPEN_TO_ADMITTED = {
    ("GET", "/api/v1/interviews/{interview_id}"),
    ("GET", "/api/v1/interviews/{interview_id}/me"),
    ("POST", "/api/v1/interviews/{interview_id}/leave"),
    ("GET", "/api/v1/interviews/{interview_id}/participants"),
    ("POST", "/api/v1/interviews/{interview_id}/runs"),
    ("GET", "/api/v1/interviews/{interview_id}/runs"),
    ("GET", "/api/v1/runs/{run_id}"),
    ("POST", "/api/v1/runs/{run_id}/stop"),
    ("POST", "/api/v1/runs/{run_id}/tickets"),
    ("GET", "/api/v1/interviews/{interview_id}/messages"),
    ("POST", "/api/v1/interviews/{interview_id}/messages"),
    ("POST", "/api/v1/interviews/{interview_id}/signals"),
    ("GET", "/api/v1/interviews/{interview_id}/events"),
    ("GET", "/api/v1/interviews/{interview_id}/assistant"),
    ("GET", "/api/v1/interviews/{interview_id}/assistant/questions"),
    ("POST", "/api/v1/interviews/{interview_id}/assistant/questions"),
    ("POST", "/api/v1/interviews/{interview_id}/assistant/questions/{question_id}/stop"),
}

OPEN_TO_WAITING = {
    ("GET", "/api/v1/interviews/{interview_id}/me"),
    ("POST", "/api/v1/interviews/{interview_id}/leave"),
    ("GET", "/api/v1/interviews/{interview_id}/events"),
}


OF_OTHER_RUNS = {
    ("POST", "/api/v1/runs"),
    ("GET", "/api/v1/runs"),
    ("DELETE", "/api/v1/runs/{run_id}"),
    ("GET", "/api/v1/runs/{run_id}/events"),
}
"""What `execution` answers for itself, beside the addresses of runs that interviews share with it."""


def calls_of(world: World) -> set[Call]:
    """Every call that the module answers, with the names of what is in its path."""
    answered = {
        (method, re.sub(r":\w+}", "}", route.path_format))
        for route in world.app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/")
        for method in route.methods - {"OPTIONS", "HEAD"}
    }
    return answered - OF_OTHER_RUNS


async def attempt(person: Person, call: Call, room: Room, run: Json) -> int:
    method, path = call
    path = path.replace("{interview_id}", room.interview["id"]).replace("{run_id}", run["id"])
    path = path.replace("{participant_id}", room.candidate.id).replace("{question_id}", new_id("qst"))
    return (await person.call(method, path, json=BODIES.get(call))).status_code


@pytest.fixture
async def some_run(room: Room) -> Json:
    room.world.assistants.models = [MODEL]
    return (await room.interviewer.post(f"{room.path}/runs", {})).json()


async def test_a_candidate_is_refused_every_call_of_the_interviewers(room: Room, some_run: Json) -> None:
    calls = calls_of(room.world) - OPEN_TO_ADMITTED - OPEN_TO_ALL
    assert len(calls) == 16
    for call in calls:
        assert await attempt(room.candidate, call, room, some_run) == 403, call
    assert (await room.interviewer.get(room.path)).json()["state"] == "live"


async def test_who_waits_is_refused_everything_but_their_own_place(room: Room, some_run: Json) -> None:
    waiting = await join(room.world, room.interview, "Bea")
    for call in calls_of(room.world) - OPEN_TO_WAITING - OPEN_TO_ALL:
        assert await attempt(waiting, call, room, some_run) == 403, call


async def test_strangers_cannot_tell_the_interview_from_none(room: Room, some_run: Json) -> None:
    world = room.world
    elsewhere = await join(world, await create(world.interviewer("Alan")), "Cem")
    strangers = [world.interviewer("Other"), world.person(world.identity.add_user("Max")), elsewhere]
    for call in calls_of(world) - OPEN_TO_ALL:
        if "{" not in call[1]:
            continue
        for stranger in strangers:
            assert await attempt(stranger, call, room, some_run) == 404, call


async def test_nobody_is_asked_to_sign_in_everywhere(room: Room, some_run: Json) -> None:
    nobody = room.world.person(None)
    for call in calls_of(room.world) - OPEN_TO_ALL:
        assert await attempt(nobody, call, room, some_run) == 401, call


async def test_an_administrator_reads_and_ends_and_nothing_else(room: Room, some_run: Json) -> None:
    world = room.world
    rights = frozenset({"interviews:create", "interviews:read", "interviews:manage"})
    admin = world.person(world.identity.add_user("Root", roles=frozenset({"admin"}), permissions=rights))
    assert (await admin.get(room.path)).status_code == 200
    assert (await admin.get(f"{room.path}/export")).status_code == 200
    assert (await admin.get(f"{room.path}/signals")).status_code == 200
    assert (await admin.get(f"{room.path}/summary")).json()["may_change"] is False
    for answer in (
        await admin.patch(room.path, {"title": "Mine"}),
        await admin.post(f"{room.path}/runs", {}),
        await admin.post(f"{room.path}/participants/{room.candidate.id}/remove"),
        await admin.call("DELETE", room.path),
    ):
        assert answer.status_code == 403
    assert (await admin.post(f"{room.path}/end")).json()["state"] == "ended"


async def test_a_token_for_reading_only_changes_nothing(room: Room, some_run: Json) -> None:
    token = room.world.identity.narrowed(room.interviewer.token or "", frozenset({"interviews:read"}))
    reader = room.world.person(token)
    for call in calls_of(room.world) - OPEN_TO_ALL - {("GET", "/api/v1/interviews/{interview_id}/events")}:
        expected = {200} if call[0] == "GET" else {403}
        # Only candidates report signals and leave; they are told so first, which is a 403 as well.
        # What comes after the interview is tried below, once it is over.
        elsewhen = {409} if call[1].endswith(("/summary", "/summary/accept")) else set[int]()
        assert await attempt(reader, call, room, some_run) in expected | elsewhen, call
    await room.interviewer.post(f"{room.path}/end")
    for call in calls_of(room.world):
        if call[0] != "GET" and call[1].endswith(("/summary", "/summary/accept")):
            assert await attempt(reader, call, room, some_run) == 403, call


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"signals": [{"kind": "paste", "content": "secret"}]}, {"/signals/0/content"}),
        ({"signals": [{"kind": "keylog"}]}, {"/signals/0/kind"}),
        ({"signals": [{"kind": "paste", "size": -1}]}, {"/signals/0/size"}),
        ({"signals": [{"kind": "paste", "size": "big"}]}, {"/signals/0/size"}),
        ({"signals": [{"kind": "idle"}] * 21}, {"/signals"}),
        ({"signals": [{"kind": "idle"}] * 10_000}, {"/signals"}),
        ({"signals": {}}, {"/signals"}),
        ({}, {"/signals"}),
        ({"signals": [], "more": 1}, {"/more"}),
    ],
)
async def test_signals_that_are_none_are_refused_by_name(room: Room, body: Json, pointers: set[str]) -> None:
    answer = await room.candidate.post(f"{room.path}/signals", body)
    assert answer.status_code == 400
    assert {problem["pointer"] for problem in answer.json()["errors"]} == pointers
    assert "secret" not in answer.text
    assert (await room.interviewer.get(f"{room.path}/signals")).json()["items"] == []


async def test_signals_are_listed_newest_first_with_who_and_when(room: Room) -> None:
    for size in (1, 2):
        room.world.clock.advance(1)
        signals = [{"kind": "paste", "size": size, "language": "python", "line": 3, "column": 7}, {"kind": "active"}]
        assert (await room.candidate.post(f"{room.path}/signals", {"signals": signals})).status_code == 204
    first = (await room.interviewer.get(f"{room.path}/signals", limit=3)).json()
    rest = (await room.interviewer.get(f"{room.path}/signals", cursor=first["next_cursor"])).json()
    items = first["items"] + rest["items"]
    assert [(item["kind"], item["size"]) for item in items] == [
        ("active", None),
        ("paste", 2),
        ("active", None),
        ("paste", 1),
    ]
    assert {item["participant_id"] for item in items} == {room.candidate.id}
    assert items[0]["at"] > items[2]["at"]


class TestFlood:
    @pytest.fixture
    def settings(self) -> InterviewsSettings:
        return InterviewsSettings(chat_messages_per_minute=5, signal_reports_per_minute=5)

    async def test_whoever_floods_is_slowed_down_and_others_are_not(self, room: Room) -> None:
        for path, body in (
            ("messages", {"text": "spam"}),
            ("signals", {"signals": [{"kind": "idle"}] * 20}),
        ):
            codes = [(await room.candidate.post(f"{room.path}/{path}", body)).status_code for _ in range(8)]
            assert codes[:5] == [codes[0]] * 5
            assert codes[5:] == [429] * 3
        assert (await room.interviewer.post(f"{room.path}/messages", {"text": "calm"})).status_code == 201
        room.world.clock.advance(61)
        assert (await room.candidate.post(f"{room.path}/messages", {"text": "sorry"})).status_code == 201


@pytest.mark.parametrize("text", ["", " ", "\u202e", "x" * 4001, 7, None, ["a"]])
async def test_messages_that_are_none_are_refused(room: Room, text: Any) -> None:
    answer = await room.candidate.call("POST", f"{room.path}/messages", json={"text": text})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/text"


async def test_messages_are_read_oldest_first_as_they_were_written(room: Room) -> None:
    texts = ["hi", "a\u0000b\u202ec <b>", "größe 🎉\nsecond line"]
    for text in texts:
        answer = await room.candidate.post(f"{room.path}/messages", {"text": text})
        assert answer.status_code == 201
        assert answer.json()["author"] == {"id": room.candidate.id, "name": "Ada", "role": "candidate"}
        room.world.clock.advance(1)
    first = (await room.interviewer.get(f"{room.path}/messages", limit=2)).json()
    rest = (await room.interviewer.get(f"{room.path}/messages", cursor=first["next_cursor"])).json()
    shown = [item["text"] for item in first["items"] + rest["items"]]
    assert shown == ["hi", "abc <b>", "größe 🎉\nsecond line"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'"x"', b"{", b"\xff", b'{"title": "\\ud800"}', b"[" * 5000])
async def test_bodies_that_are_no_objects_are_refused(world: World, raw: bytes) -> None:
    host = world.interviewer()
    headers = {"authorization": f"Bearer {host.token}", "content-type": "application/json"}
    answer = await world.client.post("/api/v1/interviews", content=raw, headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=!", "cursor=WyJhIl0", "cursor=WzEsMl0"])
async def test_pages_that_do_not_exist_are_refused(room: Room, query: str) -> None:
    for path in ("/api/v1/interviews", f"{room.path}/runs", f"{room.path}/messages", f"{room.path}/participants"):
        assert (await room.interviewer.get(f"{path}?{query}")).status_code == 400


@pytest.mark.parametrize("key", ["x" * 201, "größe", "a b"])
async def test_keys_that_are_too_long_or_unprintable_are_refused(world: World, key: str) -> None:
    headers = {"authorization": f"Bearer {world.interviewer().token}", "idempotency-key": key.encode()}
    answer = await world.client.post("/api/v1/interviews", json={"title": "x"}, headers=headers)  # pyright: ignore[reportArgumentType]
    assert answer.status_code == 400
