"""A real model answers through the gateway, in every dialect, to clients as people install them."""

from pathlib import Path

import pytest

from opencode.infra.plugs import Parts
from tests.clients.piped import PipedClients
from tests.modules.ai.gateway.conftest import open_door
from tests.modules.ai.gateway.javascript_clients import JavaScriptClient
from tests.modules.ai.gateway.small_model import MODEL, small_model
from tests.modules.ai.gateway.stock_clients import CLIENTS, Greeting, clients_of

# llama.cpp speaks both by itself.
PATHS = {"openai": "/v1", "anthropic": ""}


@pytest.mark.soak
async def test_a_real_small_model_says_the_same_to_everybody_whole_and_as_a_stream(
    parts: Parts, folder: Path, tmp_path: Path, node: PipedClients
) -> None:
    said: dict[str, str] = {}
    greetings: dict[str, Greeting] = {}
    async with small_model(tmp_path) as url:
        providers = {
            spoken: {"type": "custom", "base_url": url + path, "dialect": spoken, "models": [MODEL]}
            for spoken, path in PATHS.items()
        }
        async with open_door(parts, folder, providers=providers) as door, clients_of(door.url, door.token) as clients:
            in_node = {f"{each} in Node": JavaScriptClient(node, each, door.url, door.token) for each in CLIENTS}
            for name, client in (clients | in_node).items():
                for spoken in PATHS:
                    whole, streamed = await client.ask(f"{spoken}/{MODEL}"), await client.stream(f"{spoken}/{MODEL}")
                    assert (name, spoken, whole) == (name, spoken, streamed)
                    assert min(whole.tokens) > 0
                    said[f"{name} of {spoken}"] = whole.text
                # Its Anthropic half knows nothing of shapes.
                greetings[name] = await client.structured(f"openai/{MODEL}")
    assert len(set(said.values())) == 1, said
    assert said.popitem()[1]
    assert len({each.greeting for each in greetings.values()}) == 1, greetings
