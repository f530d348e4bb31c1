"""Texts turned into vectors, asked for and answered in three dialects."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.ai.domain.dialects.canonical import Dialect, EmbeddingAnswer, EmbeddingRequest, Usage
from opencode.modules.ai.domain.dialects.decoding import (
    AnswerNotUnderstoodError,
    CannotBeSaidError,
    RequestNotUnderstoodError,
)
from opencode.modules.ai.domain.dialects.embeddings import ollama, openai
from opencode.modules.ai.domain.dialects.watching import usage_of

Read = Callable[[bytes], EmbeddingRequest]
Write = Callable[[EmbeddingRequest], bytes]
SIDES: dict[Dialect, tuple[Read, Write]] = {
    Dialect.OPENAI_EMBEDDINGS: (openai.read_request, openai.write_request),
    Dialect.OLLAMA_EMBED: (ollama.read_embed, ollama.write_embed),
    Dialect.OLLAMA_EMBEDDINGS: (ollama.read_embeddings, ollama.write_embeddings),
}
REQUEST = EmbeddingRequest(dialect=Dialect.OPENAI_EMBEDDINGS, model="m", inputs=("Grüße 🦊",))


@pytest.mark.parametrize("dialect", SIDES)
def test_what_all_can_ask_is_the_same_after_writing_and_reading(dialect: Dialect) -> None:
    read, write = SIDES[dialect]
    said = read(write(REQUEST))
    assert msgspec.structs.replace(said, extra={}) == msgspec.structs.replace(REQUEST, dialect=dialect)


def test_several_texts_and_dimensions_are_asked_for_in_both_new_dialects() -> None:
    request = msgspec.structs.replace(REQUEST, inputs=("a", "b"), dimensions=256)
    for dialect in (Dialect.OPENAI_EMBEDDINGS, Dialect.OLLAMA_EMBED):
        read, write = SIDES[dialect]
        again = read(write(request))
        assert (again.inputs, again.dimensions) == (("a", "b"), 256)
    for cannot in (request, msgspec.structs.replace(REQUEST, dimensions=1)):
        with pytest.raises(CannotBeSaidError):
            ollama.write_embeddings(cannot)


def test_tokens_are_taken_by_openai_only() -> None:
    for said, inputs in ((b"[1,2]", ((1, 2),)), (b"[[1],[2,3]]", ((1,), (2, 3)))):
        request = openai.read_request(b'{"model":"m","input":%s}' % said)
        assert request.inputs == inputs
        assert openai.read_request(openai.write_request(request)).inputs == inputs
        with pytest.raises(CannotBeSaidError):
            ollama.write_embed(request)


def test_a_text_that_is_too_long_is_not_cut_in_silence_for_those_who_expect_an_error() -> None:
    assert msgspec.json.decode(ollama.write_embed(REQUEST))["truncate"] is False
    own = ollama.read_embed(b'{"model":"m","input":"a","keep_alive":0}')
    assert msgspec.json.decode(ollama.write_embed(own)) == {"model": "m", "input": ["a"], "keep_alive": 0}
    assert b"keep_alive" not in openai.write_request(own)


@pytest.mark.parametrize(("dialect", "body", "field"), [
    (Dialect.OPENAI_EMBEDDINGS, b'{"model":"m"}', ""),
    (Dialect.OPENAI_EMBEDDINGS, b'{"model":"m","input":[]}', "input"),
    (Dialect.OPENAI_EMBEDDINGS, b'{"model":"m","input":""}', "input"),
    (Dialect.OPENAI_EMBEDDINGS, b'{"model":"m","input":["a",1]}', "input"),
    (Dialect.OPENAI_EMBEDDINGS, b'{"model":"m","input":[[]]}', "input"),
    (Dialect.OPENAI_EMBEDDINGS, b'{"model":"m","input":["a"],"dimensions":0}', "dimensions"),
    (Dialect.OPENAI_EMBEDDINGS, b'{"model":"m","input":"a","encoding_format":"int8"}', "encoding_format"),
    (Dialect.OLLAMA_EMBED, b'{"model":"m","input":[1]}', "input[0]"),
    (Dialect.OLLAMA_EMBED, b'{"model":"m","input":["a",""]}', "input"),
    (Dialect.OLLAMA_EMBEDDINGS, b'{"model":"m","prompt":""}', "prompt"),
])  # fmt: skip
def test_a_wrong_field_is_named(dialect: Dialect, body: bytes, field: str) -> None:
    with pytest.raises(RequestNotUnderstoodError) as caught:
        SIDES[dialect][0](body)
    assert caught.value.field == field


@given(st.integers(1, 4).flatmap(lambda size: st.lists(
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=size, max_size=size).map(tuple),
    min_size=1, max_size=3,
)))  # fmt: skip
def test_vectors_are_the_same_in_every_dialect_and_in_base64(vectors: list[tuple[float, ...]]) -> None:
    answer = EmbeddingAnswer(model="m", vectors=tuple(vectors), input_tokens=7)
    count = len(vectors)
    for base64 in (True, False):
        body = openai.write_answer(answer, base64=base64)
        assert openai.read_answer(body, count) == answer
        assert usage_of(Dialect.OPENAI_EMBEDDINGS, body) == Usage(7)
    body = ollama.write_embed_answer(answer)
    assert ollama.read_answer(body, count) == answer
    assert usage_of(Dialect.OLLAMA_EMBED, body) == Usage(7)
    one = EmbeddingAnswer(model="", vectors=answer.vectors[:1])
    assert ollama.read_answer(ollama.write_embeddings_answer(one), 1) == one


def test_base64_is_little_endian_float32() -> None:
    answer = EmbeddingAnswer(model="m", vectors=((1.0, -2.0),))
    said = msgspec.json.decode(openai.write_answer(answer, base64=True))
    assert said["data"] == [{"object": "embedding", "index": 0, "embedding": "AACAPwAAAMA="}]
    assert said["usage"] == {"prompt_tokens": 0, "total_tokens": 0}


def test_vectors_that_come_out_of_order_are_put_in_order() -> None:
    body = b'{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}'
    assert openai.read_answer(body, 2).vectors == ((1.0,), (2.0,))


@pytest.mark.parametrize("body", [
    b'{"error":{"message":"slow down"}}',
    b"{}",
    b"<html>",
    b'{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}',
    b'{"data":[{"index":-1,"embedding":[1]},{"index":0,"embedding":[1]}]}',
    b'{"data":[{"embedding":[1]}]}',
    b'{"data":[{"embedding":[1]},{"embedding":[1,2]}]}',
    b'{"data":[{"embedding":[]},{"embedding":[]}]}',
    b'{"data":[{"embedding":"AACAPw="},{"embedding":"AACAPw=="}]}',
    b'{"data":[{"embedding":"AACAPwA="},{"embedding":"AACAPw=="}]}',
    b'{"data":[{"embedding":"AADAfw=="},{"embedding":"AACAPw=="}]}',
    b'{"embeddings":[[1]]}',
    b'{"embeddings":[[1],["a"]]}',
])  # fmt: skip
def test_an_answer_that_does_not_fit_its_texts_is_a_failure(body: bytes) -> None:
    for read in (openai.read_answer, ollama.read_answer):
        with pytest.raises(AnswerNotUnderstoodError):
            read(body, 2)


def test_what_cannot_be_answered_in_the_clients_words_is_a_failure() -> None:
    huge = EmbeddingAnswer(model="m", vectors=((1e300,), (1.0,)))
    with pytest.raises(AnswerNotUnderstoodError):
        openai.write_answer(huge, base64=True)
    with pytest.raises(AnswerNotUnderstoodError):
        ollama.write_embeddings_answer(huge)


@given(st.binary(max_size=60) | st.sampled_from([b"[" * 99_999, b'{"model":"m","input":' * 2000]))
def test_no_body_makes_more_than_a_refusal(body: bytes) -> None:
    for read, _ in SIDES.values():
        with pytest.raises(RequestNotUnderstoodError):
            read(body)
