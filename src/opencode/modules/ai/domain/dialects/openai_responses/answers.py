"""Answers and failures of the responses API."""

import msgspec

from opencode.modules.ai.domain.dialects.canonical import (
    ChatAnswer,
    Failure,
    FinishReason,
    Json,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import encoded
from opencode.modules.ai.domain.dialects.openai_chat.answers import InputDetails, written_input_details
from opencode.modules.ai.domain.dialects.openai_chat.answers import write_failure as write_chat_failure
from opencode.modules.ai.domain.dialects.openai_chat.answers import written_error as written_chat_error

INCOMPLETE = {FinishReason.LENGTH: "max_output_tokens", FinishReason.CONTENT_FILTER: "content_filter"}


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class UsageSaid(msgspec.Struct):
    """Usage as it stands in a response."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None

    def meant(self) -> Usage:
        """In the canonical words."""
        cached = self.input_tokens_details and self.input_tokens_details.cached_tokens
        written = self.input_tokens_details and self.input_tokens_details.cache_write_tokens
        reasoning = self.output_tokens_details and self.output_tokens_details.reasoning_tokens
        return Usage(self.input_tokens or 0, self.output_tokens or 0, cached or 0, written or 0, reasoning or 0)


def write_answer(answer: ChatAnswer) -> bytes:
    """A body of that dialect."""
    output = [
        written_item(part, item_id(part, answer.id, at), "completed")
        for at, part in enumerate(answer.parts)
        if isinstance(part, Text | Reasoning | ToolCall)
    ]
    head = written_response(answer.id, answer.model, answer.created)
    return encoded({**head, **written_end(answer.finish, answer.usage), "output": output})


def written_response(answer_id: str, model: str, created: int) -> Json:
    """A response in progress, with the keys that clients read without asking whether they are there."""
    return {
        "id": answer_id if answer_id.startswith("resp_") else f"resp_{answer_id}",
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": None,
    }


def written_end(reason: FinishReason, usage: Usage | None) -> Json:
    """What is different in a response that has ended."""
    why = INCOMPLETE.get(reason)
    return {
        "status": "incomplete" if why else "completed",
        "incomplete_details": {"reason": why} if why else None,
        "usage": _usage(usage or Usage()),
    }


def item_id(part: Text | Reasoning | ToolCall, answer_id: str, at: int) -> str:
    """
    Args:
        at: of the item in the output.
    """
    kind = {Text: "msg", Reasoning: "rs", ToolCall: "fc"}[type(part)]
    return f"{kind}_{answer_id}_{at}"


def written_item(part: Text | Reasoning | ToolCall, known_as: str, status: str) -> Json:
    """
    An item of the output.

    Args:
        known_as: its id.
        status: `in_progress`, `completed` or `incomplete`.
    """
    match part:
        case Text():
            content = [written_text(part.text)] if part.text or status == "completed" else []
            return {
                "id": known_as,
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": content,
            }
        case Reasoning():
            content = [{"type": "reasoning_text", "text": part.text}] if part.text else []
            # The seal of whichever provider: clients give it back untouched.
            sealed = part.signature or part.redacted or None
            return {
                "id": known_as,
                "type": "reasoning",
                "status": status,
                "summary": [],
                "content": content,
                "encrypted_content": sealed,
            }
        case ToolCall():
            return {
                "id": known_as,
                "type": "function_call",
                "status": status,
                "call_id": part.id,
                "name": part.name,
                "arguments": part.arguments,
            }


def written_text(text: str) -> Json:
    """A part of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def write_failure(failure: Failure) -> tuple[int, bytes]:
    """The status and the body, which are those of the chat completions."""
    return write_chat_failure(failure)


def written_error(failure: Failure) -> Json:
    """The error before there is a response."""
    error = written_chat_error(failure)["error"]
    return {"code": error["code"] or error["type"], "message": error["message"]}


def written_error_of_response(failure: Failure) -> Json:
    """The error of a response that failed. OpenAI has a list of codes for it, and one for all faults of a server."""
    error = written_chat_error(failure)["error"]
    of_server = error["type"] == "server_error"
    return {"code": "server_error" if of_server else error["code"] or "invalid_prompt", "message": error["message"]}


def _usage(usage: Usage) -> Json:
    return {
        "input_tokens": usage.input,
        "input_tokens_details": written_input_details(usage),
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }
