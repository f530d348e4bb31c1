"""Calls told to an OpenTelemetry collector: a span each, and three histograms, over OTLP by HTTP."""

import time
from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from opencode.modules.ai.domain.telemetry import CallReport

TELL_EVERY_S = 15.0
PATIENCE_S = 5.0
_SCOPE = "opencode.ai"
# The boundaries that the conventions ask for.
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
_DURATION = "gen_ai.client.operation.duration"
_FIRST_TOKEN = "gen_ai.server.time_to_first_token"  # noqa: S105 - a metric's name
_USAGE = "gen_ai.client.token.usage"

Attributes = Mapping[str, str | int | float | bool]


class OpenTelemetry:
    """See `Telemetry`. What a collector does not take is dropped after a few tries; nobody waits for it."""

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        """
        Args:
            url: of the collector, such as `http://127.0.0.1:4318`; `/v1/traces` and `/v1/metrics` are below it.
            patience_s: with which it is waited for the collector, at the end, too.
        """
        self._patience_s = patience_s
        resource = Resource.create({"service.name": "opencode"})
        spans = OTLPSpanExporter(endpoint=f"{url}/v1/traces", timeout=patience_s)
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._traces.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=TELL_EVERY_S * 1_000))
        figures = OTLPMetricExporter(endpoint=f"{url}/v1/metrics", timeout=patience_s)
        reader = PeriodicExportingMetricReader(figures, export_interval_millis=TELL_EVERY_S * 1_000)
        self._metrics = MeterProvider(
            [reader],
            resource,
            shutdown_on_exit=False,
            views=[
                View(instrument_name=name, aggregation=ExplicitBucketHistogramAggregation(boundaries))
                for name, boundaries in ((_DURATION, _SECONDS), (_FIRST_TOKEN, _SECONDS), (_USAGE, _TOKENS))
            ],
        )
        meter = self._metrics.get_meter(_SCOPE)
        self._tracer = self._traces.get_tracer(_SCOPE)
        self._duration = meter.create_histogram(_DURATION, "s", "From a question to the end of its answer.")
        self._first_token = meter.create_histogram(_FIRST_TOKEN, "s", "From asking a provider to its first bytes.")
        self._usage = meter.create_histogram(_USAGE, "{token}", "Tokens of a call, by type.")

    def report(self, call: CallReport) -> None:
        common = _common(call)
        ended_ns = time.time_ns()
        model = call.answerer.model if call.answerer else ""
        span = self._tracer.start_span(
            f"{call.operation} {model}".rstrip(),
            kind=SpanKind.CLIENT,
            attributes={**common, **_of_this_call(call)},
            start_time=ended_ns - round(call.duration_s * 1e9),
        )
        if call.error:
            span.set_status(StatusCode.ERROR)
        span.end(ended_ns)
        self._duration.record(call.duration_s, common)
        if call.first_byte_s is not None:
            self._first_token.record(call.first_byte_s, common)
        if call.usage:
            self._usage.record(call.usage.input, {**common, "gen_ai.token.type": "input"})
            self._usage.record(call.usage.output, {**common, "gen_ai.token.type": "output"})

    def close(self) -> None:
        self._traces.shutdown()
        self._metrics.shutdown(timeout_millis=self._patience_s * 1_000)


def _common(call: CallReport) -> dict[str, str | int]:
    """What there are few values of: the attributes of metrics."""
    found: dict[str, str | int] = {"gen_ai.operation.name": call.operation}
    if call.answerer:
        found["gen_ai.provider.name"] = call.answerer.provider
        found["gen_ai.request.model"] = found["gen_ai.response.model"] = call.answerer.model
        if call.answerer.host:
            found["server.address"] = call.answerer.host
        if call.answerer.port:
            found["server.port"] = call.answerer.port
    if call.error:
        found["error.type"] = call.error
    return found


def _of_this_call(call: CallReport) -> Attributes:
    found: dict[str, str | int | float | bool] = {"gen_ai.request.stream": call.is_stream}
    if call.max_tokens is not None:
        found["gen_ai.request.max_tokens"] = call.max_tokens
    if call.usage:
        found["gen_ai.usage.input_tokens"] = call.usage.input
        found["gen_ai.usage.output_tokens"] = call.usage.output
        found["gen_ai.usage.cache_read.input_tokens"] = call.usage.cached
    return found
