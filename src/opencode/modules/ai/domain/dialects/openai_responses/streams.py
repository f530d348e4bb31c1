"""Streams of the responses API: named Server-Sent Events with rising numbers, from `response.created` to its end."""

from typing import Any

import msgspec

from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    Event,
    Failure,
    Finished,
    FinishReason,
    Json,
    Reasoning,
    ReasoningDelta,
    Text,
    TextDelta,
    ToolCall,
    ToolCallBegan,
    ToolCallDelta,
)
from opencode.modules.ai.domain.dialects.decoding import AnswerNotUnderstoodError, answer_as, encoded
from opencode.modules.ai.domain.dialects.failures import failure_from
from opencode.modules.ai.domain.dialects.frames import ServerSentEvents
from opencode.modules.ai.domain.dialects.openai_responses.answers import (
    INCOMPLETE,
    UsageSaid,
    item_id,
    written_end,
    written_error,
    written_error_of_response,
    written_item,
    written_response,
    written_text,
)
from opencode.modules.ai.domain.dialects.streaming import StreamReader, StreamWriter, finish_with

_REASONS = {word: reason for reason, word in INCOMPLETE.items()}
_TEXTS = ("response.output_text.delta", "response.refusal.delta")
_THOUGHTS = ("response.reasoning_text.delta", "response.reasoning_summary_text.delta")


class _ItemSaid(msgspec.Struct):
    type: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    content: list[Any] | None = None
    summary: list[Any] | None = None
    encrypted_content: str | None = None


class _Why(msgspec.Struct):
    reason: str | None = None


class ResponseSaid(msgspec.Struct):
    """A response inside of an event, or as a body."""

    id: str | None = None
    model: str | None = None
    created_at: float | None = None
    incomplete_details: _Why | None = None
    usage: UsageSaid | None = None
    error: Any = None


class EventSaid(msgspec.Struct):
    """An event of any type."""

    type: str | None = None
    response: ResponseSaid | None = None
    output_index: int = 0
    item: _ItemSaid | None = None
    delta: Any = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
    error: Any = None

    def trouble(self) -> Any:
        """The error that it carries, wherever it stands; None where it carries none."""
        if self.type == "error":
            return self.error or {"code": self.code, "message": self.message, "param": self.param}
        if self.type == "response.failed":
            return (self.response and self.response.error) or {}
        return self.error or None


class Reader(StreamReader):
    """Reads the events of one response."""

    def __init__(self, seed: str) -> None:
        super().__init__(ServerSentEvents(), seed)
        self._places: dict[int, int] = {}
        self._said: set[int] = set()

    def _read(self, frame: bytes) -> list[Event]:
        if frame.startswith(b"[DONE]"):
            return []
        event = answer_as(EventSaid, frame)
        if (trouble := event.trouble()) is not None:
            raise AnswerNotUnderstoodError(failure_from(trouble))
        response = event.response or ResponseSaid()
        match event.type:
            case "response.created" | "response.in_progress":
                return [Began(response.id or self._seed, response.model or "", int(response.created_at or 0))]
            case "response.output_item.added":
                return self._added(event.output_index, event.item or _ItemSaid())
            case "response.output_item.done":
                return self._ended(event.output_index, event.item or _ItemSaid())
            case "response.completed" | "response.incomplete":
                return [self._finish(response)]
            case _:
                return self._delta(event)

    def _added(self, place: int, item: _ItemSaid) -> list[Event]:
        if item.type != "function_call" or place in self._places:
            return []
        began = self._new_call(item.call_id, item.name or "")
        self._places[place] = began.index
        return [began]

    def _delta(self, event: EventSaid) -> list[Event]:
        delta = event.delta if isinstance(event.delta, str) else ""
        if not delta:
            return []
        if event.type in _TEXTS:
            return [TextDelta(delta)]
        if event.type in _THOUGHTS:
            return [ReasoningDelta(delta)]
        if event.type == "response.function_call_arguments.delta" and event.output_index in self._places:
            self._said.add(event.output_index)
            return [ToolCallDelta(self._places[event.output_index], delta)]
        return []

    def _ended(self, place: int, item: _ItemSaid) -> list[Event]:
        if item.type == "reasoning" and item.encrypted_content:
            if item.content or item.summary:
                return [ReasoningDelta(signature=item.encrypted_content)]
            return [ReasoningDelta(redacted=item.encrypted_content)]
        if item.type != "function_call":
            return []
        began = self._added(place, item)
        # Some send the arguments whole, and no delta.
        whole = item.arguments if place not in self._said else None
        return [*began, ToolCallDelta(self._places[place], whole)] if whole else began

    def _finish(self, response: ResponseSaid) -> Finished:
        why = response.incomplete_details and response.incomplete_details.reason
        reason = _REASONS.get(why or "", FinishReason.STOP)
        usage = response.usage.meant() if response.usage else None
        return Finished(finish_with(reason, bool(self._places)), usage)


class _Item(msgspec.Struct):
    """An item of the output, as far as it has come."""

    index: int
    part: Text | Reasoning | ToolCall
    pieces: list[str] = []
    sealed: str = ""
    done: Json | None = None

    def whole(self) -> Text | Reasoning | ToolCall:
        text = "".join(self.pieces)
        match self.part:
            case Text():
                return Text(text)
            case Reasoning():
                return Reasoning(text, self.sealed, self.part.redacted)
            case ToolCall():
                return ToolCall(self.part.id, self.part.name, text)


