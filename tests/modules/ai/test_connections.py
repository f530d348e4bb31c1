"""Tests of connections: what is wrong is told in words, with what to do; and pools end with their last call."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest

from opencode.modules.ai.adapters import upstream as upstream_module
from opencode.modules.ai.adapters.ollama_models import OllamaModels
from opencode.modules.ai.adapters.upstream import Connections
from opencode.modules.ai.domain.configuration.model import Capability, Dialect, ProviderType, Timeouts
from opencode.modules.ai.domain.registry import Upstream
from opencode.modules.ai.errors import ProviderUnreachable
from tests.modules.ai.upstreams import KEY, MockUpstream, Mode, running_upstream


@pytest.fixture
async def connections() -> AsyncGenerator[Connections]:
    connections = Connections()
    yield connections
    connections.close()


def to(upstream: MockUpstream, **how: Any) -> Upstream:
    dialect = how.get("dialect", Dialect.OPENAI)
    base = upstream.openai_url if dialect is Dialect.OPENAI else upstream.root
    values: dict[str, Any] = {"name": "lab", "type": ProviderType.CUSTOM, "dialect": dialect, "base_url": base, **how}
    return Upstream(**values)


@pytest.mark.parametrize("dialect", Dialect)
async def test_a_provider_that_answers_is_well_and_tells_its_models(
    connections: Connections, upstream: MockUpstream, dialect: Dialect
) -> None:
    upstream.wants_key = True
    probe = await connections.probe(to(upstream, dialect=dialect, api_key=KEY))
    assert probe.is_good
    assert probe.models
    assert [each.name.removesuffix(":latest") for each in probe.models] == ["small", "large"]


@pytest.mark.parametrize(
    ("mode", "reason", "action"),
    [
        (Mode.REFUSES_KEY, "401: the key is refused", "It comes from ${LAB_KEY}."),
        (Mode.FAILS, "500: {url} has a fault", "See what it logged, or its makers' page of incidents."),
        (Mode.BUSY, "", ""),
        (Mode.NOT_JSON, "{url} answers, but not as OpenAI", "Is base_url the address of its API? Is dialect right?"),
        (Mode.ENDLESS, "{url} answers without an end", "Is this the address of an API?"),
        (
            Mode.REDIRECTS,
            "302: {url} sends callers elsewhere, which keys do not follow",
            "Write the address that it moved to.",
        ),
    ],
)
async def test_what_is_wrong_is_told_in_words(
    connections: Connections, upstream: MockUpstream, mode: Mode, reason: str, action: str
) -> None:
    upstream.mode = mode
    probe = await connections.probe(to(upstream, api_key="sk-wrong", key_source="${LAB_KEY}"))
    assert (probe.reason, probe.action) == (reason.format(url=upstream.openai_url), action)
    assert "/elsewhere" not in [each.path for each in upstream.seen]


async def test_a_provider_that_hangs_is_given_up(
    connections: Connections, upstream: MockUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream_module, "PROBE_TIMEOUT_S", 0.05)
    upstream.mode = Mode.HANGS
    probe = await connections.probe(to(upstream))
    assert probe.reason.endswith("took the connection, and then did not answer")


async def test_a_missing_version_in_the_address_is_named(connections: Connections, upstream: MockUpstream) -> None:
    probe = await connections.probe(to(upstream, base_url=upstream.root))
    assert probe.reason == f"{upstream.root} answers, but not as OpenAI"
    assert probe.action == f"Did you mean {upstream.root}/v1?"


async def test_nobody_at_the_port_is_told_as_such(connections: Connections) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    probe = await connections.probe(Upstream("lab", ProviderType.LOCAL, Dialect.OPENAI, url))
    assert probe.reason == f"the connection to {url} is refused"
    assert probe.action.startswith("Is the server started")


async def test_a_name_that_nobody_knows_and_a_port_without_tls_are_told(
    connections: Connections, upstream: MockUpstream
) -> None:
    unknown = await connections.probe(to(upstream, base_url="http://no-such-host.invalid/v1"))
    assert unknown.reason == "the name of http://no-such-host.invalid/v1 is not known"
    plain = await connections.probe(to(upstream, base_url=upstream.openai_url.replace("http:", "https:")))
    assert "does not speak TLS" in plain.reason


async def test_a_line_break_in_a_key_is_told_without_the_key(connections: Connections, upstream: MockUpstream) -> None:
    probe = await connections.probe(to(upstream, api_key="sk-a\nb", key_source="${LAB_KEY}"))
    assert "line break" in probe.reason
    assert "sk-a" not in probe.reason + probe.action
    assert upstream.seen == []


async def test_a_service_without_a_list_of_models_is_well(connections: Connections, upstream: MockUpstream) -> None:
    service = to(upstream, base_url=f"{upstream.root}/nothing/v1", type=ProviderType.CLOUD, preset="perplexity")
    assert (await connections.probe(service)).is_good


async def test_ollama_is_asked_for_each_models_facts_once(connections: Connections, upstream: MockUpstream) -> None:
    ollama = to(upstream, dialect=Dialect.OLLAMA, base_url=f"{upstream.root}/v1", discover=True)
    first = await connections.probe(ollama)
    assert first.models
    facts = first.models[0].facts
    assert (facts.context_window, facts.capabilities) == (131_072, {Capability.CHAT, Capability.TOOLS})
    upstream.models.append("third")
    second = await connections.probe(ollama, first.models)
    assert second.models
    assert [each.facts.context_window for each in second.models] == [131_072] * 3
    assert upstream.count("/api/show") == 3


async def test_an_entry_point_that_is_not_good_is_told(connections: Connections) -> None:
    def custom(entry_point: str) -> Upstream:
        return Upstream("own", ProviderType.CUSTOM, Dialect.OPENAI, "", entry_point=entry_point)

    missing = await connections.probe(custom("no_such_package:answer"))
    assert missing.reason.endswith("is not installed: there is no module no_such_package")
    assert (await connections.probe(custom("json:nothing"))).reason.endswith("is not there: json has no nothing")
    assert "async def chat" in (await connections.probe(custom("json:loads"))).reason
    assert (await connections.probe(custom("tests.modules.ai.echo:Echo"))).is_good


async def test_a_call_ends_on_the_connection_that_it_began_with(
    connections: Connections, upstream: MockUpstream
) -> None:
    lab = to(upstream)
    response = await connections.to(lab).send("POST", "/chat/completions", body=b'{"model":"small","stream":true}')
    connections.keep_only([replace(lab, timeouts=Timeouts(connect_s=1))])
    whole = b""
    while piece := await response.piece(5):
        whole += piece
    assert b"[DONE]" in whole
    response.close()


async def test_the_environments_proxy_is_not_used_and_nothing_is_unpacked(
    connections: Connections, upstream: MockUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert (await connections.probe(to(upstream))).is_good
    assert "accept-encoding" not in upstream.seen[0].headers


async def test_headers_of_the_configuration_go_along_and_win(connections: Connections, upstream: MockUpstream) -> None:
    await connections.probe(to(upstream, api_key=KEY, headers={"Authorization": "Basic x", "X-Team": "blue"}))
    assert upstream.seen[0].headers["authorization"] == "Basic x"
    assert upstream.seen[0].headers["x-team"] == "blue"


async def test_a_model_is_pulled_with_progress_and_deleted_twice(
    connections: Connections, upstream: MockUpstream
) -> None:
    ollama, models = to(upstream, dialect=Dialect.OLLAMA), OllamaModels(connections)
    lines = b"".join([piece async for piece in models.pull(ollama, "third")])
    assert lines.splitlines()[-1] == b'{"status": "success"}'
    await models.delete(ollama, "third")
    await models.delete(ollama, "third")
    assert upstream.models == ["small", "large"]
    upstream.mode = Mode.FAILS
    with pytest.raises(ProviderUnreachable, match="500"):
        await models.delete(ollama, "small")


async def test_a_pull_that_is_given_up_ends_upstream(connections: Connections) -> None:
    gone = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    async with running_upstream() as upstream:
        ollama = to(upstream, dialect=Dialect.OLLAMA)
        pull = OllamaModels(connections).pull(ollama, "third")
        pauses = iter([asyncio.sleep(0), wait()])
        upstream.pause = lambda: next(pauses)
        assert b"manifest" in await anext(pull)
        await pull.aclose()
        async with asyncio.timeout(5):
            await gone.wait()
