"""Requests of the chat completions API."""

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
    RequestNotUnderstoodError,
    encoded,
    given,
    request_as,
)
from opencode.modules.ai.domain.dialects.media import image_at, url_of


class _Text(msgspec.Struct, tag="text"):
    text: str


class _Refusal(msgspec.Struct, tag="refusal"):
    refusal: str


class _ImageUrl(msgspec.Struct):
    url: str
    detail: str | None = None


class _Image(msgspec.Struct, tag="image_url"):
    image_url: _ImageUrl


class _Function(msgspec.Struct):
    name: str
    arguments: str = "{}"


class _Call(msgspec.Struct):
    id: str
    function: _Function
    type: Literal["function"] = "function"


class _Instructed(msgspec.Struct, tag_field="role", tag="system"):
    content: str | list[_Text]


class _Developer(_Instructed, tag_field="role", tag="developer"):
    pass


class _User(msgspec.Struct, tag_field="role", tag="user"):
    content: str | list[_Text | _Image]


class _Assistant(msgspec.Struct, tag_field="role", tag="assistant"):
    content: str | list[_Text | _Refusal] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[_Call] | None = None


class _Result(msgspec.Struct, tag_field="role", tag="tool"):
    tool_call_id: str
    content: str | list[_Text]


class _FunctionDefinition(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None


class _Tool(msgspec.Struct, tag="function"):
    function: _FunctionDefinition


class _Named(msgspec.Struct):
    name: str


class _NamedChoice(msgspec.Struct):
    function: _Named
    type: Literal["function"] = "function"


class _FreeText(msgspec.Struct, tag="text"):
    pass


class _AnyJson(msgspec.Struct, tag="json_object"):
    pass


class _Schema(msgspec.Struct):
    name: str
    schema: Json | None = None
    strict: bool | None = None


class _SchemaFormat(msgspec.Struct, tag="json_schema"):
    json_schema: _Schema


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Request(msgspec.Struct):
    model: str
    messages: list[_Instructed | _Developer | _User | _Assistant | _Result]
    tools: list[_Tool] | None = None
    tool_choice: Literal["auto", "none", "required"] | _NamedChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: _FreeText | _AnyJson | _SchemaFormat | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    reasoning_effort: Effort | None = None
    user: str | None = None
    n: int | None = None


def read_request(body: bytes) -> ChatRequest:
    """
    Raises:
        RequestNotUnderstoodError: naming the field.
    """
    said, extra = request_as(_Request, body)
    if not said.messages:
        raise RequestNotUnderstoodError("At least one message is needed.", "messages")
    system, messages = _conversation(said)
    stop = [said.stop] if isinstance(said.stop, str) else said.stop or []
    limit = said.max_completion_tokens if said.max_completion_tokens is not None else said.max_tokens
    return ChatRequest(
        dialect=Dialect.OPENAI_CHAT,
        model=said.model,
        system=system,
        messages=tuple(messages),
        tools=tuple(_tool(tool.function) for tool in said.tools or ()),
        tool_choice=_choice(said),
        format=_format(said),
        sampling=Sampling(
            said.temperature, said.top_p, said.top_k, said.seed, said.frequency_penalty, said.presence_penalty
        ),
        max_tokens=limit,
        stop=tuple(stop),
        stream=bool(said.stream),
        wants_usage=bool(said.stream_options and said.stream_options.include_usage),
        effort=said.reasoning_effort,
        user=said.user or "",
        count=1 if said.n is None else said.n,
        extra=extra,
    )


def write_request(request: ChatRequest) -> bytes:
    """
    A body of that dialect.

    Raises:
        CannotBeSaidError: there is something that JSON cannot say.
    """
    messages: list[Json] = [{"role": "system", "content": request.system}] if request.system else []
    for message in request.messages:
        messages += _written(message)
    sampling = request.sampling
    choice = request.tool_choice
    extra = request.extra if request.dialect is Dialect.OPENAI_CHAT else {}
    return encoded(
        {
            **extra,
            "model": request.model,
            "messages": messages,
            **given(
                tools=[_written_tool(tool) for tool in request.tools],
                tool_choice=_written_choice(choice) if choice and request.tools else None,
                parallel_tool_calls=choice.parallel if choice and request.tools else None,
                response_format=_written_format(request.format),
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                top_k=sampling.top_k if request.dialect is Dialect.OPENAI_CHAT else None,
                seed=sampling.seed,
                frequency_penalty=sampling.frequency_penalty,
                presence_penalty=sampling.presence_penalty,
                max_completion_tokens=request.max_tokens,
                stop=list(request.stop),
                stream=True if request.stream else None,
                stream_options={"include_usage": True} if request.stream and request.wants_usage else None,
                reasoning_effort=_written_effort(request.effort),
                user=request.user,
                n=request.count if request.count != 1 else None,
            ),
        }
    )


def _conversation(said: _Request) -> tuple[str, list[Message]]:
    system: list[str] = []
    messages: list[Message] = []
    names: dict[str, str] = {}
    for at, message in enumerate(said.messages):
        match message:
            case _Instructed():
                if messages:
                    messages.append(Message(Role.SYSTEM, (Text(_joined(message.content)),)))
                else:
                    system.append(_joined(message.content))
            case _User():
                messages.append(Message(Role.USER, _user_parts(message, at)))
            case _Assistant():
                names.update({call.id: call.function.name for call in message.tool_calls or ()})
                messages.append(Message(Role.ASSISTANT, _assistant_parts(message)))
            case _Result():
                parts = (Text(_joined(message.content)),)
                result = ToolResult(message.tool_call_id, parts, names.get(message.tool_call_id, ""))
                # Results of parallel calls belong together: other dialects want them in one turn.
                earlier = messages.pop().parts if messages and messages[-1].role is Role.TOOL else ()
                messages.append(Message(Role.TOOL, (*earlier, result)))
    return "\n\n".join(each for each in system if each), messages


def _joined(content: str | list[_Text]) -> str:
    return content if isinstance(content, str) else "".join(part.text for part in content)


def _user_parts(message: _User, at: int) -> tuple[Part, ...]:
    if isinstance(message.content, str):
        return (Text(message.content),)
    return tuple(
        Text(part.text)
        if isinstance(part, _Text)
        else image_at(part.image_url.url, f"messages[{at}].content", part.image_url.detail or "")
        for part in message.content
    )


def _assistant_parts(message: _Assistant) -> tuple[Part, ...]:
    parts: list[Part] = [Reasoning(message.reasoning_content)] if message.reasoning_content else []
    if isinstance(message.content, str):
        parts += [Text(message.content)] if message.content else []
    else:
        said = message.content or []
        parts += [Text(part.text if isinstance(part, _Text) else part.refusal) for part in said]
    parts += [Text(message.refusal)] if message.refusal else []
    calls = message.tool_calls or []
    return (*parts, *(ToolCall(call.id, call.function.name, call.function.arguments) for call in calls))


def _tool(said: _FunctionDefinition) -> Tool:
    return Tool(said.name, said.description or "", said.parameters or {"type": "object", "properties": {}}, said.strict)


def _choice(said: _Request) -> ToolChoice | None:
    wish = said.tool_choice
    if wish is None and said.parallel_tool_calls is None:
        return None
    if isinstance(wish, _NamedChoice):
        return ToolChoice(Choice.NAMED, wish.function.name, said.parallel_tool_calls)
    return ToolChoice(Choice(wish or "auto"), "", said.parallel_tool_calls)


def _format(said: _Request) -> JsonFormat | None:
    match said.response_format:
        case _SchemaFormat(json_schema=wish):
            return JsonFormat(wish.schema or {}, wish.name, wish.strict)
        case _AnyJson():
            return JsonFormat()
        case _:
            return None


def _written(message: Message) -> list[Json]:
    if message.role is Role.TOOL:
        return _written_results(message)
    if message.role is Role.ASSISTANT:
        return [_written_assistant(message)]
    parts = message.parts
    if len(parts) == 1 and isinstance(parts[0], Text):
        return [{"role": message.role, "content": parts[0].text}]
    return [{"role": message.role, "content": [_written_part(part) for part in parts]}]


def _written_part(part: Part) -> Json:
    if isinstance(part, Image):
        return {"type": "image_url", "image_url": {"url": url_of(part), **given(detail=part.detail)}}
    return {"type": "text", "text": part.text if isinstance(part, Text) else ""}


def _written_assistant(message: Message) -> Json:
    texts = [part.text for part in message.parts if isinstance(part, Text)]
    thoughts = "".join(part.text for part in message.parts if isinstance(part, Reasoning))
    calls = [
        {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
        for part in message.parts
        if isinstance(part, ToolCall)
    ]
    return {
        "role": "assistant",
        "content": "".join(texts) if texts or not calls else None,
        **given(reasoning_content=thoughts, tool_calls=calls),
    }


def _written_results(message: Message) -> list[Json]:
    written: list[Json] = []
    images: list[Json] = []
    for result in message.parts:
        if isinstance(result, ToolResult):
            text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
            written.append({"role": "tool", "tool_call_id": result.call_id, "content": text})
            images += [_written_part(part) for part in result.parts if isinstance(part, Image)]
    # A tool's turn has no place for pictures; behind all results (they must not be torn apart) the user shows them.
    return [*written, {"role": "user", "content": images}] if images else written


def _written_tool(tool: Tool) -> Json:
    function = {"name": tool.name, **given(description=tool.description, strict=tool.strict)}
    return {"type": "function", "function": {**function, "parameters": tool.parameters}}


def _written_choice(choice: ToolChoice) -> str | Json:
    if choice.choice is Choice.NAMED:
        return {"type": "function", "function": {"name": choice.name}}
    return choice.choice


def _written_format(wish: JsonFormat | None) -> Json | None:
    if wish is None:
        return None
    if wish.schema is None:
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "json_schema": {"name": wish.name, "schema": wish.schema, **given(strict=wish.strict)},
    }


def _written_effort(effort: Effort | None) -> str | None:
    return Effort.XHIGH if effort is Effort.MAX else effort
