"""OpenAI's responses, as clients ask for them and are answered."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.ai.domain.dialects.anthropic import requests as anthropic
from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    ChatAnswer,
    Choice,
    Dialect,
    Effort,
    Event,
    Failed,
    Failure,
    FailureKind,
    Finished,
    FinishReason,
    Image,
    JsonFormat,
    Message,
    Reasoning,
    ReasoningDelta,
    Role,
    Sampling,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallBegan,
    ToolCallDelta,
    ToolChoice,
    ToolResult,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import RequestNotUnderstoodError
from opencode.modules.ai.domain.dialects.ollama import requests as ollama
from opencode.modules.ai.domain.dialects.openai_chat import requests as openai
from opencode.modules.ai.domain.dialects.openai_responses.answers import write_answer, write_failure
from opencode.modules.ai.domain.dialects.openai_responses.requests import read_request
from opencode.modules.ai.domain.dialects.openai_responses.streams import Reader, Writer
from opencode.modules.ai.domain.dialects.streaming import Collector

SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}
ITEMS: list[Any] = [
    {"role": "developer", "content": "Be kind."},
    {"role": "user", "content": [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"},
    ]},
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "seal",
     "content": [{"type": "reasoning_text", "text": "Hm."}]},
    {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
     "content": [{"type": "output_text", "text": "I look.", "annotations": []}]},
    {"type": "function_call", "id": "fc_1", "call_id": "c0", "name": "look", "arguments": '{"at":"x"}'},
    {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at":"y"}', "status": "completed"},
    {"type": "function_call_output", "call_id": "c1", "output": "B"},
    {"type": "function_call_output", "call_id": "c0", "output": [{"type": "input_text", "text": "A"}]},
    {"role": "user", "content": "Sure?"},
]  # fmt: skip


def asked(**fields: Any) -> bytes:
    return msgspec.json.encode({"model": "m", "input": "Hello.", **fields})


def test_items_of_one_turn_become_one_turn() -> None:
    request = read_request(asked(instructions="Be short.", input=ITEMS))
    assert request.system == "Be short.\n\nBe kind."
    assert request.messages == (
        Message(Role.USER, (Text("What is it?"), Image("image/png", "iVBORw0KGgo=", detail="low"))),
        Message(Role.ASSISTANT, (
            Reasoning("Hm.", "seal"),
            Text("I look."),
            ToolCall("c0", "look", '{"at":"x"}'),
            ToolCall("c1", "look", '{"at":"y"}'),
        )),
        Message(Role.TOOL, (ToolResult("c1", (Text("B"),), "look"), ToolResult("c0", (Text("A"),), "look"))),
        Message(Role.USER, (Text("Sure?"),)),
    )  # fmt: skip


def test_every_provider_can_be_asked_what_was_asked_here() -> None:
    request = read_request(asked(input=ITEMS, tools=[{"type": "function", "name": "look", "parameters": SCHEMA}]))
    chat = openai.read_request(openai.write_request(request))
    assert chat.messages[-1] == request.messages[-1]
    assert [message.role for message in chat.messages] == [message.role for message in request.messages]
    assert len(ollama.read_chat(ollama.write_chat(request)).messages) == 4
    blocks = anthropic.read_request(anthropic.write_request(request)).messages[1].parts
    assert blocks == request.messages[1].parts


def test_what_is_wished_is_read() -> None:
    request = read_request(asked(
        stream=True, max_output_tokens=50, temperature=0.5, top_p=0.9, user="u", parallel_tool_calls=False,
        reasoning={"effort": "high", "summary": "auto"}, store=False, include=["reasoning.encrypted_content"],
        text={"format": {"type": "json_schema", "name": "place", "schema": SCHEMA, "strict": True}, "verbosity": "low"},
        tools=[{"type": "function", "name": "look", "description": "Looks.", "parameters": SCHEMA, "strict": False}],
        tool_choice={"type": "function", "name": "look"},
    ))  # fmt: skip
    assert (request.stream, request.wants_usage, request.max_tokens, request.user) == (True, True, 50, "u")
    assert request.sampling == Sampling(0.5, 0.9)
    assert request.effort is Effort.HIGH
    assert request.format == JsonFormat(SCHEMA, "place", strict=True)
    assert request.tools == (Tool("look", "Looks.", SCHEMA, strict=False),)
    assert request.tool_choice == ToolChoice(Choice.NAMED, "look", parallel=False)
    assert b'"include"' not in openai.write_request(request)


@pytest.mark.parametrize(("fields", "field"), [
    ({"previous_response_id": "resp_1"}, "previous_response_id"),
    ({"conversation": {"id": "conv_1"}}, "conversation"),
    ({"prompt": {"id": "pmpt_1"}}, "prompt"),
    ({"background": True}, "background"),
    ({"store": True}, "store"),
    ({"tools": [{"type": "web_search"}]}, "tools[0]"),
    ({"tools": [{"type": "function"}]}, "tools[0]"),
    ({"input": []}, "input"),
    ({"input": 3}, "input"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
    ({"input": [{"role": "user", "content": "a"}, {"role": "robot", "content": "a"}]}, "input[1].role"),
    ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "input[0].content[0].type"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}, "input[0].content"),
    ({"input": [{"role": "assistant", "content": [{"type": "input_image", "image_url": "u"}]}]}, "input[0].content"),
    ({"input": [{"type": "computer_call"}]}, "input[0].type"),
    ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format"),
    ({"reasoning": {"effort": "very"}}, "reasoning.effort"),
])  # fmt: skip
def test_what_needs_a_memory_or_is_wrong_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestNotUnderstoodError) as caught:
        read_request(asked(**fields))
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


@given(st.binary(max_size=60) | st.sampled_from([b"[" * 99_999, b'{"model":"m","input":[' + b"[" * 9_000]))
def test_no_body_makes_more_than_a_refusal(body: bytes) -> None:
    with pytest.raises(RequestNotUnderstoodError):
        read_request(body)


EVENTS: list[Event] = [
    Began("a", "m", 7),
    ReasoningDelta("Hm, "),
    ReasoningDelta("so."),
    ReasoningDelta(signature="seal"),
    ReasoningDelta(redacted="closed"),
    TextDelta("Grüße "),
    TextDelta("🦊"),
    ToolCallBegan(0, "c0", "look"),
    ToolCallDelta(0, '{"at":'),
    ToolCallBegan(1, "c1", "find"),
    ToolCallDelta(1, "{}"),
    ToolCallDelta(0, '"x"}'),
]
USAGE = Usage(12, 7, 4, 5, 3)
PARTS = (
    Reasoning("Hm, so.", "seal"),
    Reasoning(redacted="closed"),
    Text("Grüße 🦊"),
    ToolCall("c0", "look", '{"at":"x"}'),
    ToolCall("c1", "find", "{}"),
)


def sent(*ending: Event) -> list[dict[str, Any]]:
    writer = Writer()
    stream = b"".join(writer.write(event) for event in (*EVENTS, *ending))
    frames = [frame.split(b"\n") for frame in stream.split(b"\n\n")[:-1]]
    said = [msgspec.json.decode(data.removeprefix(b"data: ")) for _, data in frames]
    assert [name.removeprefix(b"event: ").decode() for name, _ in frames] == [event["type"] for event in said]
    assert [event["sequence_number"] for event in said] == list(range(len(said)))
    return said


def test_a_stream_ends_with_the_answer_that_would_have_come_without_a_stream() -> None:
    said = sent(Finished(FinishReason.TOOL_CALLS, USAGE))
    answer = ChatAnswer(id="a", model="m", created=7, parts=PARTS, finish=FinishReason.TOOL_CALLS, usage=USAGE)
    assert said[-1]["type"] == "response.completed"
    assert said[-1]["response"] == msgspec.json.decode(write_answer(answer))
    assert said[-1]["response"]["usage"] == {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 5},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 19,
    }


def test_each_item_is_added_then_said_then_done_under_one_id() -> None:
    said = sent(Finished(FinishReason.TOOL_CALLS, USAGE))
    assert [event["type"] for event in said[:2]] == ["response.created", "response.in_progress"]
    items = said[-1]["response"]["output"]
    for index, item in enumerate(items):
        own = [event for event in said if event.get("output_index") == index]
        assert [own[0]["type"], own[-1]["type"]] == ["response.output_item.added", "response.output_item.done"]
        assert own[-1]["item"] == item
        assert {event.get("item_id") or event["item"]["id"] for event in own} == {item["id"]}
        deltas = "".join(event["delta"] for event in own if event["type"].endswith(".delta"))
        content = item.get("content") or [{"text": item.get("arguments", "")}]
        assert deltas == content[0]["text"]


def test_seals_of_thoughts_come_back_in_the_next_request() -> None:
    items = sent(Finished(FinishReason.TOOL_CALLS, USAGE))[-1]["response"]["output"]
    request = read_request(asked(input=[{"role": "user", "content": "a"}, *items]))
    assert request.messages[1].parts == PARTS


@pytest.mark.parametrize(("reason", "why"), [
    (FinishReason.LENGTH, "max_output_tokens"),
    (FinishReason.CONTENT_FILTER, "content_filter"),
])  # fmt: skip
def test_an_answer_that_was_cut_or_refused_is_incomplete(reason: FinishReason, why: str) -> None:
    last = sent(Finished(reason, USAGE))[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": why}
    cut = [item for item in last["response"]["output"] if item["status"] == "incomplete"]
    assert bool(cut) is (reason is FinishReason.LENGTH)


def test_a_failure_is_told_as_a_failed_response_or_as_an_error_before_there_is_one() -> None:
    last = sent(Failed(Failure(FailureKind.RATE_LIMITED, "Slow down.")))[-1]
    assert (last["type"], last["response"]["status"]) == ("response.failed", "failed")
    assert last["response"]["error"] == {"code": "rate_limit_exceeded", "message": "Slow down."}
    early = Writer().write(Failed(Failure(FailureKind.CONTEXT_TOO_LONG, "Too long.", None, "input")))
    said = msgspec.json.decode(early.split(b"data: ")[1])
    assert said == {
        "type": "error", "sequence_number": 0, "code": "context_length_exceeded", "message": "Too long.",
        "param": "input",
    }  # fmt: skip
    status, body = write_failure(Failure(FailureKind.RATE_LIMITED, "Slow down."))
    assert status == 429
    assert set(msgspec.json.decode(body)["error"]) == {"message", "type", "param", "code"}


def test_arguments_that_come_whole_and_errors_in_every_shape_are_read() -> None:
    item = b'{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}'
    events = Reader("s").feed(b'data: {"type":"response.output_item.done","output_index":2,"item":%s}\n\n' % item)
    assert events[1:] == [ToolCallBegan(0, "c", "f"), ToolCallDelta(0, "{}")]
    for error in (
        b'{"type":"error","code":"rate_limit_exceeded","message":"x"}',
        b'{"type":"error","error":{"code":"rate_limit_exceeded","message":"x"}}',
        b'{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"x"}}}',
        b'{"error":{"code":"rate_limit_exceeded","message":"x"}}',
    ):
        last = Reader("s").feed(b"data: " + error + b"\n\n")[-1]
        assert isinstance(last, Failed)
        assert last.failure == Failure(FailureKind.RATE_LIMITED, "x")
    bare = Reader("s").feed(b'data: {"type":"response.failed"}\n\n')
    assert isinstance(bare[-1], Failed)


def test_events_are_the_same_after_writing_and_reading() -> None:
    writer, reader, collector = Writer(), Reader("s"), Collector()
    events = [*EVENTS, Finished(FinishReason.TOOL_CALLS, USAGE)]
    came = [collector.add(read) for event in events for read in reader.feed(writer.write(event))]
    assert isinstance(came[-1], ChatAnswer)
    assert (came[-1].parts, came[-1].usage, came[-1].id) == (PARTS, USAGE, "resp_a")
    assert read_request(asked()).dialect is Dialect.OPENAI_RESPONSES
