"""The `Documents` contract and the rooms behind it, on real logs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import func, select

from opencode.contracts.collaboration import CloseReason, Entry, PeerRole, TextState
from opencode.contracts.identity import CredentialsRevoked
from opencode.infra.db import Database
from opencode.infra.plugs import Parts
from opencode.infra.websocket import UpgradeRequest
from opencode.kernel.errors import Busy, Forbidden
from opencode.kernel.ids import DocumentId
from opencode.kernel.principal import Principal
from opencode.modules.collaboration.domain import codec
from opencode.modules.collaboration.domain.codec import SyncType
from opencode.modules.collaboration.domain.document import Document
from opencode.modules.collaboration.domain.log import UpdateLog
from opencode.modules.collaboration.domain.records import RecordKind
from opencode.modules.collaboration.domain.room import Room
from opencode.modules.collaboration.errors import DocumentNotFound, RoomFailed, TextInvalid, TicketRefused
from opencode.modules.collaboration.reactions import cut_revoked_person
from opencode.modules.collaboration.service import commit as commit_module
from opencode.modules.collaboration.service import rooms as rooms_module
from opencode.modules.collaboration.service.commit import GroupCommit
from opencode.modules.collaboration.service.documents import SharedDocuments, seed_update
from opencode.modules.collaboration.service.entrance import Entrance
from opencode.modules.collaboration.service.online import Online
from opencode.modules.collaboration.service.rooms import Rooms
from opencode.modules.collaboration.service.tickets import Tickets
from opencode.modules.collaboration.settings import CollaborationSettings
from opencode.modules.collaboration.sockets import PREFIX, DocumentSocket, DocumentSockets
from opencode.modules.collaboration.store import SqlUpdateLog, Work
from opencode.modules.collaboration.store.tables import snapshots
from tests.modules.collaboration.kit import Editor, Wire, until

SETTINGS = CollaborationSettings(commit_window_ms=1, room_idle_s=0)


class Gate:
    """Implements `DocumentGate`; a test may make it wait while it answers."""

    def __init__(self) -> None:
        self.roles: dict[str, PeerRole] = {}
        self.closed_to: set[str] = set()
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self.answer.set()

    async def enter(self, principal: Principal, audience: str) -> Entry:
        return await self.enter_again(principal.id, audience)

    async def enter_again(self, peer_id: str, audience: str) -> Entry:
        if peer_id in self.closed_to:
            raise Forbidden(f"{peer_id} is not admitted to {audience}.")
        entry = Entry(peer_id, peer_id, "candidate", 1, self.roles.get(peer_id, PeerRole.WRITE))
        self.asked.set()
        await self.answer.wait()
        return entry


@dataclass(slots=True)
class Visitor:
    """Somebody's socket, without the network."""

    handler: DocumentSocket
    wire: Wire
    editor: Editor

    @property
    def room(self) -> Room:
        return self.handler._room

    def type(self, content: str, name: str = "python") -> None:
        update = self.editor.insert(0, content, name)
        self.handler.received(codec.sync_message(SyncType.UPDATE, update))

    def read(self, name: str = "python") -> str:
        for message in self.wire.take():
            if message[:1] == b"\x00" and message[1] in {SyncType.STEP_2, SyncType.UPDATE}:
                self.editor.doc.apply_update(codec.read_bytes(message, 2)[0])
        return self.editor.text(name)


