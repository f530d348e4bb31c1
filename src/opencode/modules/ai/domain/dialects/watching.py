"""
What the gateway must learn from an answer whose bytes it hands on untouched.

Until content has begun each event is read as if it were to be translated: up to there another provider can be asked
instead. Afterwards nearly every event is some more words, and only those that hold a telling word are decoded. Words of
the answer are never mistaken for those: quotation marks inside of JSON's strings have a backslash before them.
"""

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

import msgspec

from opencode.modules.ai.domain.dialects.anthropic import answers as anthropic
from opencode.modules.ai.domain.dialects.anthropic import streams as anthropic_streams
from opencode.modules.ai.domain.dialects.canonical import (
    Dialect,
    Failed,
    Failure,
    FailureKind,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCallBegan,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import (
    MOST_FRAME_BYTES,
    AnswerNotUnderstoodError,
    NotJsonError,
    answer_as,
    decoded,
)
from opencode.modules.ai.domain.dialects.failures import failure_from
from opencode.modules.ai.domain.dialects.frames import FrameTooLongError, Lines, RawEvents, ServerSentEvents
from opencode.modules.ai.domain.dialects.ollama import answers as ollama
from opencode.modules.ai.domain.dialects.openai_chat import answers as openai
from opencode.modules.ai.domain.dialects.openai_chat import streams as openai_streams
from opencode.modules.ai.domain.dialects.openai_responses import answers as openai_responses
from opencode.modules.ai.domain.dialects.openai_responses import streams as responses_streams
from opencode.modules.ai.domain.dialects.streaming import StreamReader


class Watcher(ABC):
    """
    Watches one stream. What it has learned when `end` was called is the same however the bytes were cut.

    Attributes:
        begun: words, a thought or a tool call have come.
        frames: how many events came since. Each is about one token: all that is known of the usage of a stream that
            breaks off.
        usage: as it was told last; None where it was not.
        ended: the dialect's own end has come.
        failure: the stream carried an error, or (known at its end) broke off.
    """

    def __init__(self, reader: StreamReader) -> None:
        self.begun = False
        self.frames = 0
        self.usage: Usage | None = None
        self.ended = False
        self.failure: Failure | None = None
        self._reader = reader

    def passes(self, data: bytes) -> bool:
        """
        Takes it if it is whole frames from which there is nothing to learn, as nearly all of a stream are; else it is
        to be fed.
        """
        if not self.begun or self.ended or self.failure:
            return False
        count = self._count(data)
        if not count or self._tells(data, count):
            return False
        self.frames += count
        return True

    def feed(self, data: bytes) -> None:
        """Takes what is handed on."""
        if self.ended or self.failure:
            return
        try:
            self._look(self._cut(data))
        except FrameTooLongError:
            self.failure = Failure(FailureKind.UPSTREAM_FAILED, "An event of the provider's stream is too long.")

    def end(self) -> None:
        """The stream is over."""
        if self.ended or self.failure:
            return
        self._look(self._rest())
        if not (self.ended or self.failure):
            self.failure = Failure(FailureKind.CUT_OFF, "The provider's stream broke off before its end.")

    @abstractmethod
    def _cut(self, data: bytes) -> list[bytes]:
        """
        Raises:
            FrameTooLongError: a frame does not end.
        """

    @abstractmethod
    def _rest(self) -> list[bytes]: ...

    @abstractmethod
    def _count(self, data: bytes) -> int:
        """How many whole frames these are; 0 if in doubt."""

    @abstractmethod
    def _tells(self, frames: bytes, count: int) -> bool:
        """Whether there may be something to learn from them; quick, and rather too often yes than too seldom."""

    @abstractmethod
    def _learn(self, frame: bytes) -> None:
        """
        Raises:
            NotJsonError: nothing can be learned from it.
        """

    def _look(self, frames: list[bytes]) -> None:
        for frame in frames:
            if not frame or frame.isspace():
                continue
            if not self.begun:
                self._read(frame)
            if self.begun:
                self.frames += 1
            if self._tells(frame, 1):
                with suppress(NotJsonError):
                    self._learn(frame)
            if self.ended or self.failure:
                return

    def _read(self, frame: bytes) -> None:
        for event in (*self._reader.feed(frame), *self._reader.feed(b"\n\n")):
            match event:
                case TextDelta() | ReasoningDelta() | ToolCallBegan():
                    self.begun = True
                case Finished():
                    self.ended = True
                case Failed():
                    self.failure = event.failure
                case _:
                    pass

    def _fail(self, error: Any) -> None:
        """None is no error."""
        if error is not None:
            self.failure = self.failure or failure_from(error)


class _EventWatcher(Watcher):
    """Watches Server-Sent Events."""

    def __init__(self, reader: StreamReader) -> None:
        super().__init__(reader)
        self._events = RawEvents()

    def _cut(self, data: bytes) -> list[bytes]:
        events = self._events.feed(data)
        if self._events.held > MOST_FRAME_BYTES:
            raise FrameTooLongError
        return events

    def _count(self, data: bytes) -> int:
        return self._events.count(data) if len(data) <= MOST_FRAME_BYTES else 0

    def _rest(self) -> list[bytes]:
        return [rest] if (rest := self._events.release()) else []

    def _learn(self, frame: bytes) -> None:
        events = ServerSentEvents()
        for data in (*events.feed(frame), *events.end()):
            self._hear(data)

    @abstractmethod
    def _hear(self, data: bytes) -> None:
        """
        Raises:
            NotJsonError: nothing can be learned from it.
        """


class _Chunk(msgspec.Struct):
    usage: openai.UsageSaid | None = None
    error: Any = None

    def told(self) -> Usage | None:
        return self.usage.meant() if self.usage else None


class _OpenAIWatcher(_EventWatcher):
    def __init__(self) -> None:
        super().__init__(openai_streams.Reader(""))

    def _tells(self, frames: bytes, count: int) -> bool:
        # Where usage was asked for, each chunk but one says that it has none.
        if frames.count(b'"usage"') > frames.count(b'"usage":null'):
            return True
        return b'"error"' in frames or b"[DONE]" in frames

    def _hear(self, data: bytes) -> None:
        if data.startswith(b"[DONE]"):
            self.ended = self.failure is None
            return
        chunk = decoded(data, _Chunk)
        self._fail(chunk.error or None)
        self.usage = chunk.told() or self.usage


class _Head(msgspec.Struct):
    usage: anthropic.UsageSaid | None = None


class _Event(msgspec.Struct):
    type: str | None = None
    message: _Head | None = None
    usage: anthropic.UsageSaid | None = None
    error: Any = None

    def told(self) -> Usage | None:
        return self.usage.meant() if self.usage else None


class _AnthropicWatcher(_EventWatcher):
    def __init__(self) -> None:
        super().__init__(anthropic_streams.Reader(""))
        self._said = anthropic.UsageSaid()

    def _tells(self, frames: bytes, count: int) -> bool:
        return b'"usage"' in frames or b'"message_stop"' in frames or b'"error"' in frames

    def _hear(self, data: bytes) -> None:
        event = decoded(data, _Event)
        self._fail(event.error or ({} if event.type == "error" else None))
        self.ended = self.ended or (event.type == "message_stop" and self.failure is None)
        for said in (event.message and event.message.usage, event.usage):
            if said:
                self._said = said.after(self._said)
                self.usage = self._said.meant()


class _Response(msgspec.Struct):
    usage: openai_responses.UsageSaid | None = None
    error: Any = None

    def told(self) -> Usage | None:
        return self.usage.meant() if self.usage else None


class _ResponsesWatcher(_EventWatcher):
    def __init__(self) -> None:
        super().__init__(responses_streams.Reader(""))

    def _tells(self, frames: bytes, count: int) -> bool:
        return b'"response"' in frames or b'"error"' in frames

    def _hear(self, data: bytes) -> None:
        event = decoded(data, responses_streams.EventSaid)
        self._fail(event.trouble())
        self.ended = self.failure is None and event.type in ("response.completed", "response.incomplete")
        if event.response and event.response.usage:
            self.usage = event.response.usage.meant()


class _Line(msgspec.Struct):
    done: bool = False
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None

    def told(self) -> Usage | None:
        if self.prompt_eval_count is None and self.eval_count is None:
            return None
        return Usage(self.prompt_eval_count or 0, self.eval_count or 0)


class _OllamaWatcher(Watcher):
    def __init__(self) -> None:
        super().__init__(ollama.Reader(""))
        self._lines = Lines()

    def _cut(self, data: bytes) -> list[bytes]:
        return self._lines.feed(data)

    def _rest(self) -> list[bytes]:
        return self._lines.end()

    def _count(self, data: bytes) -> int:
        return self._lines.count(data)

    def _tells(self, frames: bytes, count: int) -> bool:
        return frames.count(b'"done":false') < count or b'"error"' in frames

    def _learn(self, frame: bytes) -> None:
        line = decoded(frame, _Line)
        self._fail(line.error or None)
        self.ended = self.ended or (line.done and self.failure is None)
        self.usage = line.told() or self.usage


_BODIES: dict[Dialect, type[_Chunk | _Event | _Line | _Response]] = {
    Dialect.OPENAI_CHAT: _Chunk,
    Dialect.OPENAI_RESPONSES: _Response,
    Dialect.ANTHROPIC: _Event,
    Dialect.OLLAMA_CHAT: _Line,
    Dialect.OLLAMA_GENERATE: _Line,
    Dialect.OPENAI_EMBEDDINGS: _Chunk,
    Dialect.OLLAMA_EMBED: _Line,
    Dialect.OLLAMA_EMBEDDINGS: _Line,
}
_WATCHERS: dict[Dialect, type[_OpenAIWatcher | _ResponsesWatcher | _AnthropicWatcher | _OllamaWatcher]] = {
    Dialect.OPENAI_CHAT: _OpenAIWatcher,
    Dialect.OPENAI_RESPONSES: _ResponsesWatcher,
    Dialect.ANTHROPIC: _AnthropicWatcher,
    Dialect.OLLAMA_CHAT: _OllamaWatcher,
    Dialect.OLLAMA_GENERATE: _OllamaWatcher,
}


def watcher_of(dialect: Dialect) -> Watcher:
    """A watcher of one stream of that dialect."""
    return _WATCHERS[dialect]()


def usage_of(dialect: Dialect, body: bytes) -> Usage | None:
    """
    What a whole answer tells of its usage; None where it tells nothing.

    Raises:
        AnswerNotUnderstoodError: it carries an error, or is no JSON object: whatever its status said.
    """
    said = answer_as(_BODIES[dialect], body)
    if said.error:
        raise AnswerNotUnderstoodError(failure_from(said.error))
    return said.told()
