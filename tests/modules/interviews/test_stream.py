"""The event stream, through a real server."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import REGISTRY

from opencode.contracts.collaboration import PeerOnline
from opencode.contracts.identity import CredentialsRevoked
from opencode.infra.events import Reactions
from opencode.infra.pubsub import MemoryPubSub
from opencode.kernel.ids import DocumentId
from opencode.modules.interviews.module import build
from opencode.modules.interviews.service import streaming
from opencode.modules.interviews.settings import InterviewsSettings
from tests.http import application
from tests.modules.interviews.conftest import Room, World, admit, create, join
from tests.modules.interviews.streams import serving, watching


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
async def base(world: World) -> AsyncGenerator[str]:
    async with serving(world.app) as address:
        yield address


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


async def test_everything_that_happens_is_told_in_order_and_numbered_without_gaps(room: Room, base: str) -> None:
    async with watching(base, room.interview["id"], room.interviewer.token) as stream:
        room.world.documents.put(room.document_id, "javascript", "out hello")
        await room.interviewer.patch(room.path, {"language": "javascript", "frozen": True, "title": "Other"})
        await room.interviewer.patch(room.path, {"frozen": False})
        await room.candidate.post(f"{room.path}/messages", {"text": "hi"})
        await room.candidate.post(f"{room.path}/signals", {"signals": [{"kind": "paste", "size": 9}]})
        await room.candidate.post(f"{room.path}/runs", {})
        heard = await stream.until("run.finished")
        await room.interviewer.post(f"{room.path}/end")
        heard += await stream.rest()
    assert types(heard) == [
        "participant.joined",
        "interview.started",
        "participant.admitted",
        "interview.changed",
        "language.changed",
        "interview.frozen",
        "interview.frozen",
        "chat.message",
        "monitor.signal",
        "run.started",
        "run.stage",
        "run.output",
        "run.finished",
        "interview.ended",
    ]
    assert stream.ids == list(range(1, 15))
    by_type = {event["type"]: event for event in heard}
    assert all(event["at"].endswith("Z") for event in heard)
    assert by_type["interview.changed"]["interview"]["title"] == "Other"
    assert by_type["language.changed"]["language"] == "javascript"
    assert by_type["language.changed"]["by"] == {"id": room.interviewer.id, "name": "Grace"}
    assert by_type["interview.frozen"]["frozen"] is False
    assert by_type["chat.message"]["message"]["text"] == "hi"
    assert by_type["monitor.signal"]["signal"]["size"] == 9
    assert by_type["monitor.signal"]["participant_id"] == room.candidate.id
    assert by_type["run.started"]["run"]["state"] == "queued"
    assert by_type["run.output"] | {"at": ""} == {
        "type": "run.output",
        "at": "",
        "run_id": by_type["run.started"]["run"]["id"],
        "stage": "run",
        "stream": "stdout",
        "text": "hello\n",
    }
    assert by_type["run.finished"]["run"]["status"] == "ok"
    assert "stdout" not in by_type["run.finished"]["run"]
    assert by_type["interview.ended"]["interview"]["state"] == "ended"


async def test_a_stream_goes_on_after_the_event_that_was_seen_last(room: Room, base: str) -> None:
    for number in range(5):
        await room.candidate.post(f"{room.path}/messages", {"text": str(number)})
    async with watching(base, room.interview["id"], room.interviewer.token, last_id=5) as stream:
        await room.candidate.post(f"{room.path}/messages", {"text": "5"})
        texts = [(await stream.next() or {})["message"]["text"] for _ in range(4)]
    assert texts == ["2", "3", "4", "5"]
    assert stream.ids == [6, 7, 8, 9]
    async with watching(base, room.interview["id"], room.interviewer.token, after=8) as stream:
        assert (await stream.next() or {})["message"]["text"] == "5"


async def test_a_server_that_goes_down_ends_its_streams_and_the_next_one_goes_on(room: Room, base: str) -> None:
    world = room.world
    async with watching(base, room.interview["id"], room.candidate.token) as stream:
        await stream.until("participant.admitted")
        assert world.module.plug.drain
        await world.module.plug.drain()
        assert await stream.rest() == []
    await room.interviewer.post(f"{room.path}/messages", {"text": "meanwhile"})
    neighbours: Any = world.neighbours
    successor = build(world.parts, InterviewsSettings(), **neighbours)
    async with (
        serving(application(successor.plug.routes, world.identity)) as other_base,
        watching(other_base, room.interview["id"], room.candidate.token, last_id=stream.ids[-1]) as again,
    ):
        assert (await again.next() or {})["message"]["text"] == "meanwhile"
        assert again.ids == [stream.ids[-1] + 1]


async def test_who_waits_hears_only_of_themselves_until_they_are_let_in(world: World, base: str) -> None:
    host = world.interviewer()
    interview = await create(host)
    path = f"/api/v1/interviews/{interview['id']}"
    ada = await join(world, interview, "Ada")
    async with watching(base, interview["id"], ada.token) as stream:
        bea = await join(world, interview, "Bea")
        await host.post(f"{path}/messages", {"text": "among us"})
        await admit(host, interview, bea)
        await admit(host, interview, ada)
        await host.post(f"{path}/messages", {"text": "welcome"})
        heard = await stream.until("chat.message")
    assert types(heard) == ["participant.joined", "interview.started", "participant.admitted", "chat.message"]
    assert all(event["participant"]["id"] == ada.id for event in heard if "participant" in event)
    assert heard[-1]["message"]["text"] == "welcome"
    async with watching(base, interview["id"], ada.token, after=0) as stream:
        assert "among us" in str(await stream.until("participant.admitted"))


@pytest.mark.parametrize("verdict", ["decline", "remove"])
async def test_who_is_sent_away_hears_why_and_the_stream_ends(world: World, base: str, verdict: str) -> None:
    host = world.interviewer()
    interview = await create(host)
    ada, bea = await join(world, interview, "Ada"), await join(world, interview, "Bea")
    if verdict == "remove":
        await admit(host, interview, ada)
    async with (
        watching(base, interview["id"], ada.token) as stream,
        watching(base, interview["id"], bea.token) as other,
    ):
        await host.post(f"/api/v1/interviews/{interview['id']}/participants/{ada.id}/{verdict}")
        heard = await stream.rest()
        assert heard[-1]["type"] == f"participant.{verdict}d"
        await host.post(f"/api/v1/interviews/{interview['id']}/participants/{bea.id}/decline")
        assert types(await other.rest())[-1] == "participant.declined"
    # Whoever missed it on a broken line still gets it, and nothing more; whoever has it is told not to come back.
    async with watching(base, interview["id"], ada.token, last_id=stream.ids[-1] - 1) as again:
        assert types(await again.rest()) == [f"participant.{verdict}d"]
    everything = (await host.get(f"/api/v1/interviews/{interview['id']}/participants")).json()["items"]
    assert len(everything) == 3


async def test_nothing_is_left_to_come_back_for_after_the_last_event(room: Room, base: str) -> None:
    await room.interviewer.post(f"{room.path}/end")
    for person in (room.interviewer, room.candidate):
        async with watching(base, room.interview["id"], person.token) as stream:
            assert types(await stream.rest())[-1] == "interview.ended"
        async with httpx.AsyncClient(base_url=base) as client:
            headers = {"authorization": f"Bearer {person.token}", "last-event-id": str(stream.ids[-1])}
            assert (await client.get(f"{room.path}/events", headers=headers)).status_code == 204


async def test_candidates_never_hear_what_was_observed(room: Room, base: str) -> None:
    async with watching(base, room.interview["id"], room.candidate.token) as stream:
        await room.candidate.post(f"{room.path}/signals", {"signals": [{"kind": "focus_lost"}] * 3})
        await room.candidate.post(f"{room.path}/messages", {"text": "done"})
        heard = await stream.until("chat.message")
    assert "monitor.signal" not in types(heard)


async def test_a_reader_who_falls_far_behind_misses_nothing(room: Room, base: str) -> None:
    said = 3 * streaming.PAGE // 20
    async with watching(base, room.interview["id"], room.interviewer.token) as stream:
        report = {"signals": [{"kind": "idle", "duration_ms": 1}] * 20}
        for _ in range(said):
            assert (await room.candidate.post(f"{room.path}/signals", report)).status_code == 204
        await room.candidate.post(f"{room.path}/messages", {"text": "end"})
        heard = await stream.until("chat.message")
    assert stream.ids == list(range(1, len(heard) + 1))
    assert types(heard).count("monitor.signal") == said * 20


async def test_what_pubsub_loses_is_read_from_the_table(room: Room, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LOOK_AGAIN_S", 0.05)

    async def lost(topic: str, message: bytes) -> None:
        return

    async with watching(base, room.interview["id"], room.interviewer.token) as stream:
        await stream.until("participant.admitted")
        monkeypatch.setattr(room.world.parts.pubsub, "publish", lost)
        await room.candidate.post(f"{room.path}/messages", {"text": "nobody published this"})
        assert (await stream.next() or {})["message"]["text"] == "nobody published this"


async def test_an_event_that_cannot_be_published_fails_nobodys_request(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(topic: str, message: bytes) -> None:
        raise ConnectionError("the line is down")

    monkeypatch.setattr(room.world.parts.pubsub, "publish", broken)
    answer = await room.candidate.post(f"{room.path}/messages", {"text": "hello"})
    assert answer.status_code == 201


async def test_a_stream_of_somebody_whose_credential_ended_is_closed(room: Room, base: str) -> None:
    reactions = Reactions()
    room.world.module.plug.react(reactions)
    async with watching(base, room.interview["id"], room.candidate.token) as stream:
        await stream.until("participant.admitted")
        await room.world.identity.dismiss_guest(room.candidate.id)
        event = CredentialsRevoked(principal_id=room.candidate.id, revoked_at=room.world.clock.now())
        await reactions.deliver("identity.credentials_revoked.v1", _json(event))
        assert await stream.rest() == []


async def test_coming_and_going_is_told(room: Room, base: str) -> None:
    reactions = Reactions()
    room.world.module.plug.react(reactions)
    async with watching(base, room.interview["id"], room.interviewer.token) as stream:
        await stream.until("participant.admitted")
        for online in (True, False):
            room.world.clock.advance(1)
            event = PeerOnline(
                document_id=DocumentId(room.document_id),
                audience=room.interview["id"],
                peer_id=room.candidate.id,
                online=online,
                at=room.world.clock.now(),
            )
            for _ in range(2):
                await reactions.deliver("collaboration.peer_online.v1", _json(event))
        heard = await stream.until("participant.offline")
    assert types(heard) == ["participant.online", "participant.offline"]
    assert [event["participant"]["online"] for event in heard] == [True, False]


async def test_a_page_that_goes_away_leaves_nothing_behind(room: Room, base: str) -> None:
    pubsub = room.world.parts.pubsub
    assert isinstance(pubsub, MemoryPubSub)
    before = REGISTRY.get_sample_value("opencode_event_streams_open") or 0
    topic = f"interviews.events.{room.interview['id']}"
    async with watching(base, room.interview["id"], room.interviewer.token) as stream:
        await stream.until("participant.admitted")
        assert topic in pubsub._topics
    async with asyncio.timeout(10):
        while topic in pubsub._topics or (REGISTRY.get_sample_value("opencode_event_streams_open") or 0) > before:
            await asyncio.sleep(0)


async def test_one_person_holds_only_so_many_streams(room: Room, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "STREAMS_OF_ONE_PERSON", 1)
    async with watching(base, room.interview["id"], room.candidate.token) as stream:
        await stream.next()
        answer = await room.candidate.get(f"{room.path}/events")
        assert answer.status_code == 429
        assert "retry-after" in answer.headers


@pytest.mark.parametrize("last_id", ["-1", "x", "99999999999999999999"])
async def test_an_event_id_that_no_stream_has_is_refused(room: Room, last_id: str) -> None:
    answer = await room.candidate.call("GET", f"{room.path}/events", headers={"last-event-id": last_id})
    assert answer.status_code == 400


def _json(event: Any) -> str:
    return msgspec.json.encode(event).decode()
