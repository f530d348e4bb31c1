"""Streams: the same however they are cut, whole or failed, and in the order that each dialect wants."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencode.modules.ai.domain.dialects.anthropic import streams as anthropic
from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    ChatAnswer,
    Event,
    Failed,
    Failure,
    FailureKind,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallBegan,
    ToolCallDelta,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import MOST_FRAME_BYTES, AnswerNotUnderstoodError
from opencode.modules.ai.domain.dialects.ollama import answers as ollama
from opencode.modules.ai.domain.dialects.openai_chat import streams as openai
from opencode.modules.ai.domain.dialects.openai_responses import streams as responses
from opencode.modules.ai.domain.dialects.streaming import Collector, OutOfOrderError, StreamReader, StreamWriter

READERS: dict[str, Callable[[], StreamReader]] = {
    "openai": lambda: openai.Reader("s"),
    "responses": lambda: responses.Reader("s"),
    "anthropic": lambda: anthropic.Reader("s"),
    "ollama": lambda: ollama.Reader("s"),
}
WRITERS: dict[str, Callable[[], StreamWriter]] = {
    "openai": lambda: openai.Writer(wants_usage=True),
    "responses": responses.Writer,
    "anthropic": anthropic.Writer,
    "ollama": ollama.Writer,
}
USAGE = Usage(12, 7)
ANSWER: list[Event] = [
    Began("a", "m"),
    ReasoningDelta("Hm, "),
    ReasoningDelta("ünd."),
    TextDelta("Grüße "),
    TextDelta("🦊 \r\n\u2028 done"),
    ToolCallBegan(0, "c0", "look"),
    ToolCallDelta(0, '{"at":'),
    ToolCallBegan(1, "c1", "find"),
    ToolCallDelta(1, '{"what":"ö"}'),
    ToolCallDelta(0, '"x"}'),
    Finished(FinishReason.TOOL_CALLS, USAGE),
]


def written(dialect: str, events: list[Event]) -> bytes:
    writer = WRITERS[dialect]()
    return b"".join(writer.write(event) for event in events)


def read(dialect: str, pieces: list[bytes]) -> list[Event]:
    reader = READERS[dialect]()
    events = [event for piece in pieces for event in reader.feed(piece)]
    return [*events, *reader.end()]


def collected(events: list[Event]) -> Any:
    """What a stream says, whatever pieces it says it in; ids and times that Ollama cannot say left out."""
    collector = Collector()
    came = [collector.add(event) for event in events]
    assert came[-1] is not None
    assert came[:-1] == [None] * (len(came) - 1)
    answer = came[-1]
    return msgspec.structs.replace(answer, id="", created=0) if isinstance(answer, ChatAnswer) else answer


@pytest.mark.parametrize("dialect", READERS)
def test_a_stream_cut_at_any_byte_gives_the_same_events(dialect: str) -> None:
    whole = written(dialect, ANSWER)
    wanted = read(dialect, [whole])
    assert isinstance(wanted[-1], Finished)
    for at in range(len(whole) + 1):
        assert read(dialect, [whole[:at], whole[at:]]) == wanted
    assert read(dialect, [whole[at : at + 1] for at in range(len(whole))]) == wanted
    with_crlf = whole.replace(b"\n", b"\r\n")
    assert read(dialect, [with_crlf[at : at + 1] for at in range(len(with_crlf))]) == wanted


@pytest.mark.parametrize("dialect", READERS)
def test_a_stream_that_ends_before_its_end_has_failed(dialect: str) -> None:
    whole = written(dialect, ANSWER).rstrip(b"\n")
    # The last event is whole without the line ends behind it, and nothing before it is.
    assert isinstance(read(dialect, [whole])[-1], Finished)
    end = whole.rsplit(b"\n" if dialect == "ollama" else b"\n\n", 1)[-1]
    for cut in range(0, len(whole) - len(end) + 1):
        last = read(dialect, [whole[:cut]])[-1]
        assert isinstance(last, Failed)
        assert last.failure.kind in (FailureKind.CUT_OFF, FailureKind.UPSTREAM_FAILED)


@pytest.mark.parametrize("out", WRITERS)
@pytest.mark.parametrize("into", WRITERS)
def test_what_one_dialect_says_another_says_too(into: str, out: str) -> None:
    translated = written(into, read(out, [written(out, ANSWER)]))
    assert collected(read(into, [translated])) == collected(ANSWER)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
DELTAS = st.lists(st.one_of(st.builds(TextDelta, WORDS), st.builds(ReasoningDelta, WORDS)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(DELTAS, st.integers(0, 3), st.sampled_from([FinishReason.STOP, FinishReason.LENGTH]), st.data())
def test_events_that_are_written_and_read_are_the_same(
    deltas: list[Event], calls: int, reason: FinishReason, data: st.DataObject
) -> None:
    events: list[Event] = [Began("a", "m"), *deltas]
    events += [ToolCallBegan(at, f"c{at}", "look") for at in range(calls)]
    events += data.draw(st.permutations([ToolCallDelta(at, "{}") for at in range(calls)]))
    if calls and reason is FinishReason.STOP:
        reason = FinishReason.TOOL_CALLS
    events.append(Finished(reason, USAGE))
    for dialect in WRITERS:
        bytes_ = written(dialect, events)
        cut = data.draw(st.integers(0, len(bytes_)))
        assert collected(read(dialect, [bytes_[:cut], bytes_[cut:]])) == collected(events)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=60) | st.sampled_from([
    b"data: ", b"\n\n", b'{"choices":[{"delta":', b"[" * 3000, b'"\\ud800"', b'{"type":"message_start"}', b"}",
    b'data: {"error":[1]}\n\n', b'{"done":true}\n', b'data: {"choices":3}\n\n',
]), max_size=8))  # fmt: skip
def test_whatever_is_sent_a_stream_begins_once_and_ends_once(pieces: list[bytes]) -> None:
    for dialect in READERS:
        events = read(dialect, pieces)
        assert isinstance(events[-1], Finished | Failed)
        assert not [event for event in events[:-1] if isinstance(event, Finished | Failed)]
        assert [type(event) for event in events[:-1]].count(Began) <= 1


@pytest.mark.parametrize("dialect", READERS)
def test_an_event_without_end_does_not_fill_the_memory(dialect: str) -> None:
    reader = READERS[dialect]()
    piece = b"data: " + b"x" * 1_000_000
    events = [event for _ in range(MOST_FRAME_BYTES // len(piece) + 2) for event in reader.feed(piece)]
    assert [type(event) for event in events] == [Failed]
    assert reader.end() == []


@pytest.mark.parametrize("dialect", WRITERS)
def test_a_stream_that_fails_has_no_clean_end(dialect: str) -> None:
    failed = written(dialect, [*ANSWER[:4], Failed(Failure(FailureKind.OVERLOADED, "Too busy."))])
    assert b"[DONE]" not in failed
    assert b"message_stop" not in failed
    assert b"response.completed" not in failed
    assert b'"done":true' not in failed
    last = read(dialect, [failed])[-1]
    assert isinstance(last, Failed)
    assert last.failure.message == "Too busy."
    writer = WRITERS[dialect]()
    writer.write(Failed(Failure(FailureKind.OVERLOADED, "Too busy.")))
    with pytest.raises(OutOfOrderError):
        writer.write(Finished(FinishReason.STOP))


@pytest.mark.parametrize(("writer", "events"), [
    (ollama.Writer, [ToolCallBegan(0, "c", "n"), ToolCallDelta(0, "no object"), Finished(FinishReason.TOOL_CALLS)]),
    (lambda: ollama.Writer(generate=True), [TextDelta("a"), ToolCallBegan(0, "c", "n")]),
    (anthropic.Writer, [ToolCallBegan(0, "c", "n"), TextDelta("a"), ToolCallDelta(0, "{}")]),
])  # fmt: skip
def test_a_stream_whose_end_cannot_be_said_still_ends_in_its_failure(
    writer: Callable[[], StreamWriter], events: list[Event]
) -> None:
    writes = writer()
    sent = b"".join(writes.write(event) for event in (Began("a", "m"), *events[:-1]))
    with pytest.raises(AnswerNotUnderstoodError) as caught:
        writes.write(events[-1])
    sent += writes.write(Failed(caught.value.failure))
    last = read("anthropic" if isinstance(writes, anthropic.Writer) else "ollama", [sent])[-1]
    assert isinstance(last, Failed)
    assert last.failure.message == caught.value.failure.message
    with pytest.raises(OutOfOrderError):
        writes.write(Failed(caught.value.failure))


@pytest.mark.parametrize("events", [
    [TextDelta("a")],
    [Began("a", "m"), Began("a", "m")],
    [Began("a", "m"), ToolCallDelta(0, "{}")],
    [Began("a", "m"), ToolCallBegan(0, "c", "n"), ToolCallBegan(0, "c", "n")],
    [Began("a", "m"), Finished(FinishReason.STOP), TextDelta("late")],
])  # fmt: skip
def test_no_stream_is_written_out_of_order(events: list[Event]) -> None:
    for dialect in WRITERS:
        with pytest.raises(OutOfOrderError):
            written(dialect, events)


def test_anthropic_gets_one_message_start_and_one_open_block_at_a_time() -> None:
    names: list[tuple[str, int | None]] = []
    for frame in written("anthropic", ANSWER).split(b"\n\n")[:-1]:
        data = msgspec.json.decode(frame.split(b"data: ", 1)[1])
        names.append((data["type"], data.get("index")))
    assert names[0] == ("message_start", None)
    assert names[-2:] == [("message_delta", None), ("message_stop", None)]
    is_open: int | None = None
    for name, index in names[1:-2]:
        if name == "content_block_start":
            assert is_open is None
            is_open = index
        assert index == is_open
        is_open = None if name == "content_block_stop" else is_open
    assert is_open is None


def test_ollamas_stop_after_a_tool_call_is_told_as_tool_calls_but_length_stays_length() -> None:
    call = b'{"model":"m","message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}}\n'
    for said, wanted in (("stop", FinishReason.TOOL_CALLS), ("length", FinishReason.LENGTH)):
        events = read("ollama", [call + b'{"done":true,"done_reason":"%s","eval_count":2}\n' % said.encode()])
        assert events[1:3] == [ToolCallBegan(0, "call_s_0", "f"), ToolCallDelta(0, '{"a":1}')]
        assert events[-1] == Finished(wanted, Usage(0, 2))


def test_a_line_with_thought_and_words_becomes_two_events() -> None:
    line = b'{"model":"m","message":{"content":"Yes","thinking":"Hm"}}\n'
    assert read("ollama", [line])[1:3] == [ReasoningDelta("Hm"), TextDelta("Yes")]


def test_a_comment_that_keeps_a_stream_alive_is_passed_over() -> None:
    whole = written("openai", ANSWER)
    assert read("openai", [b": waiting\n\n", whole]) == read("openai", [whole])


def test_anthropics_usage_is_cumulative_and_leaves_out_the_cache() -> None:
    stream = b"".join(
        b"data: " + each + b"\n\n"
        for each in (
            b'{"type":"message_start","message":{"id":"i","usage":'
            b'{"input_tokens":5,"cache_read_input_tokens":100,"cache_creation_input_tokens":20,"output_tokens":1}}}',
            b'{"type":"ping"}',
            b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}',
            b'{"type":"message_stop"}',
        )
    )
    assert read("anthropic", [stream])[-1] == Finished(FinishReason.STOP, Usage(125, 9, 100, 20))
