"""Requests of the messages API."""

from typing import Literal

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
from opencode.modules.ai.domain.dialects.decoding import (
    CannotBeSaidError,
    NotJsonError,
    RequestNotUnderstoodError,
    decoded,
    encoded,
    given,
    request_as,
)

DEFAULT_MAX_TOKENS = 4096
"""Of an answer, where the client gave no limit: this dialect must have one."""
_LEAST_THINKING = 1024  # of tokens; less is refused (Anthropic, extended thinking)
_THINKING = {
    Effort.MINIMAL: 1024,
    Effort.LOW: 2048,
    Effort.MEDIUM: 8192,
    Effort.HIGH: 16384,
    Effort.XHIGH: 32768,
    Effort.MAX: 65536,
}
_HOTTEST = 1.0


class _Text(msgspec.Struct, tag="text"):
    text: str


class _Base64(msgspec.Struct, tag="base64"):
    media_type: str
    data: str


class _Url(msgspec.Struct, tag="url"):
    url: str


class _Image(msgspec.Struct, tag="image"):
    source: _Base64 | _Url


class _Use(msgspec.Struct, tag="tool_use"):
    id: str
    name: str
    input: Json


class _Result(msgspec.Struct, tag="tool_result"):
    tool_use_id: str
    content: str | list[_Text | _Image] | None = None
    is_error: bool | None = None


class _Thinking(msgspec.Struct, tag="thinking"):
    thinking: str
    signature: str | None = None


class _Redacted(msgspec.Struct, tag="redacted_thinking"):
    data: str


class _User(msgspec.Struct, tag_field="role", tag="user"):
    content: str | list[_Text | _Image | _Result]


class _Assistant(msgspec.Struct, tag_field="role", tag="assistant"):
    content: str | list[_Text | _Use | _Thinking | _Redacted]


class _Tool(msgspec.Struct):
    name: str
    input_schema: Json
    description: str | None = None
    strict: bool | None = None
    type: Literal["custom"] | None = None


class _ToolChoice(msgspec.Struct):
    type: Literal["auto", "any", "tool", "none"]
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class _Enabled(msgspec.Struct, tag="enabled"):
    budget_tokens: int


class _Adaptive(msgspec.Struct, tag="adaptive"):
    pass


class _Disabled(msgspec.Struct, tag="disabled"):
    pass


class _SchemaFormat(msgspec.Struct):
    schema: Json
    type: Literal["json_schema"] = "json_schema"


class _OutputConfig(msgspec.Struct):
    effort: Effort | None = None
    format: _SchemaFormat | None = None


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Request(msgspec.Struct):
    model: str
    messages: list[_User | _Assistant]
    max_tokens: int
    system: str | list[_Text] | None = None
    tools: list[_Tool] | None = None
    tool_choice: _ToolChoice | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    thinking: _Enabled | _Adaptive | _Disabled | None = None
    output_config: _OutputConfig | None = None
    metadata: _Metadata | None = None


def read_request(body: bytes) -> ChatRequest:
    """
    Raises:
        RequestNotUnderstoodError: naming the field.
    """
    said, extra = request_as(_Request, body)
    if not said.messages:
        raise RequestNotUnderstoodError("At least one message is needed.", "messages")
    system = said.system if isinstance(said.system, str) else "\n\n".join(part.text for part in said.system or ())
    config = said.output_config or _OutputConfig()
    budget = said.thinking.budget_tokens if isinstance(said.thinking, _Enabled) else None
    return ChatRequest(
        dialect=Dialect.ANTHROPIC,
        model=said.model,
        system=system,
        messages=tuple(_conversation(said)),
        tools=tuple(
            Tool(tool.name, tool.description or "", tool.input_schema, tool.strict) for tool in said.tools or ()
        ),
        tool_choice=_choice(said.tool_choice),
        format=JsonFormat(config.format.schema, strict=True) if config.format else None,
        sampling=Sampling(said.temperature, said.top_p, said.top_k),
        max_tokens=said.max_tokens,
        stop=tuple(said.stop_sequences or ()),
        stream=bool(said.stream),
        wants_usage=True,
        effort=_effort(said, config),
        reasoning_tokens=budget,
        user=(said.metadata and said.metadata.user_id) or "",
        extra=extra,
    )


