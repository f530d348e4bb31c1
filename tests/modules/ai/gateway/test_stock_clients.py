"""Clients as people install them, in Python and in JavaScript, work with every provider once they call us instead."""

import asyncio
import base64
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import anthropic
import ollama
import openai
import pytest

from tests.clients.piped import ClientFailed, PipedClients
from tests.modules.ai.gateway.conftest import PATIENCE_S, Door, Json, provider, three
from tests.modules.ai.gateway.javascript_clients import JavaScriptClient
from tests.modules.ai.gateway.stock_clients import CLIENTS, PNG, Greeting, ResponseFailed, StockClient, clients_of
from tests.modules.ai.saying import INPUT_TOKENS, WORDS
from tests.modules.ai.upstreams import MockUpstream, Mode

PROVIDERS = ("openai", "anthropic", "ollama")
SAID = "".join(WORDS)
TOOLS = ("weather", "traffic")
CALLS = tuple((name, {"city": "Oslo"}) for name in TOOLS)
STOPPED = {"openai": "stop", "responses": "completed", "anthropic": "end_turn", "ollama": "stop"}
CALLED = {"openai": "tool_calls", "responses": "completed", "anthropic": "tool_use", "ollama": "stop"}
Told = tuple[str, int | None, str | None, str | None]
QUICK = {"retries": {"attempts": 2, "first_wait_s": 0.01}}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "ollama": "/api/chat"}


@pytest.fixture(params=CLIENTS)
def named(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["python", "javascript"])
async def client(request: pytest.FixtureRequest, door: Door, named: str) -> AsyncGenerator[Any]:
    if request.param == "javascript":
        yield JavaScriptClient(request.getfixturevalue("node"), named, door.url, door.token)
    else:
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


async def test_texts_become_vectors(door: Door, node: PipedClients) -> None:
    async with clients_of(door.url, door.token, "openai", "ollama") as clients:
        scripted = [JavaScriptClient(node, each, door.url, door.token) for each in clients]
        for spoken in ("openai", "ollama"):
            for client in (*clients.values(), *scripted):
                assert (spoken, await client.embed(f"{spoken}/small", ["a", "b"])) == (spoken, [[0.5, -0.25]] * 2)


async def test_a_stream_that_breaks_off_raises(client: StockClient, upstream: MockUpstream) -> None:
    upstream.mode = Mode.CUTS
    failures = (openai.APIError, anthropic.APIError, ollama.ResponseError, ResponseFailed, ClientFailed)
    for spoken in PROVIDERS:
        with pytest.raises(failures, match="broke off"):
            await client.stream(f"{spoken}/small")
        if isinstance(client, JavaScriptClient):  # taken piece by piece, nothing else would notice
            with pytest.raises(ClientFailed, match="broke off"):
                await client.iterate(f"{spoken}/small")


async def test_clients_do_not_multiply_our_retries(
    door: Door, client: StockClient, named: str, upstream: MockUpstream
) -> None:
    await door.configured(providers={each: provider(upstream, each, **QUICK) for each in PROVIDERS})
    upstream.mode = Mode.FAILS
    failures = (openai.InternalServerError, anthropic.InternalServerError, ollama.ResponseError, ClientFailed)
    for spoken in PROVIDERS:
        with pytest.raises(failures):
            await client.ask(f"{spoken}/small")
        assert (spoken, upstream.count(PATHS[spoken])) == (spoken, 2)


async def test_a_client_that_leaves_takes_the_call_to_the_provider_along(
    client: StockClient, upstream: MockUpstream
) -> None:
    for words in (0, 2):
        came, upstream.pause = holding_after(words)
        call = asyncio.create_task(client.stream("openai/small"))
        async with asyncio.timeout(PATIENCE_S):
            await came.wait()
            call.cancel()
            await upstream.left.wait()
        upstream.left.clear()
    upstream.mode = Mode.HANGS
    upstream.arrived.clear()
    call = asyncio.create_task(client.ask("openai/small"))
    async with asyncio.timeout(PATIENCE_S):
        await upstream.arrived.wait()
        call.cancel()
        await upstream.left.wait()


def holding_after(pieces: int) -> tuple[asyncio.Event, Callable[[], Awaitable[None]]]:
    """A pause of the provider for ever, but only once so many pieces of its stream are out; the event says that."""
    came, out = asyncio.Event(), itertools.count()

    async def hold() -> None:
        if next(out) >= pieces:
            came.set()
            await asyncio.Event().wait()

    return came, hold


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


async def test_clients_know_the_id_of_a_request_that_they_can_show_the_operator(door: Door) -> None:
    async with clients_of(door.url, door.token, "openai", "anthropic") as clients:
        for name, errors in {"openai": openai, "anthropic": anthropic}.items():
            with pytest.raises(errors.NotFoundError) as missing:
                await clients[name].ask("openai/smal")
            assert (name, str(missing.value.request_id)[:4]) == (name, "req_")
        async with clients["anthropic"].client.messages.stream(
            model="openai/small", messages=[{"role": "user", "content": "Say hello"}], max_tokens=10
        ) as stream:
            assert stream.request_id == stream.response.headers["x-request-id"]


