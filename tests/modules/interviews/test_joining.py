"""Coming in with a code: what candidates get, and what guessers do not."""

import asyncio
import json
import random

import pytest

from opencode.modules.interviews.settings import InterviewsSettings
from tests.http import client_of
from tests.modules.interviews.conftest import Room, World, admit, create, join


@pytest.fixture
def database_kind() -> str:
    """The stores' own tests hold both databases; one is enough for these."""
    return "sqlite"


async def test_a_candidate_comes_into_the_waiting_room(world: World) -> None:
    interview = await create(world.interviewer())
    answer = await world.client.post("/api/v1/join", json={"code": interview["code"], "name": "Ada"})
    assert answer.status_code == 201
    joined = answer.json()
    assert set(joined) == {"interview_id", "participant", "token"}
    assert joined["interview_id"] == interview["id"]
    participant = joined["participant"]
    assert (participant["name"], participant["role"], participant["status"]) == ("Ada", "candidate", "waiting")
    assert participant["id"].startswith("par_")
    assert participant["colour"] == 1
    assert participant["online"] is False


async def test_who_waits_knows_who_invited_them_and_nothing_else(world: World) -> None:
    interview = await create(world.interviewer("Grace"))
    candidate = await join(world, interview)
    path = f"/api/v1/interviews/{interview['id']}"
    place = (await candidate.get(f"{path}/me")).json()
    assert place["participant"]["id"] == candidate.id
    assert place["interview"] == {
        "id": interview["id"],
        "title": "Backend engineer",
        "state": "scheduled",
        "interviewer_name": "Grace",
    }
    for part in ("", "/participants", "/runs", "/messages", "/export", "/signals"):
        answer = await candidate.get(path + part)
        assert answer.status_code == 403, part


async def test_the_same_name_twice_is_shown_apart(world: World) -> None:
    interview = await create(world.interviewer("Grace"))
    names = [(await join(world, interview, name)).participant["name"] for name in ("Ada", "ada", "Grace")]
    assert names == ["Ada", "ada (2)", "Grace (2)"]


@pytest.mark.parametrize("name", ["", "\u202e\u200b", "x" * 81, "\n"])
async def test_a_name_that_nobody_can_read_is_refused(world: World, name: str) -> None:
    interview = await create(world.interviewer())
    answer = await world.client.post("/api/v1/join", json={"code": interview["code"], "name": name})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/name"


async def test_a_wrong_an_expired_and_an_ended_code_read_exactly_the_same(room: Room) -> None:
    world = room.world
    expired = await create(room.interviewer)
    world.clock.advance(30 * 24 * 3600)
    ended = await create(room.interviewer)
    await room.interviewer.post(f"/api/v1/interviews/{ended['id']}/end")
    alive = await create(room.interviewer)
    rng = random.Random(7)
    guesses = [f"{rng.randrange(10**6):06d}" for _ in range(60)]
    answers: set[str] = set()
    for code in [expired["code"], ended["code"], *guesses]:
        if code == alive["code"]:
            continue
        answer = await world.client.post("/api/v1/join", json={"code": code, "name": "Guesser"})
        assert answer.status_code == 404
        body = answer.json()
        del body["request_id"]
        answers.add(json.dumps([body, sorted((k, v) for k, v in answer.headers.items() if k != "date")]))
    assert len(answers) == 1


