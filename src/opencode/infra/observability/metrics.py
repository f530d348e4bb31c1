"""Every metric of the platform, in one place, so that names and units stay one family."""

from functools import lru_cache
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

M = TypeVar("M", Counter, Histogram)

disable_created_metrics()  # when each series began: as many lines again, which nobody asks for

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("opencode_http_requests_total", "HTTP requests answered.", ["method", "route", "status"])
RESPONSE_TIME = Histogram("opencode_http_response_seconds", "From request to answer.", ["route"], buckets=_FAST)
ERRORS = Counter("opencode_http_errors_total", "Requests that ended in a fault of the server.", ["route"])
ACTIVE_INTERVIEWS = Gauge("opencode_interviews_active", "Interviews that are live now.")
SOCKETS = Gauge("opencode_sockets_connected", "Document sockets that are open.")
ROOMS = Gauge("opencode_rooms_loaded", "Rooms held in memory.")
UPDATES = Counter(
    "opencode_updates_total",
    "Document updates, by what became of them: written, or why they were refused.",
    ["outcome"],
)
COMMIT_TIME = Histogram("opencode_update_log_commit_seconds", "One group commit of the update log.", buckets=_FAST)
COMMIT_SIZE = Histogram(
    "opencode_update_log_commit_updates", "Updates in one group commit.", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
RELAY_LAG = Histogram(
    "opencode_relay_lag_seconds", "From publishing an event to delivering it.", buckets=(*_FAST, 30, 60, 300)
)
RUNS = Counter("opencode_runs_total", "Runs of programs, by language and verdict.", ["language", "verdict"])
QUEUED_RUNS = Gauge("opencode_runs_queued", "Runs of the API that wait for a worker.")
RUN_WAIT = Histogram(
    "opencode_run_wait_seconds", "From accepting a run to beginning it.", buckets=(*_FAST, 30, 60, 300, 1800)
)
RUN_RETRIES = Counter("opencode_run_retries_total", "Runs that began anew after a fault of the server's.")
WEBHOOKS = Counter("opencode_webhooks_total", "Webhook calls, by what became of them.", ["outcome"])
MAILS = Counter("opencode_mails_total", "Mails to send, by what became of them.", ["outcome"])
EVENT_STREAMS = Gauge("opencode_event_streams_open", "Server-sent event streams that are open.")
CATALOGUE_DISAGREEMENTS = Gauge(
    "opencode_marketplace_catalogue_disagreements",
    "Projects in which index and database differed when they were last compared.",
)
CACHE_REQUESTS = Counter(
    "opencode_cache_requests_total",
    "What was asked of the cache, by where it came from: hit, stale, shared, or miss, which had it made.",
    ["outcome"],
)
CACHE_BYTES = Gauge("opencode_cache_bytes", "What this process keeps.")
AI_RELOADS = Counter(
    "opencode_ai_configuration_reloads_total",
    "AI configurations that were loaded, by what became of them: good, or refused.",
    ["outcome"],
)
AI_PROVIDER_HEALTHY = Gauge(
    "opencode_ai_provider_healthy", "1 while a provider answers its tests, 0 while it fails.", ["provider"]
)
AI_CALLS = Counter(
    "opencode_ai_calls_total",
    "Calls through the AI gateway, by provider, model as the provider calls it, and outcome: ok, left, or what failed.",
    ["provider", "model", "outcome"],
)
AI_FIRST_BYTE = Histogram(
    "opencode_ai_first_byte_seconds",
    "From the request to a provider to the first byte of its answer.",
    ["provider"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
AI_TOKENS = Counter("opencode_ai_tokens_total", "Tokens of calls, by kind: input or output.", ["provider", "kind"])
AI_CACHE = Counter(
    "opencode_ai_answers_total",
    "Calls that could be answered from the cache: hit, semantic, shared with a call under way, or miss.",
    ["outcome"],
)
AI_RETRIES = Counter(
    "opencode_ai_retries_total", "Calls that were tried again, by the provider that failed.", ["provider"]
)
AI_BREAKERS_OPENED = Counter(
    "opencode_ai_breakers_opened_total",
    "How often a deployment was left alone since it failed too often.",
    ["provider"],
)


@lru_cache(maxsize=10_000)
def series(metric: M, *labels: str) -> M:
    """One series of a metric, remembered: to look it up costs more than to count. Not for those that are removed."""
    return metric.labels(*labels)
