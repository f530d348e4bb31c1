"""Whatever dialect a client and a provider speak, the client gets the answer in its own."""

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

import pytest

from opencode.modules.ai.domain.dialects.anthropic.streams import Reader as AnthropicReader
from opencode.modules.ai.domain.dialects.canonical import Finished, TextDelta
from opencode.modules.ai.domain.dialects.ollama.answers import Reader as OllamaReader
from opencode.modules.ai.domain.dialects.openai_chat.streams import Reader as OpenAIReader
from opencode.modules.ai.domain.dialects.openai_responses.streams import Reader as ResponsesReader
from opencode.modules.ai.domain.dialects.streaming import StreamReader
from tests.modules.ai.gateway.conftest import (
    CHAT,
    EMBEDDINGS,
    HELLO,
    MESSAGES,
    OLLAMA_CHAT,
    OLLAMA_GENERATE,
    RESPONSES,
    Door,
    three,
)
from tests.modules.ai.upstreams import MockUpstream

Json = dict[str, Any]
SAID = "Hello, world."
CLIENTS: dict[str, tuple[str, Json, Callable[[str], StreamReader]]] = {
    "chat": (CHAT, HELLO, OpenAIReader),
    "responses": (RESPONSES, {"input": "Say hello"}, ResponsesReader),
    "messages": (MESSAGES, {**HELLO, "max_tokens": 100}, AnthropicReader),
    "ollama chat": (OLLAMA_CHAT, HELLO, OllamaReader),
    "ollama generate": (OLLAMA_GENERATE, {"prompt": "Say hello"}, OllamaReader),
}
PROVIDERS = ("openai", "anthropic", "ollama")


def text_of(client: str, answer: Json) -> str:
    match client:
        case "chat":
            return answer["choices"][0]["message"]["content"]
        case "responses":
            return answer["output"][0]["content"][0]["text"]
        case "messages":
            return answer["content"][0]["text"]
        case "ollama chat":
            return answer["message"]["content"]
        case _:
            return answer["response"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("spoken", PROVIDERS)
async def test_a_client_of_any_dialect_is_answered_by_a_provider_of_any(door: Door, client: str, spoken: str) -> None:
    path, body, _ = CLIENTS[client]
    answer = await door.post(path, model=f"{spoken}/small", stream=False, **body)
    assert answer.status_code == 200, answer.text
    assert text_of(client, answer.json()) == SAID
    assert answer.headers["x-opencode-model"] == f"{spoken}/small"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("spoken", PROVIDERS)
async def test_a_client_of_any_dialect_gets_a_stream_of_a_provider_of_any(door: Door, client: str, spoken: str) -> None:
    path, body, reader_of = CLIENTS[client]
    answer = await door.post(path, model=f"{spoken}/small", stream=True, **body)
    assert answer.status_code == 200, answer.text
    is_lines = client.startswith("ollama")
    assert answer.headers["content-type"] == ("application/x-ndjson" if is_lines else "text/event-stream")
    reader = reader_of("seed")
    events = [*reader.feed(answer.content), *reader.end()]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == SAID
    assert isinstance(events[-1], Finished)


async def test_between_one_dialect_a_stream_is_handed_on_byte_for_byte(door: Door, upstream: MockUpstream) -> None:
    body: Json = {**HELLO, "stream": True, "stream_options": {"include_usage": True}, "an_unknown_field": [1, "é"]}
    through = await door.post(CHAT, model="openai/small", **body)
    straight = await door.client.post(f"{upstream.openai_url}/chat/completions", json={**body, "model": "small"})
    assert through.content == straight.content
    assert upstream.seen[-2].body == upstream.seen[-1].body


async def test_a_client_that_wants_no_usage_gets_none_though_it_is_asked_for(
    door: Door, upstream: MockUpstream
) -> None:
    answer = await door.chat("openai/small", stream=True)
    assert upstream.seen[-1].body["stream_options"] == {"include_usage": True}
    assert b'"prompt_tokens"' not in answer.content
    assert answer.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("spoken", ["openai", "ollama"])
async def test_texts_become_vectors(door: Door, spoken: str) -> None:
    answer = await door.post(EMBEDDINGS, model=f"{spoken}/small", input=["a", "b"])
    assert answer.status_code == 200, answer.text
    assert [each["embedding"] for each in answer.json()["data"]] == [[0.5, -0.25]] * 2


async def test_a_provider_without_embeddings_says_so(door: Door) -> None:
    answer = await door.post(EMBEDDINGS, model="anthropic/small", input="a")
    assert answer.status_code == 400
    assert "has no embeddings" in answer.json()["error"]["message"]


async def test_models_are_listed_as_each_dialect_lists_them(door: Door) -> None:
    openai = (await door.client.get("/ai/v1/models")).json()
    assert {"openai/small", "ollama/large"} <= {each["id"] for each in openai["data"]}
    anthropic = (await door.client.get("/ai/v1/models", headers={"anthropic-version": "2023-06-01"})).json()
    assert anthropic["data"][0]["type"] == "model"
    ollama = (await door.client.get("/ai/ollama/api/tags")).json()
    assert {each["name"] for each in ollama["models"]} == {each["id"] for each in openai["data"]}
    one = await door.client.get("/ai/v1/models/openai/small")
    assert one.json()["id"] == "openai/small"
    shown = await door.post("/ai/ollama/api/show", model="ollama/small")
    assert shown.json()["capabilities"]
    assert (await door.client.get("/ai/ollama/api/version")).json()["version"]


async def test_an_object_in_python_answers_in_place_of_a_server(door: Door) -> None:
    echo = {"type": "custom", "entry_point": "tests.modules.ai.echo:Parrot", "models": ["parrot"]}
    await door.configured(providers={"cage": echo})
    whole = await door.chat("cage/parrot")
    assert whole.json()["choices"][0]["message"]["content"] == "Say hello"
    streamed = await door.post(OLLAMA_CHAT, model="cage/parrot", **HELLO)
    words = [json.loads(line)["message"]["content"] for line in streamed.text.splitlines()]
    assert "".join(words) == "Say hello"


def in_python(name: str, **more: Any) -> Json:
    return {"type": "custom", "entry_point": f"tests.modules.ai.echo:{name}", "models": ["m"], **more}


async def test_an_object_in_python_makes_vectors_for_clients_of_each_dialect(door: Door) -> None:
    await door.configured(providers={"own": in_python("Ruler")})
    openai = await door.post(EMBEDDINGS, model="own/m", input=["a", "abc"])
    assert [each["embedding"] for each in openai.json()["data"]] == [[1, 0.5], [3, 0.5]]
    packed = await door.post(EMBEDDINGS, model="own/m", input="abc", encoding_format="base64")
    assert packed.json()["data"][0]["embedding"] == base64.b64encode(struct.pack("<2f", 3, 0.5)).decode()
    ollama = await door.post("/ai/ollama/api/embed", model="own/m", input=["abc"])
    assert ollama.json()["embeddings"] == [[3, 0.5]]


async def test_who_asks_an_object_in_python_for_what_it_cannot_do_is_told_what_it_lacks(door: Door) -> None:
    await door.configured(providers={"cage": in_python("Parrot"), "own": in_python("Ruler")})
    for path in (EMBEDDINGS, "/ai/ollama/api/embed"):
        answer = await door.post(path, model="cage/m", input=["a"])
        assert answer.status_code == 400
        assert "The provider cage makes no vectors: its Python object has no `async def embed" in answer.text
    answer = await door.chat("own/m")
    assert answer.status_code == 400
    assert "The provider own has no conversations" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("Broken", 502, "it raised AttributeError"),
        ("Forgetful", 502, "it has 1 vectors for 2 texts"),
        ("Slow", 504, "took too long"),
    ],
)
async def test_an_object_in_python_that_makes_no_good_vectors_has_failed(
    door: Door, name: str, status: int, words: str
) -> None:
    once: Json = {"retries": {"attempts": 1}, "timeouts": {"first_byte_s": 0.2}}
    await door.configured(providers={"own": in_python(name, **once)})
    answer = await door.post(EMBEDDINGS, model="own/m", input=["a", "b"])
    assert (answer.status_code, words in answer.json()["error"]["message"]) == (status, True), answer.text


