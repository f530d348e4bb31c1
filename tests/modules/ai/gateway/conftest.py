"""The gateway behind the product's door, on a free port, with providers on loopback."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from opencode.app.http import front_door
from opencode.infra.http.protocol import http_protocol
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock, SystemClock
from opencode.modules.ai.settings import AiSettings
from tests.doubles.identity import IdentityInMemory
from tests.http import application
from tests.modules.ai.conftest import Ai, running_ai, write
from tests.modules.ai.upstreams import MockUpstream
from tests.servers import serving

Json = dict[str, Any]
PATIENCE_S = 20.0
HELLO: Json = {"messages": [{"role": "user", "content": "Say hello"}]}
CHAT, RESPONSES, EMBEDDINGS = "/ai/v1/chat/completions", "/ai/v1/responses", "/ai/v1/embeddings"
MESSAGES = "/ai/anthropic/v1/messages"
OLLAMA_CHAT, OLLAMA_GENERATE = "/ai/ollama/api/chat", "/ai/ollama/api/generate"


@dataclass(slots=True)
class Door:
    """The gateway as clients see it; `client` shows Ada's token."""

    ai: Ai
    port: int
    token: str
    client: httpx.AsyncClient

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def post(self, path: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        return await self.client.post(path, json=body, headers=headers)

    async def chat(self, model: str, **more: Any) -> httpx.Response:
        return await self.post(CHAT, model=model, **HELLO, **more)

    async def configured(self, **configuration: Any) -> None:
        """Put a configuration in force."""
        self.ai.write(**configuration)
        await self.ai.module.live.reload()


def provider(upstream: MockUpstream, dialect: str = "openai", **more: Any) -> Json:
    """A provider that is the mock, with models of known prices."""
    url = upstream.openai_url if dialect == "openai" else upstream.root
    models = [{"name": "small", "price": {"input": 1, "output": 2}}, "large"]
    return {"type": "custom", "base_url": url, "dialect": dialect, "models": models, **more}


def three(upstream: MockUpstream) -> Json:
    """The mock as a provider of each dialect, called like it."""
    return {dialect: provider(upstream, dialect) for dialect in ("openai", "anthropic", "ollama")}


@asynccontextmanager
async def open_door(
    parts: Parts, folder: Path, settings: AiSettings | None = None, /, **configuration: Any
) -> AsyncGenerator[Door]:
    """The product's door before the module alone."""
    clock = SystemClock()
    identity = IdentityInMemory(clock)
    write(folder, **configuration)
    async with running_ai(replace(parts, clock=clock), ManualClock(), folder, identity, settings=settings) as ai:
        app = front_door(application((), identity), body_timeout_s=5, direct=[ai.module.plug.direct])
        async with serving(
            app, http=http_protocol([ai.module.plug.direct], proxy_addresses="127.0.0.1", body_timeout_s=5)
        ) as server:
            token = ai.member("ai:use", email="ada@example.org").token
            assert token
            headers = {"authorization": f"Bearer {token}"}
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=PATIENCE_S
            ) as client:
                yield Door(ai, server.port, token, client)


@pytest.fixture
async def door(parts: Parts, folder: Path, upstream: MockUpstream) -> AsyncGenerator[Door]:
    """With the mock as a provider of each dialect."""
    async with open_door(parts, folder, providers=three(upstream)) as door:
        yield door


@pytest.fixture
def database_kind() -> str:
    """Nothing here depends on which one it is; the meter's own tests run on both."""
    return "sqlite"
