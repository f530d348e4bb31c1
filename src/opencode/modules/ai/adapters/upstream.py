"""
Connections to providers: one pool for each, kept while calls use it, and the test whether it answers.

No proxy of the environment is used, no cookie kept and no redirect followed: a key goes to the address that the
configuration names and to no other.
"""

import asyncio
import json
import time
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlsplit

from opencode.modules.ai.adapters.entry_points import load_entry_point
from opencode.modules.ai.adapters.failures import failure_of, refusal_of
from opencode.modules.ai.adapters.http_client import CallFailed, Pool, Response, TooMuch, head_of, whole_of
from opencode.modules.ai.adapters.listing import PATHS, models_of, shown_facts
from opencode.modules.ai.adapters.pacing import Pace
from opencode.modules.ai.domain.configuration.model import Dialect, ProviderType
from opencode.modules.ai.domain.health import Probe
from opencode.modules.ai.domain.models import DiscoveredModel
from opencode.modules.ai.domain.registry import Upstream
from opencode.modules.ai.errors import EntryPointFaulty

PROBE_TIMEOUT_S = 10.0
MOST_LIST_BYTES = 8_000_000
_SHOWN_AT_ONCE = 4
_MOST_SHOWN = 200


class Connection:
    """The way to one provider."""

    def __init__(self, upstream: Upstream, pool: Pool) -> None:
        self.upstream = upstream
        self.pool = pool
        self._own_headers = upstream.call_headers()
        self._heads: dict[str, bytes] = {}

    async def send(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Response:
        """
        A call, until its answer begins. The provider's key and headers are added. The response must be closed.

        Args:
            path: as in `Upstream.url`.
            headers: of this call, in lower case; those of the configuration win.

        Raises:
            CallFailed, ValueError: `failure_of` tells them in words.
        """
        head = self._heads.get(path) if method == "POST" and not headers else None
        if head is None:
            sent = {"content-type": "application/json", **(headers or {}), **self._own_headers}
            target = urlsplit(self.upstream.url(path))
            head = head_of(self.pool, method, (target.path or "/") + (f"?{target.query}" if target.query else ""), sent)
            if method == "POST" and not headers:
                self._heads[path] = head
        return await self.pool.call(head, body, self.upstream.timeouts.first_byte_s)

    async def json(self, method: str, path: str, body: object = None) -> tuple[int, object]:
        """
        A short call and its whole answer: the status, and what it says; None when that is not JSON.

        Raises:
            As `send`, and TooMuch.
        """
        raw = b"" if body is None else json.dumps(body).encode()
        response = await self.send(method, path, body=raw)
        try:
            patience_s = self.upstream.timeouts.between_bytes_s
            answer = await whole_of(lambda: response.piece(patience_s), MOST_LIST_BYTES)
        finally:
            response.close()
        try:
            return response.status, json.loads(answer)
        except (ValueError, RecursionError):
            return response.status, None


class Connections:
    """All of them. What a call has begun with it ends with, whatever the configuration says meanwhile."""

    def __init__(self) -> None:
        self._pools: dict[Hashable, Pool] = {}
        self._ways: dict[str, Connection] = {}
        self._pace = Pace()

    def to(self, upstream: Upstream) -> Connection:
        """The way to a provider. Pools know nothing of keys: those go with each call."""
        way = self._ways.get(upstream.name)
        if way is not None and way.upstream is upstream:
            return way
        key = _key(upstream)
        pool = self._pools.get(key)
        if pool is None:
            connect_s = upstream.timeouts.connect_s
            pool = self._pools[key] = Pool(upstream.base_url, connect_s=connect_s, pace=self._pace)
        way = self._ways[upstream.name] = Connection(upstream, pool)
        return way

    def keep_only(self, upstreams: Collection[Upstream]) -> None:
        """Close what leads to others, each as soon as its last call has ended."""
        kept = {_key(each) for each in upstreams}
        self._ways.clear()
        for key in self._pools.keys() - kept:
            self._pools.pop(key).close()

    def close(self) -> None:
        """Close everything that no call uses."""
        self.keep_only(())

    async def probe(self, upstream: Upstream, known: Sequence[DiscoveredModel] = ()) -> Probe:
        """`domain.health.Prober`: asks for the list of models, which costs nothing anywhere."""
        started = time.perf_counter()
        if upstream.entry_point is not None:
            return _probe_of_entry_point(upstream.entry_point)
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                connection = self.to(upstream)
                status, answer = await connection.json("GET", PATHS[upstream.dialect])
                latency_ms = (time.perf_counter() - started) * 1000
                probe = await self._judged(connection, status, answer, latency_ms)
                if probe.models and upstream.discover and upstream.dialect is Dialect.OLLAMA:
                    return replace(probe, models=await _with_facts(connection, probe.models, known))
                return probe
        except TooMuch:
            return _failed(started, f"{upstream.base_url} answers without an end", "Is this the address of an API?")
        except (CallFailed, TimeoutError, ValueError) as error:
            return _failed(started, *failure_of(error, upstream))

    async def _judged(self, connection: Connection, status: int, answer: object, latency_ms: float) -> Probe:
        upstream = connection.upstream
        models = models_of(upstream.dialect, answer) if status == HTTPStatus.OK else None
        if models is not None:
            return Probe(latency_ms, models=models)
        if status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
            if better := await self._better_address(upstream):
                return Probe(latency_ms, _not_as_wanted(upstream), f"Did you mean {better}?")
            # Some services have no list of models. Their address is the preset's, so that it is right.
            if status != HTTPStatus.OK and upstream.preset and upstream.type is ProviderType.CLOUD:
                return Probe(latency_ms)
        if status == HTTPStatus.OK:
            return Probe(latency_ms, _not_as_wanted(upstream), "Is base_url the address of its API? Is dialect right?")
        return Probe(latency_ms, *refusal_of(status, upstream))

    async def _better_address(self, upstream: Upstream) -> str:
        """The address with the version behind it, when that one answers as wanted."""
        if upstream.dialect is not Dialect.OPENAI or upstream.base_url.endswith("/v1"):
            return ""
        with_version = replace(upstream, base_url=f"{upstream.base_url}/v1")
        # Not among those that are remembered: it is no provider of the configuration.
        connection = Connection(with_version, self.to(upstream).pool)
        status, answer = await connection.json("GET", PATHS[upstream.dialect])
        is_one = status == HTTPStatus.OK and models_of(upstream.dialect, answer) is not None
        return with_version.base_url if is_one else ""


async def _with_facts(
    connection: Connection, models: tuple[DiscoveredModel, ...], known: Sequence[DiscoveredModel]
) -> tuple[DiscoveredModel, ...]:
    """With what Ollama tells of each. A model that is the same as before is not asked for again."""
    before = {(each.name, each.digest): each for each in known if each.digest}
    at_once = asyncio.Semaphore(_SHOWN_AT_ONCE)

    async def asked(model: DiscoveredModel) -> DiscoveredModel:
        if same := before.get((model.name, model.digest)):
            return same
        async with at_once:
            status, answer = await connection.json("POST", "/api/show", {"model": model.name})
        return replace(model, facts=shown_facts(answer)) if status == HTTPStatus.OK else model

    first, rest = models[:_MOST_SHOWN], models[_MOST_SHOWN:]
    return (*await asyncio.gather(*map(asked, first)), *rest)


def _probe_of_entry_point(entry_point: str) -> Probe:
    try:
        load_entry_point(entry_point)
    except EntryPointFaulty as error:
        return Probe(0.0, error.detail.rstrip("."), error.action)
    return Probe(0.0)


def _failed(started: float, reason: str, action: str) -> Probe:
    return Probe((time.perf_counter() - started) * 1000, reason, action)


def _not_as_wanted(upstream: Upstream) -> str:
    named = {Dialect.OPENAI: "OpenAI", Dialect.ANTHROPIC: "Anthropic", Dialect.OLLAMA: "Ollama"}
    return f"{upstream.base_url} answers, but not as {named[upstream.dialect]}"


def _key(upstream: Upstream) -> Hashable:
    """What makes a pool another one. Keys and headers go with each call, and are no part of it."""
    return upstream.name, upstream.base_url, upstream.timeouts
