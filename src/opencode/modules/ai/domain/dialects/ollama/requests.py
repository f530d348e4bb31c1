"""Requests of Ollama's chat and generate."""

from typing import Any, Literal

import msgspec

from opencode.modules.ai.domain.dialects.anthropic.requests import arguments_of
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
    ToolResult,
)
from opencode.modules.ai.domain.dialects.decoding import (
    CannotBeSaidError,
    RequestNotUnderstoodError,
    encoded,
    given,
    request_as,
)
from opencode.modules.ai.domain.dialects.media import bare_image

_LEVELS = {
    Effort.MINIMAL: "low",
    Effort.LOW: "low",
    Effort.MEDIUM: "medium",
    Effort.HIGH: "high",
    Effort.XHIGH: "high",
    Effort.MAX: "high",
}
"""Ollama has three levels; what lies beyond them is the nearest, rather than an error."""


class _Function(msgspec.Struct):
    name: str
    arguments: Json = {}


class _Call(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Message(msgspec.Struct):
    role: Role
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[_Call] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class _FunctionDefinition(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: Json | None = None


class _Tool(msgspec.Struct, tag="function"):
    function: _FunctionDefinition


class _Options(msgspec.Struct):
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    num_predict: int | None = None
    stop: str | list[str] | None = None


_Level = Literal["low", "medium", "high", "max"]


class _Asked(msgspec.Struct, kw_only=True):
    model: str
    stream: bool | None = None
    format: Literal["json", ""] | Json | None = None
    options: Json | None = None
    think: bool | _Level | None = None


class _Chat(_Asked):
    messages: list[_Message] | None = None
    tools: list[_Tool] | None = None


class _Generate(_Asked):
    prompt: str | None = None
    system: str | None = None
    images: list[str] | None = None
    suffix: str | None = None
    template: str | None = None
    context: list[int] | None = None
    raw: bool | None = None


def read_chat(body: bytes) -> ChatRequest:
    """
    Raises:
        RequestNotUnderstoodError: naming the field.
    """
    said, extra = request_as(_Chat, body)
    if not said.messages:
        raise RequestNotUnderstoodError("At least one message is needed.", "messages")
    system, messages = _conversation(said.messages)
    tools = tuple(
        Tool(each.function.name, each.function.description or "", each.function.parameters or {"type": "object"})
        for each in said.tools or ()
    )
    return _request(Dialect.OLLAMA_CHAT, said, extra, system=system, messages=messages, tools=tools)


def read_generate(body: bytes) -> ChatRequest:
    """
    Raises:
        RequestNotUnderstoodError: naming the field; also those fields that only a model on this machine could follow.
    """
    said, extra = request_as(_Generate, body)
    for field in ("suffix", "template", "context", "raw"):
        if getattr(said, field):
            message = "The gateway cannot do this for every model. Leave it out, or use /api/chat with messages."
            raise RequestNotUnderstoodError(message, field)
    if not said.prompt and not said.images:
        raise RequestNotUnderstoodError("There is no prompt. Models are loaded when they are first used.", "prompt")
    parts: list[Part] = [Text(said.prompt)] if said.prompt else []
    parts += [bare_image(data) for data in said.images or ()]
    messages = [Message(Role.USER, tuple(parts))]
    return _request(Dialect.OLLAMA_GENERATE, said, extra, system=said.system or "", messages=messages, tools=())


def write_chat(request: ChatRequest) -> bytes:
    """
    A body for `/api/chat`.

    Raises:
        CannotBeSaidError: there is something in it that Ollama has no words for.
    """
    if request.count != 1:
        raise CannotBeSaidError("This model gives one answer at a time: leave n out, or ask again.", "n")
    choice = request.tool_choice
    if choice and choice.choice in (Choice.REQUIRED, Choice.NAMED) and request.tools:
        message = "This model cannot be made to use a tool. Let it choose, or ask for JSON with a schema instead."
        raise CannotBeSaidError(message, "tool_choice")
    tools = () if choice and choice.choice is Choice.NONE else request.tools
    extra = request.extra if request.dialect in (Dialect.OLLAMA_CHAT, Dialect.OLLAMA_GENERATE) else {}
    messages: list[Json] = [{"role": "system", "content": request.system}] if request.system else []
    for message in request.messages:
        messages += _written(message)
    return encoded(
        {
            **extra,
            "model": request.model,
            "messages": messages,
            "stream": request.stream,
            **given(
                tools=[_written_tool(tool) for tool in tools],
                format=_written_format(request.format),
                options={**extra.get("options", {}), **_written_options(request)},
                think=_written_think(request),
            ),
        }
    )


def _request(
    dialect: Dialect, said: _Asked, extra: Json, *, system: str, messages: list[Message], tools: tuple[Tool, ...]
) -> ChatRequest:
    try:
        options = msgspec.convert(said.options or {}, _Options)
    except msgspec.ValidationError as error:
        raise RequestNotUnderstoodError(f"{error}.", "options") from error
    known = _Options.__struct_fields__
    unknown = {name: value for name, value in (said.options or {}).items() if name not in known}
    stop = [options.stop] if isinstance(options.stop, str) else options.stop or []
    limit = options.num_predict if options.num_predict is not None and options.num_predict > 0 else None
    return ChatRequest(
        dialect=dialect,
        model=said.model,
        system=system,
        messages=tuple(messages),
        tools=tools,
        format=_format(said.format),
        sampling=Sampling(
            options.temperature,
            options.top_p,
            options.top_k,
            options.seed,
            options.frequency_penalty,
            options.presence_penalty,
        ),
        max_tokens=limit,
        stop=tuple(stop),
        stream=said.stream is not False,
        wants_usage=True,
        effort=_effort(said.think),
        extra={**extra, **given(options=unknown)},
    )


def _format(said: Any) -> JsonFormat | None:
    if not said:
        return None
    return JsonFormat() if said == "json" else JsonFormat(said)


def _effort(think: bool | _Level | None) -> Effort | None:
    if think is None:
        return None
    if isinstance(think, str):
        return Effort(think)
    return Effort.MEDIUM if think else Effort.NONE


def _conversation(said: list[_Message]) -> tuple[str, list[Message]]:
    system: list[str] = []
    messages: list[Message] = []
    calls: list[ToolCall] = []
    count = 0
    for at, message in enumerate(said):
        match message.role:
            case Role.SYSTEM if not messages:
                system.append(message.content or "")
            case Role.TOOL:
                result = _result(message, calls, at)
                earlier = messages.pop().parts if messages and messages[-1].role is Role.TOOL else ()
                messages.append(Message(Role.TOOL, (*earlier, result)))
            case _:
                parts = _parts(message, count)
                own = [part for part in parts if isinstance(part, ToolCall)]
                count += len(own)
                # Only the last turn's calls can still be answered.
                calls = own
                messages.append(Message(message.role, tuple(parts)))
    return "\n\n".join(each for each in system if each), messages


def _parts(message: _Message, count: int) -> list[Part]:
    """Calls without an id get one from their place in the conversation, which is the same in the next request."""
    parts: list[Part] = [Reasoning(message.thinking)] if message.thinking else []
    calls = message.tool_calls or []
    if message.content or not (parts or calls or message.images):
        parts.append(Text(message.content or ""))
    parts += [bare_image(data) for data in message.images or ()]
    for at, call in enumerate(calls, count):
        parts.append(ToolCall(call.id or f"call_{at}", call.function.name, encoded(call.function.arguments).decode()))
    return parts


def _result(message: _Message, calls: list[ToolCall], at: int) -> ToolResult:
    """Results say the tool's name at most: they belong to the first call of that name that has none yet."""
    wanted = message.tool_call_id or message.tool_name
    call = next((each for each in calls if not wanted or wanted in (each.id, each.name)), None)
    if call is None and not message.tool_call_id:
        raise RequestNotUnderstoodError("This result belongs to no tool call before it.", f"messages[{at}]")
    if call:
        calls.remove(call)
    parts = (Text(message.content or ""), *(bare_image(data) for data in message.images or ()))
    call_id = message.tool_call_id or (call.id if call else "")
    return ToolResult(call_id, parts, message.tool_name or (call.name if call else ""))


def _written(message: Message) -> list[Json]:
    if message.role is Role.TOOL:
        return [
            {
                "role": "tool",
                **_content(part.parts),
                **given(tool_name=part.name, tool_call_id=part.call_id),
            }
            for part in message.parts
            if isinstance(part, ToolResult)
        ]
    thoughts = "".join(part.text for part in message.parts if isinstance(part, Reasoning))
    calls = [
        {"id": part.id, "function": {"name": part.name, "arguments": arguments_of(part)}}
        for part in message.parts
        if isinstance(part, ToolCall)
    ]
    return [{"role": message.role, **_content(message.parts), **given(thinking=thoughts, tool_calls=calls)}]


def _content(parts: tuple[Part, ...] | tuple[Text | Image, ...]) -> Json:
    images = [part for part in parts if isinstance(part, Image)]
    if any(image.url for image in images):
        message = "This model takes no addresses of pictures. Send the picture itself, as a data URL or base64."
        raise CannotBeSaidError(message, "messages")
    text = "".join(part.text for part in parts if isinstance(part, Text))
    return {"content": text, **given(images=[image.data for image in images])}


def _written_tool(tool: Tool) -> Json:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _written_format(wish: JsonFormat | None) -> str | Json | None:
    if wish is None:
        return None
    return wish.schema or "json"


def _written_options(request: ChatRequest) -> Json:
    said = request.sampling
    return given(
        temperature=said.temperature,
        top_p=said.top_p,
        top_k=said.top_k,
        seed=said.seed,
        frequency_penalty=said.frequency_penalty,
        presence_penalty=said.presence_penalty,
        num_predict=request.max_tokens,
        stop=list(request.stop),
    )


def _written_think(request: ChatRequest) -> bool | str | None:
    if request.effort is None:
        return True if request.reasoning_tokens else None
    return False if request.effort is Effort.NONE else _LEVELS[request.effort]
