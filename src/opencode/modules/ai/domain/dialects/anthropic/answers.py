"""Answers and failures of the messages API."""

from typing import Any

import msgspec

from opencode.modules.ai.domain.dialects.anthropic.requests import arguments_of
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
from opencode.modules.ai.domain.dialects.decoding import (
    AnswerNotUnderstoodError,
    CannotBeSaidError,
    answer_as,
    encoded,
)
from opencode.modules.ai.domain.dialects.failures import failure_from

_ERRORS = {
    FailureKind.BAD_REQUEST: (400, "invalid_request_error"),
    FailureKind.UNAUTHENTICATED: (401, "authentication_error"),
    FailureKind.FORBIDDEN: (403, "permission_error"),
    FailureKind.NOT_FOUND: (404, "not_found_error"),
    FailureKind.TOO_LARGE: (413, "request_too_large"),
    FailureKind.CONTEXT_TOO_LONG: (400, "invalid_request_error"),
    FailureKind.CONTENT_REFUSED: (400, "invalid_request_error"),
    FailureKind.RATE_LIMITED: (429, "rate_limit_error"),
    FailureKind.QUOTA_SPENT: (402, "billing_error"),
    FailureKind.OVERLOADED: (529, "overloaded_error"),
    FailureKind.UPSTREAM_FAILED: (500, "api_error"),
    FailureKind.TIMED_OUT: (504, "timeout_error"),
    FailureKind.CUT_OFF: (500, "api_error"),
}
_TOO_LONG = "prompt is too long"
"""How Anthropic's own message begins; clients look for these words, since the type is that of any bad request."""
FINISHES = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "pause_turn": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}
_STOPS = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
}


class UsageSaid(msgspec.Struct):
    """Usage as it stands in an answer or event; what it leaves out is as it was."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None

    def after(self, earlier: "UsageSaid") -> "UsageSaid":
        """Both, where each value that is said again replaces the earlier one: usage is cumulative."""
        mine, theirs = msgspec.structs.astuple(self), msgspec.structs.astuple(earlier)
        return UsageSaid(*(new if new is not None else old for new, old in zip(mine, theirs, strict=True)))

    def meant(self) -> Usage:
        """In the canonical words: here the input leaves out what was read from a cache and written to one."""
        read, written = self.cache_read_input_tokens or 0, self.cache_creation_input_tokens or 0
        return Usage((self.input_tokens or 0) + read + written, self.output_tokens or 0, read, written)


class Block(msgspec.Struct):
    """A block of any type: those of tools that run at the provider's are passed over."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Json | None = None


class _Answer(msgspec.Struct):
    type: str | None = None
    id: str | None = None
    model: str | None = None
    content: list[Block] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: UsageSaid | None = None
    error: Any = None


def read_answer(body: bytes, seed: str) -> ChatAnswer:
    """
    Raises:
        AnswerNotUnderstoodError: it carries an error, or is none of that dialect's answers.
    """
    said = answer_as(_Answer, body)
    if said.error:
        raise AnswerNotUnderstoodError(failure_from(said.error))
    if said.content is None:
        failure = Failure(FailureKind.UPSTREAM_FAILED, "The provider's answer has no content.")
        raise AnswerNotUnderstoodError(failure)
    return ChatAnswer(
        id=said.id or seed,
        model=said.model or "",
        created=0,
        parts=tuple(part for block in said.content if (part := _part(block, seed))),
        finish=FINISHES.get(said.stop_reason or "", FinishReason.STOP),
        usage=said.usage.meant() if said.usage else None,
        stop_sequence=said.stop_sequence,
    )


def write_answer(answer: ChatAnswer) -> bytes:
    """
    A body of that dialect.

    Raises:
        AnswerNotUnderstoodError: the model wrote arguments that are no JSON object.
    """
    return encoded(
        {
            **written_head(answer.id, answer.model, answer.usage or Usage()),
            "content": [block for part in answer.parts if (block := _written(part, answer.finish))],
            "stop_reason": written_finish(answer.finish, answer.stop_sequence),
            "stop_sequence": answer.stop_sequence,
        }
    )


def written_head(answer_id: str, model: str, usage: Usage) -> Json:
    """A message with nothing in it yet."""
    return {
        "id": answer_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": written_usage(usage),
    }


def written_finish(reason: FinishReason, stop_sequence: str | None) -> str:
    """The stop reason."""
    return "stop_sequence" if stop_sequence and reason is FinishReason.STOP else _STOPS[reason]


def written_usage(usage: Usage) -> Json:
    """Usage as this dialect says it."""
    return {
        "input_tokens": max(usage.input - usage.cached_input - usage.cache_write, 0),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached_input,
        "output_tokens": usage.output,
    }


def write_failure(failure: Failure) -> tuple[int, bytes]:
    """The status and the body."""
    return _ERRORS[failure.kind][0], encoded(written_error(failure))


def written_error(failure: Failure) -> Json:
    """The object that is a body, and the data of the event `error`."""
    message = failure.message
    if failure.kind is FailureKind.CONTEXT_TOO_LONG and _TOO_LONG not in message.lower():
        message = f"{_TOO_LONG}: {message}"
    return {"type": "error", "error": {"type": _ERRORS[failure.kind][1], "message": message}}


def _part(block: Block, seed: str) -> Part | None:
    match block.type:
        case "text":
            return Text(block.text or "")
        case "thinking":
            return Reasoning(block.thinking or "", block.signature or "")
        case "redacted_thinking":
            return Reasoning(redacted=block.data or "")
        case "tool_use":
            return ToolCall(block.id or f"call_{seed}", block.name or "", encoded(block.input or {}).decode())
        case _:
            return None


def _written(part: Part, finish: FinishReason) -> Json | None:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Reasoning(redacted=redacted) if redacted:
            return {"type": "redacted_thinking", "data": redacted}
        case Reasoning():
            return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        case ToolCall():
            return _written_call(part, finish)
        case _:
            return None


def _written_call(call: ToolCall, finish: FinishReason) -> Json | None:
    try:
        return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_of(call)}
    except CannotBeSaidError as error:
        # An answer that was cut for its length has a call that is not whole, and nobody can use it.
        if finish is FinishReason.LENGTH:
            return None
        message = "The model asked for a tool with arguments that are no JSON object."
        raise AnswerNotUnderstoodError(Failure(FailureKind.UPSTREAM_FAILED, message)) from error
