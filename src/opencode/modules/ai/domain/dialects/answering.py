"""
An answer on its way from a provider to a client: handed on byte for byte where both speak one dialect, translated where
they do not. Either way it is known whether content has begun, what was used, and whether it ended as it should.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property

import msgspec

from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    ChatAnswer,
    Dialect,
    Event,
    Failed,
    Failure,
    FailureKind,
    Finished,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import AnswerNotUnderstoodError
from opencode.modules.ai.domain.dialects.openai_chat.usage_chunk import UsageChunkRemover
from opencode.modules.ai.domain.dialects.speaking import LINES, ClientSide
from opencode.modules.ai.domain.dialects.streaming import StreamReader, events_of
from opencode.modules.ai.domain.dialects.watching import Watcher, usage_of, watcher_of

ReadAnswer = Callable[[bytes], ChatAnswer]


class Answering(ABC):
    """
    One answer. Its stream goes through `feed` and `end`; one that is whole goes through `whole`.

    Attributes:
        begun: words, a thought or a tool call have come: from now on no other provider can be asked.
        ended: the answer came to its own end.
        failure: it carried an error, or broke off.
        usage: as the provider told it last; None where it did not.
        frames: how many pieces of the answer came; each is about one token.
    """

    begun: bool
    ended: bool
    failure: Failure | None
    usage: Usage | None
    frames: int

    @abstractmethod
    def feed(self, data: bytes) -> bytes:
        """What to send to the client for some bytes of the provider."""

    @abstractmethod
    def end(self) -> bytes:
        """The same for the end of the provider's stream, which may come too early."""

    @abstractmethod
    def break_off(self, failure: Failure) -> bytes:
        """What to send where the stream cannot go on; nothing where it has ended already."""

    @abstractmethod
    def whole(self, body: bytes) -> bytes:
        """
        Raises:
            AnswerNotUnderstoodError: it is an error, or no answer.
        """

    @abstractmethod
    def stream_of(self, body: bytes) -> bytes:
        """
        The stream to send where a provider answered whole, though a stream was wanted.

        Raises:
            AnswerNotUnderstoodError: it is an error, or no answer.
        """


class HandedOn(Answering):
    """The provider speaks the client's dialect: not a byte is changed."""

    def __init__(
        self, dialect: Dialect, client: ClientSide, *, wants_usage: bool, read_answer: ReadAnswer | None
    ) -> None:
        """
        Args:
            wants_usage: of the client; the provider was asked for it in any case.
            read_answer: None where a whole answer cannot be read as one of the dialect's.
        """
        self._dialect = dialect
        self._client = client
        self._wants_usage = wants_usage
        self._read_answer = read_answer
        self._takes_usage_out = dialect is Dialect.OPENAI_CHAT and not wants_usage
        self._ends = (b"\n",) if client.stream_type == LINES else (b"\n\n", b"\r\n\r\n")
        self._held = b""
        self.begun = False
        self.ended = False
        self.failure = None
        self.usage = None
        self.frames = 0

    @cached_property
    def _watcher(self) -> Watcher:
        # Made with the first bytes of a stream: most answers come whole.
        return watcher_of(self._dialect)

    @cached_property
    def _remover(self) -> UsageChunkRemover | None:
        return UsageChunkRemover() if self._takes_usage_out else None

    def feed(self, data: bytes) -> bytes:
        if not self._held and self._watcher.passes(data):
            self.frames = self._watcher.frames
            return data
        self._watcher.feed(data)
        self._learn()
        return self._remover.feed(data) if self._remover else self._whole_frames(data)

    def end(self) -> bytes:
        had_failed = self.failure is not None
        self._watcher.end()
        self._learn()
        if self.failure and not had_failed:
            # Half a frame would keep the client from understanding the error behind it.
            return self._told(self.failure)
        return self._remover.end() if self._remover else self._held

    def break_off(self, failure: Failure) -> bytes:
        if self.ended or self.failure:
            return b""
        self._watcher.failure = failure
        self._learn()
        return self._told(failure)

    def whole(self, body: bytes) -> bytes:
        self.usage = usage_of(self._dialect, body)
        return body

    def stream_of(self, body: bytes) -> bytes:
        self.usage = usage_of(self._dialect, body)
        if self._read_answer is None:
            failure = Failure(FailureKind.UPSTREAM_FAILED, "The provider was asked for a stream and sent none.")
            raise AnswerNotUnderstoodError(failure)
        return _written(self._read_answer(body), self._client, wants_usage=self._wants_usage)

    def _learn(self) -> None:
        watcher = self._watcher
        self.begun, self.ended, self.failure = watcher.begun, watcher.ended, watcher.failure
        self.usage, self.frames = watcher.usage or self.usage, watcher.frames

    def _told(self, failure: Failure) -> bytes:
        return self._client.writer(self._wants_usage).write(Failed(failure))

    def _whole_frames(self, data: bytes) -> bytes:
        """What has come, up to the end of its last whole frame."""
        if not self._held and data.endswith(self._ends):
            return data
        data = self._held + data
        cut = max((at + len(end) for end in self._ends if (at := data.rfind(end)) >= 0), default=0)
        self._held = data[cut:]
        return data[:cut]


class Translated(Answering):
    """The provider speaks another dialect than the client."""

    def __init__(
        self, client: ClientSide, reader: StreamReader, read_answer: ReadAnswer, *, wants_usage: bool, now_s: int
    ) -> None:
        """Args: now_s: stands in for the time of an answer where the provider tells none."""
        self._client = client
        self._reader = reader
        self._read_answer = read_answer
        self._wants_usage = wants_usage
        self._now_s = now_s
        self._writer = client.writer(wants_usage)
        self.begun = False
        self.ended = False
        self.failure = None
        self.usage = None
        self.frames = 0

    def feed(self, data: bytes) -> bytes:
        return self._write(self._reader.feed(data))

    def end(self) -> bytes:
        return self._write(self._reader.end())

    def break_off(self, failure: Failure) -> bytes:
        return self._write([Failed(failure)])

    def whole(self, body: bytes) -> bytes:
        return self._client.write_answer(self._answer(body))

    def stream_of(self, body: bytes) -> bytes:
        return _written(self._answer(body), self._client, wants_usage=self._wants_usage)

    def take(self, event: Event) -> bytes:
        """An event of a provider that needs no reader."""
        return self._write([event])

    def _answer(self, body: bytes) -> ChatAnswer:
        answer = self._read_answer(body)
        self.usage = answer.usage
        return answer if answer.created else msgspec.structs.replace(answer, created=self._now_s)

    def _write(self, events: list[Event]) -> bytes:
        written: list[bytes] = []
        for event in events:
            if self.ended or self.failure:
                break
            try:
                written.append(self._writer.write(self._noted(event)))
            except AnswerNotUnderstoodError as error:
                self.ended, self.failure = False, error.failure
                written.append(self._writer.write(Failed(error.failure)))
        return b"".join(written)

    def _noted(self, event: Event) -> Event:
        match event:
            case Began():
                self.usage = event.usage
                return event if event.created else msgspec.structs.replace(event, created=self._now_s)
            case Finished():
                self.ended = True
                self.usage = event.usage or self.usage
            case Failed():
                self.failure = event.failure
            case _:
                self.begun = True
                self.frames += 1
        return event


def _written(answer: ChatAnswer, client: ClientSide, *, wants_usage: bool) -> bytes:
    writer = client.writer(wants_usage)
    return b"".join(writer.write(event) for event in events_of(answer))
