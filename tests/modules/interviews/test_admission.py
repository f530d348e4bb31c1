"""Letting people in and sending them away."""

import asyncio

import msgspec
import pytest

from opencode.contracts.collaboration import CloseReason, DocumentEnded, NotAdmitted, PeerOnline, PeerRole
from opencode.infra.events import Reactions
from opencode.kernel.errors import NotFound, Unauthenticated
from opencode.kernel.ids import DocumentId
from opencode.kernel.principal import ANONYMOUS
from tests.modules.interviews.conftest import Room, World, admit, create, join


@pytest.fixture
def database_kind() -> str:
    """The stores' own tests hold both databases; one is enough for these."""
    return "sqlite"


async def test_an_admitted_candidate_may_open_the_document(room: Room) -> None:
    assert room.candidate.principal
    entry = await room.world.module.gate.enter(room.candidate.principal, room.interview["id"])
    assert (entry.peer_id, entry.name, entry.kind) == (room.candidate.id, "Ada", "candidate")
    assert (entry.colour, entry.role) == (1, PeerRole.WRITE)
    assert await room.world.module.gate.enter_again(room.candidate.id, room.interview["id"]) == entry


async def test_the_interviewer_opens_the_document_in_their_own_colour(room: Room) -> None:
    assert room.interviewer.principal
    entry = await room.world.module.gate.enter(room.interviewer.principal, room.interview["id"])
    assert (entry.peer_id, entry.kind, entry.colour) == (room.interviewer.id, "interviewer", 0)


async def test_nobody_else_opens_the_document(room: Room) -> None:
    world, gate, audience = room.world, room.world.module.gate, room.interview["id"]
    waiting = await join(world, room.interview, "Bea")
    other_room = await create(world.interviewer("Alan"))
    stranger = await join(world, other_room, "Cem")
    admin = world.person(world.identity.add_user("Root", roles=frozenset({"admin"})))
    for person, refusal in (
        (waiting.principal, NotAdmitted),
        (stranger.principal, NotFound),
        (world.interviewer("Other").principal, NotFound),
        (admin.principal, NotAdmitted),
        (ANONYMOUS, Unauthenticated),
    ):
        assert person
        with pytest.raises(refusal):
            await gate.enter(person, audience)
    for peer_id, refusal in ((waiting.id, NotAdmitted), (stranger.id, NotFound), ("", NotFound)):
        with pytest.raises(refusal):
            await gate.enter_again(peer_id, audience)
    with pytest.raises(NotFound):
        await gate.enter_again(room.candidate.id, "prj_1")


async def test_after_the_end_the_interviewer_reads_and_the_candidate_is_told_that_it_is_over(room: Room) -> None:
    await room.interviewer.post(f"{room.path}/end")
    gate = room.world.module.gate
    assert room.candidate.principal
    assert room.interviewer.principal
    assert (await gate.enter(room.interviewer.principal, room.interview["id"])).role is PeerRole.READ
    with pytest.raises(DocumentEnded):
        await gate.enter(room.candidate.principal, room.interview["id"])
    with pytest.raises(DocumentEnded):
        await gate.enter_again(room.candidate.id, room.interview["id"])


async def test_a_removed_candidate_is_cut_off_at_once_and_learns_why(room: Room) -> None:
    documents, gate = room.world.documents, room.world.module.gate
    assert room.candidate.principal
    await documents.open(room.document_id, room.candidate.principal, gate)
    answer = await room.interviewer.post(f"{room.path}/participants/{room.candidate.id}/remove")
    assert answer.json()["status"] == "removed"
    assert documents.cut_because(room.document_id, room.candidate.id) is CloseReason.REVOKED
    with pytest.raises(NotAdmitted):
        await gate.enter_again(room.candidate.id, room.interview["id"])
    assert (await room.candidate.get(f"{room.path}/me")).json()["participant"]["status"] == "removed"
    for answer in (
        await room.candidate.get(room.path),
        await room.candidate.post(f"{room.path}/runs", {}),
        await room.candidate.post(f"{room.path}/messages", {"text": "but"}),
        await room.candidate.patch(room.path, {"language": "javascript"}),
    ):
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("/not-admitted")


async def test_whoever_is_gone_can_knock_again_as_somebody_new(room: Room) -> None:
    await room.interviewer.post(f"{room.path}/participants/{room.candidate.id}/remove")
    again = await join(room.world, room.interview, "Ada")
    assert again.id != room.candidate.id
    assert again.participant["name"] == "Ada"


