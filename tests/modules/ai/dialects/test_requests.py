"""Requests: what each dialect says in the others' words, and what is refused."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.ai.domain.dialects.anthropic import answers as anthropic_answers
from opencode.modules.ai.domain.dialects.anthropic import requests as anthropic
from opencode.modules.ai.domain.dialects.canonical import (
    ChatAnswer,
    ChatRequest,
    Choice,
    Dialect,
    Effort,
    Failure,
    FailureKind,
    FinishReason,
    Image,
    JsonFormat,
    Message,
    Reasoning,
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import CannotBeSaidError, RequestNotUnderstoodError
from opencode.modules.ai.domain.dialects.failures import read_failure
from opencode.modules.ai.domain.dialects.ollama import answers as ollama_answers
from opencode.modules.ai.domain.dialects.ollama import requests as ollama
from opencode.modules.ai.domain.dialects.openai_chat import answers as openai_answers
from opencode.modules.ai.domain.dialects.openai_chat import requests as openai

SIDES = {
    Dialect.OPENAI_CHAT: (openai.read_request, openai.write_request),
    Dialect.ANTHROPIC: (anthropic.read_request, anthropic.write_request),
    Dialect.OLLAMA_CHAT: (ollama.read_chat, ollama.write_chat),
}
ANSWERS: dict[Dialect, Any] = {
    Dialect.OPENAI_CHAT: openai_answers,
    Dialect.ANTHROPIC: anthropic_answers,
    Dialect.OLLAMA_CHAT: ollama_answers,
}
SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}
PICTURE = Image("image/png", "iVBORw0KGgo=")
REQUEST = ChatRequest(
    dialect=Dialect.OPENAI_CHAT,
    model="m",
    system="Be short.",
    messages=(
        Message(Role.USER, (Text("What is it?"), PICTURE)),
        Message(Role.ASSISTANT, (ToolCall("c0", "look", '{"at":"x"}'), ToolCall("c1", "look", '{"at":"y"}'))),
        Message(Role.TOOL, (ToolResult("c0", (Text("A"),), "look"), ToolResult("c1", (Text("B"),), "look"))),
        Message(Role.ASSISTANT, (Text("A fox."),)),
        Message(Role.USER, (Text("Sure?"),)),
    ),
    tools=(Tool("look", "Looks.", SCHEMA),),
    format=JsonFormat(SCHEMA),
    sampling=Sampling(0.5, 0.9),
    max_tokens=100,
    stop=("END",),
    stream=True,
    wants_usage=True,
)


@pytest.mark.parametrize("dialect", SIDES)
def test_what_all_can_say_is_the_same_after_writing_and_reading(dialect: Dialect) -> None:
    read, write = SIDES[dialect]
    again = read(write(REQUEST))
    wanted = msgspec.structs.replace(REQUEST, dialect=dialect, format=again.format)
    assert again == wanted
    assert again.format is not None
    assert again.format.schema == SCHEMA


@pytest.mark.parametrize("dialect", SIDES)
def test_unknown_fields_stay_where_the_dialect_stays(dialect: Dialect) -> None:
    read, write = SIDES[dialect]
    body = b'{"model":"m","messages":[{"role":"user","content":"a"}],"max_tokens":5,"new_thing":{"a":[1]}}'
    request = read(body)
    assert msgspec.json.decode(write(request))["new_thing"] == {"a": [1]}
    for other, (_, write_other) in SIDES.items():
        assert other is dialect or b"new_thing" not in write_other(request)


@pytest.mark.parametrize(("dialect", "body", "field"), [
    (Dialect.OPENAI_CHAT, b'{"model":"m","messages":[{"role":"user","content":[{"type":"input_audio"}]}]}',
     "messages[0].content[0].type"),
    (Dialect.OPENAI_CHAT, b'{"model":"m","messages":[]}', "messages"),
    (Dialect.OPENAI_CHAT, b'{"model":3,"messages":[]}', "model"),
    (Dialect.ANTHROPIC, b'{"model":"m","messages":[{"role":"user","content":"a"}],"max_tokens":"5"}', "max_tokens"),
    (Dialect.OLLAMA_CHAT, b'{"model":"m","messages":[{"role":"tool","content":"a"}]}', "messages[0]"),
    (Dialect.OLLAMA_CHAT, b'{"model":"m","messages":[{"role":"user"}],"options":{"seed":"x"}}', "options"),
])  # fmt: skip
def test_a_wrong_field_is_named(dialect: Dialect, body: bytes, field: str) -> None:
    with pytest.raises(RequestNotUnderstoodError) as caught:
        SIDES[dialect][0](body)
    assert caught.value.field == field
    assert field in str(caught.value)


@given(st.binary(max_size=80) | st.sampled_from([b"[" * 100_000, b'{"a":' * 5000, b'{"model":"\\ud800"}', b"9" * 9999]))
def test_no_body_makes_more_than_a_refusal(body: bytes) -> None:
    for read, _ in SIDES.values():
        with pytest.raises(RequestNotUnderstoodError):
            read(body)
    read_failure(500, body, {"Retry-After": body[:20].decode("latin-1")})


def test_anthropic_gets_results_of_parallel_calls_in_one_turn_and_roles_alternate() -> None:
    said = msgspec.json.decode(anthropic.write_request(REQUEST))
    assert [each["role"] for each in said["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert [block["type"] for block in said["messages"][2]["content"]] == ["tool_result", "tool_result"]
    unlimited = msgspec.structs.replace(REQUEST, max_tokens=None)
    assert msgspec.json.decode(anthropic.write_request(unlimited))["max_tokens"] == anthropic.DEFAULT_MAX_TOKENS


def test_thoughts_without_their_seal_are_not_given_back_to_anthropic() -> None:
    turn = Message(Role.ASSISTANT, (Reasoning("Hm."), ToolCall("c", "look", "{}")))
    result = Message(Role.TOOL, (ToolResult("c", (Text("A"),)),))
    request = msgspec.structs.replace(
        REQUEST, messages=(REQUEST.messages[0], turn, result), effort=Effort.HIGH, max_tokens=50_000
    )
    said = msgspec.json.decode(anthropic.write_request(request))
    assert [block["type"] for block in said["messages"][1]["content"]] == ["tool_use"]
    assert "thinking" not in said
    sealed = msgspec.structs.replace(request, messages=REQUEST.messages[:1])
    said = msgspec.json.decode(anthropic.write_request(sealed))
    assert said["thinking"] == {"type": "enabled", "budget_tokens": 16384}
    assert "temperature" not in said


def test_ollama_gets_the_nearest_level_and_is_refused_what_it_cannot_do() -> None:
    for effort, think in ((Effort.NONE, False), (Effort.MINIMAL, "low"), (Effort.XHIGH, "high")):
        said = msgspec.json.decode(ollama.write_chat(msgspec.structs.replace(REQUEST, effort=effort)))
        assert said["think"] == think
    far = (Message(Role.USER, (Image(url="https://pictures.example.org/a.png"),)),)
    for cannot in (
        msgspec.structs.replace(REQUEST, messages=far),
        msgspec.structs.replace(REQUEST, tool_choice=ToolChoice(Choice.REQUIRED)),
        msgspec.structs.replace(REQUEST, count=2),
    ):
        with pytest.raises(CannotBeSaidError):
            ollama.write_chat(cannot)


def test_ollamas_results_find_their_calls_by_name() -> None:
    request = ollama.read_chat(
        b'{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":['
        b'{"function":{"name":"f","arguments":{"n":1}}},{"function":{"name":"g","arguments":{}}}]},'
        b'{"role":"tool","tool_name":"g","content":"G"},{"role":"tool","tool_name":"f","content":"F"}]}'
    )
    results = request.messages[2].parts
    assert [part.call_id for part in results if isinstance(part, ToolResult)] == ["call_1", "call_0"]
    assert request.stream


ANSWER = ChatAnswer(
    id="a",
    model="m",
    created=0,
    parts=(Reasoning("Hm."), Text("Yes."), ToolCall("c0", "f", '{"a":1}'), ToolCall("c1", "g", "{}")),
    finish=FinishReason.TOOL_CALLS,
    usage=Usage(10, 3),
)


@pytest.mark.parametrize("dialect", ANSWERS)
def test_an_answer_is_the_same_after_writing_and_reading(dialect: Dialect) -> None:
    side = ANSWERS[dialect]
    assert side.read_answer(side.write_answer(ANSWER), "a") == ANSWER


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("dialect", ANSWERS)
def test_every_failure_has_its_status_and_shape_and_is_known_again(dialect: Dialect, kind: FailureKind) -> None:
    status, body = ANSWERS[dialect].write_failure(Failure(kind, "Something."))
    said = msgspec.json.decode(body)
    if dialect is Dialect.OPENAI_CHAT:
        assert set(said["error"]) == {"message", "type", "param", "code"}
        assert read_failure(status, body, {}).kind is kind
    elif dialect is Dialect.ANTHROPIC:
        assert (said["type"], set(said["error"])) == ("error", {"type", "message"})
    else:
        assert list(said) == ["error"]
    # Anthropic and Ollama have fewer kinds: what is left is told as what clients treat the same way.
    alike = {FailureKind.CUT_OFF: FailureKind.UPSTREAM_FAILED, FailureKind.CONTENT_REFUSED: FailureKind.BAD_REQUEST}
    assert read_failure(status, body, {}).kind in (kind, alike.get(kind))


@pytest.mark.parametrize(("status", "body", "kind"), [
    (200, b'{"error":{"code":429,"message":"slow down"}}', FailureKind.RATE_LIMITED),
    (200, b'{"error":{"type":"overloaded_error","message":"x"}}', FailureKind.OVERLOADED),
    (502, b"<html><h1>Bad Gateway</h1></html>", FailureKind.UPSTREAM_FAILED),
    (529, b"", FailureKind.OVERLOADED),
    (400, b'[{"error":{"code":400,"message":"x","status":"INVALID"}}]', FailureKind.BAD_REQUEST),
    (400, b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}',
     FailureKind.CONTEXT_TOO_LONG),
    (500, b'{"error":"the input exceeds the available context size"}', FailureKind.CONTEXT_TOO_LONG),
    (422, b'{"detail":[{"msg":"x"}]}', FailureKind.BAD_REQUEST),
])  # fmt: skip
def test_failures_are_known_in_whatever_shape_they_come(status: int, body: bytes, kind: FailureKind) -> None:
    assert read_failure(status, body, {}).kind is kind


def test_no_credential_of_the_provider_is_told() -> None:
    for kind in ("invalid_api_key", "server_error"):
        body = b'{"error":{"message":"Incorrect key sk-proj-abcdef123456","code":"%s"}}' % kind.encode()
        assert "abcdef" not in read_failure(500, body, {}).message


def test_how_long_to_wait_is_read_in_all_its_forms() -> None:
    for headers, wait in (
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
        ({"Retry-After": "2"}, 2.0),
        ({"Date": "Fri, 27 Nov 2026 10:00:00 GMT", "Retry-After": "Fri, 27 Nov 2026 10:00:07 GMT"}, 7.0),
        ({"Retry-After": "soon"}, None),
    ):
        assert read_failure(429, b"{}", headers).retry_after_s == wait