def write_request(request: ChatRequest, default_max_tokens: int = DEFAULT_MAX_TOKENS) -> bytes:
    """
    A body of that dialect.

    Args:
        default_max_tokens: of the answer, where the request says nothing.

    Raises:
        CannotBeSaidError: there is something in it that this dialect has no words for.
    """
    if request.count != 1:
        raise CannotBeSaidError("This model gives one answer at a time: leave n out, or ask again.", "n")
    limit = request.max_tokens if request.max_tokens is not None else default_max_tokens
    thinking = _written_thinking(request, limit)
    sampling = request.sampling
    # Thinking allows no other temperature than 1, no top_k, and no tool that is forced.
    free = thinking is None or thinking["type"] == "disabled"
    temperature = min(sampling.temperature, _HOTTEST) if free and sampling.temperature is not None else None
    extra = request.extra if request.dialect is Dialect.ANTHROPIC else {}
    instructions = [request.system, *_late_instructions(request), *_asked_for_json(request.format)]
    return encoded(
        {
            **extra,
            "model": request.model,
            "max_tokens": limit,
            "messages": _written_conversation(request),
            **given(
                system="\n\n".join(each for each in instructions if each),
                tools=[_written_tool(tool) for tool in request.tools],
                tool_choice=_written_choice(request.tool_choice, free=free) if request.tools else None,
                temperature=temperature,
                top_p=sampling.top_p if free else None,
                top_k=sampling.top_k if free else None,
                stop_sequences=[each for each in request.stop if each.strip()],
                stream=True if request.stream else None,
                thinking=thinking,
                output_config=_written_config(request),
                metadata=given(user_id=request.user),
            ),
        }
    )


def _conversation(said: _Request) -> list[Message]:
    messages: list[Message] = []
    names: dict[str, str] = {}
    for message in said.messages:
        if isinstance(message, _Assistant):
            parts = _assistant_parts(message)
            names.update({part.id: part.name for part in parts if isinstance(part, ToolCall)})
            messages.append(Message(Role.ASSISTANT, parts))
            continue
        if isinstance(message.content, str):
            messages.append(Message(Role.USER, (Text(message.content),)))
            continue
        results = [_result(part, names) for part in message.content if isinstance(part, _Result)]
        rest = [_plain(part) for part in message.content if not isinstance(part, _Result)]
        messages += [Message(Role.TOOL, tuple(results))] if results else []
        messages += [Message(Role.USER, tuple(rest))] if rest else []
    return messages


def _plain(part: _Text | _Image) -> Text | Image:
    if isinstance(part, _Text):
        return Text(part.text)
    source = part.source
    return Image(url=source.url) if isinstance(source, _Url) else Image(source.media_type, source.data)


def _result(part: _Result, names: dict[str, str]) -> ToolResult:
    content = part.content or ""
    parts = (Text(content),) if isinstance(content, str) else tuple(_plain(each) for each in content)
    return ToolResult(part.tool_use_id, parts, names.get(part.tool_use_id, ""), bool(part.is_error))


def _assistant_parts(message: _Assistant) -> tuple[Part, ...]:
    if isinstance(message.content, str):
        return (Text(message.content),)
    parts: list[Part] = []
    for part in message.content:
        match part:
            case _Text():
                parts.append(Text(part.text))
            case _Use():
                parts.append(ToolCall(part.id, part.name, encoded(part.input).decode()))
            case _Thinking():
                parts.append(Reasoning(part.thinking, part.signature or ""))
            case _Redacted():
                parts.append(Reasoning(redacted=part.data))
    return tuple(parts)


def _choice(said: _ToolChoice | None) -> ToolChoice | None:
    if said is None:
        return None
    choice = {"auto": Choice.AUTO, "any": Choice.REQUIRED, "tool": Choice.NAMED, "none": Choice.NONE}[said.type]
    disabled = said.disable_parallel_tool_use
    return ToolChoice(choice, said.name, None if disabled is None else not disabled)


def _effort(said: _Request, config: _OutputConfig) -> Effort | None:
    match said.thinking:
        case _Disabled():
            return Effort.NONE
        case _Adaptive():
            return config.effort or Effort.HIGH
        case _Enabled(budget_tokens=budget):
            return next((effort for effort, tokens in _THINKING.items() if budget <= tokens), Effort.MAX)
        case None:
            return config.effort


