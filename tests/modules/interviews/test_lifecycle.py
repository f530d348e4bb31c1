"""Creating, starting, changing, ending, deleting: what people get."""

import re
from datetime import datetime, timedelta

import pytest

from opencode.contracts.collaboration import CloseReason, PeerRole
from tests.modules.interviews.conftest import Room, World, admit, create, join


async def test_a_new_interview_has_a_six_digit_code_and_a_document_with_the_template(world: World) -> None:
    host = world.interviewer("Grace")
    interview = await create(host, title="  Backend   engineer ", language="py", duration_minutes=45)
    assert re.fullmatch(r"\d{6}", interview["code"])
    assert interview["id"].startswith("int_")
    assert interview["title"] == "Backend engineer"
    assert interview["state"] == "scheduled"
    assert (interview["language"], interview["languages"]) == ("python", ["python"])
    assert interview["frozen"] is False
    assert interview["duration_minutes"] == 45
    assert interview["interviewer"] == {"id": host.id, "name": "Grace"}
    assert interview["started_at"] is interview["ends_at"] is interview["ended_at"] is None
    assert interview["created_at"].endswith("Z")
    assert await world.documents.text(interview["document_id"], "python") == "out hello from python\n"


async def test_without_a_language_the_configured_one_is_taken(world: World) -> None:
    assert (await create(world.interviewer()))["language"] == "python"


async def test_an_unknown_language_is_refused_with_the_nearest_ones(world: World) -> None:
    answer = await world.interviewer().post("/api/v1/interviews", {"title": "x", "language": "pyhton"})
    assert answer.status_code == 400
    assert "python" in answer.json()["action"]
    assert answer.json()["errors"][0]["pointer"] == "/language"


async def test_only_interviewers_create_interviews(world: World) -> None:
    member = world.person(world.identity.add_user("Max"))
    assert (await member.post("/api/v1/interviews", {"title": "x"})).status_code == 403
    assert (await world.person(None).post("/api/v1/interviews", {"title": "x"})).status_code == 401


async def test_all_wrong_fields_are_named_at_once(world: World) -> None:
    body = {"title": 7, "duration_minutes": 0, "colour": "red"}
    answer = await world.interviewer().post("/api/v1/interviews", body)
    assert answer.status_code == 400
    assert {problem["pointer"] for problem in answer.json()["errors"]} == {"/title", "/duration_minutes", "/colour"}


