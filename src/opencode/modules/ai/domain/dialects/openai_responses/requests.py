"""Requests of the responses API."""

from collections.abc import Collection
from typing import Any, Literal

import msgspec

from opencode.modules.ai.domain.dialects.canonical import (
    ChatRequest,
    Choice,
    Dialect,
    Effort,
    Image,
    Json,
    JsonFormat,
    Message,
    Part,
    Reasoning,
    Role,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from opencode.modules.ai.domain.dialects.decoding import RequestNotUnderstoodError, part_as, request_as
from opencode.modules.ai.domain.dialects.media import image_at

NEED_A_MEMORY = {
    "previous_response_id": "Send the whole conversation in input.",
    "conversation": "Send the whole conversation in input.",
    "prompt": "Send the prompt's text in instructions or input.",
    "background": "Leave it out, and read the answer as it comes.",
    "store": "Leave it out, or send false.",
}


class _InputText(msgspec.Struct, tag="input_text"):
    text: str


class _OutputText(msgspec.Struct, tag="output_text"):
    text: str


class _Refusal(msgspec.Struct, tag="refusal"):
    refusal: str


class _InputImage(msgspec.Struct, tag="input_image"):
    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None


class _Message(msgspec.Struct, tag="message"):
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[_InputText | _OutputText | _Refusal | _InputImage]


class _Call(msgspec.Struct, tag="function_call"):
    call_id: str
    name: str
    arguments: str


class _Output(msgspec.Struct, tag="function_call_output"):
    call_id: str
    output: str | list[_InputText | _InputImage]


class _Thought(msgspec.Struct):
    text: str


class _Reasoning(msgspec.Struct, tag="reasoning"):
    summary: list[_Thought] = []
    content: list[_Thought] | None = None
    encrypted_content: str | None = None


_Item = _Message | _Call | _Output | _Reasoning


class _Function(msgspec.Struct, tag="function"):
    name: str
    parameters: Json | None = None
    description: str | None = None
    strict: bool | None = None


class _Named(msgspec.Struct, tag="function"):
    name: str


class _FreeText(msgspec.Struct, tag="text"):
    pass


class _AnyJson(msgspec.Struct, tag="json_object"):
    pass


class _Schema(msgspec.Struct, tag="json_schema"):
    name: str
    schema: Json
    strict: bool | None = None


class _TextConfig(msgspec.Struct):
    format: _FreeText | _AnyJson | _Schema | None = None


class _ReasoningConfig(msgspec.Struct):
    effort: Effort | None = None


class _Request(msgspec.Struct):
    model: str
    input: str | list[Json]
    instructions: str | None = None
    tools: list[Json] | None = None
    tool_choice: Literal["auto", "none", "required"] | _Named | None = None
    parallel_tool_calls: bool | None = None
    text: _TextConfig | None = None
    reasoning: _ReasoningConfig | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    stream: bool | None = None
    user: str | None = None


def read_request(body: bytes) -> ChatRequest:
    """
    Raises:
        RequestNotUnderstoodError: naming the field; also those fields that need a memory at the provider.
    """
    said, extra = request_as(_Request, body)
    refuse_memory({field for field, value in extra.items() if value not in (None, False)})
    system, messages = _conversation(said)
    if not messages:
        raise RequestNotUnderstoodError("At least one message of a user is needed.", "input")
    return ChatRequest(
        dialect=Dialect.OPENAI_RESPONSES,
        model=said.model,
        system=system,
        messages=tuple(messages),
        tools=tuple(_tool(tool, at) for at, tool in enumerate(said.tools or ())),
        tool_choice=_choice(said),
        format=_format(said.text or _TextConfig()),
        sampling=Sampling(said.temperature, said.top_p),
        max_tokens=said.max_output_tokens,
        stream=bool(said.stream),
        wants_usage=True,
        effort=said.reasoning.effort if said.reasoning else None,
        user=said.user or "",
        extra=extra,
    )


def refuse_memory(asked: Collection[str]) -> None:
    """
    Args:
        asked: the fields that have a value other than null and false.

    Raises:
        RequestNotUnderstoodError: naming the one that needs a memory at the provider.
    """
    for field, instead in NEED_A_MEMORY.items():
        if field in asked:
            raise RequestNotUnderstoodError(f"The gateway keeps nothing between requests. {instead}", field)


def _conversation(said: _Request) -> tuple[str, list[Message]]:
    """Thoughts, words and calls of one turn are items of their own in this dialect; here they are put together."""
    if isinstance(said.input, str):
        return said.instructions or "", [Message(Role.USER, (Text(said.input),))]
    system = [said.instructions or ""]
    messages: list[Message] = []
    names: dict[str, str] = {}
    for at, fields in enumerate(said.input):
        role, parts = _turn(_item(fields, at), at, names)
        if role is Role.SYSTEM and not messages:
            system += [part.text for part in parts if isinstance(part, Text)]
        elif messages and messages[-1].role is role and role in (Role.ASSISTANT, Role.TOOL):
            messages.append(Message(role, (*messages.pop().parts, *parts)))
        else:
            messages.append(Message(role, parts))
    return "\n\n".join(each for each in system if each), messages


def _item(fields: Json, at: int) -> _Item:
    field = f"input[{at}]"
    if fields.get("type") == "item_reference":
        message = "The gateway keeps nothing between requests. Send the item itself."
        raise RequestNotUnderstoodError(message, field)
    kind: Any = _Item
    return part_as(kind, {"type": "message", **fields}, field)


def _turn(item: _Item, at: int, names: dict[str, str]) -> tuple[Role, tuple[Part, ...]]:
    match item:
        case _Message():
            role = Role.SYSTEM if item.role == "developer" else Role(item.role)
            if isinstance(item.content, str):
                return role, (Text(item.content),)
            return role, tuple(_content(part, role, at) for part in item.content)
        case _Call():
            names[item.call_id] = item.name
            return Role.ASSISTANT, (ToolCall(item.call_id, item.name, item.arguments),)
        case _Output():
            said = [_InputText(item.output)] if isinstance(item.output, str) else item.output
            parts = tuple(Text(part.text) if isinstance(part, _InputText) else _image(part, at) for part in said)
            return Role.TOOL, (ToolResult(item.call_id, parts, names.get(item.call_id, "")),)
        case _Reasoning():
            return Role.ASSISTANT, _thoughts(item)


def _content(part: _InputText | _OutputText | _Refusal | _InputImage, role: Role, at: int) -> Text | Image:
    match part:
        case _InputText() | _OutputText():
            return Text(part.text)
        case _Refusal():
            return Text(part.refusal)
        case _InputImage() if role is Role.USER:
            return _image(part, at)
        case _:
            raise RequestNotUnderstoodError("Pictures stand in messages of the user.", f"input[{at}].content")


def _image(part: _InputImage, at: int) -> Image:
    if not part.image_url:
        message = "The gateway keeps no files. Send the picture itself, as a data URL, or its address."
        raise RequestNotUnderstoodError(message, f"input[{at}].content")
    return image_at(part.image_url, f"input[{at}].content", part.detail or "")


def _thoughts(item: _Reasoning) -> tuple[Part, ...]:
    text = "".join(each.text for each in item.content or item.summary)
    sealed = item.encrypted_content or ""
    if not text:
        return (Reasoning(redacted=sealed),) if sealed else ()
    return (Reasoning(text, sealed),)


def _tool(fields: Json, at: int) -> Tool:
    field = f"tools[{at}]"
    if fields.get("type") != "function":
        message = "Only functions can be used. Tools that run at the provider's are not the same everywhere."
        raise RequestNotUnderstoodError(message, field)
    said = part_as(_Function, fields, field)
    return Tool(said.name, said.description or "", said.parameters or {"type": "object", "properties": {}}, said.strict)


def _choice(said: _Request) -> ToolChoice | None:
    if said.tool_choice is None and said.parallel_tool_calls is None:
        return None
    if isinstance(said.tool_choice, _Named):
        return ToolChoice(Choice.NAMED, said.tool_choice.name, said.parallel_tool_calls)
    return ToolChoice(Choice(said.tool_choice or "auto"), "", said.parallel_tool_calls)


def _format(said: _TextConfig) -> JsonFormat | None:
    match said.format:
        case _Schema(name=name, schema=schema, strict=strict):
            return JsonFormat(schema, name, strict)
        case _AnyJson():
            return JsonFormat()
        case _:
            return None
