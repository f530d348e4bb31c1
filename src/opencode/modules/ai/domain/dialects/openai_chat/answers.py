"""Answers and failures of the chat completions API."""

from typing import Any

import msgspec

from opencode.modules.ai.domain.dialects.canonical import (
    ChatAnswer,
    Failure,
    FailureKind,
    FinishReason,
    Json,
    Part,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import AnswerNotUnderstoodError, answer_as, encoded, given
from opencode.modules.ai.domain.dialects.failures import failure_from
from opencode.modules.ai.domain.dialects.streaming import finish_with

_ERRORS = {
    FailureKind.BAD_REQUEST: (400, "invalid_request_error", None),
    FailureKind.UNAUTHENTICATED: (401, "invalid_request_error", "invalid_api_key"),
    FailureKind.FORBIDDEN: (403, "permission_error", "permission_denied"),
    FailureKind.NOT_FOUND: (404, "invalid_request_error", "model_not_found"),
    FailureKind.TOO_LARGE: (413, "invalid_request_error", "request_too_large"),
    FailureKind.CONTEXT_TOO_LONG: (400, "invalid_request_error", "context_length_exceeded"),
    FailureKind.CONTENT_REFUSED: (400, "invalid_request_error", "content_filter"),
    FailureKind.RATE_LIMITED: (429, "rate_limit_error", "rate_limit_exceeded"),
    FailureKind.QUOTA_SPENT: (429, "insufficient_quota", "insufficient_quota"),
    FailureKind.OVERLOADED: (503, "server_error", "overloaded"),
    FailureKind.UPSTREAM_FAILED: (502, "server_error", "upstream_failed"),
    FailureKind.TIMED_OUT: (504, "server_error", "timeout"),
    FailureKind.CUT_OFF: (502, "server_error", "stream_cut_off"),
}
FINISHES = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}


class InputDetails(msgspec.Struct):
    """The part of a question that a cache had, or got. Responses tell it in the same words."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class UsageSaid(msgspec.Struct):
    """Usage as it stands in an answer or chunk."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None

    def meant(self) -> Usage:
        """In the canonical words."""
        cached = self.prompt_tokens_details and self.prompt_tokens_details.cached_tokens
        written = self.prompt_tokens_details and self.prompt_tokens_details.cache_write_tokens
        reasoning = self.completion_tokens_details and self.completion_tokens_details.reasoning_tokens
        return Usage(self.prompt_tokens or 0, self.completion_tokens or 0, cached or 0, written or 0, reasoning or 0)


class _ReasoningDetail(msgspec.Struct):
    text: str | None = None


class Thoughtful(msgspec.Struct):
    """Thoughts have no standard field: three are in use, and some send the same thought in two of them."""

    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[_ReasoningDetail] | None = None

    def thought(self) -> str:
        """From the first field that has any."""
        details = "".join(detail.text or "" for detail in self.reasoning_details or ())
        return self.reasoning_content or self.reasoning or details


class _Function(msgspec.Struct):
    name: str
    arguments: str | None = None


class _Call(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Message(Thoughtful):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Answer(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    created: float | None = None
    choices: list[_Choice] | None = None
    usage: UsageSaid | None = None
    error: Any = None


def read_answer(body: bytes, seed: str) -> ChatAnswer:
    """
    Args:
        seed: from which ids are made where the provider gives none.

    Raises:
        AnswerNotUnderstoodError: it carries an error, or is none of that dialect's answers.
    """
    said = answer_as(_Answer, body)
    if said.error:
        raise AnswerNotUnderstoodError(failure_from(said.error))
    if not said.choices:
        failure = Failure(FailureKind.UPSTREAM_FAILED, "The provider's answer has no choices.")
        raise AnswerNotUnderstoodError(failure)
    choice = said.choices[0]
    message = choice.message
    parts: list[Part] = [Reasoning(thought)] if (thought := message.thought()) else []
    parts += [Text(text) for text in (message.content, message.refusal) if text]
    calls = message.tool_calls or []
    parts += [
        ToolCall(call.id or f"call_{seed}_{at}", call.function.name, call.function.arguments or "{}")
        for at, call in enumerate(calls)
    ]
    reason = FINISHES.get(choice.finish_reason or "stop", FinishReason.STOP)
    return ChatAnswer(
        id=said.id or seed,
        model=said.model or "",
        created=int(said.created or 0),
        parts=tuple(parts),
        finish=FinishReason.CONTENT_FILTER if message.refusal else finish_with(reason, bool(calls)),
        usage=said.usage.meant() if said.usage else None,
    )


def write_answer(answer: ChatAnswer) -> bytes:
    """A body of that dialect."""
    text = "".join(part.text for part in answer.parts if isinstance(part, Text))
    thoughts = "".join(part.text for part in answer.parts if isinstance(part, Reasoning))
    calls = [
        {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
        for part in answer.parts
        if isinstance(part, ToolCall)
    ]
    message: Json = {
        "role": "assistant",
        "content": text if text or not calls else None,
        "refusal": None,
        **given(reasoning_content=thoughts, tool_calls=calls),
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish}
    return encoded(
        {
            "id": answer.id,
            "object": "chat.completion",
            "created": answer.created,
            "model": answer.model,
            "choices": [choice],
            "usage": written_usage(answer.usage or Usage()),
        }
    )


def written_usage(usage: Usage) -> Json:
    """Usage as this dialect says it: what was read from a cache and written to it is part of the question."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": written_input_details(usage),
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def written_input_details(usage: Usage) -> Json:
    """See `InputDetails`."""
    return {"cached_tokens": usage.cached_input, "cache_write_tokens": usage.cache_write}


def write_failure(failure: Failure) -> tuple[int, bytes]:
    """The status and the body."""
    return _ERRORS[failure.kind][0], encoded(written_error(failure))


def written_error(failure: Failure) -> Json:
    """The object, with all its four keys: clients read them without asking whether they are there."""
    _, kind, code = _ERRORS[failure.kind]
    return {"error": {"message": failure.message, "type": kind, "param": failure.field or None, "code": code}}
