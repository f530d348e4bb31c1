"""OpenAI's `/v1/embeddings`."""

from typing import Annotated, Any, Literal

import msgspec

from opencode.modules.ai.domain.dialects.canonical import Dialect, EmbeddingAnswer, EmbeddingRequest, Json
from opencode.modules.ai.domain.dialects.decoding import (
    AnswerNotUnderstoodError,
    RequestNotUnderstoodError,
    answer_as,
    encoded,
    given,
    request_as,
)
from opencode.modules.ai.domain.dialects.embeddings.vectors import checked, from_base64, not_understood, to_base64
from opencode.modules.ai.domain.dialects.failures import failure_from


class _Request(msgspec.Struct):
    model: str
    input: str | list[str | int | list[int]]
    dimensions: Annotated[int, msgspec.Meta(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


class _Item(msgspec.Struct):
    embedding: str | tuple[float, ...]
    index: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None


class _Answer(msgspec.Struct):
    data: list[_Item] | None = None
    model: str | None = None
    usage: _Usage | None = None
    error: Any = None


def read_request(body: bytes) -> EmbeddingRequest:
    """
    Raises:
        RequestNotUnderstoodError: naming the field.
    """
    said, extra = request_as(_Request, body)
    return EmbeddingRequest(
        dialect=Dialect.OPENAI_EMBEDDINGS,
        model=said.model,
        inputs=_inputs([said.input] if isinstance(said.input, str) else said.input),
        dimensions=said.dimensions,
        base64=said.encoding_format == "base64",
        user=said.user or "",
        extra=extra,
    )


def write_request(request: EmbeddingRequest) -> bytes:
    """A body of that dialect."""
    extra = request.extra if request.dialect is Dialect.OPENAI_EMBEDDINGS else {}
    return encoded(
        {
            **extra,
            "model": request.model,
            "input": request.inputs,
            "encoding_format": "base64" if request.base64 else "float",
            **given(dimensions=request.dimensions, user=request.user),
        }
    )


def read_answer(body: bytes, wanted: int) -> EmbeddingAnswer:
    """
    An answer, its vectors as numbers or in base64, in the order of the texts.

    Args:
        wanted: how many texts were sent.

    Raises:
        AnswerNotUnderstoodError: it carries an error, or is none of that dialect's answers.
    """
    said = answer_as(_Answer, body)
    if said.error:
        raise AnswerNotUnderstoodError(failure_from(said.error))
    placed = {at if item.index is None else item.index: item for at, item in enumerate(said.data or ())}
    if set(placed) != set(range(len(said.data or ()))):
        raise not_understood("its vectors do not say which texts they are of")
    vectors = [placed[at].embedding for at in range(len(placed))]
    return EmbeddingAnswer(
        model=said.model or "",
        vectors=checked([from_base64(each) if isinstance(each, str) else each for each in vectors], wanted),
        input_tokens=said.usage.prompt_tokens if said.usage else None,
    )


def write_answer(answer: EmbeddingAnswer, *, base64: bool) -> bytes:
    """
    A body of that dialect.

    Args:
        base64: what the request asked for.

    Raises:
        AnswerNotUnderstoodError: a number is too large for base64's float32.
    """
    data = [
        {"object": "embedding", "index": at, "embedding": to_base64(vector) if base64 else vector}
        for at, vector in enumerate(answer.vectors)
    ]
    tokens = answer.input_tokens or 0
    usage: Json = {"prompt_tokens": tokens, "total_tokens": tokens}
    return encoded({"object": "list", "data": data, "model": answer.model, "usage": usage})


def _inputs(said: list[str | int | list[int]]) -> tuple[str, ...] | tuple[tuple[int, ...], ...]:
    texts = [each for each in said if isinstance(each, str)]
    tokens = [each for each in said if isinstance(each, int)]
    lists = [tuple(each) for each in said if isinstance(each, list)]
    if not said or not all(lists) or not all(texts):
        raise RequestNotUnderstoodError("At least one text is needed, and none may be empty.", "input")
    if sum(map(bool, (texts, tokens, lists))) > 1:
        message = "Texts, or tokens, or lists of tokens are wanted, not a mixture of them."
        raise RequestNotUnderstoodError(message, "input")
    if texts:
        return tuple(texts)
    return tuple(lists) if lists else (tuple(tokens),)
