"""The last question of a request, apart from everything else that its answer depends on."""

import re
from typing import Literal

import msgspec

from opencode.modules.ai.domain.dialects.canonical import ChatRequest, Dialect, Image, Role, Text, ToolCall, ToolResult
from opencode.modules.ai.domain.dialects.decoding import decoded
from opencode.modules.ai.domain.dialects.envelope import Envelope

_CONVERSATION = {
    Dialect.OPENAI_CHAT: "messages",
    Dialect.OPENAI_RESPONSES: "input",
    Dialect.ANTHROPIC: "messages",
    Dialect.OLLAMA_CHAT: "messages",
    Dialect.OLLAMA_GENERATE: "prompt",
}
"""The field that the question is in."""
_NUMBER = re.compile(r"\d+")


class LastQuestion(msgspec.Struct, frozen=True):
    """
    Attributes:
        text: what the user said last.
        rest: everything else of the request, byte for byte: parameters, system prompt, earlier messages; and the
            numbers in the text, by which vectors hardly tell two questions apart.
    """

    text: str
    rest: tuple[bytes, ...]


class _TextPart(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["text", "input_text"]
    text: str


def last_question(envelope: Envelope, request: ChatRequest) -> LastQuestion | None:
    """
    The question of a request that says it in words alone, without tools and pictures anywhere; else None.

    Args:
        request: the same, as it was read.
    """
    if not _is_words_alone(request):
        return None
    name = _CONVERSATION[envelope.dialect]
    try:
        earlier, text, around = _last_of(bytes(envelope.fields[name]))
    except (ValueError, LookupError):
        return None
    if not text.strip():
        return None
    others = {each: bytes(raw) for each, raw in envelope.fields.items() if each != name}
    parts = (others, {each: bytes(raw) for each, raw in around.items()})
    fields = [part for each in parts for key in sorted(each) for part in (key.encode(), each[key])]
    numbers = " ".join(_NUMBER.findall(text)).encode()
    shape = b"%d,%d,%d" % (len(others), len(around), len(earlier))
    return LastQuestion(text, (shape, *fields, *map(bytes, earlier), numbers))


def _is_words_alone(request: ChatRequest) -> bool:
    if request.tools or not request.messages:
        return False
    parts = [part for message in request.messages for part in message.parts]
    if any(isinstance(part, Image | ToolCall | ToolResult) for part in parts):
        return False
    last = request.messages[-1]
    return last.role is Role.USER and all(isinstance(part, Text) for part in last.parts)


def _last_of(conversation: bytes) -> tuple[list[msgspec.Raw], str, dict[str, msgspec.Raw]]:
    """
    Earlier messages as they came, the text of the last one, and its other fields.

    Raises:
        ValueError, LookupError: its content is not texts alone.
    """
    if _is_text(conversation):
        return [], decoded(conversation, str), {}
    *earlier, last = decoded(conversation, list[msgspec.Raw])
    fields = decoded(bytes(last), dict[str, msgspec.Raw])
    content = bytes(fields.pop("content"))
    if _is_text(content):
        return earlier, decoded(content, str), fields
    return earlier, "\n".join(part.text for part in decoded(content, list[_TextPart])), fields


def _is_text(raw: bytes) -> bool:
    return raw.lstrip().startswith(b'"')
