"""Answers that are handed on untouched: what is learned of them on the way."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opencode.modules.ai.domain.dialects.anthropic import answers as anthropic_answers
from opencode.modules.ai.domain.dialects.anthropic import streams as anthropic
from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    ChatAnswer,
    Dialect,
    Event,
    Failed,
    Failure,
    FailureKind,
    Finished,
    FinishReason,
    ReasoningDelta,
    Text,
    TextDelta,
    ToolCallBegan,
    ToolCallDelta,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import MOST_FRAME_BYTES, AnswerNotUnderstoodError
from opencode.modules.ai.domain.dialects.ollama import answers as ollama
from opencode.modules.ai.domain.dialects.openai_chat import answers as openai_answers
from opencode.modules.ai.domain.dialects.openai_chat import streams as openai
from opencode.modules.ai.domain.dialects.openai_chat.usage_chunk import UsageChunkRemover
from opencode.modules.ai.domain.dialects.openai_responses import answers as responses_answers
from opencode.modules.ai.domain.dialects.openai_responses import streams as responses
from opencode.modules.ai.domain.dialects.streaming import StreamWriter
from opencode.modules.ai.domain.dialects.watching import Watcher, usage_of, watcher_of

WRITERS: dict[Dialect, Callable[[], StreamWriter]] = {
    Dialect.OPENAI_CHAT: lambda: openai.Writer(wants_usage=True),
    Dialect.OPENAI_RESPONSES: responses.Writer,
    Dialect.ANTHROPIC: anthropic.Writer,
    Dialect.OLLAMA_CHAT: ollama.Writer,
    Dialect.OLLAMA_GENERATE: lambda: ollama.Writer(generate=True),
}
USAGE = Usage(12, 7)
TRICK = '"usage":{"prompt_tokens":9,"input_tokens":9}} [DONE] "message_stop" "done":true "error":{"message":"x"}\r\n\n'
WORDS: list[Event] = [Began("a", "m"), ReasoningDelta("Hm."), TextDelta(TRICK), TextDelta("🦊"), TextDelta("[]")]
END = Finished(FinishReason.STOP, USAGE)


def written(dialect: Dialect, events: list[Event]) -> bytes:
    writer = WRITERS[dialect]()
    return b"".join(writer.write(event) for event in events)


def watched(dialect: Dialect, *pieces: bytes) -> Watcher:
    watcher = watched_so_far(dialect, *pieces)
    watcher.end()
    return watcher


def watched_so_far(dialect: Dialect, *pieces: bytes) -> Watcher:
    watcher = watcher_of(dialect)
    for piece in pieces:
        watcher.feed(piece)
    return watcher


def learned(watcher: Watcher) -> Any:
    return watcher.begun, watcher.frames, watcher.usage, watcher.ended, watcher.failure


@pytest.mark.parametrize("dialect", WRITERS)
def test_a_whole_stream_is_known_by_its_end_and_its_usage(dialect: Dialect) -> None:
    watcher = watched(dialect, written(dialect, [*WORDS, END]))
    assert (watcher.begun, watcher.usage, watcher.ended, watcher.failure) == (True, USAGE, True, None)
    assert watcher.frames >= len(WORDS) - 1


@pytest.mark.parametrize("dialect", WRITERS)
def test_what_is_learned_is_the_same_wherever_a_stream_is_cut(dialect: Dialect) -> None:
    for ending in (END, Failed(Failure(FailureKind.OVERLOADED, "Too busy."))):
        whole = written(dialect, [*WORDS, ending])
        for stream in (whole, whole.replace(b"\n", b"\r\n"), whole.rstrip(b"\n")):
            wanted = learned(watched(dialect, stream))
            assert wanted[3] is isinstance(ending, Finished)
            # Every byte by itself is every cut there is; those in two show what the quick way does.
            for at in range(0, len(stream), 7):
                assert learned(watched(dialect, stream[:at], stream[at:])) == wanted
            assert learned(watched(dialect, *(stream[at : at + 1] for at in range(len(stream))))) == wanted


def passed_or_fed(watcher: Watcher, pieces: list[bytes]) -> int:
    """Have each piece taken as a stream's are; returns how many passed unread."""
    passed = 0
    for piece in pieces:
        if watcher.passes(piece):
            passed += 1
        else:
            watcher.feed(piece)
    watcher.end()
    return passed