class House:
    """The services of the module, put together as `module.build` does."""

    def __init__(self, parts: Parts, settings: CollaborationSettings = SETTINGS) -> None:
        self.parts = parts
        self.log: UpdateLog = SqlUpdateLog(parts.database)
        self.commit = GroupCommit(self.log, window_s=settings.commit_window_ms / 1000)
        self.rooms = Rooms(parts.database, self.log, self.commit, settings)
        self.tickets = Tickets(parts.signer, parts.clock, lifetime_s=settings.ticket_s)
        self.gate = Gate()
        self.entrance = Entrance(self.rooms, self.commit, self.tickets)
        self.entrance.open_gate(self.gate)

        def unit_of_work() -> Work:
            return Work(parts.database, parts.clock, wake=parts.wake_relay)

        self.online = Online(unit_of_work, parts.clock)
        self.documents = SharedDocuments(self.rooms, self.log, self.commit, parts.clock, unit_of_work)
        self.sockets = DocumentSockets(self.entrance, self.rooms, self.online)

    async def create(self) -> DocumentId:
        return await self.documents.create("int_1")

    def request(self, document_id: str, person: str, *subprotocols: str, ticket: str | None = None) -> UpgradeRequest:
        if ticket is None:
            ticket = self.tickets.issue(document_id, Entry(person, person, "candidate", 1, PeerRole.WRITE)).ticket
        return UpgradeRequest(PREFIX + document_id, {"ticket": ticket}, {}, subprotocols, "127.0.0.1")

    async def visit(self, document_id: str, person: str = "usr_ada") -> Visitor:
        admission = await self.sockets.admit(self.request(document_id, person, "ocp.v1"))
        handler = admission.handler
        assert isinstance(handler, DocumentSocket)
        visitor = Visitor(handler, Wire(), Editor())
        handler.opened(UnframedWire(visitor.wire))
        handler.received(codec.sync_message(SyncType.STEP_1, codec.EMPTY_STATE_VECTOR))
        return visitor

    async def reopen(self) -> "House":
        """The same database after a restart."""
        await self.rooms.close()
        return House(self.parts)


