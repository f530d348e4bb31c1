"""How each dialect is spoken, as tables: with clients, and with providers."""

from collections.abc import Callable
from dataclasses import dataclass

from opencode.modules.ai.domain.configuration.model import Dialect as ProviderDialect
from opencode.modules.ai.domain.dialects.anthropic import answers as anthropic_answers
from opencode.modules.ai.domain.dialects.anthropic import requests as anthropic_requests
from opencode.modules.ai.domain.dialects.anthropic import streams as anthropic_streams
from opencode.modules.ai.domain.dialects.canonical import (
    ChatAnswer,
    ChatRequest,
    Dialect,
    EmbeddingAnswer,
    EmbeddingRequest,
    Failure,
)
from opencode.modules.ai.domain.dialects.embeddings import ollama as ollama_embeddings
from opencode.modules.ai.domain.dialects.embeddings import openai as openai_embeddings
from opencode.modules.ai.domain.dialects.ollama import answers as ollama_answers
from opencode.modules.ai.domain.dialects.ollama import requests as ollama_requests
from opencode.modules.ai.domain.dialects.openai_chat import answers as openai_answers
from opencode.modules.ai.domain.dialects.openai_chat import requests as openai_requests
from opencode.modules.ai.domain.dialects.openai_chat import streams as openai_streams
from opencode.modules.ai.domain.dialects.openai_responses import answers as responses_answers
from opencode.modules.ai.domain.dialects.openai_responses import requests as responses_requests
from opencode.modules.ai.domain.dialects.openai_responses import streams as responses_streams
from opencode.modules.ai.domain.dialects.streaming import StreamReader, StreamWriter

EVENTS, LINES = "text/event-stream", "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class ClientSide:
    """
    Attributes:
        read: raises RequestNotUnderstoodError.
        writer: of a stream, for a client that does or does not want its usage.
        write_failure: the status and the body.
        stream_type: the media type of a stream.
    """

    read: Callable[[bytes], ChatRequest]
    writer: Callable[[bool], StreamWriter]
    write_answer: Callable[[ChatAnswer], bytes]
    write_failure: Callable[[Failure], tuple[int, bytes]]
    stream_type: str


@dataclass(frozen=True, slots=True)
class ProviderSide:
    """
    Attributes:
        path: behind the provider's address.
        write: takes the most tokens of an answer where the request says nothing; raises CannotBeSaidError.
        reader: of a stream; takes what ids are made from, and the time in seconds.
        read_answer: takes the same behind the body; raises AnswerNotUnderstoodError.
    """

    path: str
    write: Callable[[ChatRequest, int | None], bytes]
    reader: Callable[[str, int], StreamReader]
    read_answer: Callable[[bytes, str, int], ChatAnswer]


CLIENTS: dict[Dialect, ClientSide] = {
    Dialect.OPENAI_CHAT: ClientSide(
        openai_requests.read_request,
        lambda wants_usage: openai_streams.Writer(wants_usage=wants_usage),
        openai_answers.write_answer,
        openai_answers.write_failure,
        EVENTS,
    ),
    Dialect.OPENAI_RESPONSES: ClientSide(
        responses_requests.read_request,
        lambda _wants_usage: responses_streams.Writer(),
        responses_answers.write_answer,
        responses_answers.write_failure,
        EVENTS,
    ),
    Dialect.ANTHROPIC: ClientSide(
        anthropic_requests.read_request,
        lambda _wants_usage: anthropic_streams.Writer(),
        anthropic_answers.write_answer,
        anthropic_answers.write_failure,
        EVENTS,
    ),
    Dialect.OLLAMA_CHAT: ClientSide(
        ollama_requests.read_chat,
        lambda _wants_usage: ollama_answers.Writer(),
        ollama_answers.write_answer,
        ollama_answers.write_failure,
        LINES,
    ),
    Dialect.OLLAMA_GENERATE: ClientSide(
        ollama_requests.read_generate,
        lambda _wants_usage: ollama_answers.Writer(generate=True),
        lambda answer: ollama_answers.write_answer(answer, generate=True),
        ollama_answers.write_failure,
        LINES,
    ),
}

