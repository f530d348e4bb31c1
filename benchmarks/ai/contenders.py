"""The gateways that are measured, each with one provider behind it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.collaboration.contenders import Server
from benchmarks.collaboration.ours import API, Ours
from benchmarks.collaboration.processes import HOST, ServerProcess
from benchmarks.execution.wire import encoded
from benchmarks.installing import node, npm_packages, python_packages
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID

PEERS = Path(__file__).parent / "peers"
MODEL = "small"
_KEY = "sk-bench"
_CONVERSATION = [{"role": "user", "content": "Say hello, please, and say it as briefly as you can. " * 4}]


class Gateway(Protocol):
    """What each of them offers; see `Server`."""

    name: str
    port: int
    can_stream: bool

    def request(self, *, stream: bool = False) -> bytes:
        """A chat in OpenAI's dialect, on the wire."""
        ...

    async def prepare(self) -> None: ...
    async def start(self, *, pinned: bool = True) -> float: ...
    async def close(self) -> None: ...
    @property
    def running(self) -> ServerProcess: ...


def chat(path: str, model: str, headers: Mapping[str, str], *, stream: bool = False) -> bytes:
    """A chat in OpenAI's dialect, on the wire."""
    return encoded("POST", path, {"model": model, "messages": _CONVERSATION, "stream": stream}, headers)


def straight(*, stream: bool = False) -> bytes:
    """The same to the provider itself."""
    return chat("/v1/chat/completions", MODEL, {}, stream=stream)


class OpenCode(Ours):
    """Ours with all that it always does: keys, a budget, limits, breakers, the ledger."""

    can_stream = True

    def __init__(self, provider_port: int, *, keeps_answers: bool = False) -> None:
        super().__init__()
        self._provider_port = provider_port
        self._keeps_answers = keeps_answers
        self._token = ""

    @property
    def file(self) -> Path:
        return self.folder / "opencode.json"

    def configure(self, mark: int = 0) -> None:
        """
        Put a configuration in place, as an operator does.

        Args:
            mark: in the name of the model behind the alias `any` and in a header to the provider, which must agree.
        """
        price = {"input": 1, "output": 2}
        models = [{"name": name, "price": price, "max_output_tokens": 100} for name in (MODEL, f"m-{mark}")]
        url = f"http://{HOST}:{self._provider_port}/v1"
        many = 1_000_000_000
        configuration = {
            "$schema": SCHEMA_ID,
            "providers": {
                "bench": {"type": "custom", "base_url": url, "headers": {"x-mark": str(mark)}, "models": models}
            },
            "aliases": {"any": {"targets": [f"bench/m-{mark}"]}},
            "cache": {"enabled": self._keeps_answers},
            "limits": {
                "requests_per_minute": many,
                "tokens_per_minute": many,
                "concurrency": 100_000,
                "budget": {"amount_usd": 1_000_000, "period": "month"},
            },
        }
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(configuration))
        new.replace(self.file)

    def command(self) -> tuple[Sequence[str | Path], dict[str, str]]:
        command, environment = super().command()
        self.configure()
        return command, {**environment, "OCP_MODULES": "identity,ai", "OCP_AI_CONFIG": str(self.file)}

    async def start(self, *, pinned: bool = True) -> float:
        seconds = await super().start(pinned=pinned)
        made = await self.call("POST", f"{API}/tokens", {"name": "bench", "scopes": ["ai"], "expires_in_days": 1})
        self._token = made["token"]
        return seconds

    def request(self, *, stream: bool = False, model: str = f"bench/{MODEL}") -> bytes:
        return chat("/ai/v1/chat/completions", model, {"Authorization": f"Bearer {self._token}"}, stream=stream)


class LiteLLM(Server):
    """The LiteLLM proxy from PyPI with a master key, one worker, no database and no telemetry: it keeps no ledger."""

    name = "litellm"
    ready_path = "/health/liveliness"
    can_stream = True

    def __init__(self, provider_port: int) -> None:
        super().__init__()
        self._provider_port = provider_port

    async def prepare(self) -> None:
        await python_packages(PEERS)

    def command(self) -> tuple[Sequence[str | Path], dict[str, str]]:
        behind = {"model": f"openai/{MODEL}", "api_base": f"http://{HOST}:{self._provider_port}/v1", "api_key": "sk-x"}
        configuration = {
            "model_list": [{"model_name": MODEL, "litellm_params": behind}],
            "litellm_settings": {"telemetry": False},
            "general_settings": {"master_key": _KEY},
        }
        # JSON is YAML.
        file = self.folder / "litellm.yaml"
        file.write_text(json.dumps(configuration))
        command = [PEERS / ".venv/bin/litellm", "--config", file, "--host", HOST, "--port", str(self.port)]
        # Without it prices are fetched from the internet at the start.
        return [*command, "--num_workers", "1"], {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}

    def request(self, *, stream: bool = False) -> bytes:
        return chat("/v1/chat/completions", MODEL, {"Authorization": f"Bearer {_KEY}"}, stream=stream)


class Portkey(Server):
    """Portkey's gateway from npm: it takes the provider's key from its caller, and has no keys, budgets or ledger."""

    name = "portkey"
    ready_path = "/"
    # 1.15.2 answers 500 to a stream of this provider ("TypeError: immutable"), on Node 20 and 24 alike.
    can_stream = False

    def __init__(self, provider_port: int) -> None:
        super().__init__()
        self._provider_port = provider_port

    async def prepare(self) -> None:
        await npm_packages(PEERS)

    def command(self) -> tuple[Sequence[str | Path], dict[str, str]]:
        program = PEERS / "node_modules/@portkey-ai/gateway/build/start-server.js"
        return [node(), program, "--headless", f"--port={self.port}"], {}

    def request(self, *, stream: bool = False) -> bytes:
        to = f"http://{HOST}:{self._provider_port}/v1"
        headers = {"Authorization": "Bearer sk-x", "x-portkey-provider": "openai", "x-portkey-custom-host": to}
        return chat("/v1/chat/completions", MODEL, headers, stream=stream)


KINDS: dict[str, type[OpenCode] | type[LiteLLM] | type[Portkey]] = {
    kind.name: kind for kind in (OpenCode, LiteLLM, Portkey)
}