def _late_instructions(request: ChatRequest) -> list[str]:
    late = [message for message in request.messages if message.role is Role.SYSTEM]
    return [part.text for message in late for part in message.parts if isinstance(part, Text)]


def _asked_for_json(wish: JsonFormat | None) -> list[str]:
    # There is no JSON without a schema in this dialect, so the model is asked for it in words.
    return ["Answer with one JSON object and nothing else."] if wish and wish.schema is None else []


def _written_conversation(request: ChatRequest) -> list[Json]:
    """Roles alternate in this dialect, and results stand at the beginning of the user's turn."""
    written: list[Json] = []
    for message in request.messages:
        if message.role is Role.SYSTEM:
            continue
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        # An assistant's last turn that ends in white space, and empty texts, are refused by the API.
        blocks = [block for part in message.parts if (block := _written_part(part))]
        if written and written[-1]["role"] == role:
            written[-1]["content"] += blocks
        elif blocks:
            written.append({"role": role, "content": blocks})
    if not written:
        raise CannotBeSaidError("This model wants at least one message of a user that is not empty.", "messages")
    return written


def _written_part(part: Part) -> Json | None:
    match part:
        case Text():
            return {"type": "text", "text": part.text} if part.text else None
        case Image():
            return {"type": "image", "source": _written_source(part)}
        case ToolCall():
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments_of(part)}
        case ToolResult():
            content = [block for each in part.parts if (block := _written_part(each))]
            wrong = {"is_error": True} if part.is_error else {}
            return {"type": "tool_result", "tool_use_id": part.call_id, "content": content, **wrong}
        case Reasoning(redacted=redacted) if redacted:
            return {"type": "redacted_thinking", "data": redacted}
        case Reasoning():
            # Thoughts of other models, and thoughts that lost their seal on the way, would be refused.
            return given(type="thinking", thinking=part.text, signature=part.signature) if part.signature else None


def _written_source(image: Image) -> Json:
    if image.url:
        return {"type": "url", "url": image.url}
    return {"type": "base64", "media_type": image.media_type, "data": image.data}


def arguments_of(call: ToolCall) -> Json:
    """
    The arguments as an object.

    Raises:
        CannotBeSaidError: the model wrote something else.
    """
    try:
        return decoded(call.arguments.encode(errors="replace") or b"{}", Json)
    except NotJsonError as error:
        message = f"The arguments of the tool call {call.id} are no JSON object, which this model needs."
        raise CannotBeSaidError(message, "messages") from error


def _written_tool(tool: Tool) -> Json:
    schema = tool.parameters if "type" in tool.parameters else {"type": "object", **tool.parameters}
    return {"name": tool.name, **given(description=tool.description, strict=tool.strict), "input_schema": schema}


def _written_choice(choice: ToolChoice | None, *, free: bool) -> Json | None:
    if choice is None:
        return None
    word = {Choice.AUTO: "auto", Choice.REQUIRED: "any", Choice.NAMED: "tool", Choice.NONE: "none"}[choice.choice]
    if not free and choice.choice in (Choice.REQUIRED, Choice.NAMED):
        return {"type": "auto"}
    disabled = None if choice.parallel is None or word == "none" else not choice.parallel
    return {"type": word, **given(name=choice.name, disable_parallel_tool_use=disabled)}


def _written_thinking(request: ChatRequest, limit: int) -> Json | None:
    if request.effort is Effort.NONE:
        return {"type": "disabled"}
    wanted = request.reasoning_tokens or (_THINKING[request.effort] if request.effort else 0)
    tokens = min(wanted, limit - 1)
    if tokens < _LEAST_THINKING or _has_unsealed_call(request):
        return None
    return {"type": "enabled", "budget_tokens": tokens}


def _has_unsealed_call(request: ChatRequest) -> bool:
    """
    With thinking on, a turn that called tools must begin with its sealed thought; one that came through a dialect
    without seals has none, so the model answers that turn without thinking.
    """
    last = next((message for message in reversed(request.messages) if message.role is Role.ASSISTANT), None)
    if last is None or request.messages[-1].role is not Role.TOOL:
        return False
    return not any(isinstance(part, Reasoning) and (part.signature or part.redacted) for part in last.parts)


def _written_config(request: ChatRequest) -> Json | None:
    wish = request.format
    if wish is None or wish.schema is None:
        return None
    return {"format": {"type": "json_schema", "schema": wish.schema}}
