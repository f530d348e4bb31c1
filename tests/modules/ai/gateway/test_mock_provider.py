"""Who has no model tries the gateway with `ocp ai mock`."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from opencode.app.ai import MOCK_PORT
from opencode.infra.plugs import Parts
from opencode.modules.ai.domain.dialects.canonical import Finished, FinishReason, TextDelta
from opencode.modules.ai.domain.dialects.streaming import StreamReader
from opencode.modules.ai.service.configuring import load
from tests.modules.ai.conftest import PROVIDERS as ADMINISTERED
from tests.modules.ai.conftest import places_of
from tests.modules.ai.gateway.conftest import CHAT, HELLO, MESSAGES, PATIENCE_S, Door, Json, open_door
from tests.modules.ai.gateway.test_answers import CLIENTS, PROVIDERS, text_of

ROOT = Path(__file__).parents[4]
SAMPLE = ROOT / "docs" / "examples" / "opencode.json"
REPEATED = "You said: Say hello"


@asynccontextmanager
async def mock_provider() -> AsyncGenerator[str]:
    """Its address; at the end it has stopped when told to, with status 0."""
    words = ("-c", "from opencode.app.cli import main; main()", "ai", "mock", "--port", "0", "--pause-ms", "0")
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout
        async with asyncio.timeout(PATIENCE_S):
            ready = (await process.stdout.readline()).decode()
        yield ready.split()[1].removesuffix("/v1")
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            status = await process.wait()
    assert status == 0


@pytest.fixture
async def door(parts: Parts, folder: Path) -> AsyncGenerator[Door]:
    async with mock_provider() as address:
        providers: Json = {
            spoken: {"type": "custom", "base_url": url, "dialect": spoken, "discover": True}
            for spoken, url in {"openai": f"{address}/v1", "anthropic": address, "ollama": address}.items()
        }
        async with open_door(parts, folder, providers=providers) as door:
            yield door


async def test_the_mock_repeats_what_it_is_told_in_every_dialect_and_stops_when_told_to(door: Door) -> None:
    for client, (path, body, reader_class) in CLIENTS.items():
        for spoken in PROVIDERS:
            answer = await door.post(path, model=f"{spoken}/parrot", stream=False, **body)
            assert answer.status_code == 200, answer.text
            assert text_of(client, answer.json()).endswith(REPEATED)
            answer = await door.post(path, model=f"{spoken}/parrot", stream=True, **body)
            reader_of: Any = reader_class
            reader: StreamReader = reader_of("seed")
            events = [*reader.feed(answer.content), *reader.end()]
            words = [event.text for event in events if isinstance(event, TextDelta)]
            assert len(words) > 1
            assert "".join(words).endswith(REPEATED)
            assert isinstance(events[-1], Finished)
            assert events[-1].reason is FinishReason.STOP
    shortened = (await door.post(MESSAGES, model="openai/parrot", max_tokens=2, **HELLO)).json()
    assert (shortened["stop_reason"], shortened["usage"]) == ("max_tokens", shortened["usage"] | {"output_tokens": 2})
    any_json: Json = {"response_format": {"type": "json_object"}}
    shaped = (await door.post(CHAT, model="ollama/parrot", **HELLO, **any_json)).json()
    assert json.loads(shaped["choices"][0]["message"]["content"]) == {"you_said": "Say hello"}
    schema = {"type": "object", "properties": {"title": {"type": "string"}, "words": {"type": "array"}, "n": {}}}
    wanted: Json = {"response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}}
    shaped = (await door.post(CHAT, model="openai/parrot", **HELLO, **wanted)).json()
    filled = {"title": "Say hello", "words": ["say", "hello"]}
    assert json.loads(shaped["choices"][0]["message"]["content"]) == filled
    administrator = door.ai.administrator()
    for spoken in PROVIDERS:
        tested = (await administrator.call("POST", f"{ADMINISTERED}/{spoken}/test")).json()
        assert (tested["state"], tested["name"]) == ("healthy", spoken)
    listed = {each["id"].removesuffix(":latest") for each in (await door.client.get("/ai/v1/models")).json()["data"]}
    assert listed == {f"{spoken}/parrot" for spoken in PROVIDERS}


def test_the_sample_names_the_mock_where_it_is(folder: Path) -> None:
    (folder / "opencode.json").write_text(SAMPLE.read_text())
    configuration = load(places_of(folder)).checked.configuration
    assert configuration
    assert configuration.providers["mock"].base_url == f"http://127.0.0.1:{MOCK_PORT}/v1"
    named = [each if isinstance(each, str) else each.name for each in configuration.providers["mock"].models]
    assert named == ["parrot"]
