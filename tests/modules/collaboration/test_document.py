"""The room's copy of a document: the same as the CRDT library's own, by the shorter road."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pycrdt import Doc, Text

from opencode.modules.collaboration.domain.document import Document
from opencode.modules.collaboration.domain.updates import announces_too_much
from tests.modules.collaboration.kit import Editor

MAX_BYTES = 64 * 1024

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6)
edits = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 30), words, st.booleans()), max_size=20)


def updates_of(plan: list[tuple[int, int, str, bool]]) -> list[bytes]:
    """What two people send who type and delete without seeing each other."""
    editors = (Editor(11), Editor(22))
    updates: list[bytes] = []
    for who, at, word, deletes in plan:
        editor = editors[who]
        length = len(editor.text().encode())
        if deletes and length:
            updates.append(editor.delete(0, length))
        else:
            updates.append(editor.insert(0 if not length else at % 1, word))
    return updates


@given(edits, st.randoms())
def test_a_document_is_the_one_that_the_library_makes_of_the_same_updates(
    plan: list[tuple[int, int, str, bool]], chance: Any
) -> None:
    ours, theirs = Document(MAX_BYTES), Doc[Any]()
    updates = updates_of(plan)
    chance.shuffle(updates)  # some come before what they build on
    for update in updates:
        ours.apply(update)
        theirs.apply_update(update)
    assert ours.text("python") == str(theirs.get("python", type=Text))
    assert ours.state_vector() == theirs.get_state()
    again = Document(MAX_BYTES)
    again.apply(ours.state())
    assert again.text("python") == ours.text("python")


@given(edits, edits)
def test_a_difference_brings_a_copy_up_to_date(
    first: list[tuple[int, int, str, bool]], then: list[tuple[int, int, str, bool]]
) -> None:
    ours, copy = Document(MAX_BYTES), Document(MAX_BYTES)
    updates = updates_of([*first, *then])
    for update in updates[: len(first)]:
        ours.apply(update)
        copy.apply(update)
    for update in updates[len(first) :]:
        ours.apply(update)
    copy.apply(ours.difference(copy.state_vector()))
    assert copy.text("python") == ours.text("python")


@given(st.binary(max_size=40))
def test_bytes_that_are_no_update_leave_everything_as_it_was(garbage: bytes) -> None:
    assume(not announces_too_much(garbage))  # the room asks first
    ours = Document(MAX_BYTES)
    ours.apply(Editor(11).insert(0, "kept 🙂"))
    size = ours.size_at_most
    try:
        ours.apply(garbage)
    except ValueError:
        assert (ours.text("python"), ours.size_at_most) == ("kept 🙂", size)


def test_what_a_document_holds_already_is_no_news() -> None:
    ours, ada = Document(MAX_BYTES), Editor(11)
    assert ours.apply_news(ada.insert(0, "once"))
    deletion = ada.delete(0, 2)
    assert ours.apply_news(deletion)
    size = ours.size_at_most
    assert not ours.apply_news(deletion)
    assert ours.size_at_most == size


def test_a_state_vector_that_cannot_be_read_is_an_error_and_does_no_harm() -> None:
    ours = Document(MAX_BYTES)
    with pytest.raises(ValueError, match="state"):
        ours.difference(b"\xff")
    ours.apply(Editor(11).insert(0, "still works"))
    assert ours.text("python") == "still works"