class TestBrakes:
    @pytest.fixture
    def settings(self) -> InterviewsSettings:
        return InterviewsSettings(join_attempts_per_minute=3, join_failures_per_minute=5)

    async def test_one_address_gets_so_many_attempts_and_a_throttled_one_learns_nothing(self, world: World) -> None:
        interview = await create(world.interviewer())
        wrong = f"{(int(interview['code']) + 1) % 10**6:06d}"
        for _ in range(3):
            answer = await world.client.post("/api/v1/join", json={"code": wrong, "name": "Guesser"})
            assert answer.status_code == 404
        throttled = [
            await world.client.post("/api/v1/join", json={"code": code, "name": "Guesser"})
            for code in (wrong, interview["code"])
        ]
        assert [answer.status_code for answer in throttled] == [429, 429]
        assert 1 <= int(throttled[0].headers["retry-after"]) <= 60
        bodies = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in throttled]
        assert bodies[0] == bodies[1]
        assert any(line.kind == "interview.join_throttled" for line in world.identity.audit)
        world.clock.advance(61)
        answer = await world.client.post("/api/v1/join", json={"code": interview["code"], "name": "Ada"})
        assert answer.status_code == 201

    async def test_all_addresses_together_get_so_many_wrong_codes(self, world: World) -> None:
        interview = await create(world.interviewer())
        wrong = f"{(int(interview['code']) + 1) % 10**6:06d}"
        for number in range(5):
            async with client_of(world.app, address=f"198.51.100.{number}") as elsewhere:
                answer = await elsewhere.post("/api/v1/join", json={"code": wrong, "name": "Guesser"})
                assert answer.status_code == 404
        async with client_of(world.app, address="198.51.100.99") as elsewhere:
            answer = await elsewhere.post("/api/v1/join", json={"code": interview["code"], "name": "Guesser"})
            assert answer.status_code == 429
            assert "retry-after" in answer.headers

    async def test_right_codes_do_not_use_up_what_wrong_ones_may(self, world: World) -> None:
        interview = await create(world.interviewer())
        for number in range(8):
            async with client_of(world.app, address=f"198.51.100.{number}") as elsewhere:
                answer = await elsewhere.post("/api/v1/join", json={"code": interview["code"], "name": "Ada"})
                assert answer.status_code == 201


class TestCrowd:
    @pytest.fixture
    def settings(self) -> InterviewsSettings:
        return InterviewsSettings(join_attempts_per_minute=1000, waiting_people=3)

    async def test_only_so_many_wait_and_the_next_gets_no_credential(self, world: World) -> None:
        host = world.interviewer()
        interview = await create(host)
        body = {"code": interview["code"], "name": "Ada"}
        answers = await asyncio.gather(*(world.client.post("/api/v1/join", json=body) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 3
        people = (await host.get(f"/api/v1/interviews/{interview['id']}/participants")).json()["items"]
        assert sorted(person["name"] for person in people) == ["Ada", "Ada (2)", "Ada (3)", "Grace"]
        candidates = [person for person in people if person["role"] == "candidate"]
        await host.post(f"/api/v1/interviews/{interview['id']}/participants/{candidates[0]['id']}/admit")
        assert (await world.client.post("/api/v1/join", json=body)).status_code == 201


async def test_people_are_listed_in_the_order_in_which_they_came(world: World) -> None:
    host = world.interviewer()
    interview = await create(host)
    for name in ("Ada", "Bea", "Cem"):
        world.clock.advance(1)
        await join(world, interview, name)
    path = f"/api/v1/interviews/{interview['id']}/participants"
    first = (await host.get(path, limit=3)).json()
    rest = (await host.get(path, limit=3, cursor=first["next_cursor"])).json()
    assert [person["name"] for person in first["items"] + rest["items"]] == ["Grace", "Ada", "Bea", "Cem"]
    assert rest["next_cursor"] is None
    assert first["items"][0]["role"] == "interviewer"
    assert first["items"][0]["colour"] == 0


async def test_a_candidate_sees_the_people_once_admitted(room: Room) -> None:
    items = (await room.candidate.get(f"{room.path}/participants")).json()["items"]
    assert [person["status"] for person in items] == ["admitted", "admitted"]


async def test_a_credential_ends_some_time_after_the_part_in_the_interview(world: World) -> None:
    host = world.interviewer()
    interview = await create(host)
    leaving, staying = await join(world, interview, "Ada"), await join(world, interview, "Bea")
    await admit(host, interview, staying)
    path = f"/api/v1/interviews/{interview['id']}"
    assert (await leaving.post(f"{path}/leave")).json()["status"] == "left"
    assert (await leaving.get(f"{path}/me")).json()["participant"]["status"] == "left"
    world.clock.advance(15 * 60)
    await world.job("tidy interviews")
    assert not world.identity.knows(leaving.id)
    assert world.identity.knows(staying.id)
    await host.post(f"{path}/end")
    assert (await staying.get(f"{path}/me")).json()["interview"]["state"] == "ended"
    world.clock.advance(15 * 60)
    await world.job("tidy interviews")
    assert not world.identity.knows(staying.id)
