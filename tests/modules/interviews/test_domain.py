"""The rules, without a database."""

import unicodedata
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.kernel.ids import DocumentId, InterviewId
from opencode.modules.interviews.domain.interview import Interview, InterviewState, find_language, new_code
from opencode.modules.interviews.domain.people import (
    INTERVIEWER_COLOUR,
    LEADS_TO,
    Part,
    Participant,
    Status,
    colour_for_candidate,
    distinct_name,
)
from opencode.modules.interviews.domain.tape import Tape
from opencode.modules.interviews.domain.words import MAX_NAME, clean_line, clean_message
from opencode.modules.interviews.errors import (
    InterviewOver,
    LanguageNotKnown,
    ParticipantMoved,
    StillLive,
    TextRefused,
)
from opencode.modules.interviews.service.driving import (
    FIRST_S,
    GATHER_CHARACTERS,
    GATHER_S,
    PLACE_EVERY_S,
    Gatherer,
    Place,
    Source,
)
from tests.doubles.runner import LANGUAGES

STDOUT: Source = ("run", "stdout")
STDERR: Source = ("run", "stderr")

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def interview(**changes: object) -> Interview:
    facts: dict[str, object] = {
        "id": InterviewId("int_1"),
        "code": "012345",
        "open_code": "012345",
        "code_expires_at": NOW + timedelta(days=30),
        "title": "Backend engineer",
        "state": InterviewState.SCHEDULED,
        "language": "python",
        "languages": ("python",),
        "frozen": False,
        "document_id": DocumentId("doc_1"),
        "duration_minutes": 60,
        "interviewer_id": "usr_1",
        "interviewer_name": "Grace",
        "created_at": NOW,
    }
    return Interview(**{**facts, **changes})  # pyright: ignore[reportArgumentType]


def candidate(name: str = "Ada", status: Status = Status.WAITING, colour: int = 1) -> Participant:
    return Participant("par_1", InterviewId("int_1"), name, Part.CANDIDATE, status, colour, NOW)


def test_codes_are_six_digits_and_evenly_spread() -> None:
    codes = [new_code() for _ in range(20_000)]
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    first_digits = Counter(code[0] for code in codes)
    assert set(first_digits) == set("0123456789")
    # Two thousand of each are expected, with a standard deviation of 42.
    assert all(1700 < count < 2300 for count in first_digits.values())


def test_an_interview_ends_its_duration_after_it_started() -> None:
    live = interview(duration_minutes=45).start(NOW)
    assert live.ends_at == NOW + timedelta(minutes=45)
    assert not live.is_overdue(NOW + timedelta(minutes=45, microseconds=-1))
    assert live.is_overdue(NOW + timedelta(minutes=45))
    assert not live.end(NOW).is_overdue(NOW + timedelta(days=1))


def test_states_only_go_forward() -> None:
    ended = interview().start(NOW).end(NOW)
    assert ended.open_code is None
    assert ended.code == "012345"
    assert ended.end(NOW + timedelta(hours=1)) == ended
    with pytest.raises(InterviewOver):
        ended.start(NOW)
    with pytest.raises(StillLive):
        interview().start(NOW).require_deletable()
    interview().require_deletable()
    ended.require_deletable()


def test_a_code_is_shown_while_people_can_join_with_it() -> None:
    assert interview().joinable_code(NOW) == "012345"
    assert interview().joinable_code(NOW + timedelta(days=30)) is None
    assert interview().end(NOW).joinable_code(NOW) is None


@given(st.sampled_from(Status), st.sampled_from(Status))
def test_participants_take_only_the_steps_of_the_table(before: Status, after: Status) -> None:
    person = candidate(status=before)
    if after is before:
        assert person.become(after, NOW) == person
    elif after in LEADS_TO[before]:
        moved = person.become(after, NOW)
        assert moved.status is after
        assert (moved.admitted_at == NOW) is (after is Status.ADMITTED)
    else:
        with pytest.raises(ParticipantMoved):
            person.become(after, NOW)


@given(st.lists(st.integers(0, 7), max_size=40))
def test_a_candidate_gets_the_colour_that_fewest_have_and_never_the_interviewers(colours: list[int]) -> None:
    chosen = colour_for_candidate(candidate(colour=colour) for colour in colours)
    assert chosen != INTERVIEWER_COLOUR
    assert all(colours.count(chosen) <= colours.count(other) for other in range(1, 8))


@given(st.lists(st.sampled_from(["Ada", "ADA", "Ada (2)", "A\u0064a", "Bob", "x" * 80]), max_size=12))
def test_nobody_in_a_room_has_the_same_name_as_somebody_else(names: list[str]) -> None:
    present: list[Participant] = []
    for name in names:
        present.append(candidate(distinct_name(name, present, longest=MAX_NAME)))
    shown = [unicodedata.normalize("NFKC", person.name).casefold() for person in present]
    assert len(set(shown)) == len(shown)
    assert all(len(person.name) <= MAX_NAME for person in present)


