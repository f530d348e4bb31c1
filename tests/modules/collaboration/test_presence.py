"""Presence blobs, compared with another implementation and fed with garbage."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Awareness, Doc

from opencode.modules.collaboration.domain.codec import Malformed, write_string, write_var_uint
from opencode.modules.collaboration.domain.presence import (
    MAX_CLIENTS_PER_PEER,
    MAX_DEPTH,
    Announcement,
    Presence,
    parse_announcements,
)

USER = {"id": "usr_ada", "name": "Ada", "role": "interviewer", "colour": 3}


def blob(*entries: tuple[int, int, str]) -> bytes:
    encoded = [write_var_uint(client) + write_var_uint(clock) + write_string(state) for client, clock, state in entries]
    return write_var_uint(len(entries)) + b"".join(encoded)


def test_a_state_of_another_implementation_is_read_and_ours_is_read_by_it() -> None:
    theirs = Awareness(Doc(client_id=7))
    theirs.set_local_state({"cursor": {"anchor": 1}, "user": {"name": "läuft 🎉"}})
    (entry,) = parse_announcements(theirs.encode_awareness_update([7]))
    assert (entry.client_id, entry.state) == (7, {"cursor": {"anchor": 1}, "user": {"name": "läuft 🎉"}})
    presence = Presence()
    assert presence.announce(object(), "usr_ada", {**USER, "name": "Zoë 🎉"}, entry)
    other = Awareness(Doc(client_id=8))
    other.apply_awareness_update(presence.everyone(), "test")
    assert other.states[7]["user"]["name"] == "Zoë 🎉"


def test_a_removal_of_ours_removes_it_for_another_implementation() -> None:
    presence, owner = Presence(), object()
    presence.announce(owner, "usr_ada", USER, Announcement(7, 3, {"cursor": 1}))
    other = Awareness(Doc(client_id=8))
    other.apply_awareness_update(presence.take_news(), "test")
    assert 7 in other.states
    presence.expire(presence.lose(owner))
    other.apply_awareness_update(presence.take_news(), "test")
    assert 7 not in other.states


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["cursor", "user", "view", "x"]), json_values, max_size=4), st.integers(1, 2**40)
)
def test_whatever_a_state_holds_it_is_shown_as_json_or_refused_as_malformed(state: dict[str, Any], clock: int) -> None:
    try:
        (entry,) = parse_announcements(blob((7, clock, json.dumps(state))))
    except Malformed as error:
        assert str(error)
        return
    presence = Presence()
    assert presence.announce(object(), "usr_ada", USER, entry)
    (shown,) = parse_announcements(presence.everyone())
    assert shown.state is not None
    assert set(shown.state) <= {"cursor", "user"}
    assert shown.state["user"] == USER
    if "cursor" in state:
        assert shown.state["cursor"] == state["cursor"]


@given(st.binary(max_size=200))
def test_garbage_is_malformed_and_nothing_worse(garbage: bytes) -> None:
    try:
        parse_announcements(garbage)
    except Malformed as error:
        assert str(error)


@pytest.mark.parametrize(
    "state",
    [
        '{"cursor": "\\ud800"}',
        '{"cursor": 1e999}',
        '{"cursor": NaN}',
        '{"cursor": ' + "[" * 1_990 + "]" * 1_990 + "}",
        "[]",
        "7",
        '"text"',
        "",
        "{",
    ],
)
def test_a_state_that_no_editor_writes_is_malformed(state: str) -> None:
    with pytest.raises(Malformed):
        parse_announcements(blob((7, 1, state)))


@pytest.mark.parametrize(
    "state",
    [
        '{"cursor": ' + "[" * 600 + "]" * 600 + "}",
        '{"cursor": "' + "x" * 4_096 + '"}',
        '{"a": ' * MAX_DEPTH + '{"a": 1}' + "}" * MAX_DEPTH,
    ],
    ids=["far too deep", "too large", "one too deep"],
)
def test_a_state_that_is_too_large_or_too_deep_is_left_out_and_the_others_are_read(state: str) -> None:
    assert parse_announcements(blob((7, 1, state), (8, 1, "{}"))) == [Announcement(8, 1, {})]


def test_a_list_that_announces_more_states_than_it_has_bytes_is_malformed_at_once() -> None:
    with pytest.raises(Malformed, match="announced"):
        parse_announcements(write_var_uint(2**50))


def test_a_page_that_rebuilt_its_document_may_speak_for_its_old_self_and_no_crowd() -> None:
    presence, owner = Presence(), object()
    taken = [presence.announce(owner, "usr_ada", USER, Announcement(client, 1, {})) for client in range(10)]
    assert taken == [True] * MAX_CLIENTS_PER_PEER + [False] * (10 - MAX_CLIENTS_PER_PEER)
    assert presence.announce(owner, "usr_ada", USER, Announcement(0, 2, None))
    assert presence.announce(owner, "usr_ada", USER, Announcement(99, 1, {}))


def test_an_old_clock_changes_nothing_and_an_equal_one_only_removes() -> None:
    presence, owner = Presence(), object()
    assert presence.announce(owner, "usr_ada", USER, Announcement(7, 5, {"cursor": 5}))
    assert not presence.announce(owner, "usr_ada", USER, Announcement(7, 4, {"cursor": 4}))
    assert not presence.announce(owner, "usr_ada", USER, Announcement(7, 5, {"cursor": 6}))
    assert presence.announce(owner, "usr_ada", USER, Announcement(7, 5, None))
    assert len(presence) == 0


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 5), st.integers(0, 9), st.booleans()), max_size=60))
def test_nobody_ever_changes_a_client_that_somebody_else_owns(steps: list[tuple[str, int, int, bool]]) -> None:
    presence = Presence()
    owners: dict[int, str] = {}
    for person, client, clock, present in steps:
        state: dict[str, Any] | None = {"cursor": clock} if present else None
        taken = presence.announce(person, f"usr_{person}", {"id": person}, Announcement(client, clock, state))
        if taken and present:
            assert owners.setdefault(client, person) == person
        elif taken:
            assert owners.pop(client) == person
    shown = {entry.client_id: entry.state for entry in parse_announcements(presence.everyone())}
    assert {client: state["user"]["id"] for client, state in shown.items() if state} == owners
