"""The wire, compared with another implementation of it and fed with garbage."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Text, create_sync_message, create_update_message
from pycrdt import write_var_uint as reference_var_uint

from opencode.modules.collaboration.domain.codec import (
    AwarenessMessage,
    Malformed,
    QueryAwareness,
    SyncMessage,
    SyncType,
    acknowledgement,
    awareness_message,
    hello,
    parse,
    parse_short_update,
    read_bytes,
    read_string,
    read_var_uint,
    refused,
    sync_message,
    write_bytes,
    write_string,
    write_var_uint,
)
from opencode.modules.collaboration.domain.updates import announces_too_much, deletes_only_known
from tests.modules.collaboration.kit import Editor

numbers = st.integers(0, 2**53 - 1)


@given(numbers)
def test_every_number_of_53_bits_comes_back_and_looks_as_in_yjs(number: int) -> None:
    encoded = write_var_uint(number)
    assert encoded == reference_var_uint(number)
    assert read_var_uint(b"x" + encoded + b"y", 1) == (number, 1 + len(encoded))


@pytest.mark.parametrize("encoded", [b"", b"\x80", b"\xff" * 7, b"\xff" * 9 + b"\x01", write_var_uint(2**53)])
def test_a_number_without_end_or_beyond_53_bits_is_malformed(encoded: bytes) -> None:
    with pytest.raises(Malformed):
        read_var_uint(encoded, 0)


@given(st.text())
def test_strings_carry_their_length_in_bytes_of_utf_8(text: str) -> None:
    encoded = write_string(text)
    assert read_var_uint(encoded, 0)[0] == len(text.encode())
    assert read_string(encoded, 0) == (text, len(encoded))


def test_an_emoji_counts_as_four_bytes() -> None:
    assert write_string("🎉") == b"\x04\xf0\x9f\x8e\x89"


@given(st.binary(max_size=300), st.sampled_from(SyncType))
def test_a_sync_message_comes_back_as_it_was(payload: bytes, kind: SyncType) -> None:
    assert parse(sync_message(kind, payload)) == SyncMessage(kind, payload)


@given(st.binary(max_size=300))
def test_an_awareness_message_comes_back_as_it_was(update: bytes) -> None:
    assert parse(awareness_message(update)) == AwarenessMessage(update)


def test_messages_of_another_implementation_mean_the_same_here() -> None:
    doc: Doc[Any] = Doc()
    doc.get("python", type=Text).insert(0, "läuft 🎉")
    assert parse(create_sync_message(doc)) == SyncMessage(SyncType.STEP_1, doc.get_state())
    assert create_update_message(doc.get_update()) == sync_message(SyncType.UPDATE, doc.get_update())
    assert parse(b"\x03") == QueryAwareness()


@given(st.binary(max_size=200))
def test_garbage_is_malformed_and_nothing_worse(garbage: bytes) -> None:
    try:
        parse(garbage)
    except Malformed as error:
        assert str(error)


@given(st.sampled_from([b"\x00", b"\x01", b"\x02", b"\x03", b"\x63", b"\x64", b"\x65"]), st.binary(max_size=200))
def test_garbage_behind_a_good_type_is_malformed_and_nothing_worse(kind: bytes, garbage: bytes) -> None:
    try:
        parse(kind + garbage)
    except Malformed as error:
        assert str(error)


@given(st.binary(min_size=1, max_size=200))
def test_a_message_cut_short_or_with_something_behind_it_is_malformed(payload: bytes) -> None:
    whole = sync_message(SyncType.UPDATE, payload)
    for broken in (*(whole[:size] for size in range(len(whole))), whole + b"\x00"):
        with pytest.raises(Malformed):
            parse(broken)


@given(st.one_of(st.binary(max_size=200), st.builds(sync_message, st.sampled_from(SyncType), st.binary(max_size=200))))
def test_the_short_way_of_reading_an_edit_says_what_the_long_way_says(message: bytes) -> None:
    update = parse_short_update(message)
    if update is not None:
        assert parse(message) == SyncMessage(SyncType.UPDATE, update)


@given(st.text(), st.text(), numbers)
def test_what_the_server_says_can_be_read_back(one: str, other: str, number: int) -> None:
    message = hello(one, other, number)
    generation, at = read_string(message, 1)
    role, at = read_string(message, at)
    assert (generation, role, read_var_uint(message, at)) == (one, other, (number, len(message)))
    message = refused(number, one, other)
    ordinal, at = read_var_uint(message, 1)
    reason, at = read_string(message, at)
    assert (ordinal, reason, read_string(message, at)) == (number, one, (other, len(message)))
    message = acknowledgement(number, number)
    settled, at = read_var_uint(message, 1)
    assert (settled, read_var_uint(message, at)) == (number, (number, len(message)))


@given(st.binary(max_size=100), st.integers(0, 100))
def test_bytes_that_were_announced_and_did_not_come_are_malformed(payload: bytes, lacking: int) -> None:
    encoded = write_bytes(payload)
    assert read_bytes(encoded, 0) == (payload, len(encoded))
    with pytest.raises(Malformed):
        read_bytes(write_var_uint(len(payload) + lacking + 1) + payload, 0)


class TestLookingIntoUpdates:
    @given(st.lists(st.tuples(st.integers(0, 20), st.text(max_size=5)), max_size=20))
    def test_no_honest_update_announces_too_much(self, edits: list[tuple[int, str]]) -> None:
        editors = [Editor() for _ in range(3)]
        for turn, (at, content) in enumerate(edits):
            editor = editors[turn % 3]
            if content:
                assert not announces_too_much(editor.insert(0 if at % 2 else len(editor.text().encode()), content))
        merged = Editor()
        for editor in editors:
            merged.doc.apply_update(editor.doc.get_update())
        assert not announces_too_much(merged.doc.get_update())
        assert not announces_too_much(merged.doc.get_state())

    def test_two_hundred_people_in_one_document_are_not_too_many(self) -> None:
        merged = Editor()
        for client_id in range(1, 201):
            merged.doc.apply_update(Editor(client_id).insert(0, "x"))
        assert not announces_too_much(merged.doc.get_update())
        assert not announces_too_much(merged.doc.get_state())

    @given(st.integers(0, 30), st.integers(1, 10))
    def test_deletions_of_what_is_there_are_known_and_others_are_not(self, at: int, length: int) -> None:
        editor = Editor(client_id=5)
        editor.insert(0, "x" * 41)
        before = editor.doc.get_state()
        deletion = editor.delete(at, length)
        assert deletes_only_known(deletion, before)
        assert not deletes_only_known(deletion, b"\x00")
        assert not deletes_only_known(editor.insert(0, "y"), editor.doc.get_state())

    @given(st.binary(max_size=60), st.binary(max_size=30))
    def test_garbage_is_malformed_and_nothing_worse(self, update: bytes, state_vector: bytes) -> None:
        announces_too_much(update)
        try:
            deletes_only_known(update, state_vector)
        except Malformed as error:
            assert str(error)