PROVIDERS: dict[ProviderDialect, ProviderSide] = {
    ProviderDialect.OPENAI: ProviderSide(
        "/chat/completions",
        lambda request, _most: openai_requests.write_request(request),
        lambda seed, _now_s: openai_streams.Reader(seed),
        lambda body, seed, _now_s: openai_answers.read_answer(body, seed),
    ),
    ProviderDialect.ANTHROPIC: ProviderSide(
        "/v1/messages",
        lambda request, most: anthropic_requests.write_request(request, most or anthropic_requests.DEFAULT_MAX_TOKENS),
        lambda seed, _now_s: anthropic_streams.Reader(seed),
        lambda body, seed, _now_s: anthropic_answers.read_answer(body, seed),
    ),
    ProviderDialect.OLLAMA: ProviderSide(
        "/api/chat",
        lambda request, _most: ollama_requests.write_chat(request),
        ollama_answers.Reader,
        ollama_answers.read_answer,
    ),
}

_OWN_PATHS: dict[ProviderDialect, dict[Dialect, str]] = {
    ProviderDialect.OPENAI: {
        Dialect.OPENAI_CHAT: "/chat/completions",
        Dialect.OPENAI_EMBEDDINGS: "/embeddings",
    },
    ProviderDialect.ANTHROPIC: {Dialect.ANTHROPIC: "/v1/messages"},
    ProviderDialect.OLLAMA: {
        Dialect.OLLAMA_CHAT: "/api/chat",
        Dialect.OLLAMA_GENERATE: "/api/generate",
        Dialect.OLLAMA_EMBED: "/api/embed",
        Dialect.OLLAMA_EMBEDDINGS: "/api/embeddings",
    },
}
_HAVE_RESPONSES = frozenset({"openai"})
"""Presets whose services answer at `/responses`; servers that are merely like them mostly do not."""


def own_path(provider: ProviderDialect, preset: str | None, client: Dialect) -> str | None:
    """Where a provider takes the client's own dialect; None where it has to be translated."""
    if client is Dialect.OPENAI_RESPONSES and provider is ProviderDialect.OPENAI and preset in _HAVE_RESPONSES:
        return "/responses"
    return _OWN_PATHS[provider].get(client)


@dataclass(frozen=True, slots=True)
class EmbeddingClient:
    """As `ClientSide`. `write_answer` takes the request as well, which says how vectors are wanted."""

    read: Callable[[bytes], EmbeddingRequest]
    write_answer: Callable[[EmbeddingAnswer, EmbeddingRequest], bytes]
    write_failure: Callable[[Failure], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class EmbeddingProvider:
    """As `ProviderSide`. `read_answer` takes how many texts were sent."""

    path: str
    write: Callable[[EmbeddingRequest], bytes]
    read_answer: Callable[[bytes, int], EmbeddingAnswer]


EMBEDDING_CLIENTS: dict[Dialect, EmbeddingClient] = {
    Dialect.OPENAI_EMBEDDINGS: EmbeddingClient(
        openai_embeddings.read_request,
        lambda answer, request: openai_embeddings.write_answer(answer, base64=request.base64),
        openai_answers.write_failure,
    ),
    Dialect.OLLAMA_EMBED: EmbeddingClient(
        ollama_embeddings.read_embed,
        lambda answer, _request: ollama_embeddings.write_embed_answer(answer),
        ollama_answers.write_failure,
    ),
    Dialect.OLLAMA_EMBEDDINGS: EmbeddingClient(
        ollama_embeddings.read_embeddings,
        lambda answer, _request: ollama_embeddings.write_embeddings_answer(answer),
        ollama_answers.write_failure,
    ),
}

EMBEDDING_PROVIDERS: dict[ProviderDialect, EmbeddingProvider] = {
    ProviderDialect.OPENAI: EmbeddingProvider(
        "/embeddings", openai_embeddings.write_request, openai_embeddings.read_answer
    ),
    ProviderDialect.OLLAMA: EmbeddingProvider(
        "/api/embed", ollama_embeddings.write_embed, ollama_embeddings.read_answer
    ),
}


def write_failure(client: Dialect, failure: Failure) -> tuple[int, bytes]:
    """The status and the body of an error, in the dialect of who asked."""
    side = CLIENTS.get(client) or EMBEDDING_CLIENTS[client]
    return side.write_failure(failure)
