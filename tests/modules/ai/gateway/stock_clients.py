"""
The clients that people have, as they come from the package index; only where they call is changed. Those that can hold
every answer against the dialect's published types do so.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import ollama
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import BaseModel

Json = dict[str, Any]
HELLO: Any = [{"role": "user", "content": "Say hello"}]
QUESTION = "How is the weather?"
# One pixel.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
MOST_TOKENS = 100


class Greeting(BaseModel):
    greeting: str


class ResponseFailed(Exception):
    """A response ended in `response.failed`."""


@dataclass(frozen=True, slots=True)
class Heard:
    """
    What a client made of an answer.

    Attributes:
        calls: of tools, with their arguments.
        finish: in the dialect's own word.
    """

    text: str
    calls: tuple[tuple[str, Json], ...]
    finish: str | None
    tokens: tuple[int, int]


class StockClient(Protocol):
    """What all of them can do."""

    async def ask(self, model: str, tools: Sequence[str] = ()) -> Heard: ...

    async def stream(self, model: str, tools: Sequence[str] = ()) -> Heard: ...

    async def give_back(self, model: str, tools: Sequence[str]) -> str:
        """Ask with tools, use them, and tell what came of it: the words then."""
        ...

    async def structured(self, model: str) -> Greeting: ...

    async def look(self, model: str) -> str:
        """Show a picture."""
        ...

    async def models(self) -> set[str]: ...


class OpenAI:
    def __init__(self, url: str, token: str) -> None:
        self.client = AsyncOpenAI(base_url=f"{url}/ai/v1", api_key=token, _strict_response_validation=True)

    async def ask(self, model: str, tools: Sequence[str] = ()) -> Heard:
        answer = await self.client.chat.completions.create(model=model, messages=HELLO, **_openai_tools(tools))
        message, usage = answer.choices[0].message, answer.usage
        assert usage
        return Heard(
            message.content or "",
            tuple((each.function.name, json.loads(each.function.arguments)) for each in _functions(message.tool_calls)),
            answer.choices[0].finish_reason,
            (usage.prompt_tokens, usage.completion_tokens),
        )

    async def stream(self, model: str, tools: Sequence[str] = ()) -> Heard:
        options: Any = {"stream_options": {"include_usage": True}, **_openai_tools(tools)}
        async with self.client.chat.completions.stream(model=model, messages=HELLO, **options) as stream:
            words = [event.delta async for event in stream if event.type == "content.delta"]
            answer = await stream.get_final_completion()
        message, usage = answer.choices[0].message, answer.usage
        assert (message.content or "") == "".join(words)
        assert usage
        return Heard(
            "".join(words),
            tuple((each.function.name, json.loads(each.function.arguments)) for each in _functions(message.tool_calls)),
            answer.choices[0].finish_reason,
            (usage.prompt_tokens, usage.completion_tokens),
        )

    async def give_back(self, model: str, tools: Sequence[str]) -> str:
        asked = _openai_tools(tools)
        first = (await self.client.chat.completions.create(model=model, messages=HELLO, **asked)).choices[0].message
        results = [
            {"role": "tool", "tool_call_id": each.id, "content": "Sunny"} for each in _functions(first.tool_calls)
        ]
        messages: Any = [*HELLO, first, *results]
        second = await self.client.chat.completions.create(model=model, messages=messages, **asked)
        return second.choices[0].message.content or ""

    async def structured(self, model: str) -> Greeting:
        answer = await self.client.chat.completions.parse(model=model, messages=HELLO, response_format=Greeting)
        parsed = answer.choices[0].message.parsed
        assert parsed
        return parsed

    async def look(self, model: str) -> str:
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
        messages: Any = [{"role": "user", "content": [{"type": "text", "text": QUESTION}, picture]}]
        answer = await self.client.chat.completions.create(model=model, messages=messages)
        return answer.choices[0].message.content or ""

    async def models(self) -> set[str]:
        return {each.id async for each in self.client.models.list()}

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        # Unasked, this client wants base64 and makes numbers of it, behind what it holds against the types.
        async with AsyncOpenAI(base_url=self.client.base_url, api_key=self.client.api_key) as lenient:
            made = await lenient.embeddings.create(model=model, input=list(texts))
        return [each.embedding for each in made.data]


class Responses(OpenAI):
    """The same client, by its newer way of asking."""

    async def ask(self, model: str, tools: Sequence[str] = ()) -> Heard:
        answer = await self.client.responses.create(model=model, input=HELLO, **_responses_tools(tools))
        return _of_response(answer)

    async def stream(self, model: str, tools: Sequence[str] = ()) -> Heard:
        async with self.client.responses.stream(model=model, input=HELLO, **_responses_tools(tools)) as stream:
            words: list[str] = []
            async for event in stream:
                if event.type == "response.output_text.delta":
                    words.append(event.delta)
                elif event.type == "response.failed":
                    # Here the client raises nothing by itself: this is how the dialect tells it.
                    assert event.response.error
                    raise ResponseFailed(event.response.error.message)
            heard = _of_response(await stream.get_final_response())
        assert "".join(words) == heard.text
        return heard

    async def give_back(self, model: str, tools: Sequence[str]) -> str:
        first = await self.client.responses.create(model=model, input=HELLO, **_responses_tools(tools))
        results: Any = [
            {"type": "function_call_output", "call_id": each.call_id, "output": "Sunny"}
            for each in first.output
            if each.type == "function_call"
        ]
        question: Any = [*HELLO, *first.output, *results]
        second = await self.client.responses.create(model=model, input=question, **_responses_tools(tools))
        return second.output_text

    async def structured(self, model: str) -> Greeting:
        answer = await self.client.responses.parse(model=model, input=HELLO, text_format=Greeting)
        assert answer.output_parsed
        return answer.output_parsed

    async def look(self, model: str) -> str:
        picture = {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"}
        question: Any = [{"role": "user", "content": [{"type": "input_text", "text": QUESTION}, picture]}]
        return (await self.client.responses.create(model=model, input=question)).output_text


class Anthropic:
    def __init__(self, url: str, token: str) -> None:
        self.client = AsyncAnthropic(base_url=f"{url}/ai/anthropic", api_key=token, _strict_response_validation=True)

    async def ask(self, model: str, tools: Sequence[str] = ()) -> Heard:
        answer = await self.client.messages.create(
            model=model, messages=HELLO, max_tokens=MOST_TOKENS, **_anthropic_tools(tools)
        )
        return _of_message(answer)

    async def stream(self, model: str, tools: Sequence[str] = ()) -> Heard:
        async with self.client.messages.stream(
            model=model, messages=HELLO, max_tokens=MOST_TOKENS, **_anthropic_tools(tools)
        ) as stream:
            words = [word async for word in stream.text_stream]
            heard = _of_message(await stream.get_final_message())
        assert "".join(words) == heard.text
        return heard

    async def give_back(self, model: str, tools: Sequence[str]) -> str:
        asked: Json = {"model": model, "max_tokens": MOST_TOKENS, **_anthropic_tools(tools)}
        first = await self.client.messages.create(messages=HELLO, **asked)
        results = [
            {"type": "tool_result", "tool_use_id": each.id, "content": "Sunny"}
            for each in first.content
            if each.type == "tool_use"
        ]
        turns: Any = [{"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
        return _of_message(await self.client.messages.create(messages=[*HELLO, *turns], **asked)).text

    async def structured(self, model: str) -> Greeting:
        answer = await self.client.messages.parse(
            model=model, messages=HELLO, max_tokens=MOST_TOKENS, output_format=Greeting
        )
        assert answer.parsed_output
        return answer.parsed_output

    async def look(self, model: str) -> str:
        picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
        messages: Any = [{"role": "user", "content": [picture, {"type": "text", "text": QUESTION}]}]
        return _of_message(
            await self.client.messages.create(model=model, messages=messages, max_tokens=MOST_TOKENS)
        ).text

    async def models(self) -> set[str]:
        return {each.id async for each in self.client.models.list()}


class Ollama:
    def __init__(self, url: str, token: str) -> None:
        self.client = ollama.AsyncClient(host=f"{url}/ai/ollama", headers={"authorization": f"Bearer {token}"})

    async def ask(self, model: str, tools: Sequence[str] = ()) -> Heard:
        return _of_lines([await self.client.chat(model=model, messages=HELLO, tools=_ollama_tools(tools))])

    async def stream(self, model: str, tools: Sequence[str] = ()) -> Heard:
        lines = await self.client.chat(model=model, messages=HELLO, tools=_ollama_tools(tools), stream=True)
        return _of_lines([each async for each in lines])

    async def give_back(self, model: str, tools: Sequence[str]) -> str:
        first = await self.client.chat(model=model, messages=HELLO, tools=_ollama_tools(tools))
        results = [
            {"role": "tool", "tool_name": each.function.name, "content": "Sunny"}
            for each in first.message.tool_calls or ()
        ]
        turns = [*HELLO, first.message, *results]
        return _of_lines([await self.client.chat(model=model, messages=turns, tools=_ollama_tools(tools))]).text

    async def structured(self, model: str) -> Greeting:
        answer = await self.client.chat(model=model, messages=HELLO, format=Greeting.model_json_schema())
        return Greeting.model_validate_json(answer.message.content or "")

    async def look(self, model: str) -> str:
        messages = [{"role": "user", "content": QUESTION, "images": [PNG]}]
        return (await self.client.chat(model=model, messages=messages)).message.content or ""

    async def models(self) -> set[str]:
        return {each.model or "" for each in (await self.client.list()).models}

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        made = await self.client.embed(model=model, input=texts)
        return [list(each) for each in made.embeddings]


CLIENTS = {"openai": OpenAI, "responses": Responses, "anthropic": Anthropic, "ollama": Ollama}


@asynccontextmanager
async def clients_of(url: str, token: str, *names: str) -> AsyncGenerator[dict[str, Any]]:
    async with AsyncExitStack() as stack:
        clients = {name: CLIENTS[name](url, token) for name in names or CLIENTS}
        for each in clients.values():
            stack.push_async_callback(each.client.close)
        yield clients


def _functions(calls: Any) -> list[Any]:
    return [each for each in calls or () if each.type == "function"]


def _openai_tools(names: Sequence[str]) -> Json:
    tools = [{"type": "function", "function": {"name": each, "parameters": SCHEMA}} for each in names]
    return {"tools": tools} if tools else {}


def _responses_tools(names: Sequence[str]) -> Json:
    tools = [{"type": "function", "name": each, "parameters": SCHEMA, "strict": False} for each in names]
    return {"tools": tools} if tools else {}


def _anthropic_tools(names: Sequence[str]) -> Json:
    return {"tools": [{"name": each, "input_schema": SCHEMA} for each in names]} if names else {}


def _ollama_tools(names: Sequence[str]) -> list[Json]:
    return [
        {"type": "function", "function": {"name": each, "description": each, "parameters": SCHEMA}} for each in names
    ]


def _of_response(answer: Any) -> Heard:
    calls = [each for each in answer.output if each.type == "function_call"]
    return Heard(
        answer.output_text,
        tuple((each.name, json.loads(each.arguments)) for each in calls),
        answer.status,
        (answer.usage.input_tokens, answer.usage.output_tokens),
    )


def _of_message(answer: Any) -> Heard:
    return Heard(
        "".join(each.text for each in answer.content if each.type == "text"),
        tuple((each.name, each.input) for each in answer.content if each.type == "tool_use"),
        answer.stop_reason,
        (answer.usage.input_tokens, answer.usage.output_tokens),
    )


def _of_lines(lines: Sequence[Any]) -> Heard:
    calls = [call for line in lines for call in line.message.tool_calls or ()]
    return Heard(
        "".join(line.message.content or "" for line in lines),
        tuple((each.function.name, dict(each.function.arguments)) for each in calls),
        lines[-1].done_reason,
        (lines[-1].prompt_eval_count, lines[-1].eval_count),
    )
