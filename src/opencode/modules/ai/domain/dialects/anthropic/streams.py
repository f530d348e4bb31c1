"""Streams of the messages API: named Server-Sent Events, from `message_start` to `message_stop`."""

from typing import Any

import msgspec

from opencode.modules.ai.domain.dialects.anthropic.answers import (
    FINISHES,
    Block,
    UsageSaid,
    written_error,
    written_finish,
    written_head,
    written_usage,
)
from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    Event,
    Failure,
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
from opencode.modules.ai.domain.dialects.streaming import StreamReader, StreamWriter


class _Head(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: UsageSaid | None = None


class _Delta(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


class _Event(msgspec.Struct):
    type: str | None = None
    message: _Head | None = None
    index: int = 0
    content_block: Block | None = None
    delta: _Delta | None = None
    usage: UsageSaid | None = None
    error: Any = None


class Reader(StreamReader):
    """Reads the events of one message."""

    def __init__(self, seed: str) -> None:
        super().__init__(ServerSentEvents(), seed)
        self._open: dict[int, int] = {}
        self._usage = UsageSaid()
        self._heard_usage = False
        self._reason = FinishReason.STOP
        self._stop_sequence: str | None = None

    def _read(self, frame: bytes) -> list[Event]:
        event = answer_as(_Event, frame)
        if event.error or event.type == "error":
            raise AnswerNotUnderstoodError(failure_from(event.error))
        match event.type:
            case "message_start":
                return [self._start(event.message or _Head())]
            case "content_block_start":
                return self._block(event.index, event.content_block)
            case "content_block_delta":
                return self._delta(event.index, event.delta or _Delta())
            case "message_delta":
                self._end(event)
                return []
            case "message_stop":
                return [Finished(self._reason, self._usage.meant() if self._heard_usage else None, self._stop_sequence)]
            case _:
                return []

    def _start(self, head: _Head) -> Began:
        self._hear(head.usage)
        known = self._usage.meant() if self._heard_usage else None
        return Began(head.id or self._seed, head.model or "", 0, known)

    def _block(self, index: int, block: Block | None) -> list[Event]:
        if block is None:
            return []
        match block.type:
            case "text":
                return [TextDelta(block.text)] if block.text else []
            case "thinking":
                return [ReasoningDelta(block.thinking)] if block.thinking else []
            case "redacted_thinking":
                return [ReasoningDelta(redacted=block.data or "")]
            case "tool_use":
                began = self._new_call(block.id, block.name or "")
                self._open[index] = began.index
                # Some who imitate the API send the whole input here, and no delta.
                whole = [ToolCallDelta(began.index, encoded(block.input).decode())] if block.input else []
                return [began, *whole]
            case _:
                return []

    def _delta(self, index: int, delta: _Delta) -> list[Event]:
        if delta.text:
            return [TextDelta(delta.text)]
        if delta.thinking:
            return [ReasoningDelta(delta.thinking)]
        if delta.signature:
            return [ReasoningDelta(signature=delta.signature)]
        if delta.partial_json and index in self._open:
            return [ToolCallDelta(self._open[index], delta.partial_json)]
        return []

    def _end(self, event: _Event) -> None:
        self._hear(event.usage)
        if event.delta and event.delta.stop_reason:
            self._reason = FINISHES.get(event.delta.stop_reason, FinishReason.STOP)
            self._stop_sequence = event.delta.stop_sequence

    def _hear(self, usage: UsageSaid | None) -> None:
        if usage:
            self._heard_usage = True
            self._usage = usage.after(self._usage)


class Writer(StreamWriter):
    """
    Writes the events of one message: one block is open at a time, and each is closed before the next.

    Deltas of parallel calls may come in turns, which this dialect cannot say: the first call goes out as it comes, the
    others wait until it is whole.
    """

    def __init__(self) -> None:
        super().__init__()
        self._block = ""
        self._index = -1
        self._current: int | None = None
        self._waiting: dict[int, tuple[ToolCallBegan, list[str]]] = {}

    def _began(self, event: Began) -> bytes:
        return _framed("message_start", message=written_head(event.id, event.model, event.usage or Usage()))

    def _text(self, text: str) -> bytes:
        if not text:
            return b""
        opened = self._open("text", {"type": "text", "text": ""})
        return opened + self._more({"type": "text_delta", "text": text})

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        if event.redacted:
            written = self._close() + self._open("redacted", {"type": "redacted_thinking", "data": event.redacted})
            return written + self._close()
        written = self._open("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        if event.text:
            written += self._more({"type": "thinking_delta", "thinking": event.text})
        if event.signature:
            # A seal ends its thought: what is thought next is another block.
            written += self._more({"type": "signature_delta", "signature": event.signature}) + self._close()
        return written

    def _call_began(self, event: ToolCallBegan) -> bytes:
        if self._current is not None:
            self._waiting[event.index] = (event, [])
            return b""
        return self._open_call(event)

    def _call_delta(self, event: ToolCallDelta) -> bytes:
        if event.index == self._current:
            return self._more({"type": "input_json_delta", "partial_json": event.arguments})
        if event.index not in self._waiting:
            raise AnswerNotUnderstoodError(failure_from("The provider went on with a tool call that had ended."))
        self._waiting[event.index][1].append(event.arguments)
        return b""

    def _finished(self, event: Finished) -> bytes:
        delta = {
            "stop_reason": written_finish(event.reason, event.stop_sequence),
            "stop_sequence": event.stop_sequence,
        }
        usage = written_usage(event.usage or Usage())
        return self._close() + _framed("message_delta", delta=delta, usage=usage) + _framed("message_stop")

    def _failed(self, failure: Failure) -> bytes:
        return b"event: error\ndata: " + encoded(written_error(failure)) + b"\n\n"

    def _open_call(self, event: ToolCallBegan) -> bytes:
        block = {"type": "tool_use", "id": event.id, "name": event.name, "input": {}}
        opened = self._open(f"tool {event.index}", block)
        self._current = event.index
        return opened

    def _open(self, block: str, content: Json) -> bytes:
        if self._block == block:
            return b""
        closed = self._close()
        self._block = block
        self._index += 1
        return closed + _framed("content_block_start", index=self._index, content_block=content)

    def _more(self, delta: Json) -> bytes:
        return _framed("content_block_delta", index=self._index, delta=delta)

    def _close(self) -> bytes:
        if not self._block:
            return b""
        self._block, self._current = "", None
        closed = _framed("content_block_stop", index=self._index)
        waiting, self._waiting = self._waiting, {}
        for event, pieces in waiting.values():
            closed += self._open_call(event)
            if pieces:
                closed += self._more({"type": "input_json_delta", "partial_json": "".join(pieces)})
            self._block, self._current = "", None
            closed += _framed("content_block_stop", index=self._index)
        return closed


def _framed(kind: str, **fields: object) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + encoded({"type": kind, **fields}) + b"\n\n"
