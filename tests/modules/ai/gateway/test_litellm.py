"""LiteLLM, as people use it to speak to many providers, speaks to us in three dialects."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.installing import python_packages
from tests.clients.piped import ClientFailed, PipedClients, speaking_to
from tests.modules.ai.gateway.conftest import Door
from tests.modules.ai.saying import WORDS
from tests.modules.ai.upstreams import MockUpstream, Mode
from tests.scenarios.processes import ROOT

pytestmark = pytest.mark.soak

# What it calls a dialect, and where we speak it.
DIALECTS = {"openai": "/ai/v1", "anthropic": "/ai/anthropic", "ollama_chat": "/ai/ollama"}
PROVIDERS = ("openai", "anthropic", "ollama")
SAID = "".join(WORDS)
TOOLS = ["weather", "traffic"]
CALLS = [[name, {"city": "Oslo"}] for name in TOOLS]
# Otherwise it fetches prices from the internet when it starts.
AT_HOME = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "127.0.0.1"}


@pytest.fixture
async def litellm(tmp_path: Path) -> AsyncGenerator[PipedClients]:
    """The release that benchmarks measure us against, in an environment of 600 MB of its own."""
    shutil.copyfile(ROOT / "benchmarks/ai/peers/requirements.lock", tmp_path / "requirements.lock")
    python = await python_packages(tmp_path) / "python"
    with speaking_to(python, Path(__file__).parent / "litellm_client.py", environment=AT_HOME) as litellm:
        yield litellm


async def test_litellm_speaks_to_every_provider_in_every_dialect(
    door: Door, upstream: MockUpstream, litellm: PipedClients
) -> None:
    async def ask(model: str, tools: list[str], *, stream: bool, token: str = door.token) -> Any:
        address = door.url + DIALECTS[model.partition("/")[0]]
        return await litellm.call("ask", model=model, api_base=address, api_key=token, tools=tools, stream=stream)

    for dialect in DIALECTS:
        for spoken in PROVIDERS:
            for stream in (False, True):
                case, model = (dialect, spoken, stream), f"{dialect}/{spoken}/small"
                heard = await ask(model, [], stream=stream)
                assert (case, heard) == (case, {"text": SAID, "calls": [], "finish": "stop"})
                heard = await ask(model, TOOLS, stream=stream)
                assert (case, heard["calls"], heard["finish"]) == (case, CALLS, "tool_calls")
        with pytest.raises(ClientFailed, match="Did you mean openai/small") as missing:
            await ask(f"{dialect}/openai/smal", [], stream=False)
        assert (dialect, missing.value.name, missing.value.status) == (dialect, "NotFoundError", 404)
        with pytest.raises(ClientFailed) as stranger:
            await ask(f"{dialect}/openai/small", [], stream=False, token="nobody")
        assert (dialect, stranger.value.name, stranger.value.status) == (dialect, "AuthenticationError", 401)
        upstream.mode = Mode.CUTS
        # Its class is another in each dialect, and of no use; that it is none of a clean end is what counts.
        with pytest.raises(ClientFailed, match="broke off"):
            await ask(f"{dialect}/openai/small", [], stream=True)
        upstream.mode = Mode.FINE
