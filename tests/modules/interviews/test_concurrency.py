"""Several people at the same moment, on both databases."""

import asyncio

import pytest

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.service import arranging
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.interviews.store import reading
from tests.modules.interviews.conftest import Room, World, admit, create, join


async def types_of(parts: Parts, interview_id: str) -> list[EventType]:
    """The types of all events, whose numbers are checked to have no gaps."""
    async with reading(parts.database) as stores:
        said = await stores.records.events_after(interview_id, 0, limit=10_000)  # pyright: ignore[reportArgumentType]
    assert [event.seq for event in said] == list(range(1, len(said) + 1))
    return [event.type for event in said]


async def test_two_people_who_switch_the_language_at_once_seed_each_once(room: Room) -> None:
    await asyncio.gather(
        *(
            person.patch(room.path, {"language": language})
            for person, language in ((room.interviewer, "javascript"), (room.candidate, "js")) * 3
        )
    )
    after = (await room.interviewer.get(room.path)).json()
    assert after["languages"] == ["python", "javascript"]
    assert (await types_of(room.world.parts, room.interview["id"])).count(EventType.LANGUAGE_CHANGED) == 1


async def test_ending_during_a_run_and_twice_at_once_tells_one_end_after_the_run(room: Room) -> None:
    room.world.documents.put(room.document_id, "python", "out x\nwait never")
    queued = (await room.candidate.post(f"{room.path}/runs", {})).json()
    await room.world.runner.reached("never")
    answers = await asyncio.gather(
        *(room.interviewer.post(f"{room.path}/end") for _ in range(3)),
        room.world.job("end interviews whose time is up"),
    )
    assert {answer.status_code for answer in answers if answer is not None} == {200}
    types = await types_of(room.world.parts, room.interview["id"])
    assert types[-2:] == [EventType.RUN_FINISHED, EventType.INTERVIEW_ENDED]
    assert types.count(EventType.INTERVIEW_ENDED) == 1
    assert (await room.interviewer.get(f"/api/v1/runs/{queued['id']}")).json()["status"] == "stopped"


async def test_whoever_joins_at_the_moment_of_the_end_is_in_before_it_or_refused(world: World) -> None:
    host = world.interviewer()
    for _ in range(4):
        interview = await create(host)
        path = f"/api/v1/interviews/{interview['id']}"
        body = {"code": interview["code"], "name": "Ada"}
        world.clock.advance(1)
        ended, *joined = await asyncio.gather(
            host.post(f"{path}/end"), *(world.client.post("/api/v1/join", json=body) for _ in range(3))
        )
        assert ended.status_code == 200
        assert {answer.status_code for answer in joined} <= {201, 404}
        people = (await host.get(f"{path}/participants")).json()["items"]
        came_in = sum(answer.status_code == 201 for answer in joined)
        assert [person["status"] for person in people] == ["admitted"] + ["declined"] * came_in
        assert (await types_of(world.parts, interview["id"]))[-1] is EventType.INTERVIEW_ENDED


async def test_starting_and_admitting_at_once_starts_once(world: World) -> None:
    host = world.interviewer()
    interview = await create(host)
    people = [await join(world, interview, name) for name in ("Ada", "Bea", "Cem")]
    path = f"/api/v1/interviews/{interview['id']}"
    await asyncio.gather(host.post(f"{path}/start"), *(admit(host, interview, person) for person in people))
    types = await types_of(world.parts, interview["id"])
    assert types.count(EventType.INTERVIEW_STARTED) == 1
    assert types.count(EventType.PARTICIPANT_ADMITTED) == 3


async def test_removing_and_leaving_at_once_is_one_farewell(room: Room) -> None:
    await asyncio.gather(
        room.interviewer.post(f"{room.path}/participants/{room.candidate.id}/remove"),
        room.candidate.post(f"{room.path}/leave"),
    )
    types = await types_of(room.world.parts, room.interview["id"])
    farewells = [kind for kind in types if kind in (EventType.PARTICIPANT_REMOVED, EventType.PARTICIPANT_LEFT)]
    assert len(farewells) == 1


async def test_whoever_freezes_last_is_obeyed(room: Room) -> None:
    assert room.candidate.principal
    documents = room.world.documents
    await documents.open(room.document_id, room.candidate.principal, room.world.module.gate)
    for _ in range(3):
        await asyncio.gather(
            *(room.interviewer.patch(room.path, {"frozen": frozen}) for frozen in (True, False, True, False))
        )
        frozen = (await room.interviewer.get(room.path)).json()["frozen"]
        writes = documents.write(room.document_id, room.candidate.id, "python", "x")
        assert writes is not frozen


async def test_a_code_that_is_in_use_is_drawn_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    host = world.interviewer()
    taken = (await create(host))["code"]
    free = f"{(int(taken) + 1) % 10**6:06d}"
    draws = iter([taken, taken, free])
    monkeypatch.setattr(arranging, "new_code", lambda: next(draws))
    assert (await create(host))["code"] == free
    # Once the first interview is over its code is anybody's again.
    first = (await host.get("/api/v1/interviews")).json()["items"][1]
    await host.post(f"/api/v1/interviews/{first['id']}/end")
    monkeypatch.setattr(arranging, "new_code", lambda: taken)
    assert (await create(host))["code"] == taken


async def test_when_no_code_is_free_people_are_told_and_no_document_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = world.interviewer()
    taken = (await create(host))["code"]
    monkeypatch.setattr(arranging, "new_code", lambda: taken)
    before = world.documents.count
    answer = await host.post("/api/v1/interviews", {"title": "x"})
    assert answer.status_code == 429
    assert world.documents.count == before


async def test_the_same_key_twice_at_once_makes_one_interview(world: World) -> None:
    host = world.interviewer()
    key = {"Idempotency-Key": "k"}
    answers = await asyncio.gather(
        *(host.call("POST", "/api/v1/interviews", json={"title": "One"}, headers=key) for _ in range(3))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await host.get("/api/v1/interviews")).json()["items"]) == 1
    assert world.documents.count == 1


async def test_many_who_write_at_once_are_all_numbered(room: Room) -> None:
    answers = await asyncio.gather(
        *(
            person.post(f"{room.path}/messages", {"text": str(number)})
            for number in range(15)
            for person in (room.interviewer, room.candidate)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    assert (await types_of(room.world.parts, room.interview["id"])).count(EventType.CHAT_MESSAGE) == 30


class TestClock:
    @pytest.fixture
    def settings(self) -> InterviewsSettings:
        return InterviewsSettings(interview_minutes=1, join_attempts_per_minute=1000)

    async def test_two_servers_end_an_overdue_interview_once(self, room: Room, clock: ManualClock) -> None:
        clock.advance(60)
        job = "end interviews whose time is up"
        await asyncio.gather(*(room.world.job(job) for _ in range(4)))
        types = await types_of(room.world.parts, room.interview["id"])
        assert types.count(EventType.INTERVIEW_ENDED) == 1