async def test_ollamas_client_reads_every_failure(door: Door, upstream: MockUpstream) -> None:
    async with clients_of(door.url, door.token, "ollama") as clients:
        with pytest.raises(ollama.ResponseError, match="openai/small") as missing:
            await clients["ollama"].ask("openai/smal")
        assert missing.value.status_code == 404
        upstream.mode = Mode.FAILS
        with pytest.raises(ollama.ResponseError, match="it broke") as failed:
            await clients["ollama"].ask("ollama/small")
        assert failed.value.status_code == 502


# What `ask` may write at most, in the words of every dialect; each of them reads its own.
BRIEFLY: Json = {"max_tokens": 10, "max_output_tokens": 10, "options": {"num_predict": 10}}
_OPENAI: dict[str, Told] = {
    "no token": ("AuthenticationError", 401, "invalid_request_error", "invalid_api_key"),
    "no right": ("PermissionDeniedError", 403, "permission_error", "permission_denied"),
    "no model": ("NotFoundError", 404, "invalid_request_error", "model_not_found"),
    "no request": ("BadRequestError", 400, "invalid_request_error", None),
    "hangs": ("InternalServerError", 504, "server_error", "timeout"),
    "fails": ("InternalServerError", 502, "server_error", "upstream_failed"),
    "left alone": ("InternalServerError", 503, "server_error", "overloaded"),
    "busy": ("RateLimitError", 429, "rate_limit_error", "rate_limit_exceeded"),
    "too large": ("APIError", 413, "invalid_request_error", "request_too_large"),
    "too many": ("RateLimitError", 429, "rate_limit_error", "rate_limit_exceeded"),
    "spent": ("RateLimitError", 429, "insufficient_quota", "insufficient_quota"),
}
FAILURES: dict[str, Mapping[str, Told]] = {
    "openai": _OPENAI,
    "responses": _OPENAI,
    "anthropic": {
        "no token": ("AuthenticationError", 401, "authentication_error", None),
        "no right": ("PermissionDeniedError", 403, "permission_error", None),
        "no model": ("NotFoundError", 404, "not_found_error", None),
        "no request": ("BadRequestError", 400, "invalid_request_error", None),
        "hangs": ("GatewayTimeoutError", 504, "timeout_error", None),
        "fails": ("InternalServerError", 500, "api_error", None),
        "left alone": ("OverloadedError", 529, "overloaded_error", None),
        "busy": ("RateLimitError", 429, "rate_limit_error", None),
        "too large": ("ContentTooLargeError", 413, "request_too_large", None),
        "too many": ("RateLimitError", 429, "rate_limit_error", None),
        "spent": ("PaymentRequiredError", 402, "billing_error", None),
    },
    # This client has one class for all, and types are not said in its dialect.
    "ollama": {cause: ("ResponseError", status, None, None) for cause, (_, status, _, _) in _OPENAI.items()}
    | {"spent": ("ResponseError", 402, None, None)},
}


async def test_javascripts_errors_have_the_class_status_and_type_of_the_failure(
    door: Door, upstream: MockUpstream, node: PipedClients, named: str
) -> None:
    def client_of(token: str | None) -> JavaScriptClient:
        return JavaScriptClient(node, named, door.url, token or "", most_retries=0)

    async def told(by: JavaScriptClient, model: Any = "openai/small", **more: Any) -> Told:
        with pytest.raises(ClientFailed) as failed:
            await by.ask(model, **more)
        return failed.value.name, failed.value.status, failed.value.kind, failed.value.code

    client = client_of(door.token)
    heard = {
        "no token": await told(client_of("nobody")),
        "no right": await told(client_of(door.ai.member("projects:read").token)),
        "no model": await told(client, "openai/smal"),
        "no request": await told(client, 7),
    }
    assert upstream.seen == []
    once: Json = {"retries": {"attempts": 1}, "timeouts": {"first_byte_s": 0.05}, "breaker": {"failures": 2}}
    await door.configured(providers={each: provider(upstream, **once) for each in ("openai", "other")})
    for cause, mode in {"hangs": Mode.HANGS, "fails": Mode.FAILS, "left alone": Mode.FINE}.items():
        upstream.mode = mode
        heard[cause] = await told(client)
    upstream.mode = Mode.BUSY
    heard["busy"] = await told(client, "other/small")
    upstream.mode = Mode.FINE
    await door.configured(providers=three(upstream), limits={"tokens_per_minute": 9})
    heard["too large"] = await told(client)
    await door.configured(providers=three(upstream), limits={"requests_per_minute": 1})
    await client.ask("ollama/small")
    heard["too many"] = await told(client, "ollama/small")
    # Each call may take some 70 millionths of a dollar, and takes 13 of them.
    await door.configured(providers=three(upstream), limits={"budget": {"amount_usd": 0.000_075, "period": "day"}})
    await client.ask("ollama/small", **BRIEFLY)
    heard["spent"] = await told(client, "ollama/small", **BRIEFLY)
    assert heard == FAILURES[named]
