"""Streams of the chat completions API: Server-Sent Events of chunks, and `[DONE]`."""

from typing import Any

import msgspec

from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    Event,
    Failure,
    FailureKind,
    Finished,
    FinishReason,
    Json,
    ReasoningDelta,
    TextDelta,
    ToolCallBegan,
    ToolCallDelta,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import AnswerNotUnderstoodError, answer_as, encoded
from opencode.modules.ai.domain.dialects.failures import failure_from
from opencode.modules.ai.domain.dialects.frames import ServerSentEvents
from opencode.modules.ai.domain.dialects.openai_chat.answers import (
    FINISHES,
    Thoughtful,
    UsageSaid,
    written_error,
    written_usage,
)
from opencode.modules.ai.domain.dialects.streaming import StreamReader, StreamWriter, finish_with


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(Thoughtful):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    created: float | None = None
    choices: list[_Choice] | None = None
    usage: UsageSaid | None = None
    error: Any = None


class Reader(StreamReader):
    """Reads a stream of chunks; of several answers the first."""

    def __init__(self, seed: str) -> None:
        super().__init__(ServerSentEvents(), seed)
        self._open: dict[int, tuple[str, int]] = {}
        self._last = 0
        self._reason: FinishReason | None = None
        self._refused = False
        self._usage: Usage | None = None

    def _read(self, frame: bytes) -> list[Event]:
        if frame.startswith(b"[DONE]"):
            return [self._finish()]
        chunk = answer_as(_Chunk, frame)
        if chunk.error:
            raise AnswerNotUnderstoodError(failure_from(chunk.error))
        # It comes in a chunk of its own behind the last, in the last, or in each.
        self._usage = chunk.usage.meant() if chunk.usage else self._usage
        events: list[Event] = [Began(chunk.id or self._seed, chunk.model or "", int(chunk.created or 0))]
        for choice in chunk.choices or ():
            if choice.index == 0:
                events += self._delta(choice.delta or _Delta())
                if choice.finish_reason:
                    self._reason = FINISHES.get(choice.finish_reason, FinishReason.STOP)
        return events

    def _delta(self, delta: _Delta) -> list[Event]:
        events: list[Event] = []
        if thought := delta.thought():
            events.append(ReasoningDelta(thought))
        if delta.content:
            events.append(TextDelta(delta.content))
        if delta.refusal:
            self._refused = True
            events.append(TextDelta(delta.refusal))
        for call in delta.tool_calls or ():
            events += self._call(call)
        return events

    def _call(self, said: _Call) -> list[Event]:
        function = said.function or _Function()
        # Some leave the index out, some give every call the same one: then a new id with a name is a new call.
        place = said.index if said.index is not None else self._last
        known = self._open.get(place)
        events: list[Event] = []
        if known is None or (said.id and function.name and said.id != known[0]):
            began = self._new_call(said.id, function.name or "")
            known = self._open[place] = (began.id, began.index)
            events.append(began)
        self._last = place
        if function.arguments:
            events.append(ToolCallDelta(known[1], function.arguments))
        return events

    def _finish(self) -> Finished:
        if not self._began:
            raise AnswerNotUnderstoodError(Failure(FailureKind.UPSTREAM_FAILED, "The provider's stream was empty."))
        reason = finish_with(self._reason or FinishReason.STOP, bool(self._open))
        return Finished(FinishReason.CONTENT_FILTER if self._refused else reason, self._usage)


class Writer(StreamWriter):
    """
    Writes a stream of chunks.

    Args:
        wants_usage: the client asked for the chunk with the usage.
    """

    def __init__(self, *, wants_usage: bool) -> None:
        super().__init__()
        self._wants_usage = wants_usage
        self._head: Json = {}

    def _began(self, event: Began) -> bytes:
        self._head = {
            "id": event.id,
            "object": "chat.completion.chunk",
            "created": event.created,
            "model": event.model,
        }
        return self._chunk({"role": "assistant", "content": ""})

    def _text(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        return self._chunk({"reasoning_content": event.text}) if event.text else b""

    def _call_began(self, event: ToolCallBegan) -> bytes:
        function = {"name": event.name, "arguments": ""}
        call = {"index": event.index, "id": event.id, "type": "function", "function": function}
        return self._chunk({"tool_calls": [call]})

    def _call_delta(self, event: ToolCallDelta) -> bytes:
        return self._chunk({"tool_calls": [{"index": event.index, "function": {"arguments": event.arguments}}]})

    def _finished(self, event: Finished) -> bytes:
        last = self._chunk({}, event.reason)
        if self._wants_usage:
            last += _framed({**self._head, "choices": [], "usage": written_usage(event.usage or Usage())})
        return last + b"data: [DONE]\n\n"

    def _failed(self, failure: Failure) -> bytes:
        # Without [DONE]: the official clients raise at an object with `error`, others see that no end came.
        return _framed(written_error(failure))

    def _chunk(self, delta: Json, finish: FinishReason | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if self._wants_usage else {}
        return _framed({**self._head, "choices": [choice], **usage})


def _framed(value: Json) -> bytes:
    return b"data: " + encoded(value) + b"\n\n"