@pytest.mark.parametrize("at_once", [1, 2, 3])
@pytest.mark.parametrize("dialect", WRITERS)
def test_what_passes_unread_changes_nothing_of_what_is_learned(dialect: Dialect, at_once: int) -> None:
    blank = b"\n" if dialect in (Dialect.OLLAMA_CHAT, Dialect.OLLAMA_GENERATE) else b"\n\n"
    stream = written(dialect, [*WORDS, *WORDS[1:], END])
    frames = [frame + blank for frame in stream.split(blank) if frame]
    pieces = [b"".join(frames[at : at + at_once]) for at in range(0, len(frames), at_once)]
    watcher = watcher_of(dialect)
    assert passed_or_fed(watcher, [*pieces, blank])
    assert learned(watcher) == learned(watched(dialect, stream))


@pytest.mark.parametrize("dialect", WRITERS)
def test_half_a_frame_never_passes(dialect: Dialect) -> None:
    stream = written(dialect, WORDS)
    halves = (b"", b"\n", b"\n\n", b"data: {", b'data: {"x":1}\n', stream.replace(b"\n", b"\r\n"), stream[:-1] + b" ")
    for before in (stream, stream.replace(b"\n", b"\r\n")):
        watcher = watched_so_far(dialect, before)
        assert not any(watcher.passes(piece) for piece in halves)


def test_the_usage_in_one_of_several_chunks_is_learned_though_the_others_have_none() -> None:
    word = b'data: {"choices":[{"delta":{"content":"a"}}],"usage":null}\n\n'
    watcher = watched_so_far(Dialect.OPENAI_CHAT, word)
    assert watcher.passes(word + word)
    assert not watcher.passes(word + b'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n' + word)


@pytest.mark.parametrize("dialect", WRITERS)
def test_a_stream_that_breaks_off_or_fails_has_not_ended(dialect: Dialect) -> None:
    broken = watched(dialect, written(dialect, WORDS))
    assert (broken.begun, broken.ended) == (True, False)
    assert broken.failure is not None
    assert broken.failure.kind is FailureKind.CUT_OFF
    for events in (WORDS, WORDS[:1]):
        failed = watched(dialect, written(dialect, [*events, Failed(Failure(FailureKind.OVERLOADED, "Too busy."))]))
        assert (failed.begun, failed.ended) == (events is WORDS, False)
        assert failed.failure is not None
        assert failed.failure.message == "Too busy."


@pytest.mark.parametrize("dialect", WRITERS)
def test_content_has_not_begun_before_there_is_any(dialect: Dialect) -> None:
    writer, watcher = WRITERS[dialect](), watcher_of(dialect)
    watcher.feed(b"\n" if dialect in (Dialect.OLLAMA_CHAT, Dialect.OLLAMA_GENERATE) else b": waiting\n\n")
    watcher.feed(writer.write(Began("a", "m")))
    watcher.feed(writer.write(TextDelta("")))
    assert not watcher.begun
    for event in (TextDelta("a"),) if dialect is Dialect.OLLAMA_GENERATE else (ToolCallBegan(0, "c", "n"), END):
        watcher.feed(writer.write(event))
    assert watcher.begun


@pytest.mark.parametrize("dialect", WRITERS)
def test_a_page_where_a_stream_should_be_is_a_failure(dialect: Dialect) -> None:
    watcher = watched(dialect, b"<html><body>\n\n<h1>Sign in</h1></body></html>")
    assert (watcher.begun, watcher.ended) == (False, False)
    assert watcher.failure is not None


@pytest.mark.parametrize("dialect", WRITERS)
def test_an_event_without_end_is_given_up(dialect: Dialect) -> None:
    watcher = watcher_of(dialect)
    for _ in range(MOST_FRAME_BYTES // 1_000_000 + 2):
        watcher.feed(b"x" * 1_000_000)
    assert watcher.failure is not None
    assert "too long" in watcher.failure.message


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([
    b"data: ", b"\n\n", b"\r", b"\n", b'{"error":[1],"done":false}', b"[" * 3000, b'{"usage":"x"}', b"data: [DONE]\n\n",
    b'{"done":true}\n', b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n', b'{"response":"a"}\n',
    b'data: {"error"\n\n', b'data: {"usage":{"prompt_tokens":1}}\n\n',
    b'data: {"type":"message_stop"}\n', b"\xef\xbb\xbf",
]), max_size=8))  # fmt: skip
@example([b'data: {"error"\n\n', b'data: {"usage":{"prompt_tokens":1}}\n\n'])
def test_whatever_is_sent_a_stream_has_either_ended_or_failed(pieces: list[bytes]) -> None:
    for dialect in WRITERS:
        watcher = watched(dialect, *pieces)
        assert watcher.ended is (watcher.failure is None)
        assert learned(watched(dialect, b"".join(pieces))) == learned(watcher)
        passing = watcher_of(dialect)
        passed_or_fed(passing, pieces)
        assert learned(passing) == learned(watcher)


