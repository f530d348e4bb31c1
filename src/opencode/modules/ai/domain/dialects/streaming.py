"""
Streams of events, read and written: what all dialects have in common.

A reader makes events of bytes, however they are cut; its events are one `Began`, what comes, and one `Finished` or
`Failed`, whatever the provider sends. A writer makes bytes of such events and refuses all others.
"""

from abc import ABC, abstractmethod

from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    ChatAnswer,
    Event,
    Failed,
    Failure,
    FailureKind,
    Finished,
    FinishReason,
    Part,
    Reasoning,
    ReasoningDelta,
    Text,
    TextDelta,
    ToolCall,
    ToolCallBegan,
    ToolCallDelta,
)
from opencode.modules.ai.domain.dialects.decoding import AnswerNotUnderstoodError
from opencode.modules.ai.domain.dialects.frames import FrameTooLongError, Lines, ServerSentEvents


class StreamReader(ABC):
    """
    Reads one answer.

    Args:
        seed: from which ids are made where the provider gives none; of the request, so that they differ in the next.
    """

    def __init__(self, frames: Lines | ServerSentEvents, seed: str) -> None:
        self._frames = frames
        self._seed = seed
        self._began = False
        self._over = False
        self._calls = 0

    def feed(self, data: bytes) -> list[Event]:
        """The events that have come whole. After `Finished` or `Failed` there are none."""
        if self._over:
            return []
        events: list[Event] = []
        try:
            for frame in self._frames.feed(data):
                self._take(frame, events)
        except FrameTooLongError:
            self._fail(Failure(FailureKind.UPSTREAM_FAILED, "An event of the provider's stream is too long."), events)
        return events

    def end(self) -> list[Event]:
        """The stream is over: the last events, and `Failed` where the dialect's own end has not come."""
        if self._over:
            return []
        events: list[Event] = []
        for frame in self._frames.end():
            self._take(frame, events)
        if not self._over:
            self._fail(Failure(FailureKind.CUT_OFF, "The provider's stream broke off before its end."), events)
        return events

    @abstractmethod
    def _read(self, frame: bytes) -> list[Event]:
        """
        Raises:
            AnswerNotUnderstoodError: it is an error, or none of the dialect's events.
        """

    def _take(self, frame: bytes, events: list[Event]) -> None:
        if self._over or not frame.strip():
            return
        try:
            for event in self._read(frame):
                if self._over:
                    return
                self._emit(event, events)
        except AnswerNotUnderstoodError as error:
            self._fail(error.failure, events)

    def _emit(self, event: Event, events: list[Event]) -> None:
        if isinstance(event, Began):
            if self._began:
                return
            self._began = True
        elif not self._began and not isinstance(event, Failed):
            self._began = True
            events.append(Began(self._seed, ""))
        self._over = isinstance(event, Finished | Failed)
        events.append(event)

    def _fail(self, failure: Failure, events: list[Event]) -> None:
        self._over = True
        events.append(Failed(failure))

    def _new_call(self, given_id: str | None, name: str) -> ToolCallBegan:
        began = ToolCallBegan(self._calls, given_id or f"call_{self._seed}_{self._calls}", name)
        self._calls += 1
        return began


class OutOfOrderError(Exception):
    """Events were to be written that no stream may have. It is a mistake of the gateway's, not of people's."""