@given(st.text(max_size=200))
def test_a_name_is_one_visible_line_or_refused(text: str) -> None:
    try:
        name = clean_line(text, "/name", longest=MAX_NAME)
    except TextRefused:
        return
    assert 1 <= len(name) <= MAX_NAME
    assert name == name.strip()
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name)
    assert not set(name) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff\u200b")
    assert clean_line(name, "/name", longest=MAX_NAME) == name


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("  Ada\n Lovelace ", "Ada Lovelace"),
        ("\u202eadA", "adA"),
        ("Ada\x00\x1b[31m", "Ada[31m"),
        ("Zoë", "Zoë"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_names_keep_what_people_write_and_lose_what_disturbs(typed: str, shown: str) -> None:
    assert clean_line(typed, "/name", longest=MAX_NAME) == shown


@pytest.mark.parametrize("typed", ["", "   ", "\u200b\u200d", "\u202e\u202c", "\n\t", "\u0301"])
def test_a_name_without_anything_to_see_is_refused(typed: str) -> None:
    with pytest.raises(TextRefused):
        clean_line(typed, "/name", longest=MAX_NAME)


def test_marks_do_not_pile_up_over_the_lines_around() -> None:
    assert len(clean_line("a" + "\u0335" * 60, "/name", longest=MAX_NAME)) < 8


def test_messages_keep_their_lines() -> None:
    assert clean_message("one\r\ntwo\n\tthree\u202e", "/text") == "one\ntwo\n\tthree"
    assert len(clean_message("x" * 4000, "/text")) == 4000
    with pytest.raises(TextRefused):
        clean_message("x" * 4001, "/text")


def test_languages_are_found_by_id_and_alias_and_others_name_the_nearest() -> None:
    assert find_language("JS", LANGUAGES).id == "javascript"
    assert find_language(" python ", LANGUAGES).id == "python"
    with pytest.raises(LanguageNotKnown) as refused:
        find_language("javscript", LANGUAGES)
    assert "javascript" in refused.value.action
    with pytest.raises(LanguageNotKnown) as refused:
        find_language("☃", LANGUAGES)
    assert "Did you mean" not in refused.value.action


@given(st.text(), st.data())
def test_output_is_whole_however_its_bytes_were_cut(text: str, data: st.DataObject) -> None:
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    gatherer = Gatherer()
    told = ""
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        gatherer.add(STDOUT, raw[start:end], now=0.0)
        told += "".join(chunk for _, chunk in gatherer.take())
    stdout, stderr = gatherer.end("run")
    told += "".join(chunk for _, chunk in gatherer.take())
    assert told == stdout == text
    assert stderr == ""


@given(st.binary(max_size=200))
def test_bytes_that_are_no_text_are_shown_as_replacement_characters(raw: bytes) -> None:
    gatherer = Gatherer()
    for byte in raw:
        gatherer.add(STDERR, bytes([byte]), now=0.0)
    assert gatherer.end("run") == ("", raw.decode(errors="replace"))


def test_stages_are_gathered_apart_in_the_order_in_which_they_spoke() -> None:
    gatherer = Gatherer()
    gatherer.add(("compile", "stderr"), "warning: ü".encode()[:-1], now=0.0)
    assert gatherer.end("compile") == ("", "warning: \ufffd")
    gatherer.add(STDERR, b"oh", now=0.0)
    assert gatherer.take() == [(("compile", "stderr"), "warning: \ufffd"), (STDERR, "oh")]
    assert gatherer.end("run") == ("", "oh")


def test_a_place_in_the_queue_is_told_at_once_and_then_now_and_then() -> None:
    place = Place()
    place.moved(9, now=10.0)
    assert place.due_at == 10.0
    assert place.take(10.0) == 9
    place.moved(8, now=10.1)
    place.moved(7, now=10.2)
    assert place.due_at == 10.0 + PLACE_EVERY_S
    assert place.take(10.5) == 7
    place.moved(6, now=20.0)
    assert place.due_at == 20.0
    place.leave()
    assert place.due_at is None


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 50), st.data())
def test_a_tape_gives_each_reader_all_that_it_missed_or_says_that_it_cannot(
    pieces: list[bytes], keep: int, data: st.DataObject
) -> None:
    tape, all_of_it = Tape(keep), b"".join(pieces)
    for piece in pieces:
        tape.append(piece)
    assert tape.end == len(all_of_it)
    assert min(keep, len(all_of_it)) <= tape.end - tape.start <= 2 * keep
    position = data.draw(st.integers(0, len(all_of_it)))
    assert tape.since(position) == (all_of_it[position:] if position >= tape.start else None)


def test_the_first_output_goes_out_almost_at_once_and_the_rest_is_gathered() -> None:
    gatherer = Gatherer()
    gatherer.add(STDOUT, b"a", now=10.0)
    assert gatherer.due_at == 10.0 + FIRST_S
    assert gatherer.take() == [(STDOUT, "a")]
    gatherer.add(STDOUT, b"b", now=11.0)
    gatherer.add(STDOUT, b"c", now=11.01)
    gatherer.add(STDERR, b"d", now=11.02)
    assert gatherer.due_at == 11.0 + GATHER_S
    assert gatherer.take() == [(STDOUT, "bc"), (STDERR, "d")]
    gatherer.add(STDOUT, b"x" * GATHER_CHARACTERS, now=12.0)
    assert gatherer.due_at == 12.0
