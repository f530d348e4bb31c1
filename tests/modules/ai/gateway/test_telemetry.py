"""What an OpenTelemetry collector is told of calls: the terms of the conventions, and nothing that anybody said."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from opencode.infra.plugs import Parts
from opencode.modules.ai.adapters.telemetry import OpenTelemetry
from opencode.modules.ai.domain.telemetry import CHAT as CHATTING
from opencode.modules.ai.domain.telemetry import CallReport
from opencode.modules.ai.errors import TelemetryNotInstalled
from opencode.modules.ai.settings import AiSettings
from tests.modules.ai.gateway.conftest import CHAT, EMBEDDINGS, HELLO, open_door, three
from tests.modules.ai.upstreams import KEY, MockUpstream, Mode

Json = dict[str, Any]


@dataclass
class Collector:
    """A collector on loopback that keeps what it gets."""

    url: str = ""
    bodies: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.setdefault(request.path, []).append(await request.read())
        return web.Response(content_type="application/x-protobuf")

    def spans(self) -> list[tuple[str, Json, int]]:
        """Of each its name, attributes and length in nanoseconds."""
        found: list[tuple[str, Json, int]] = []
        for body in self.bodies["/v1/traces"]:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found += [
                        (each.name, _values(each.attributes), each.end_time_unix_nano - each.start_time_unix_nano)
                        for each in scope.spans
                    ]
        return found

    def points(self) -> list[tuple[str, str, Json, float, int]]:
        """Of each point its metric's name and unit, attributes, sum and count."""
        found: list[tuple[str, str, Json, float, int]] = []
        for body in self.bodies["/v1/metrics"]:
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                    found += [
                        (metric.name, metric.unit, _values(each.attributes), each.sum, each.count)
                        for each in metric.histogram.data_points
                    ]
        return found


def _values(attributes: Any) -> Json:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@pytest.fixture
async def collector() -> AsyncGenerator[Collector]:
    collector = Collector()
    application = web.Application()
    application.router.add_post("/{path:.*}", collector.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield collector
    await runner.cleanup()


async def test_each_call_is_a_span_and_a_point_in_the_terms_of_the_conventions_without_a_word_of_it(
    parts: Parts, folder: Path, upstream: MockUpstream, collector: Collector
) -> None:
    settings = AiSettings(ai_telemetry_url=f"{collector.url}/")
    async with open_door(parts, folder, settings, providers=three(upstream)) as door:
        assert (await door.chat("openai/small", max_tokens=50)).status_code == 200
        async with door.client.stream("POST", CHAT, json={"model": "anthropic/small", "stream": True, **HELLO}) as it:
            assert "[DONE]" in (await it.aread()).decode()
        assert (await door.post(EMBEDDINGS, model="openai/small", input="Measure me")).status_code == 200
        upstream.mode = Mode.REFUSES_KEY
        assert (await door.chat("openai/large")).status_code >= 400

    spans = collector.spans()
    assert [name for name, _, _ in spans] == ["chat small", "chat small", "embeddings small", "chat"]
    assert all(length > 0 for _, _, length in spans)
    whole, streamed, embedded, refused = [attributes for _, attributes, _ in spans]
    port = int(upstream.root.rpartition(":")[2])
    assert (
        whole.items()
        >= {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "small",
            "gen_ai.response.model": "small",
            "gen_ai.request.max_tokens": 50,
            "gen_ai.request.stream": False,
            "server.address": "127.0.0.1",
            "server.port": port,
        }.items()
    )
    assert whole["gen_ai.usage.input_tokens"] > 0
    assert whole["gen_ai.usage.output_tokens"] > 0
    assert streamed["gen_ai.provider.name"] == "anthropic"
    assert streamed["gen_ai.request.stream"] is True
    assert embedded["gen_ai.operation.name"] == "embeddings"
    assert refused == {"gen_ai.operation.name": "chat", "gen_ai.request.stream": False, "error.type": "unauthenticated"}

    points = collector.points()
    assert {(name, unit) for name, unit, *_ in points} == {
        ("gen_ai.client.operation.duration", "s"),
        ("gen_ai.server.time_to_first_token", "s"),
        ("gen_ai.client.token.usage", "{token}"),
    }
    counted = sum(count for name, _, _, _, count in points if name == "gen_ai.client.operation.duration")
    assert counted == 4
    tokens = {
        (of["gen_ai.provider.name"], of["gen_ai.operation.name"], of["gen_ai.token.type"]): total
        for name, _, of, total, _ in points
        if name == "gen_ai.client.token.usage"
    }
    assert tokens["openai", "chat", "input"] == whole["gen_ai.usage.input_tokens"]
    assert tokens["anthropic", "chat", "output"] == streamed["gen_ai.usage.output_tokens"]

    everything = b"".join(body for bodies in collector.bodies.values() for body in bodies)
    for secret in ("Say hello", "Measure me", KEY, "ada@example.org"):
        assert secret.encode() not in everything


async def test_a_collector_that_is_away_stops_nobody() -> None:
    telemetry = OpenTelemetry("http://127.0.0.1:9", patience_s=0.1)
    telemetry.report(CallReport(CHATTING, is_stream=False, max_tokens=None, duration_s=0.1))
    await asyncio.to_thread(telemetry.close)


async def test_a_server_without_the_packages_says_what_to_install(
    parts: Parts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opencode.modules.ai.adapters.telemetry", None)
    with pytest.raises(TelemetryNotInstalled, match="not installed"):
        async with open_door(parts, folder, AiSettings(ai_telemetry_url="http://127.0.0.1:4318")):
            pass