class StreamWriter(ABC):
    """
    Writes one answer.

    Raises:
        OutOfOrderError: from `write`, where an event may not come now.
        AnswerNotUnderstoodError: from `write`, where the dialect has no words for what the model did. The answer is
            not over then: `Failed(error.failure)` can be written, and nothing else should be.
    """

    def __init__(self) -> None:
        self._calls: set[int] = set()
        self._state = "fresh"

    def write(self, event: Event) -> bytes:
        """The bytes to send; they may be none."""
        self._check(event)
        written = self._written(event)
        # Only now: an event that could not be written has not come, and the failure must still have its place.
        self._state = "over" if isinstance(event, Finished | Failed) else "open"
        return written

    def _written(self, event: Event) -> bytes:
        match event:
            case Began():
                return self._began(event)
            case TextDelta():
                return self._text(event.text)
            case ReasoningDelta():
                return self._reasoning(event)
            case ToolCallBegan():
                return self._call_began(event)
            case ToolCallDelta():
                return self._call_delta(event)
            case Finished():
                return self._finished(event)
            case Failed():
                return self._failed(event.failure)

    def _check(self, event: Event) -> None:
        wanted = "fresh" if isinstance(event, Began) else "open"
        if self._state != wanted and not (isinstance(event, Failed) and self._state == "fresh"):
            raise OutOfOrderError(f"{type(event).__name__} came while the stream is {self._state}.")
        if isinstance(event, ToolCallBegan):
            if event.index in self._calls:
                raise OutOfOrderError(f"The tool call {event.index} began twice.")
            self._calls.add(event.index)
        if isinstance(event, ToolCallDelta) and event.index not in self._calls:
            raise OutOfOrderError(f"The tool call {event.index} has not begun.")

    @abstractmethod
    def _began(self, event: Began) -> bytes: ...
    @abstractmethod
    def _text(self, text: str) -> bytes: ...
    @abstractmethod
    def _reasoning(self, event: ReasoningDelta) -> bytes: ...
    @abstractmethod
    def _call_began(self, event: ToolCallBegan) -> bytes: ...
    @abstractmethod
    def _call_delta(self, event: ToolCallDelta) -> bytes: ...
    @abstractmethod
    def _finished(self, event: Finished) -> bytes: ...
    @abstractmethod
    def _failed(self, failure: Failure) -> bytes: ...


def events_of(answer: ChatAnswer) -> list[Event]:
    """A whole answer as a stream: for a client that wants one where the answer is there already."""
    events: list[Event] = [Began(answer.id, answer.model, answer.created)]
    calls = 0
    for part in answer.parts:
        match part:
            case Text():
                events.append(TextDelta(part.text))
            case Reasoning():
                events.append(ReasoningDelta(part.text, part.signature, part.redacted))
            case ToolCall():
                events += [ToolCallBegan(calls, part.id, part.name), ToolCallDelta(calls, part.arguments)]
                calls += 1
            case _:
                pass
    return [*events, Finished(answer.finish, answer.usage, answer.stop_sequence)]


class Collector:
    """Makes a whole answer of a stream's events: for a client that wants no stream of a provider that streams."""

    def __init__(self) -> None:
        self._began = Began("", "")
        self._parts: list[tuple[str, list[str], ToolCallBegan | None]] = []
        self._sealed: dict[int, str] = {}
        self._calls: dict[int, list[str]] = {}

    def add(self, event: Event) -> ChatAnswer | Failure | None:
        """What came of it, with the last event."""
        match event:
            case Began():
                self._began = event
            case TextDelta():
                self._more("text", event.text)
            case ReasoningDelta():
                self._think(event)
            case ToolCallBegan():
                pieces = self._calls[event.index] = []
                self._parts.append(("call", pieces, event))
            case ToolCallDelta():
                self._calls[event.index].append(event.arguments)
            case Finished():
                return self._answer(event)
            case Failed():
                return event.failure
        return None

    def _more(self, kind: str, text: str) -> None:
        if self._parts and self._parts[-1][0] == kind and len(self._parts) - 1 not in self._sealed:
            self._parts[-1][1].append(text)
        elif text or kind != "text":
            self._parts.append((kind, [text], None))

    def _think(self, event: ReasoningDelta) -> None:
        if event.redacted:
            self._parts.append(("redacted", [event.redacted], None))
            return
        self._more("thought", event.text)
        if event.signature:
            self._sealed[len(self._parts) - 1] = event.signature

    def _answer(self, end: Finished) -> ChatAnswer:
        began = self._began
        return ChatAnswer(
            id=began.id,
            model=began.model,
            created=began.created,
            parts=tuple(self._part(at) for at in range(len(self._parts))),
            finish=end.reason,
            usage=end.usage,
            stop_sequence=end.stop_sequence,
        )

    def _part(self, at: int) -> Part:
        kind, pieces, call = self._parts[at]
        text = "".join(pieces)
        if call:
            return ToolCall(call.id, call.name, text)
        if kind == "text":
            return Text(text)
        return Reasoning(redacted=text) if kind == "redacted" else Reasoning(text, self._sealed.get(at, ""))


def finish_with(reason: FinishReason, has_calls: bool) -> FinishReason:
    """
    Some providers end an answer that asks for tools with `stop`; clients would then not use the tools. An answer that
    was cut for its length stays so: its last call is not whole.
    """
    return FinishReason.TOOL_CALLS if has_calls and reason is FinishReason.STOP else reason
