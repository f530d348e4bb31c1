"""One request of a client, in the words of whichever provider is asked, and the way of its answer back."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import msgspec

from opencode.modules.ai.domain.dialects.answering import Answering, HandedOn, Translated
from opencode.modules.ai.domain.dialects.canonical import (
    ChatAnswer,
    ChatRequest,
    Dialect,
    EmbeddingRequest,
    Failure,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import CannotBeSaidError, RequestNotUnderstoodError
from opencode.modules.ai.domain.dialects.envelope import Envelope, read_envelope
from opencode.modules.ai.domain.dialects.questions import LastQuestion, last_question
from opencode.modules.ai.domain.dialects.speaking import (
    CLIENTS,
    EMBEDDING_CLIENTS,
    EMBEDDING_PROVIDERS,
    EVENTS,
    PROVIDERS,
    EmbeddingClient,
    EmbeddingProvider,
    own_path,
)
from opencode.modules.ai.domain.dialects.watching import usage_of
from opencode.modules.ai.domain.registry import Deployment

MOST_COMPARED_BYTES = 64 * 1024
"""Of a request: to read a longer one takes a while in which others wait, and its like hardly ever comes again."""


@dataclass(frozen=True, slots=True)
class Question:
    """
    What goes to a provider.

    Attributes:
        path: as `Upstream.url` takes it.
        answering: for its one answer.
    """

    path: str
    body: bytes
    answering: Answering


class Exchange(ABC):
    """
    Attributes:
        envelope: what stands on the request.
        stream_type: the media type of a stream.
    """

    envelope: Envelope
    stream_type: str = EVENTS

    @abstractmethod
    def question(self, deployment: Deployment) -> Question:
        """
        What to send to a deployment; asked for again for each try, since an answer is told once.

        Raises:
            RequestNotUnderstoodError: the whole request is not what its dialect allows.
            CannotBeSaidError: the provider's dialect has no words for something in it.
        """

    def last_question(self) -> LastQuestion | None:
        """What is asked in words alone; None where there is more to it, or nothing can be made of it."""
        return None


class ChatExchange(Exchange):
    def __init__(self, dialect: Dialect, body: bytes, *, seed: Callable[[], str], now_s: int) -> None:
        """
        Args:
            seed: makes that of ids that providers leave out; asked for where something is translated.

        Raises:
            RequestNotUnderstoodError: what stands on it is not what the dialect allows.
        """
        self.envelope = read_envelope(dialect, body)
        self._body = body
        self._make_seed = seed
        self._now_s = now_s
        self._client = CLIENTS[dialect]
        self.stream_type = self._client.stream_type

    def question(self, deployment: Deployment) -> Question:
        upstream, envelope = deployment.upstream, self.envelope
        provider = PROVIDERS[upstream.dialect]
        path = own_path(upstream.dialect, upstream.preset, envelope.dialect)

        def read_answer(body: bytes) -> ChatAnswer:
            return provider.read_answer(body, self._seed, self._now_s)

        if path is not None:
            has_one = envelope.dialect is not Dialect.OPENAI_RESPONSES
            answering = HandedOn(
                envelope.dialect,
                self._client,
                wants_usage=envelope.wants_usage,
                read_answer=read_answer if has_one else None,
            )
            return Question(path, envelope.body(model=deployment.model, with_usage=True), answering)
        request = msgspec.structs.replace(self._request, model=deployment.model)
        answering = Translated(
            self._client,
            provider.reader(self._seed, self._now_s),
            read_answer,
            wants_usage=envelope.wants_usage,
            now_s=self._now_s,
        )
        return Question(provider.path, provider.write(request, deployment.facts.max_output_tokens), answering)

    def last_question(self) -> LastQuestion | None:
        if len(self._body) > MOST_COMPARED_BYTES:
            return None
        try:
            return last_question(self.envelope, self._request)
        except RequestNotUnderstoodError:
            # A provider of the same dialect may understand it all the same.
            return None

    @cached_property
    def _seed(self) -> str:
        return self._make_seed()

    @cached_property
    def _request(self) -> ChatRequest:
        request = self._client.read(self._body)
        # Only here negative numbers of tokens are told apart from others: local servers take them for no limit.
        return msgspec.structs.replace(request, wants_usage=True, max_tokens=self.envelope.max_tokens)


class EmbeddingExchange(Exchange):
    def __init__(self, dialect: Dialect, body: bytes) -> None:
        """
        Raises:
            RequestNotUnderstoodError: it has no model, or is no JSON.
        """
        self.envelope = read_envelope(dialect, body)
        self._body = body
        self._client = EMBEDDING_CLIENTS[dialect]

    def question(self, deployment: Deployment) -> Question:
        upstream, dialect = deployment.upstream, self.envelope.dialect
        path = own_path(upstream.dialect, upstream.preset, dialect)
        if path is not None:
            return Question(path, self.envelope.body(model=deployment.model), _Vectors(dialect))
        provider = EMBEDDING_PROVIDERS.get(upstream.dialect)
        if provider is None:
            raise CannotBeSaidError(f"The provider {upstream.name} has no embeddings.", "model")
        request = msgspec.structs.replace(self._request, model=deployment.model)
        return Question(provider.path, provider.write(request), _TranslatedVectors(self._client, provider, request))

    @cached_property
    def _request(self) -> EmbeddingRequest:
        return self._client.read(self._body)


class _Vectors(Answering):
    """Vectors handed on as they are. They always come whole."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.begun = False
        self.ended = False
        self.failure = None
        self.usage = None
        self.frames = 0

    def feed(self, data: bytes) -> bytes:
        raise AssertionError("Vectors are not streamed.")  # pragma: no cover

    def end(self) -> bytes:
        raise AssertionError("Vectors are not streamed.")  # pragma: no cover

    def break_off(self, failure: Failure) -> bytes:
        raise AssertionError("Vectors are not streamed.")  # pragma: no cover

    def whole(self, body: bytes) -> bytes:
        self.usage = usage_of(self._dialect, body)
        return body

    def stream_of(self, body: bytes) -> bytes:
        return self.whole(body)


class _TranslatedVectors(_Vectors):
    def __init__(self, client: EmbeddingClient, provider: EmbeddingProvider, request: EmbeddingRequest) -> None:
        super().__init__(request.dialect)
        self._client = client
        self._provider = provider
        self._asked = request

    def whole(self, body: bytes) -> bytes:
        answer = self._provider.read_answer(body, len(self._asked.inputs))
        self.usage = None if answer.input_tokens is None else Usage(answer.input_tokens)
        return self._client.write_answer(answer, self._asked)