async def test_an_administrator_has_an_ollama_server_fetch_and_delete_a_model(
    door: Door, upstream: MockUpstream
) -> None:
    boss = {"authorization": f"Bearer {door.ai.administrator().token}"}
    told = await door.post("/ai/ollama/api/pull", boss, model="ollama/third")
    assert [json.loads(line)["status"] for line in told.text.splitlines()][-1] == "success"
    assert "third" in upstream.models
    last = await door.post("/ai/ollama/api/pull", boss, model="ollama/fourth", stream=False)
    assert last.json() == {"status": "success"}
    gone = await door.client.request("DELETE", "/ai/ollama/api/delete", json={"model": "ollama/third"}, headers=boss)
    assert (gone.status_code, "third" in upstream.models) == (200, False)
    for name, status in (("openai/small", 400), ("third", 400)):
        assert (await door.post("/ai/ollama/api/pull", boss, model=name)).status_code == status
    assert (await door.post("/ai/ollama/api/pull", model="ollama/third")).status_code == 403


async def test_personal_data_stays_in_the_house_where_that_is_wished_for(door: Door, upstream: MockUpstream) -> None:
    await door.configured(providers=three(upstream), redaction={"email_addresses": True})
    asked: Json = {"model": "openai/small", "messages": [{"role": "user", "content": "I am ada@example.org"}]}
    assert (await door.post(CHAT, **asked)).status_code == 200
    assert upstream.seen[-1].body["messages"][0]["content"] == "I am [email]"


async def test_anthropics_clients_learn_about_how_many_tokens_a_request_has(door: Door) -> None:
    short, long = [
        await door.post(f"{MESSAGES}/count_tokens", model="openai/small", messages=[{"role": "user", "content": text}])
        for text in ("Hi", "Hi there " * 1_000)
    ]
    assert 0 < short.json()["input_tokens"] < 100
    assert 2_000 < long.json()["input_tokens"] < 9_000
    assert (await door.post(f"{MESSAGES}/count_tokens", model="openai/none", messages=[])).status_code == 404
