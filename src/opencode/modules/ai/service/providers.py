"""How providers are, and what they have: tested at the start, in the background, and when somebody asks."""

import asyncio
import random
from collections.abc import Callable, Mapping

import structlog

from opencode.infra.observability import metrics
from opencode.kernel.clock import Clock
from opencode.modules.ai.domain.health import Health, HealthState, Prober
from opencode.modules.ai.domain.models import DiscoveredModel
from opencode.modules.ai.domain.registry import Upstream
from opencode.modules.ai.errors import ProviderNotFound

log = structlog.get_logger(__name__)

TESTS_AT_ONCE = 16


class Providers:
    def __init__(self, clock: Clock, prober: Callable[[], Prober], every_s: float) -> None:
        """
        Args:
            prober: asked for when there is something to test, and not before: its library is large.
            every_s: between two tests of a provider that is well.
        """
        self._clock = clock
        self._prober = prober
        self._every_s = every_s
        self._upstreams: Mapping[str, Upstream] = {}
        self._health: dict[str, Health] = {}
        self._tests: dict[str, asyncio.Task[None]] = {}
        self._at_once = asyncio.Semaphore(TESTS_AT_ONCE)
        self.discovered: dict[str, tuple[DiscoveredModel, ...]] = {}
        self.on_discovery: Callable[[], None] = lambda: None

    def follow(self, upstreams: Mapping[str, Upstream]) -> None:
        """Look after these from now on. What is known of one that has changed is forgotten."""
        for name, before in self._upstreams.items():
            if upstreams.get(name) != before:
                self._forget(name)
        self._upstreams = upstreams

    def health_of(self, name: str) -> Health:
        return self._health.get(name, Health())

    def look(self) -> None:
        """Begin the tests that are due."""
        now = self._clock.now()
        for name, upstream in self._upstreams.items():
            if upstream.enabled and name not in self._tests and self.health_of(name).is_due(now):
                self._begin(name, upstream)

    async def test(self, name: str) -> Health:
        """
        Test a connection now. Whoever asks while one is under way gets its result.

        Raises:
            ProviderNotFound
        """
        upstream = self._upstreams.get(name)
        if upstream is None:
            raise ProviderNotFound(name)
        # Shielded: somebody who goes away must not take the others' answer along.
        await asyncio.shield(self._tests.get(name) or self._begin(name, upstream))
        return self.health_of(name)

    async def settle(self) -> None:
        """Wait for the tests that are under way."""
        await asyncio.gather(*self._tests.values(), return_exceptions=True)

    async def close(self) -> None:
        """End the tests that are under way."""
        tests = list(self._tests.values())
        for test in tests:
            test.cancel()
        await asyncio.gather(*tests, return_exceptions=True)

    def notices(self) -> dict[str, str]:
        """Providers that fail. The reason has addresses of the inner network, and is for administrators."""
        failing = (name for name, each in self._health.items() if each.state is HealthState.FAILING)
        return {f"ai provider {name}": "fails its tests; GET /api/v1/ai/providers tells why" for name in failing}

    def _begin(self, name: str, upstream: Upstream) -> asyncio.Task[None]:
        task = self._tests[name] = asyncio.create_task(self._test(name, upstream))

        def ended(done: asyncio.Task[None]) -> None:
            # A provider that was changed meanwhile has another test under its name already.
            if self._tests.get(name) is done:
                del self._tests[name]

        task.add_done_callback(ended)
        return task

    async def _test(self, name: str, upstream: Upstream) -> None:
        async with self._at_once:
            probe = await self._prober().probe(upstream, self.discovered.get(name, ()))
        if self._upstreams.get(name) != upstream:
            return
        before = self.health_of(name)
        after = before.after(probe, self._clock.now(), self._every_s, random.random())  # noqa: S311 - spreads load
        self._health[name] = after
        metrics.AI_PROVIDER_HEALTHY.labels(name).set(after.state is HealthState.HEALTHY)
        if after.state is not before.state:
            tell = log.warning if after.state is HealthState.FAILING else log.info
            tell("ai provider is " + after.state, provider=name, reason=after.reason, latency_ms=after.latency_ms)
        if upstream.discover and probe.models is not None and self.discovered.get(name) != probe.models:
            self.discovered = {**self.discovered, name: probe.models}
            self.on_discovery()

    def _forget(self, name: str) -> None:
        if test := self._tests.pop(name, None):
            test.cancel()
        if self._health.pop(name, None):
            metrics.AI_PROVIDER_HEALTHY.remove(name)
        self.discovered = {each: models for each, models in self.discovered.items() if each != name}
