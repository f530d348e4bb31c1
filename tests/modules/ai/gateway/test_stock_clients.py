"""Clients as people install them work with every provider once they are told another address, and nothing else."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from typing import Any

import anthropic
import ollama
import openai
import pytest

from tests.modules.ai.gateway.conftest import PATIENCE_S, Door, Json, provider, three
from tests.modules.ai.gateway.stock_clients import CLIENTS, PNG, Greeting, ResponseFailed, StockClient, clients_of
from tests.modules.ai.saying import INPUT_TOKENS, WORDS
from tests.modules.ai.upstreams import MockUpstream, Mode

PROVIDERS = ("openai", "anthropic", "ollama")
SAID = "".join(WORDS)
TOOLS = ("weather", "traffic")
CALLS = tuple((name, {"city": "Oslo"}) for name in TOOLS)
STOPPED = {"openai": "stop", "responses": "completed", "anthropic": "end_turn", "ollama": "stop"}
CALLED = {"openai": "tool_calls", "responses": "completed", "anthropic": "tool_use", "ollama": "stop"}
QUICK = {"retries": {"attempts": 2, "first_wait_s": 0.01}}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "ollama": "/api/chat"}


@pytest.fixture(params=CLIENTS)
def named(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def client(door: Door, named: str) -> AsyncGenerator[Any]:
    async with clients_of(door.url, door.token, named) as clients:
        yield clients[named]


async def test_words_come_whole_and_as_a_stream(client: StockClient, named: str) -> None:
    for spoken in PROVIDERS:
        for heard in (await client.ask(f"{spoken}/small"), await client.stream(f"{spoken}/small")):
            assert (spoken, heard.text, heard.calls, heard.finish) == (spoken, SAID, (), STOPPED[named])
            assert (spoken, heard.tokens) == (spoken, (INPUT_TOKENS, len(WORDS)))


async def test_several_tools_are_called_at_once_and_their_results_are_answered(client: StockClient, named: str) -> None:
    for spoken in PROVIDERS:
        for heard in (await client.ask(f"{spoken}/small", TOOLS), await client.stream(f"{spoken}/small", TOOLS)):
            assert (spoken, heard.calls, heard.finish) == (spoken, CALLS, CALLED[named])
        assert (spoken, await client.give_back(f"{spoken}/small", TOOLS[:1])) == (spoken, SAID)
        assert (spoken, await client.give_back(f"{spoken}/small", TOOLS)) == (spoken, SAID)


async def test_an_answer_has_the_shape_that_was_asked_for(client: StockClient, upstream: MockUpstream) -> None:
    places = {
        "openai": ("response_format", "json_schema", "schema"),
        "anthropic": ("output_config", "format", "schema"),
        "ollama": ("format",),
    }
    for spoken, place in places.items():
        assert (spoken, await client.structured(f"{spoken}/small")) == (spoken, Greeting(greeting="Hello"))
        schema = upstream.seen[-1].body
        for key in place:
            schema = schema[key]
        assert list(schema["properties"]) == ["greeting"]


async def test_a_picture_reaches_every_provider(client: StockClient, upstream: MockUpstream) -> None:
    for spoken in PROVIDERS:
        assert (spoken, await client.look(f"{spoken}/small")) == (spoken, SAID)
        assert (spoken, base64.b64decode(shown(upstream.seen[-1].body["messages"][0]))) == (
            spoken,
            base64.b64decode(PNG),
        )


def shown(message: Json) -> str:
    """The picture in a message of any dialect."""
    if "images" in message:
        return message["images"][0]
    picture = next(each for each in message["content"] if each["type"] != "text")
    if picture["type"] == "image":
        return picture["source"]["data"]
    return picture["image_url"]["url"].removeprefix("data:image/png;base64,")


async def test_models_are_listed(client: StockClient) -> None:
    assert {f"{spoken}/small" for spoken in PROVIDERS} <= await client.models()


async def test_texts_become_vectors(door: Door) -> None:
    async with clients_of(door.url, door.token, "openai", "ollama") as clients:
        for spoken in ("openai", "ollama"):
            for client in clients.values():
                assert (spoken, await client.embed(f"{spoken}/small", ["a", "b"])) == (spoken, [[0.5, -0.25]] * 2)


async def test_a_stream_that_breaks_off_raises(client: StockClient, upstream: MockUpstream) -> None:
    upstream.mode = Mode.CUTS
    failures = (openai.APIError, anthropic.APIError, ollama.ResponseError, ResponseFailed)
    for spoken in PROVIDERS:
        with pytest.raises(failures, match="broke off"):
            await client.stream(f"{spoken}/small")


async def test_clients_do_not_multiply_our_retries(
    door: Door, client: StockClient, named: str, upstream: MockUpstream
) -> None:
    await door.configured(providers={each: provider(upstream, each, **QUICK) for each in PROVIDERS})
    upstream.mode = Mode.FAILS
    failures = (openai.InternalServerError, anthropic.InternalServerError, ollama.ResponseError)
    for spoken in PROVIDERS:
        with pytest.raises(failures):
            await client.ask(f"{spoken}/small")
        assert (spoken, upstream.count(PATHS[spoken])) == (spoken, 2)


async def test_a_client_that_leaves_takes_the_call_to_the_provider_along(
    client: StockClient, upstream: MockUpstream
) -> None:
    waiting = asyncio.Event()

    async def hold() -> None:
        waiting.set()
        await asyncio.Event().wait()

    upstream.pause = hold
    call = asyncio.create_task(client.stream("openai/small"))
    async with asyncio.timeout(PATIENCE_S):
        await waiting.wait()
        call.cancel()
        await upstream.left.wait()


async def test_every_failure_is_of_the_class_that_clients_know_it_by(door: Door, upstream: MockUpstream) -> None:
    async with (
        clients_of(door.url, door.token, "openai", "anthropic") as clients,
        clients_of(door.url, "nobody", "openai", "anthropic") as strangers,
        clients_of(door.url, door.ai.member("projects:read").token or "", "openai", "anthropic") as others,
    ):
        for name, errors in {"openai": openai, "anthropic": anthropic}.items():
            client = clients[name]
            with pytest.raises(errors.NotFoundError, match="openai/small"):
                await client.ask("openai/smal")
            with pytest.raises(errors.AuthenticationError):
                await strangers[name].ask("openai/small")
            with pytest.raises(errors.PermissionDeniedError):
                await others[name].ask("openai/small")
            with pytest.raises(errors.BadRequestError):
                await client.client.post("/v1/messages" if name == "anthropic" else "/chat/completions", cast_to=object)
        assert upstream.count(PATHS["openai"]) == 0
        await door.configured(providers=three(upstream), limits={"tokens_per_minute": 100})
        for name, errors in {"openai": openai, "anthropic": anthropic}.items():
            with pytest.raises(errors.APIStatusError) as told:
                await clients[name].ask("openai/small")
            assert told.value.status_code == 413
        await door.configured(providers=three(upstream), limits={"requests_per_minute": 1})
        await clients["openai"].ask("openai/large")
        for name, errors in {"openai": openai, "anthropic": anthropic}.items():
            clients[name].client.max_retries = 0
            with pytest.raises(errors.RateLimitError):
                await clients[name].ask("openai/large")


async def test_ollamas_client_reads_every_failure(door: Door, upstream: MockUpstream) -> None:
    async with clients_of(door.url, door.token, "ollama") as clients:
        with pytest.raises(ollama.ResponseError, match="openai/small") as missing:
            await clients["ollama"].ask("openai/smal")
        assert missing.value.status_code == 404
        upstream.mode = Mode.FAILS
        with pytest.raises(ollama.ResponseError, match="it broke") as failed:
            await clients["ollama"].ask("ollama/small")
        assert failed.value.status_code == 502