class UnframedWire:
    """Takes the WebSocket framing off again."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def hold(self) -> None: ...

    def go_on(self) -> None: ...

    def write(self, frame: bytes) -> None:
        size = frame[1]
        self._wire.write(frame[2 if size < 126 else 4 if size == 126 else 10 :])

    def close(self, code: int, reason: str) -> None:
        self._wire.close(code, reason)


@pytest.fixture
async def house(parts: Parts) -> AsyncIterator[House]:
    house = House(parts)
    yield house
    await house.rooms.close()
    await house.online.flush()


class TestSeeds:
    async def test_a_template_is_there_once_however_often_and_by_however_many_it_is_asked_for(
        self, house: House
    ) -> None:
        document = await house.create()
        ada = await house.visit(document)
        await asyncio.gather(*(house.documents.seed(document, "python", "template\n") for _ in range(10)))
        assert await house.documents.text(document, "python") == ada.read() == "template\n"
        again = await house.reopen()
        await again.documents.seed(document, "python", "template\n")
        assert await again.documents.text(document, "python") == "template\n"
        assert len(await again.log.history(document)) == 1

    async def test_a_template_has_unix_line_ends(self, house: House) -> None:
        document = await house.create()
        await house.documents.seed(document, "python", "one\r\ntwo\rthree\n")
        assert await house.documents.text(document, "python") == "one\ntwo\nthree\n"

    async def test_who_wrote_there_first_gets_no_template(self, house: House) -> None:
        document = await house.create()
        (await house.visit(document)).type("mine")
        await house.documents.seed(document, "python", "template")
        assert await house.documents.text(document, "python") == "mine"

    async def test_a_text_that_was_emptied_is_not_filled_with_the_template_again(self, house: House) -> None:
        document = await house.create()
        await house.documents.seed(document, "python", "template")
        ada = await house.visit(document)
        ada.read()
        ada.handler.received(codec.sync_message(SyncType.UPDATE, ada.editor.delete(0, 8)))
        await house.documents.seed(document, "python", "template")
        assert await house.documents.text(document, "python") == ""

    async def test_a_template_that_was_written_down_just_before_a_crash_is_there_once_afterwards(
        self, house: House
    ) -> None:
        document = await house.create()
        async with house.rooms.use(document) as room:
            # As far as `seed` gets when the process dies between the commit and the relay.
            record = room.next_seed("python", seed_update(document, "python", "template"))
            await house.commit.write(record)
        after = House(house.parts)
        await after.documents.seed(document, "python", "template")
        assert await after.documents.text(document, "python") == "template"
        assert len(await after.log.history(document)) == 1
        room.take_seed(record)

    async def test_a_template_whose_asker_went_away_is_planted_all_the_same(self, house: House) -> None:
        document = await house.create()
        ada = await house.visit(document)
        asking = asyncio.create_task(house.documents.seed(document, "python", "template"))
        await until(lambda: bool(ada.room._hidden_seeds))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await until(lambda: not ada.room._hidden_seeds)
        assert ada.read() == "template"
        assert ada.room.complete_to == 1

    @pytest.mark.parametrize(("name", "content"), [("", "x"), ("n" * 201, "x"), ("python", "x" * 300_000)])
    async def test_a_nameless_or_huge_template_is_refused(self, house: House, name: str, content: str) -> None:
        document = await house.create()
        with pytest.raises(TextInvalid):
            await house.documents.seed(document, name, content)


class TestTexts:
    async def test_every_language_says_who_changed_it_last_and_when(self, house: House) -> None:
        document = await house.create()
        await house.documents.seed(document, "python", "🎉👩‍💻 template\n")
        await house.documents.seed(document, "java", "untouched")
        ada, grace = await house.visit(document, "usr_ada"), await house.visit(document, "par_grace")
        ada.read()
        grace.read()
        ada.type("# läuft 🎉\n")
        grace.read()
        grace.type("fn main() {}", name="rust")
        texts = await house.documents.texts(document)
        assert texts["python"].content == "# läuft 🎉\n🎉👩‍💻 template\n"
        assert texts["python"].modified_by == "usr_ada"
        assert texts["python"].modified_at is not None
        assert texts["python"].modified_at.tzinfo is not None
        assert texts["java"] == TextState("untouched", None, None)
        assert (texts["rust"].content, texts["rust"].modified_by) == ("fn main() {}", "par_grace")

    async def test_a_text_that_was_emptied_is_still_named(self, house: House) -> None:
        document = await house.create()
        ada = await house.visit(document)
        ada.type("x")
        ada.handler.received(codec.sync_message(SyncType.UPDATE, ada.editor.delete(0, 1)))
        assert (await house.documents.texts(document))["python"].content == ""

    async def test_a_document_that_nobody_wrote_in_has_no_texts(self, house: House) -> None:
        assert await house.documents.texts(await house.create()) == {}

    async def test_a_document_that_does_not_exist_is_not_found(self, house: House) -> None:
        for call in (house.documents.text(DocumentId("doc_no"), "python"), house.documents.texts(DocumentId("doc_no"))):
            with pytest.raises(DocumentNotFound):
                await call
        assert house.rooms.loaded() == []


class TestEnteringAndLeaving:
    async def test_a_good_ticket_opens_and_any_other_does_not(self, house: House) -> None:
        document, other = await house.create(), await house.create()
        good = house.tickets.issue(document, Entry("usr_ada", "Ada", "x", 1, PeerRole.WRITE)).ticket
        for bad, why in (
            ("", "missing"),
            ("nonsense", "not made"),
            (good[:-2] + "xx", "not made"),
            ("läuft.🎉", "not made"),
            (house.tickets.issue(other, Entry("usr_ada", "Ada", "x", 1, PeerRole.WRITE)).ticket, "another document"),
        ):
            with pytest.raises(TicketRefused, match=why):
                await house.sockets.admit(house.request(document, "usr_ada", ticket=bad))
        assert (await house.sockets.admit(house.request(document, "usr_ada", ticket=good))).subprotocol is None

    async def test_a_ticket_is_good_for_two_minutes(self, house: House, clock: Any) -> None:
        document = await house.create()
        request = house.request(document, "usr_ada")
        clock.advance(119)
        (await house.sockets.admit(request)).handler.closed()
        clock.advance(2)
        with pytest.raises(TicketRefused, match="expired"):
            await house.sockets.admit(request)

    async def test_a_ticket_may_come_as_a_subprotocol_and_is_then_answered(self, house: House) -> None:
        document = await house.create()
        ticket = house.request(document, "usr_ada").query["ticket"]
        request = replace(house.request(document, "usr_ada"), query={}, subprotocols=(f"ocp.ticket.{ticket}",))
        assert (await house.sockets.admit(request)).subprotocol == f"ocp.ticket.{ticket}"
        both = replace(request, subprotocols=(f"ocp.ticket.{ticket}", "ocp.v1"))
        assert (await house.sockets.admit(both)).subprotocol == "ocp.v1"

    async def test_a_ticket_outlives_no_removal(self, house: House) -> None:
        document = await house.create()
        request = house.request(document, "usr_ada")
        house.gate.closed_to.add("usr_ada")
        with pytest.raises(Forbidden):
            await house.sockets.admit(request)

    async def test_nobody_enters_before_the_owner_of_documents_is_named(self, house: House) -> None:
        document = await house.create()
        too_early = Entrance(house.rooms, house.commit, house.tickets)
        with pytest.raises(Busy):
            await too_early.enter(document, house.request(document, "usr_ada").query["ticket"])

    async def test_who_is_removed_just_while_coming_in_does_not_get_in(self, house: House) -> None:
        document = await house.create()
        house.gate.answer.clear()
        entering = asyncio.create_task(house.visit(document))
        await house.gate.asked.wait()
        house.gate.closed_to.add("usr_ada")
        await house.documents.disconnect(document, CloseReason.REVOKED, peer_id="usr_ada")
        house.gate.answer.set()
        with pytest.raises(Forbidden):
            await entering

    async def test_who_is_frozen_just_while_coming_in_comes_in_frozen(self, house: House) -> None:
        document = await house.create()
        house.gate.answer.clear()
        entering = asyncio.create_task(house.visit(document))
        await house.gate.asked.wait()
        house.gate.roles["usr_ada"] = PeerRole.READ
        await house.documents.set_role(document, "usr_ada", PeerRole.READ)
        house.gate.answer.set()
        ada = await entering
        ada.type("too late")
        assert await house.documents.text(document, "python") == ""

    @pytest.mark.parametrize(
        ("reason", "code"), [(CloseReason.REVOKED, 4401), (CloseReason.ENDED, 4410), (CloseReason.GONE, 4404)]
    )
    async def test_everybody_is_cut_with_the_right_code(self, house: House, reason: CloseReason, code: int) -> None:
        document = await house.create()
        people = [await house.visit(document, name) for name in ("usr_ada", "usr_grace")]
        await house.documents.disconnect(document, reason)
        assert [person.wire.ending and person.wire.ending[0] for person in people] == [code, code]
        people[0].type("after the end")
        assert await house.documents.text(document, "python") == ""

    async def test_one_person_is_cut_everywhere_when_their_credentials_end_and_others_stay(self, house: House) -> None:
        one, two = await house.create(), await house.create()
        ada = [await house.visit(one), await house.visit(two)]
        grace = await house.visit(one, "usr_grace")
        event = CredentialsRevoked(principal_id="usr_ada", revoked_at=house.parts.clock.now())
        await cut_revoked_person(event, house.documents)
        assert [person.wire.ending and person.wire.ending[0] for person in ada] == [4401, 4401]
        assert grace.wire.ending is None

    async def test_a_deleted_document_is_gone_for_those_inside_for_those_coming_and_from_the_log(
        self, house: House
    ) -> None:
        document = await house.create()
        ada = await house.visit(document)
        ada.type("secret")
        house.gate.answer.clear()
        entering = asyncio.create_task(house.visit(document, "usr_grace"))
        house.gate.asked.clear()
        await house.gate.asked.wait()
        await house.documents.delete(document)
        await house.documents.delete(document)
        house.gate.answer.set()
        with pytest.raises(DocumentNotFound):
            await entering
        assert ada.wire.ending is not None
        assert ada.wire.ending[0] == 4404
        ada.handler.closed()
        assert await house.log.history(document) == []
        with pytest.raises(DocumentNotFound):
            await house.documents.text(document, "python")
        assert house.rooms.loaded() == []

    async def test_a_person_opens_no_more_than_a_handful_of_tabs(self, house: House) -> None:
        document = await house.create()
        for _ in range(20):
            await house.visit(document)
        with pytest.raises(Exception, match="20 of them yours"):
            await house.visit(document)
        await house.visit(document, "usr_grace")


class TestRooms:
    async def test_an_idle_room_leaves_the_memory_and_comes_back_equal(self, house: House) -> None:
        document = await house.create()
        ada = await house.visit(document)
        ada.type("kept 🎉")
        state = ada.room.document.state_vector()
        ada.handler.closed()
        await house.rooms.tend()
        assert house.rooms.loaded() == []
        back = await house.visit(document)
        assert back.read() == "kept 🎉"
        assert back.room.document.state_vector() == state
        assert back.room.sequence == 1

    async def test_a_room_with_somebody_in_it_stays(self, house: House) -> None:
        document = await house.create()
        ada = await house.visit(document)
        await house.rooms.tend()
        assert house.rooms.loaded() == [ada.room]

    async def test_the_generation_of_a_document_stays_the_same_over_reloads(self, house: House) -> None:
        document = await house.create()
        generations: set[str] = set()
        for _ in range(3):
            ada = await house.visit(document)
            generations.add(ada.room.generation)
            assert ada.wire.sent[0] == codec.hello(ada.room.generation, "write", 0)
            ada.handler.closed()
            await house.rooms.tend()
        assert len(generations) == 1

    async def test_fifty_who_come_at_once_share_one_room_that_was_loaded_once(self, house: House) -> None:
        document = await house.create()
        (await house.visit(document)).type("shared")
        again = await house.reopen()
        visitors = await asyncio.gather(*(again.visit(document, f"usr_{number}") for number in range(50)))
        assert len({id(visitor.room) for visitor in visitors}) == 1
        assert {visitor.read() for visitor in visitors} == {"shared"}

    async def test_who_comes_while_the_room_is_put_away_meets_everybody_else(self, house: House) -> None:
        document = await house.create()
        (await house.visit(document)).handler.closed()
        for _ in range(10):
            visitors = await asyncio.gather(
                house.visit(document, "usr_a"), house.rooms.tend(), house.visit(document, "usr_b"), house.rooms.tend()
            )
            people = [visitor for visitor in visitors if visitor]
            assert len({id(person.room) for person in people}) == 1
            people[0].type("x")
            assert people[1].read() == await house.documents.text(document, "python")
            for person in people:
                person.handler.closed()

    async def test_a_busy_room_is_kept_as_a_snapshot_now_and_then(
        self, house: House, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rooms_module, "SNAPSHOT_EVERY_UPDATES", 10)
        document = await house.create()
        ada = await house.visit(document)
        for _ in range(12):
            ada.type("x")
        await house.rooms.tend()
        stored = await house.log.load(document)
        assert (stored.sequence, stored.records) == (12, [])
        assert await House(house.parts).documents.text(document, "python") == "x" * 12

    async def test_a_document_whose_log_cannot_be_read_is_refused_and_never_overwritten(
        self, house: House, database: Database
    ) -> None:
        document = await house.create()
        ada = await house.visit(document)
        ada.type("precious")
        record = ada.room.next_record(RecordKind.EDIT, "usr_ada", b"bytes that are no update")
        await house.commit.write(record)
        after = House(house.parts)
        for _ in range(2):
            with pytest.raises(RoomFailed):
                await after.visit(document)
            with pytest.raises(RoomFailed):
                await after.documents.seed(document, "python", "template")
        await after.rooms.tend()
        await after.rooms.close()
        async with database.read() as connection:
            assert (await connection.execute(select(func.count()).select_from(snapshots))).scalar_one() == 0
        assert len(await after.log.history(document)) == 2
        ada.room.broken = True

    async def test_one_room_that_cannot_be_put_away_does_not_keep_the_others_in_memory(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        documents = [await house.create() for _ in range(3)]
        for document in documents:
            ada = await house.visit(document)
            ada.type("x")
            ada.handler.closed()
        bad = house.rooms.find(documents[0])
        assert bad

        state = Document.state

        def fail(document: Document) -> bytes:
            if document is bad.document:
                raise RuntimeError("this room fails on purpose")
            return state(document)

        with monkeypatch.context() as patch:
            patch.setattr(Document, "state", fail)
            await house.rooms.tend()
        assert house.rooms.loaded() == [bad]

    async def test_a_broken_room_is_loaded_anew_and_who_was_inside_does_not_count_in_the_new_one(
        self, house: House
    ) -> None:
        document = await house.create()
        ada = await house.visit(document)
        ada.type("kept")
        await house.commit.flushed()
        ada.room._load_anew()
        back = await house.visit(document)
        assert back.room is not ada.room
        assert back.read() == "kept"
        ada.handler.closed()
        back.handler.closed()
        await house.rooms.tend()
        assert house.rooms.loaded() == []

    async def test_when_the_log_cannot_be_written_for_too_long_people_are_asked_to_come_back(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        document = await house.create()
        ada = await house.visit(document)
        monkeypatch.setattr(commit_module, "MAX_BACKLOG_BYTES", 0)
        ada.type("x")
        house.rooms.keep_alive()
        assert ada.wire.ending is not None
        assert ada.wire.ending[0] == 1013
        with pytest.raises(Exception, match="as fast as they come"):
            await house.visit(document)

    async def test_somebody_who_reads_nothing_for_a_minute_is_asked_to_come_back(self, house: House) -> None:
        document = await house.create()
        ada = await house.visit(document)
        ada.handler.congested()
        for _ in range(rooms_module.CONGESTED_SWEEPS + 1):
            house.rooms.keep_alive()
        assert ada.wire.ending is not None
        assert ada.wire.ending[0] == 1013