async def test_the_list_has_ones_own_interviews_newest_first_in_pages(world: World) -> None:
    host, other = world.interviewer("Grace"), world.interviewer("Alan")
    made: list[str] = []
    for number in range(5):
        world.clock.advance(number % 2)  # Two of them share a moment.
        made.append((await create(host, title=f"Interview {number}"))["id"])
    await create(other)
    seen: list[str] = []
    cursor = None
    while True:
        answer = await host.get("/api/v1/interviews", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [item["id"] for item in answer.json()["items"]]
        if (cursor := answer.json()["next_cursor"]) is None:
            break
    assert sorted(seen) == sorted(made)
    created = [(await host.get(f"/api/v1/interviews/{seen_id}")).json()["created_at"] for seen_id in seen]
    assert created == sorted(created, reverse=True)


async def test_starting_sets_the_clock_and_doing_it_twice_changes_nothing(world: World) -> None:
    host = world.interviewer()
    interview = await create(host, duration_minutes=30)
    path = f"/api/v1/interviews/{interview['id']}"
    world.clock.advance(10)
    started = (await host.post(f"{path}/start")).json()
    assert started["state"] == "live"
    ends_at, started_at = (datetime.fromisoformat(started[name]) for name in ("ends_at", "started_at"))
    assert ends_at - started_at == timedelta(minutes=30)
    world.clock.advance(10)
    assert (await host.post(f"{path}/start")).json() == started


async def test_the_first_admission_starts_the_interview(world: World) -> None:
    host = world.interviewer()
    interview = await create(host)
    candidate = await join(world, interview)
    await admit(host, interview, candidate)
    assert (await host.get(f"/api/v1/interviews/{interview['id']}")).json()["state"] == "live"


async def test_an_ended_interview_has_no_code_and_nobody_joins_it(room: Room) -> None:
    answer = await room.interviewer.post(f"{room.path}/end")
    assert answer.status_code == 200
    assert answer.json()["state"] == "ended"
    assert answer.json()["code"] is None
    assert answer.json()["ended_at"] is not None
    joining = await room.world.client.post("/api/v1/join", json={"code": room.interview["code"], "name": "Late"})
    assert joining.status_code == 404


async def test_ending_twice_is_ending_once(room: Room) -> None:
    first = (await room.interviewer.post(f"{room.path}/end")).json()
    room.world.clock.advance(60)
    second = await room.interviewer.post(f"{room.path}/end")
    assert second.status_code == 200
    assert second.json() == first
    assert [line.kind for line in room.world.identity.audit].count("interview.ended") == 1


async def test_an_ended_interview_cannot_be_started_or_changed(room: Room) -> None:
    await room.interviewer.post(f"{room.path}/end")
    for answer in (
        await room.interviewer.post(f"{room.path}/start"),
        await room.interviewer.patch(room.path, {"title": "Other"}),
        await room.interviewer.patch(room.path, {"frozen": True}),
        await room.interviewer.post(f"{room.path}/runs", {}),
        await room.interviewer.post(f"{room.path}/messages", {"text": "hello"}),
    ):
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("/interview-over")


async def test_everybody_is_cut_off_at_the_end(room: Room) -> None:
    documents, gate = room.world.documents, room.world.module.gate
    await documents.open(room.document_id, room.candidate.principal, gate)  # pyright: ignore[reportArgumentType]
    await room.interviewer.post(f"{room.path}/end")
    assert documents.cut_because(room.document_id, room.candidate.id) is CloseReason.ENDED


async def test_the_time_ends_an_interview_by_itself(room: Room) -> None:
    room.world.clock.advance(60 * 60 - 1)
    await room.world.job("end interviews whose time is up")
    assert (await room.interviewer.get(room.path)).json()["state"] == "live"
    room.world.clock.advance(1)
    await room.world.job("end interviews whose time is up")
    await room.world.job("end interviews whose time is up")
    assert (await room.interviewer.get(room.path)).json()["state"] == "ended"
    assert [line.kind for line in room.world.identity.audit].count("interview.ended") == 1


async def test_a_language_gets_its_template_once_and_keeps_what_was_written(room: Room) -> None:
    documents = room.world.documents
    await documents.open(room.document_id, room.candidate.principal, room.world.module.gate)  # pyright: ignore[reportArgumentType]
    assert documents.write(room.document_id, room.candidate.id, "python", "out mine")
    changed = (await room.candidate.patch(room.path, {"language": "js"})).json()
    assert (changed["language"], changed["languages"]) == ("javascript", ["python", "javascript"])
    assert await documents.text(room.document_id, "javascript") == "out hello from javascript\n"
    back = (await room.interviewer.patch(room.path, {"language": "python"})).json()
    assert (back["language"], back["languages"]) == ("python", ["python", "javascript"])
    assert await documents.text(room.document_id, "python") == "out mine"


async def test_freezing_refuses_the_candidates_writes_at_once_and_lifting_allows_them(room: Room) -> None:
    documents, gate = room.world.documents, room.world.module.gate
    assert room.candidate.principal
    assert room.interviewer.principal
    await documents.open(room.document_id, room.candidate.principal, gate)
    await documents.open(room.document_id, room.interviewer.principal, gate)
    assert (await room.interviewer.patch(room.path, {"frozen": True})).json()["frozen"] is True
    assert not documents.write(room.document_id, room.candidate.id, "python", "x")
    assert documents.write(room.document_id, room.interviewer.id, "python", "y")
    assert (await documents.open(room.document_id, room.candidate.principal, gate)).role is PeerRole.READ
    await room.interviewer.patch(room.path, {"frozen": False})
    assert documents.write(room.document_id, room.candidate.id, "python", "z")


async def test_a_frozen_candidate_neither_runs_nor_switches_language(room: Room) -> None:
    await room.interviewer.patch(room.path, {"frozen": True})
    for answer in (
        await room.candidate.post(f"{room.path}/runs", {}),
        await room.candidate.patch(room.path, {"language": "javascript"}),
    ):
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("/editing-frozen")
    assert (await room.interviewer.post(f"{room.path}/runs", {})).status_code == 202


async def test_a_change_is_made_whole_or_not_at_all(room: Room) -> None:
    answer = await room.candidate.patch(room.path, {"language": "javascript", "title": "Mine now"})
    assert answer.status_code == 403
    after = (await room.interviewer.get(room.path)).json()
    assert (after["language"], after["languages"], after["title"]) == ("python", ["python"], "Backend engineer")


async def test_a_live_interview_must_be_ended_before_it_is_deleted(room: Room) -> None:
    assert (await room.interviewer.call("DELETE", room.path)).status_code == 409
    await room.interviewer.post(f"{room.path}/end")
    assert (await room.interviewer.call("DELETE", room.path)).status_code == 204
    assert (await room.interviewer.get(room.path)).status_code == 404
    assert not room.world.documents.holds(room.document_id)
    assert not room.world.identity.knows(room.candidate.id)


async def test_the_same_key_makes_the_same_interview_and_another_request_with_it_is_refused(world: World) -> None:
    host = world.interviewer()
    key = {"Idempotency-Key": "a1"}
    first = await host.call("POST", "/api/v1/interviews", json={"title": "One"}, headers=key)
    again = await host.call("POST", "/api/v1/interviews", json={"title": "One"}, headers=key)
    other = await host.call("POST", "/api/v1/interviews", json={"title": "Two"}, headers=key)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert first.json() == again.json()
    stranger = await world.interviewer("Alan").call("POST", "/api/v1/interviews", json={"title": "One"}, headers=key)
    assert stranger.json()["id"] != first.json()["id"]
    assert len((await host.get("/api/v1/interviews")).json()["items"]) == 1


async def test_keys_are_forgotten_after_a_day(world: World) -> None:
    host = world.interviewer()
    key = {"Idempotency-Key": "a1"}
    first = await host.call("POST", "/api/v1/interviews", json={"title": "One"}, headers=key)
    world.clock.advance(24 * 3600 + 1)
    await world.job("tidy interviews")
    later = await host.call("POST", "/api/v1/interviews", json={"title": "One"}, headers=key)
    assert later.json()["id"] != first.json()["id"]


async def test_a_code_expires_and_is_given_back(world: World) -> None:
    host = world.interviewer()
    interview = await create(host)
    world.clock.advance(30 * 24 * 3600)
    answer = await world.client.post("/api/v1/join", json={"code": interview["code"], "name": "Ada"})
    assert answer.status_code == 404
    assert (await host.get(f"/api/v1/interviews/{interview['id']}")).json()["code"] is None
    await world.job("tidy interviews")
    assert (await host.get(f"/api/v1/interviews/{interview['id']}")).json()["code"] is None


@pytest.mark.parametrize("path", ["int_00000000000000000000000000", "int_%00", "x", "%F0%9F%92%A9"])
async def test_an_interview_that_is_not_there_is_not_found(world: World, path: str) -> None:
    assert (await world.interviewer().get(f"/api/v1/interviews/{path}")).status_code == 404


async def test_everybody_may_list_the_languages(world: World) -> None:
    items = (await world.person(None).get("/api/v1/languages")).json()["items"]
    assert [item["id"] for item in items] == ["javascript", "python", "haskell"]
    assert set(items[0]) == {"id", "name", "version", "available", "reason", "file_name", "template"}
    assert items[2]["available"] is False
    assert items[2]["reason"]
