"""The room, by what the people in it see."""

from itertools import pairwise

import pytest

from opencode.contracts.collaboration import PeerRole
from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain import codec
from opencode.modules.collaboration.domain import room as room_module
from opencode.modules.collaboration.domain.codec import EMPTY_STATE_VECTOR, EMPTY_UPDATE, MessageType, SyncType
from opencode.modules.collaboration.domain.document import Document
from opencode.modules.collaboration.domain.peer import MAX_OWED_BYTES
from opencode.modules.collaboration.domain.records import RecordKind
from opencode.modules.collaboration.domain.room import MAX_FULL_SYNCS, MAX_STRIKES, MAX_UPDATES_PER_SWEEP, Room
from opencode.modules.collaboration.service.documents import seed_update
from tests.modules.collaboration.kit import DOCUMENT, Editor, ManualJournal, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def plant(stage: Stage, name: str, content: str) -> None:
    record = stage.room.next_seed(name, seed_update(DOCUMENT, name, content))
    stage.room.take_seed(record)


class TestTyping:
    def test_the_others_get_the_very_bytes_that_were_sent_and_the_sender_gets_nothing_back(self, stage: Stage) -> None:
        ada, grace, kay = (stage.enter(name) for name in ("usr_ada", "usr_grace", "usr_kay"))
        for person in (ada, grace, kay):
            person.wire.take()
        message = codec.sync_message(SyncType.UPDATE, ada.editor.insert(0, "x = 1"))
        ada.send(message)
        assert grace.wire.sent == kay.wire.sent == [message]
        assert ada.wire.sent == []
        assert stage.room.document.text("python") == "x = 1"

    def test_a_pasted_page_travels_the_same_way_as_a_keystroke(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        page = "läuft 🎉\n" * 5_000
        ada.type(page)
        assert grace.read() == page == stage.room.document.text("python")

    def test_an_acknowledgement_comes_after_the_commit_and_counts_what_is_durable(self, stage: Stage) -> None:
        ada = stage.enter()
        stage.journal.commit()
        ada.wire.take()
        ada.type("a")
        ada.type("b")
        assert ada.wire.acknowledgements() == []
        stage.journal.commit()
        ada.type("c")
        stage.journal.commit()
        # The handshake's step 2 was the first update frame.
        assert ada.wire.acknowledgements() == [(3, 2), (4, 3)]
        assert [record.sequence for record in stage.journal.records] == [1, 2, 3]
        assert {record.author for record in stage.journal.records} == {"usr_ada"}

    def test_a_stock_client_gets_no_message_that_it_does_not_know(self, stage: Stage) -> None:
        stock = stage.enter(acknowledges=False)
        stock.type("a")
        stock.send_update(b"garbage that no update is")
        stage.room.set_role("usr_ada", PeerRole.READ)
        stage.journal.commit()
        assert {message[0] for message in stock.wire.sent} <= {MessageType.SYNC, MessageType.AWARENESS}

    def test_two_rooms_have_nothing_to_do_with_each_other(self) -> None:
        here, there = Stage(), Stage(document_id=DocumentId("doc_2"))
        ada, grace = here.enter("usr_ada"), there.enter("usr_grace")
        grace.wire.take()
        ada.type("here")
        assert (here.room.document.text("python"), there.room.document.text("python")) == ("here", "")
        assert grace.wire.sent == []


class TestRefusals:
    def test_a_frozen_persons_keystroke_stays_out_of_everyones_text(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        ada.type("mine")
        stage.journal.commit()
        grace.wire.take()
        stage.room.set_role("usr_ada", PeerRole.READ)
        ada.type("too late", at=4)
        assert stage.room.document.text("python") == "mine"
        assert grace.wire.sync(SyncType.UPDATE) == []
        assert ada.wire.refusals() == [(3, "read-only")]
        stage.journal.commit()
        assert ada.wire.acknowledgements()[-1] == (3, 1)
        assert len(stage.journal.records) == 1

    def test_freezing_twice_is_told_once_and_unfreezing_lets_type_again(self, stage: Stage) -> None:
        ada = stage.enter()
        stage.room.set_role("usr_ada", PeerRole.READ)
        stage.room.set_role("usr_ada", PeerRole.READ)
        stage.room.set_role("usr_ada", PeerRole.WRITE)
        told = [message for message in ada.wire.sent if message[0] == MessageType.ACCESS]
        assert told == [codec.access("read"), codec.access("write")]
        ada.type("again")
        assert stage.room.document.text("python") == "again"

    def test_freezing_one_person_leaves_the_other_typing(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        stage.room.set_role("usr_ada", PeerRole.READ)
        grace.type("still here")
        assert ada.read() == "still here"

    def test_a_frozen_stock_client_is_asked_to_connect_again_at_its_first_keystroke(self, stage: Stage) -> None:
        stock = stage.enter(acknowledges=False)
        stage.room.set_role("usr_ada", PeerRole.READ)
        assert stock.wire.ending is None
        stock.type("too late")
        assert stock.wire.ending is not None
        assert stock.wire.ending[0] == 1012

    def test_what_a_stock_client_wrote_while_frozen_does_not_cut_its_later_text_off_from_the_others(
        self, stage: Stage
    ) -> None:
        stage.room.set_role("usr_ada", PeerRole.READ)
        editor = Editor()
        editor.insert(0, "offline ")
        stock = stage.enter(acknowledges=False, editor=editor, role=PeerRole.READ)
        grace = stage.enter("usr_grace")
        stage.room.set_role("usr_ada", PeerRole.WRITE)
        asked = stock.wire.sync(SyncType.STEP_1)[-1]
        stock.send(codec.sync_message(SyncType.STEP_2, stock.editor.doc.get_update(asked)))
        stock.type("and on", at=8)
        assert grace.read() == stage.room.document.text("python") == "offline and on"

    def test_a_reader_may_join_and_follow_but_not_write(self, stage: Stage) -> None:
        ada, reader = stage.enter("usr_ada"), stage.enter("usr_reader", role=PeerRole.READ)
        assert reader.wire.sent[0] == codec.hello("gen_1", "read", 0)
        ada.type("look")
        assert reader.read() == "look"
        reader.type("!")
        assert stage.room.document.text("python") == "look"

    @pytest.mark.parametrize(
        "update", [b"", b"\x01", b"\xff" * 40, b"\x01\x01\x01\x00\x04", b"\xff\xff\xff\x7f\x00", b"\xff" * 300]
    )
    def test_an_update_that_cannot_be_read_is_refused_and_the_next_one_is_taken(
        self, stage: Stage, update: bytes
    ) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        stage.journal.commit()
        ada.send_update(update)
        assert ada.wire.refusals() == [(2, "malformed")]
        ada.type("fine")
        assert grace.read() == "fine"
        stage.journal.commit()
        assert ada.wire.acknowledgements()[-1] == (3, 1)

    def test_somebody_who_sends_nothing_but_nonsense_is_shown_out(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        for _ in range(MAX_STRIKES):
            assert ada.wire.ending is None
            ada.send(b"\x63nonsense")
        assert ada.wire.ending is not None
        assert ada.wire.ending[0] == 1008
        grace.type("undisturbed")
        assert stage.room.document.text("python") == "undisturbed"

    def test_an_update_that_the_library_itself_fails_on_shows_its_sender_out_and_loads_the_text_anew(
        self, stage: Stage
    ) -> None:
        ada, mallory = stage.enter("usr_ada"), stage.enter("usr_mallory")
        ada.type("kept")
        # Found by mutation: a block that is its own left neighbour.
        mallory.send(
            bytes.fromhex("000221010185f3f89cd591b7073ec485fbf898d591b7071d85f3f89cd591b7071e0000000080016100")
        )
        if stage.room.broken:
            assert mallory.wire.ending is not None
            assert mallory.wire.ending[0] == 1008
            assert ada.wire.ending == room_module.ANEW
        stage.journal.commit()
        assert [record.author for record in stage.journal.records] == ["usr_ada"]

    def test_a_few_bytes_that_announce_millions_of_clients_cost_nothing(self, stage: Stage) -> None:
        ada = stage.enter()
        bomb = b"\xff\xff\xff\x7f\x00"
        for kind in SyncType:
            ada.send(codec.sync_message(kind, bomb))
        assert ada.peer.strikes == 3
        assert stage.journal.records == []


class TestFullDocument:
    LIMIT = 64 * 1024

    @pytest.fixture
    def stage(self) -> Stage:
        return Stage(max_bytes=self.LIMIT)

    def test_a_paste_that_does_not_fit_is_refused_and_the_text_stays(self, stage: Stage) -> None:
        ada = stage.enter()
        ada.type("a" * 60_000)
        ada.type("b" * 10_000)
        assert ada.wire.refusals() == [(3, "document-full")]
        assert stage.room.document.text("python") == "a" * 60_000

    def test_somebody_in_a_full_document_can_delete_text_to_make_room(self, stage: Stage) -> None:
        ada = stage.enter()
        ada.type("a" * 65_450)
        ada.type("b" * 500)
        assert ada.wire.refusals()[-1][1] == "document-full"
        # The refused text is not undone in this editor; a fresh one has the shared text.
        grace = stage.enter("usr_grace")
        grace.read()
        grace.send_update(grace.editor.delete(0, 60_000))
        assert stage.room.document.text("python") == "a" * 5_450
        stage.pass_time(2)
        grace.type("c" * 1_000)
        assert stage.room.document.text("python") == "c" * 1_000 + "a" * 5_450

    def test_many_keystrokes_fit_as_long_as_the_document_they_make_does(self, stage: Stage) -> None:
        ada = stage.enter()
        for index in range(5_000):  # some 100 KiB of updates, 5 KiB of text
            stage.pass_time(0.05)
            ada.type("x", at=index)
        assert ada.wire.refusals() == []
        assert len(stage.room.document.text("python")) == 5_000

    def test_a_full_document_does_not_make_the_server_measure_it_at_every_keystroke(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada = stage.enter()
        ada.type("a" * 65_300)
        measured: list[int] = []
        state = Document.state

        def counted(document: Document) -> bytes:
            measured.append(stage.now_ms)
            return state(document)

        monkeypatch.setattr(Document, "state", counted)
        for _ in range(500):
            ada.type("b" * 400)
        assert len(ada.wire.refusals()) == 500
        assert len(measured) == 1

    def test_updates_that_wait_for_one_that_never_comes_do_not_fill_the_memory(self, stage: Stage) -> None:
        ada, other = stage.enter("usr_ada"), Editor()
        other.insert(0, "never sent")
        for index in range(2_000):
            stage.pass_time(1)
            if index % 2:
                ada.type("x")  # moves the state vector, so the check for parked updates sees nothing
            else:
                ada.send_update(other.insert(0, "parked " * 100))
            if stage.room.broken:
                break
        assert stage.room.broken
        assert ada.wire.ending == room_module.ANEW


class TestJoining:
    def test_a_joiner_hears_hello_first_and_gets_the_text_exactly_once(self, stage: Stage) -> None:
        stage.enter("usr_grace").type("shared")
        ada = stage.enter()
        assert ada.wire.sent[0] == codec.hello("gen_1", "write", 1)
        assert ada.wire.sent[1][:2] == bytes((MessageType.SYNC, SyncType.STEP_1))
        assert len(ada.wire.sync(SyncType.STEP_1)) == len(ada.wire.sync(SyncType.STEP_2)) == 1
        assert ada.read() == "shared"

    def test_who_has_most_of_it_gets_only_the_rest(self, stage: Stage) -> None:
        grace = stage.enter("usr_grace")
        grace.type("long " * 2_000)
        ada = stage.enter()
        ada.read()
        ada.leave()
        grace.type("new", at=0)
        back = stage.enter(editor=ada.editor)
        assert len(back.wire.sync(SyncType.STEP_2)[0]) < 100
        assert back.read() == stage.room.document.text("python")

    def test_edits_made_offline_reach_everyone_with_the_handshake(self, stage: Stage) -> None:
        grace = stage.enter("usr_grace")
        editor = Editor()
        editor.insert(0, "offline")
        ada = stage.enter(editor=editor)
        assert grace.read() == stage.room.document.text("python") == "offline"
        stage.journal.commit()
        assert ada.wire.acknowledgements() == [(1, 1)]

    def test_who_brings_nothing_new_adds_nothing_to_the_log(self, stage: Stage) -> None:
        ada = stage.enter()
        ada.type("hello")
        ada.send_update(ada.editor.delete(0, 2))
        stage.journal.commit()
        written = len(stage.journal.records)
        for _ in range(3):
            ada.leave()
            ada = stage.enter(editor=ada.editor)
            ada.read()
        stage.journal.commit()
        assert len(stage.journal.records) == written

    def test_a_hundred_joiners_share_one_encoding_of_the_document(self, stage: Stage) -> None:
        stage.enter("usr_grace").type("shared " * 1_000)
        joiners = [stage.enter(f"usr_{number}") for number in range(100)]
        frames = [next(m for m in joiner.wire.sent if m[:2] == b"\x00\x01") for joiner in joiners]
        assert len({id(frame) for frame in frames}) == 1

    def test_a_joiner_after_further_typing_gets_the_old_encoding_and_the_difference(self, stage: Stage) -> None:
        grace = stage.enter("usr_grace")
        grace.type("shared " * 1_000)
        stage.enter("usr_first")
        grace.type("later ", at=0)
        ada = stage.enter()
        assert len(ada.wire.sync(SyncType.UPDATE)) == 1
        assert ada.read() == stage.room.document.text("python")

    def test_a_joiner_of_a_text_that_has_grown_gets_all_of_it_in_one_answer(self, stage: Stage) -> None:
        grace = stage.enter("usr_grace")
        stage.enter("usr_first")
        grace.type("shared " * 10_000)
        ada = stage.enter()
        assert ada.wire.sync(SyncType.UPDATE) == []
        assert ada.read() == stage.room.document.text("python")

    def test_a_socket_cannot_ask_for_the_whole_document_for_ever(self, stage: Stage) -> None:
        ada = stage.enter()
        for _ in range(MAX_FULL_SYNCS):
            ada.send(codec.sync_message(SyncType.STEP_1, EMPTY_STATE_VECTOR))
        assert ada.wire.ending is not None
        assert ada.wire.ending[0] == 1008

    def test_a_client_that_syncs_anew_every_ten_seconds_stays_connected(self, stage: Stage) -> None:
        ada = stage.enter()
        for second in range(0, 3_600, 2):
            if second % 4 == 0:
                stage.room.keep_alive()
            if second % 10 == 0:
                ada.send(codec.sync_message(SyncType.STEP_1, ada.editor.doc.get_state()))
        assert ada.wire.ending is None

    def test_who_comes_just_after_the_document_was_deleted_is_told_so(self, stage: Stage) -> None:
        stage.room.gone = True
        assert stage.enter(synced=False).wire.ending == room_module.GONE


class TestSeeds:
    def test_a_template_is_seen_by_who_is_there_and_by_who_comes_later(self, stage: Stage) -> None:
        ada = stage.enter("usr_ada")
        plant(stage, "python", "print('hi')\n")
        assert ada.read() == stage.enter("usr_grace").read() == "print('hi')\n"

    def test_who_joins_while_a_template_is_being_written_down_and_who_joins_after_see_it_both(
        self, stage: Stage
    ) -> None:
        record = stage.room.next_seed("python", seed_update(DOCUMENT, "python", "template"))
        early = stage.enter("usr_early")
        assert early.read() == ""
        stage.room.take_seed(record)
        late = stage.enter("usr_late")
        assert early.read() == late.read() == "template"

    def test_a_snapshot_made_while_a_template_is_being_written_down_does_not_swallow_it(self, stage: Stage) -> None:
        ada = stage.enter()
        record = stage.room.next_seed("java", seed_update(DOCUMENT, "java", "template"))
        ada.type("typed")
        assert stage.room.complete_to == 0
        stage.journal.commit()
        state, sequence, seeds = stage.room.document.state(), stage.room.complete_to, set(stage.room.seeds)
        back = Stage().room
        back.restore(state, sequence, seeds, [record, *stage.journal.records])
        assert (back.document.text("java"), back.document.text("python"), back.seeds) == ("template", "typed", {"java"})
        stage.room.take_seed(record)
        assert stage.room.complete_to == 2

    def test_the_same_template_made_twice_is_there_once(self, stage: Stage) -> None:
        plant(stage, "python", "template")
        plant(stage, "python", "template")
        assert stage.room.document.text("python") == "template"


class TestSlowReaders:
    def test_a_reader_who_falls_behind_gets_one_difference_and_no_queue(self, stage: Stage) -> None:
        ada, slow = stage.enter("usr_ada"), stage.enter("usr_slow")
        slow.read()
        slow.peer.fall_behind()
        for index in range(500):
            ada.type("x", at=index)
        assert slow.wire.sync(SyncType.UPDATE) == []
        slow.peer.catch_up()
        assert len(slow.wire.sync(SyncType.UPDATE)) == 1
        assert slow.read() == stage.room.document.text("python")
        ada.type("!")
        assert slow.read() == stage.room.document.text("python")

    def test_a_deletion_that_a_slow_reader_missed_comes_with_the_difference(self, stage: Stage) -> None:
        ada, slow = stage.enter("usr_ada"), stage.enter("usr_slow")
        ada.type("secret text")
        slow.read()
        slow.peer.fall_behind()
        ada.send_update(ada.editor.delete(0, 7))
        slow.peer.catch_up()
        assert slow.read() == "text"

    def test_what_was_on_its_way_when_the_reader_fell_behind_is_not_missed(self, stage: Stage) -> None:
        ada, slow = stage.enter("usr_ada"), stage.enter("usr_slow")
        slow.wire.take()
        slow.wire.limit = 100
        for index in range(50):
            ada.type("x", at=index)
        assert slow.peer.congested
        slow.wire.limit = None
        slow.peer.catch_up()
        assert slow.read() == "x" * 50

    def test_who_joins_through_a_full_pipe_ends_up_with_everything(self, stage: Stage) -> None:
        ada = stage.enter("usr_ada")
        ada.type("a" * 10_000)
        stage.enter("usr_first")  # the encoding that joiners share is made now
        ada.type("b")
        slow = stage.enter("usr_slow", synced=False)
        slow.wire.limit = 5_000
        slow.shake_hands()
        assert slow.peer.congested
        slow.wire.limit = None
        ada.type("c")
        slow.peer.catch_up()
        assert slow.read() == stage.room.document.text("python")

    def test_who_asks_for_the_text_through_a_full_pipe_gets_it_when_there_is_room(self, stage: Stage) -> None:
        ada = stage.enter("usr_ada")
        ada.type("text")
        slow = stage.enter("usr_slow", synced=False)
        slow.peer.fall_behind()
        slow.shake_hands()
        assert slow.wire.sync(SyncType.STEP_2) == []
        ada.announce(1, 1, '{"cursor": 1}')
        stage.pass_time(1)
        slow.peer.catch_up()
        assert 1 in slow.wire.presence()
        assert slow.read() == "text"

    def test_nonsense_from_a_slow_reader_counts_against_it_and_against_nobody_else(self, stage: Stage) -> None:
        slow = stage.enter("usr_slow", synced=False)
        slow.peer.fall_behind()
        slow.send(codec.sync_message(SyncType.STEP_1, b"\x05\x01"))
        slow.peer.catch_up()
        assert slow.peer.strikes == 1

    def test_a_peer_that_asks_and_never_reads_costs_no_more_than_a_bounded_heap_of_answers(self, stage: Stage) -> None:
        crowd = [stage.enter(f"usr_{number}") for number in range(50)]
        for number, person in enumerate(crowd):
            person.announce(number, 1, '{"cursor": "' + "x" * 2_000 + '"}')
        greedy = stage.enter("usr_greedy", role=PeerRole.READ)
        greedy.wire.take()
        greedy.peer.fall_behind()
        for _ in range(5_000):
            greedy.send(bytes((MessageType.QUERY_AWARENESS,)))
        assert greedy.wire.sent == []
        for _ in range(5_000):
            greedy.send_update(EMPTY_UPDATE)
        assert sum(map(len, greedy.wire.sent)) <= MAX_OWED_BYTES
        assert greedy.wire.ending is not None
        assert greedy.wire.ending[0] == 1013


class TestParkedUpdates:
    def test_edits_that_build_on_a_lost_one_are_asked_for_again_and_then_heal(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        ada.editor.insert(0, "lost")
        for index in range(room_module.PARKED_CHECK_UPDATES * 2):
            ada.type("x", at=4 + index)
        assert stage.room.document.text("python") == ""
        asked = ada.wire.sync(SyncType.STEP_1)
        assert len(asked) > 1
        ada.send(codec.sync_message(SyncType.STEP_2, ada.editor.doc.get_update(asked[-1])))
        assert grace.read() == stage.room.document.text("python") == ada.editor.text()

    def test_somebody_who_never_sends_what_is_lacking_is_shown_out(self, stage: Stage) -> None:
        ada = stage.enter()
        ada.editor.insert(0, "lost")
        sent = 0
        while ada.wire.ending is None and sent < 10_000:
            ada.type("x", at=4 + sent)
            sent += 1
        assert sent <= room_module.PARKED_CHECK_UPDATES * (MAX_STRIKES + 2)

    def test_deleting_for_a_long_time_is_no_reason_to_be_shown_out(self, stage: Stage) -> None:
        ada = stage.enter()
        ada.type("x" * 1_000)
        for _ in range(900):
            ada.send_update(ada.editor.delete(0, 1))
        assert ada.wire.ending is None
        assert stage.room.document.text("python") == "x" * 100

    def test_a_deletion_of_text_to_come_is_seen_by_everyone_or_by_nobody(self, stage: Stage) -> None:
        # A hidden deletion would make the text that runs differ from the text on everybody's screen.
        victim = Editor(client_id=77)
        first = victim.insert(0, "payload")
        attacker = stage.enter("usr_attacker")
        watcher, grace = stage.enter("usr_watcher"), stage.enter("usr_grace")
        forged = bytes((0, 1, 77, 1, 0, 3))
        attacker.send(codec.sync_message(SyncType.STEP_2, forged))
        grace.send_update(first)
        stage.journal.commit()
        fresh = stage.enter("usr_fresh")
        assert watcher.read() == fresh.read() == stage.room.document.text("python")
        back = Stage().room
        back.restore(None, 0, set(), stage.journal.records)
        assert back.document.text("python") == stage.room.document.text("python")


class TestPresence:
    def test_the_last_cursor_wins_and_many_moves_travel_as_one(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        grace.wire.take()
        for clock in range(1, 50):
            ada.announce(7, clock, f'{{"cursor": {clock}}}')
        assert grace.wire.sent == []
        stage.pass_time(room_module.PRESENCE_INTERVAL_S)
        assert len(grace.wire.sent) == 1
        state = grace.wire.presence()[7].state
        assert state is not None
        assert state["cursor"] == 49

    def test_the_server_says_who_a_cursor_belongs_to(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        ada.announce(7, 1, '{"cursor": 1, "user": {"name": "Grace", "colour": "red"}, "spam": 1}')
        stage.pass_time(1)
        user = {"id": "usr_ada", "name": "Ada", "role": "interviewer", "colour": 3}
        assert grace.wire.presence()[7].state == {"cursor": 1, "user": user}

    def test_nobody_can_move_or_remove_somebody_elses_cursor(self, stage: Stage) -> None:
        ada, forger, grace = stage.enter("usr_ada"), stage.enter("usr_forger"), stage.enter("usr_grace")
        ada.announce(7, 1, '{"cursor": 1}')
        forger.announce(7, 99, '{"cursor": 666}')
        forger.announce(7, 99, "null")
        stage.pass_time(1)
        entry = grace.wire.presence()[7]
        assert entry.clock == 1
        assert entry.state is not None
        assert entry.state["user"]["id"] == "usr_ada"

    def test_who_joins_sees_the_cursors_that_are_there(self, stage: Stage) -> None:
        stage.enter("usr_ada").announce(7, 1, '{"cursor": 1}')
        stage.pass_time(1)
        assert 7 in stage.enter("usr_grace").wire.presence()

    def test_a_cursor_that_moves_just_while_somebody_joins_is_not_missed(self, stage: Stage) -> None:
        ada = stage.enter("usr_ada")
        grace = stage.enter("usr_grace", synced=False)
        ada.announce(7, 1, '{"cursor": 1}')
        stage.pass_time(1)
        grace.shake_hands()
        assert 7 in grace.wire.presence()

    def test_who_asks_gets_all_cursors(self, stage: Stage) -> None:
        ada = stage.enter("usr_ada")
        ada.announce(7, 1, '{"cursor": 1}')
        ada.wire.take()
        ada.send(bytes((MessageType.QUERY_AWARENESS,)))
        assert 7 in ada.wire.presence()

    def test_a_lost_cursor_stays_for_a_grace_and_then_goes(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        ada.announce(7, 3, '{"cursor": 1}')
        ada.leave()
        stage.pass_time(room_module.PRESENCE_GRACE_S - 0.1)
        assert grace.wire.presence()[7].state is not None
        stage.pass_time(0.2)
        assert grace.wire.presence()[7].state is None
        assert grace.wire.presence()[7].clock == 3
        assert len(stage.room.presence) == 0

    def test_who_comes_back_within_the_grace_never_blinked(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        ada.announce(7, 3, '{"cursor": 1}')
        ada.leave()
        stage.pass_time(3)
        back = stage.enter("usr_ada")
        back.announce(7, 3, '{"cursor": 1}')
        stage.pass_time(30)
        assert grace.wire.presence()[7].state is not None
        back.announce(7, 4, '{"cursor": 2}')
        stage.pass_time(1)
        assert grace.wire.presence()[7].clock == 4

    def test_a_second_loss_has_a_grace_of_its_own(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        ada.announce(7, 3, '{"cursor": 1}')
        ada.leave()
        stage.pass_time(4)
        back = stage.enter("usr_ada")
        back.announce(7, 3, '{"cursor": 1}')
        back.leave()
        stage.pass_time(4)
        assert grace.wire.presence()[7].state is not None
        stage.pass_time(2)
        assert grace.wire.presence()[7].state is None

    def test_another_person_cannot_take_over_a_lost_cursor(self, stage: Stage) -> None:
        ada, forger, grace = stage.enter("usr_ada"), stage.enter("usr_forger"), stage.enter("usr_grace")
        ada.announce(7, 3, '{"cursor": 1}')
        ada.leave()
        forger.announce(7, 4, '{"cursor": 666}')
        stage.pass_time(1)
        assert grace.wire.presence()[7].clock == 3

    def test_a_socket_speaks_for_a_handful_of_clients_only(self, stage: Stage) -> None:
        ada = stage.enter()
        for client_id in range(100):
            ada.announce(client_id, 1, '{"cursor": 1}')
        assert len(stage.room.presence) == 4

    def test_somebody_with_too_large_a_state_is_shown_where_they_were_and_stays_connected(self, stage: Stage) -> None:
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        ada.announce(7, 1, '{"cursor": 1}')
        ada.announce(7, 2, '{"cursor": "' + "x" * 5_000 + '"}')
        stage.pass_time(1)
        assert grace.wire.presence()[7].clock == 1
        assert ada.wire.ending is None


class TestSilence:
    def test_everyone_hears_something_within_ten_seconds_even_alone(self, stage: Stage) -> None:
        ada = stage.enter()
        heard = [stage.now_ms]
        for _ in range(30):
            ada.wire.take()
            stage.pass_time(4)
            stage.room.keep_alive()
            if ada.wire.sent:
                heard.append(stage.now_ms)
        assert max(after - before for before, after in pairwise(heard)) <= 10_000

    def test_a_socket_that_sends_more_than_anybody_can_type_is_asked_to_come_back_and_a_busy_one_is_not(
        self, stage: Stage
    ) -> None:
        busy, flooding = stage.enter("usr_busy"), stage.enter("usr_flooding")
        for person, updates in ((busy, MAX_UPDATES_PER_SWEEP - 10), (flooding, MAX_UPDATES_PER_SWEEP + 10)):
            for _ in range(updates):
                person.send_update(EMPTY_UPDATE)
        stage.room.keep_alive()
        assert busy.wire.ending is None
        assert flooding.wire.ending
        assert flooding.wire.ending[0] == 1013
        for _ in range(MAX_UPDATES_PER_SWEEP - 10):
            busy.send_update(EMPTY_UPDATE)
        stage.room.keep_alive()
        assert busy.wire.ending is None

    def test_a_keep_alive_changes_nobodys_presence(self, stage: Stage) -> None:
        ada = stage.enter()
        ada.announce(7, 1, '{"cursor": 1}')
        ada.wire.take()
        stage.room.keep_alive()
        stage.room.keep_alive()
        assert ada.wire.sent
        assert ada.wire.presence() == {}


class TestComingBack:
    def test_a_room_comes_back_from_its_log_equal_in_every_byte_that_matters(self, stage: Stage) -> None:
        plant(stage, "python", "template\n")
        ada, grace = stage.enter("usr_ada"), stage.enter("usr_grace")
        seeds = [stage.room.next_record(RecordKind.SEED, "python", seed_update(DOCUMENT, "python", "template\n"))]
        ada.read()
        ada.type("🎉 ada ")
        grace.read()
        grace.type("grace\n", at=3)
        grace.send_update(grace.editor.delete(0, 2))
        stage.journal.commit()
        back = Room(
            DOCUMENT,
            "int_1",
            "gen_1",
            ManualJournal(),
            frame=bytes,
            later=lambda _seconds, _call: None,
            now_ns=lambda: 0,
            max_bytes=1 << 20,
        )
        back.restore(None, 0, set(), sorted([*seeds, *stage.journal.records], key=lambda record: record.sequence))
        assert back.document.text("python") == stage.room.document.text("python")
        assert back.document.state_vector() == stage.room.document.state_vector()
        assert back.sequence == stage.room.sequence
        assert back.seeds == {"python"}

    def test_a_log_that_cannot_be_read_is_an_error_and_not_an_empty_document(self, stage: Stage) -> None:
        record = stage.room.next_record(RecordKind.EDIT, "usr_ada", b"not an update")
        with pytest.raises(ValueError, match="decode"):
            Stage().room.restore(None, 0, set(), [record])