@pytest.mark.parametrize(("first", "then"), [("decline", "admit"), ("admit", "decline"), ("decline", "remove")])
async def test_a_decision_is_not_turned_round(world: World, first: str, then: str) -> None:
    host = world.interviewer()
    interview = await create(host)
    candidate = await join(world, interview)
    path = f"/api/v1/interviews/{interview['id']}/participants/{candidate.id}"
    assert (await host.post(f"{path}/{first}")).status_code == 200
    assert (await host.post(f"{path}/{first}")).status_code == 200
    answer = await host.post(f"{path}/{then}")
    assert answer.status_code == 409
    assert "Ada" in answer.json()["detail"]


async def test_the_interviewers_own_part_is_not_up_for_decision(room: Room) -> None:
    answer = await room.interviewer.post(f"{room.path}/participants/{room.interviewer.id}/remove")
    assert answer.status_code == 403
    assert (await room.interviewer.get(room.path)).status_code == 200


@pytest.mark.parametrize("participant_id", ["par_00000000000000000000000000", "x%00y", "%F0%9F%92%A9"])
async def test_a_participant_who_is_not_there_is_not_found(room: Room, participant_id: str) -> None:
    answer = await room.interviewer.post(f"{room.path}/participants/{participant_id}/admit")
    assert answer.status_code == 404


async def test_a_candidate_of_one_interview_is_not_there_in_another(world: World) -> None:
    host = world.interviewer()
    one, two = await create(host), await create(host)
    candidate = await join(world, one)
    answer = await host.post(f"/api/v1/interviews/{two['id']}/participants/{candidate.id}/admit")
    assert answer.status_code == 404
    assert (await candidate.get(f"/api/v1/interviews/{two['id']}/me")).status_code == 404


async def test_admitting_twice_at_once_is_admitting_once(world: World) -> None:
    host = world.interviewer()
    interview = await create(host)
    candidate = await join(world, interview)
    path = f"/api/v1/interviews/{interview['id']}/participants/{candidate.id}/admit"
    answers = await asyncio.gather(*(host.post(path) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["admitted_at"] for answer in answers}) == 1
    assert [line.kind for line in world.identity.audit].count("interview.participant_admitted") == 1


async def test_of_admitting_and_declining_at_once_one_wins_and_the_other_is_told(world: World) -> None:
    host = world.interviewer()
    interview = await create(host)
    candidate = await join(world, interview)
    path = f"/api/v1/interviews/{interview['id']}/participants/{candidate.id}"
    answers = await asyncio.gather(host.post(f"{path}/admit"), host.post(f"{path}/decline"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_presence_is_shown_and_late_news_is_no_news(room: Room) -> None:
    reactions = Reactions()
    room.world.module.plug.react(reactions)

    async def hear(*, online: bool, after_s: int) -> bool:
        event = PeerOnline(
            document_id=DocumentId(room.document_id),
            audience=room.interview["id"],
            peer_id=room.candidate.id,
            online=online,
            at=room.world.clock.now().replace(second=after_s),
        )
        await reactions.deliver("collaboration.peer_online.v1", _json(event))
        items = (await room.interviewer.get(f"{room.path}/participants")).json()["items"]
        return next(person["online"] for person in items if person["id"] == room.candidate.id)

    assert await hear(online=True, after_s=1) is True
    assert await hear(online=True, after_s=1) is True
    assert await hear(online=False, after_s=9) is False
    assert await hear(online=True, after_s=5) is False


async def test_presence_of_unknown_people_and_audiences_is_ignored(room: Room) -> None:
    reactions = Reactions()
    room.world.module.plug.react(reactions)
    for audience, peer_id in (("prj_1", "usr_1"), (room.interview["id"], "par_nobody")):
        event = PeerOnline(
            document_id=DocumentId("doc_1"),
            audience=audience,
            peer_id=peer_id,
            online=True,
            at=room.world.clock.now(),
        )
        await reactions.deliver("collaboration.peer_online.v1", _json(event))


async def test_waiting_people_are_not_let_in_when_the_interview_ends(world: World) -> None:
    host = world.interviewer()
    interview = await create(host)
    waiting, admitted = await join(world, interview, "Ada"), await join(world, interview, "Bea")
    await admit(host, interview, admitted)
    path = f"/api/v1/interviews/{interview['id']}"
    await host.post(f"{path}/end")
    people = (await host.get(f"{path}/participants")).json()["items"]
    assert {person["name"]: person["status"] for person in people} == {
        "Grace": "admitted",
        "Ada": "declined",
        "Bea": "admitted",
    }
    assert (await waiting.get(f"{path}/me")).json()["interview"]["state"] == "ended"


def _json(event: PeerOnline) -> str:
    return msgspec.json.encode(event).decode()
