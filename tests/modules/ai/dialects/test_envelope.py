"""What is read of a request before it is known where it goes, and what changes in it on the way."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.ai.domain.dialects.canonical import Dialect
from opencode.modules.ai.domain.dialects.decoding import RequestNotUnderstoodError
from opencode.modules.ai.domain.dialects.envelope import read_envelope

CHAT = Dialect.OPENAI_CHAT


@pytest.mark.parametrize(("dialect", "body", "wanted"), [
    (CHAT, b'{"model":"m"}', ("m", False, False, None, 1)),
    (CHAT, b'{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":5,"n":3}',
     ("m", True, True, 5, 3)),
    (CHAT, b'{"model":"m","max_tokens":5,"max_completion_tokens":7,"stream":null}', ("m", False, False, 7, 1)),
    (CHAT, b'{"model":"m","max_tokens":-1,"n":-5}', ("m", False, False, None, 1)),
    (Dialect.OPENAI_RESPONSES, b'{"model":"m","max_output_tokens":5}', ("m", False, True, 5, 1)),
    (Dialect.ANTHROPIC, b'{"model":"m","max_tokens":5,"stream":true,"n":9}', ("m", True, True, 5, 1)),
    (Dialect.OLLAMA_CHAT, b'{"model":"m","options":{"num_predict":5,"seed":1}}', ("m", True, True, 5, 1)),
    (Dialect.OLLAMA_GENERATE, b'{"model":"m","stream":false,"options":{"num_predict":-2}}',
     ("m", False, True, None, 1)),
])  # fmt: skip
def test_the_few_things_that_decide_are_read(dialect: Dialect, body: bytes, wanted: tuple[object, ...]) -> None:
    read = read_envelope(dialect, body)
    assert (read.model, read.stream, read.wants_usage, read.max_tokens, read.count) == wanted


def test_another_models_name_changes_no_other_byte() -> None:
    body = b'{"a" : 1.50e3, "model":"team/m","big":123456789012345678901234567890,"text":"\\u00fc\\/ \xf0\x9f\xa6\x8a"}'
    sent = read_envelope(CHAT, body).body(model="m-2026")
    for kept in (b"1.50e3", b"123456789012345678901234567890", b'"\\u00fc\\/ \xf0\x9f\xa6\x8a"'):
        assert kept in sent
    assert msgspec.json.decode(sent) == {**msgspec.json.decode(body), "model": "m-2026"}


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: value is not None), max_size=5))  # fmt: skip
def test_a_request_keeps_its_meaning(fields: dict[str, object]) -> None:
    known = ("model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n")
    fields = {name: value for name, value in fields.items() if name not in known}
    sent = read_envelope(CHAT, msgspec.json.encode({**fields, "model": "m"})).body(model="other")
    assert msgspec.json.decode(sent) == {**fields, "model": "other"}


def test_a_model_that_is_named_twice_goes_out_once() -> None:
    read = read_envelope(CHAT, b'{"model":"allowed","mod\\u0065l":"m","max_tokens":9,"max_tokens":1}')
    assert (read.model, read.max_tokens) == ("m", 1)
    sent = read.body(model=read.model)
    assert sent.count(b"model") == 1
    assert b"9" not in sent


@pytest.mark.parametrize(("body", "options"), [
    (b'{"model":"m","stream":true}', {"include_usage": True}),
    (b'{"model":"m","stream":true,"stream_options":null}', {"include_usage": True}),
    (b'{"model":"m","stream":true,"stream_options":{"include_usage":false,"include_obfuscation":false}}',
     {"include_usage": True, "include_obfuscation": False}),
    (b'{"model":"m"}', None),
])  # fmt: skip
def test_usage_is_asked_for_where_the_client_does_not(body: bytes, options: object) -> None:
    sent = msgspec.json.decode(read_envelope(CHAT, body).body(model="m", with_usage=True))
    assert sent.get("stream_options") == options
    assert "stream_options" not in msgspec.json.decode(
        read_envelope(Dialect.ANTHROPIC, b'{"model":"m","stream":true}').body(model="m", with_usage=True)
    )


@pytest.mark.parametrize(("body", "field"), [
    (b"{}", ""),
    (b"[]", ""),
    (b"", ""),
    (b'{"model":3}', "model"),
    (b'{"model":"m","stream":"yes"}', "stream"),
    (b'{"model":"m","max_tokens":"5"}', "max_tokens"),
    (b'{"model":"m","max_tokens":1e400}', "max_tokens"),
    (b'{"model":"m","stream_options":[]}', "stream_options"),
    (b'{"model":"m","messages":' + b"[" * 99_999, ""),
    (b'{"model":"m"} {"model":"n"}', ""),
    (b'{"model":"\\ud800"}', ""),
])  # fmt: skip
def test_what_decides_must_be_right(body: bytes, field: str) -> None:
    with pytest.raises(RequestNotUnderstoodError) as caught:
        read_envelope(CHAT, body)
    assert caught.value.field == field


@pytest.mark.parametrize("field", ["previous_response_id", "conversation", "prompt", "background", "store"])
def test_nobody_asks_a_provider_for_what_it_remembers_of_others(field: str) -> None:
    responses = Dialect.OPENAI_RESPONSES
    with pytest.raises(RequestNotUnderstoodError) as caught:
        read_envelope(responses, b'{"model":"m","%s":"x"}' % field.encode())
    assert caught.value.field == field
    for nothing in (b"null", b"false"):
        assert read_envelope(responses, b'{"model":"m","%s": %s }' % (field.encode(), nothing)).model == "m"


@given(st.binary(max_size=60))
def test_no_bytes_make_more_than_a_refusal(body: bytes) -> None:
    for dialect in Dialect:
        with pytest.raises(RequestNotUnderstoodError):
            read_envelope(dialect, body)
