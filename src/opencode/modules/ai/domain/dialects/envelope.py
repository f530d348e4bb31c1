"""
What the gateway must know of a request before it knows where it goes, read without reading the rest.

Nine requests of ten go to a provider of the client's own dialect, and their conversations are long: only a few fields
are decoded here, and the others are handed on as the bytes they came in.
"""

from typing import Any

import msgspec

from opencode.modules.ai.domain.dialects.canonical import Dialect
from opencode.modules.ai.domain.dialects.decoding import NotJsonError, RequestNotUnderstoodError, decoded, encoded
from opencode.modules.ai.domain.dialects.openai_responses.requests import NEED_A_MEMORY, refuse_memory

_Fields = dict[str, msgspec.Raw]


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _OllamaOptions(msgspec.Struct):
    num_predict: int | None = None


class _Known(msgspec.Struct):
    model: str
    stream: bool | None = None


class _OpenAIChat(_Known):
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None


class _OpenAIResponses(_Known):
    max_output_tokens: int | None = None


class _Anthropic(_Known):
    max_tokens: int | None = None


class _Ollama(_Known):
    options: _OllamaOptions | None = None


_KINDS: dict[Dialect, type[_Known]] = {
    Dialect.OPENAI_CHAT: _OpenAIChat,
    Dialect.OPENAI_RESPONSES: _OpenAIResponses,
    Dialect.ANTHROPIC: _Anthropic,
    Dialect.OLLAMA_CHAT: _Ollama,
    Dialect.OLLAMA_GENERATE: _Ollama,
}


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """
    What stands on a request.

    Attributes:
        wants_usage: whether the client wants a stream to tell how many tokens were used. Only OpenAI's chat dialect
            must be asked; in the others it is always told.
        max_tokens: of each answer; None where nothing was said, or that there is no limit.
        count: how many answers are wanted.
        fields: all of the request, each field as it came.
    """

    dialect: Dialect
    model: str
    stream: bool
    wants_usage: bool
    max_tokens: int | None
    count: int
    fields: _Fields

    def body(self, *, model: str, with_usage: bool = False) -> bytes:
        """
        The request for another model's name, every other field byte for byte as it came.

        A field that came twice goes out once, with the value that was read here: whoever reads it next could take the
        other one, and so answer with a model that was not allowed.

        Args:
            with_usage: ask for usage in a stream even where the client does not want it; then its chunk is for
                `UsageChunkRemover` to take out.
        """
        fields: dict[str, Any] = {**self.fields, "model": model}
        if with_usage and self.stream and not self.wants_usage and self.dialect is Dialect.OPENAI_CHAT:
            options = bytes(self.fields.get("stream_options", b"null"))
            fields["stream_options"] = {
                **(decoded(options, _Fields) if options != b"null" else {}),
                "include_usage": True,
            }
        return encoded(fields)


def read_envelope(dialect: Dialect, body: bytes) -> Envelope:
    """
    Raises:
        RequestNotUnderstoodError: it is no JSON object, or one of the few fields is wrong, or it needs a memory at the
            provider; naming the field.
    """
    kind = _KINDS.get(dialect, _Known)
    try:
        fields = decoded(body, _Fields)
        known = decoded(encoded({name: fields[name] for name in kind.__struct_fields__ if name in fields}), kind)
    except NotJsonError as error:
        raise RequestNotUnderstoodError(str(error), error.place) from error
    if dialect is Dialect.OPENAI_RESPONSES:
        # One key of the provider's serves many people: what it remembers for one could be asked for by another.
        refuse_memory([name for name in NEED_A_MEMORY if bytes(fields.get(name, b"null")) not in (b"null", b"false")])
    return Envelope(
        dialect=dialect,
        model=known.model,
        stream=known.stream is not False if isinstance(known, _Ollama) else bool(known.stream),
        wants_usage=_wants_usage(known),
        max_tokens=_max_tokens(known),
        count=max(known.n or 1, 1) if isinstance(known, _OpenAIChat) else 1,
        fields=fields,
    )


def _wants_usage(known: _Known) -> bool:
    if not isinstance(known, _OpenAIChat):
        return True
    return bool(known.stream_options and known.stream_options.include_usage)


def _max_tokens(known: _Known) -> int | None:
    match known:
        case _OpenAIChat():
            limit = known.max_tokens if known.max_completion_tokens is None else known.max_completion_tokens
        case _OpenAIResponses():
            limit = known.max_output_tokens
        case _Anthropic():
            limit = known.max_tokens
        case _Ollama():
            limit = known.options.num_predict if known.options else None
        case _:
            limit = None
    # Servers of local models take a negative number for no limit.
    return None if limit is not None and limit < 0 else limit