class Writer(StreamWriter):
    """
    Writes the events of one response.

    Words and thoughts are items that end when another begins; calls stay open till the end, since their deltas may come
    in turns.
    """

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._answer = ""
        self._response: Json = {}
        self._items: list[_Item] = []
        self._talk: _Item | None = None
        self._open_calls: dict[int, _Item] = {}

    def _began(self, event: Began) -> bytes:
        self._answer = event.id
        self._response = written_response(event.id, event.model, event.created)
        return self._framed("response.created", response=self._response) + self._framed(
            "response.in_progress", response=self._response
        )

    def _text(self, text: str) -> bytes:
        if not text:
            return b""
        opened, item = self._talking(Text(""))
        item.pieces.append(text)
        return opened + self._within("response.output_text.delta", item, content_index=0, delta=text, logprobs=[])

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        if event.redacted:
            closed = self._hush("completed")
            opened, _ = self._talking(Reasoning(redacted=event.redacted))
            return closed + opened + self._hush("completed")
        opened, item = self._talking(Reasoning())
        if event.text:
            item.pieces.append(event.text)
            opened += self._within("response.reasoning_text.delta", item, content_index=0, delta=event.text)
        if event.signature:
            # A seal ends its thought: what is thought next is another item.
            item.sealed = event.signature
            opened += self._hush("completed")
        return opened

    def _call_began(self, event: ToolCallBegan) -> bytes:
        closed = self._hush("completed")
        item = self._add(ToolCall(event.id, event.name, ""))
        self._open_calls[event.index] = item
        return closed + self._added(item)

    def _call_delta(self, event: ToolCallDelta) -> bytes:
        item = self._open_calls[event.index]
        item.pieces.append(event.arguments)
        return self._within("response.function_call_arguments.delta", item, delta=event.arguments)

    def _finished(self, event: Finished) -> bytes:
        # Which of the items was cut is not known; a call that is taken for whole would be used.
        status = "incomplete" if event.reason is FinishReason.LENGTH else "completed"
        written = self._hush(status)
        for item in self._open_calls.values():
            written += self._done(item, status)
        response = {**self._response, **written_end(event.reason, event.usage), "output": self._output()}
        return written + self._framed(f"response.{response['status']}", response=response)

    def _failed(self, failure: Failure) -> bytes:
        if not self._response:
            return self._framed("error", **written_error(failure), param=failure.field or None)
        error = written_error_of_response(failure)
        response = {**self._response, "status": "failed", "error": error, "output": self._output()}
        return self._framed("response.failed", response=response)

    def _output(self) -> list[Json]:
        return [item.done for item in self._items if item.done]

    def _talking(self, part: Text | Reasoning) -> tuple[bytes, _Item]:
        if self._talk and type(self._talk.part) is type(part):
            return b"", self._talk
        closed = self._hush("completed")
        item = self._talk = self._add(part)
        opened = closed + self._added(item)
        if isinstance(part, Text):
            opened += self._within("response.content_part.added", item, content_index=0, part=written_text(""))
        elif not part.redacted:
            thought = {"type": "reasoning_text", "text": ""}
            opened += self._within("response.content_part.added", item, content_index=0, part=thought)
        return opened, item

    def _hush(self, status: str) -> bytes:
        """The end of what is being said or thought."""
        item, self._talk = self._talk, None
        return self._done(item, status) if item else b""

    def _add(self, part: Text | Reasoning | ToolCall) -> _Item:
        item = _Item(len(self._items), part)
        self._items.append(item)
        return item

    def _added(self, item: _Item) -> bytes:
        said = written_item(item.whole(), self._id(item), "in_progress")
        return self._framed("response.output_item.added", output_index=item.index, item=said)

    def _done(self, item: _Item, status: str) -> bytes:
        part = item.whole()
        item.done = written_item(part, self._id(item), status)
        written = b""
        match part:
            case Text():
                text = written_text(part.text)
                written += self._within("response.output_text.done", item, content_index=0, text=part.text, logprobs=[])
                written += self._within("response.content_part.done", item, content_index=0, part=text)
            case Reasoning() if not part.redacted:
                thought = {"type": "reasoning_text", "text": part.text}
                written += self._within("response.reasoning_text.done", item, content_index=0, text=part.text)
                written += self._within("response.content_part.done", item, content_index=0, part=thought)
            case ToolCall():
                fields = {"name": part.name, "arguments": part.arguments}
                written += self._within("response.function_call_arguments.done", item, **fields)
            case _:
                pass
        return written + self._framed("response.output_item.done", output_index=item.index, item=item.done)

    def _id(self, item: _Item) -> str:
        return item_id(item.part, self._answer, item.index)

    def _within(self, kind: str, item: _Item, **fields: object) -> bytes:
        return self._framed(kind, item_id=self._id(item), output_index=item.index, **fields)

    def _framed(self, kind: str, **fields: object) -> bytes:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return b"event: " + kind.encode() + b"\ndata: " + encoded(event) + b"\n\n"
