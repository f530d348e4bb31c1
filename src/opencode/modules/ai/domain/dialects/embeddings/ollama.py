"""Ollama's `/api/embed`, and the old `/api/embeddings` that takes one text at a time and tells no usage."""

from typing import Annotated, Any

import msgspec

from opencode.modules.ai.domain.dialects.canonical import Dialect, EmbeddingAnswer, EmbeddingRequest, Json
from opencode.modules.ai.domain.dialects.decoding import (
    AnswerNotUnderstoodError,
    CannotBeSaidError,
    RequestNotUnderstoodError,
    answer_as,
    encoded,
    given,
    request_as,
)
from opencode.modules.ai.domain.dialects.embeddings.vectors import checked, not_understood
from opencode.modules.ai.domain.dialects.failures import failure_from

_OWN = (Dialect.OLLAMA_EMBED, Dialect.OLLAMA_EMBEDDINGS)


class _Embed(msgspec.Struct):
    model: str
    input: str | list[str]
    dimensions: Annotated[int, msgspec.Meta(ge=1)] | None = None


class _Embeddings(msgspec.Struct):
    model: str
    prompt: str


class _Answer(msgspec.Struct):
    model: str | None = None
    embeddings: list[tuple[float, ...]] | None = None
    embedding: tuple[float, ...] | None = None
    prompt_eval_count: int | None = None
    error: Any = None


def read_embed(body: bytes) -> EmbeddingRequest:
    """
    A request to `/api/embed`.

    Raises:
        RequestNotUnderstoodError: naming the field.
    """
    said, extra = request_as(_Embed, body)
    texts = (said.input,) if isinstance(said.input, str) else tuple(said.input)
    if not texts or not all(texts):
        raise RequestNotUnderstoodError("At least one text is needed, and none may be empty.", "input")
    return EmbeddingRequest(
        dialect=Dialect.OLLAMA_EMBED, model=said.model, inputs=texts, dimensions=said.dimensions, extra=extra
    )


def read_embeddings(body: bytes) -> EmbeddingRequest:
    """
    A request to `/api/embeddings`.

    Raises:
        RequestNotUnderstoodError: naming the field.
    """
    said, extra = request_as(_Embeddings, body)
    if not said.prompt:
        raise RequestNotUnderstoodError("There is no text. Models are loaded when they are first used.", "prompt")
    return EmbeddingRequest(dialect=Dialect.OLLAMA_EMBEDDINGS, model=said.model, inputs=(said.prompt,), extra=extra)


def write_embed(request: EmbeddingRequest) -> bytes:
    """
    A body for `/api/embed`.

    Raises:
        CannotBeSaidError: there are tokens instead of texts.
    """
    # Ollama cuts what is too long and says nothing; whoever speaks another dialect expects to be told.
    extra = request.extra if request.dialect in _OWN else {"truncate": False}
    return encoded({**extra, "model": request.model, "input": _texts(request), **given(dimensions=request.dimensions)})


def write_embeddings(request: EmbeddingRequest) -> bytes:
    """
    A body for `/api/embeddings`.

    Raises:
        CannotBeSaidError: there are several texts, or tokens, or a wish for dimensions.
    """
    texts = _texts(request)
    if len(texts) != 1:
        raise CannotBeSaidError("This model takes one text at a time.", "input")
    if request.dimensions is not None:
        raise CannotBeSaidError("This model's vectors have one length only: leave dimensions out.", "dimensions")
    extra = request.extra if request.dialect in _OWN else {}
    return encoded({**extra, "model": request.model, "prompt": texts[0]})


def read_answer(body: bytes, wanted: int) -> EmbeddingAnswer:
    """
    An answer of `/api/embed` or `/api/embeddings`.

    Args:
        wanted: how many texts were sent.

    Raises:
        AnswerNotUnderstoodError: it carries an error, or is none of that dialect's answers.
    """
    said = answer_as(_Answer, body)
    if said.error:
        raise AnswerNotUnderstoodError(failure_from(said.error))
    vectors = [said.embedding] if said.embedding is not None else said.embeddings or []
    return EmbeddingAnswer(
        model=said.model or "", vectors=checked(vectors, wanted), input_tokens=said.prompt_eval_count
    )


def write_embed_answer(answer: EmbeddingAnswer) -> bytes:
    """A body of `/api/embed`."""
    tokens = answer.input_tokens or 0
    return encoded({"model": answer.model, "embeddings": answer.vectors, "prompt_eval_count": tokens})


def write_embeddings_answer(answer: EmbeddingAnswer) -> bytes:
    """
    A body of `/api/embeddings`.

    Raises:
        AnswerNotUnderstoodError: there is not one vector.
    """
    if len(answer.vectors) != 1:
        raise not_understood(f"it has {len(answer.vectors)} vectors for one text")
    said: Json = {"embedding": answer.vectors[0]}
    return encoded(said)


def _texts(request: EmbeddingRequest) -> list[str]:
    texts = [each for each in request.inputs if isinstance(each, str)]
    if len(texts) != len(request.inputs):
        raise CannotBeSaidError("This model takes texts, not tokens.", "input")
    return texts