def test_usage_that_comes_in_every_chunk_is_that_of_the_last() -> None:
    chunk = b'data: {"choices":[{"delta":{"content":"a"}}], "usage": {"prompt_tokens":3,"completion_tokens":%d}}\n\n'
    assert watched(Dialect.OPENAI_CHAT, chunk % 1, chunk % 2).usage == Usage(3, 2)


def test_what_openai_reads_from_its_cache_and_writes_to_it_is_told_apart() -> None:
    usage = b'"usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3}}'
    assert watched(Dialect.OPENAI_CHAT, b'data: {"choices":[],%b}\n\n' % usage).usage == Usage(9, 0, 4, 3)


def test_anthropics_usage_is_put_together_from_its_first_and_last_event() -> None:
    start = b'data: {"type":"message_start","message":{"usage":{"input_tokens":5,"cache_read_input_tokens":9}}}\n\n'
    begun = watched(Dialect.ANTHROPIC, start)
    assert begun.usage == Usage(14, 0, 9)
    end = b'data: {"type":"message_delta","delta":{},"usage":{"output_tokens":4}}\n\n'
    assert watched(Dialect.ANTHROPIC, start, end).usage == Usage(14, 4, 9)


def test_the_usage_of_a_whole_answer_is_known_and_an_error_is_none() -> None:
    answer = ChatAnswer(id="a", model="m", created=0, parts=(Text("a"),), finish=FinishReason.STOP, usage=USAGE)
    assert usage_of(Dialect.OPENAI_CHAT, openai_answers.write_answer(answer)) == USAGE
    assert usage_of(Dialect.OPENAI_RESPONSES, responses_answers.write_answer(answer)) == USAGE
    assert usage_of(Dialect.ANTHROPIC, anthropic_answers.write_answer(answer)) == USAGE
    assert usage_of(Dialect.OLLAMA_CHAT, ollama.write_answer(answer)) == USAGE
    for dialect in WRITERS:
        assert usage_of(dialect, b'{"choices":[]}') is None
        for body in (b'{"error":{"code":429,"message":"slow down"}}', b"<html>", b"[]", b"[" * 99_999):
            with pytest.raises(AnswerNotUnderstoodError):
                usage_of(dialect, body)


def test_only_the_chunk_with_the_usage_is_taken_out_wherever_the_stream_is_cut() -> None:
    azure = b'data: {"choices": [], "prompt_filter_results":[{}]}\n\n'
    odd = b": waiting\n\n" + azure + b'data: {"choices":[],"usage":null}\n\n' + b"no event"
    whole = (
        azure + written(Dialect.OPENAI_CHAT, [*WORDS, ToolCallBegan(0, "c", "n"), ToolCallDelta(0, "[]"), END]) + odd
    )
    frames = whole.split(b"\n\n")
    wanted = b"\n\n".join(frame for frame in frames if b'"prompt_tokens":12' not in frame)
    assert len(wanted) < len(whole)
    for stream, kept in ((whole, wanted), (whole.replace(b"\n", b"\r\n"), wanted.replace(b"\n", b"\r\n"))):
        for at in range(len(stream)):
            remover = UsageChunkRemover()
            assert remover.feed(stream[:at]) + remover.feed(stream[at:]) + remover.end() == kept


def test_an_event_that_is_too_long_to_be_usage_does_not_wait_for_its_end() -> None:
    remover = UsageChunkRemover()
    picture = b'data: {"choices":[{"delta":{"content":"' + b"x" * 100_000
    assert remover.feed(picture) == picture
    rest = b'"}}]}\n\ndata: {"choices":[],"usage":{}}\n\ndata: [DONE]\n\n'
    assert remover.feed(rest) + remover.end() == rest.replace(b'data: {"choices":[],"usage":{}}\n\n', b"")


def test_a_client_that_did_not_ask_gets_a_stream_that_ends_properly() -> None:
    remover = UsageChunkRemover()
    stream = remover.feed(written(Dialect.OPENAI_CHAT, [*WORDS, END])) + remover.end()
    reader = openai.Reader("s")
    events = [*reader.feed(stream), *reader.end()]
    assert events[-1] == Finished(FinishReason.STOP, None)
    assert all(msgspec.json.decode(frame[6:])["choices"] for frame in stream.split(b"\n\n")[:-2])
