"""How deployments are doing in this process: what they are busy with, how quick they are, and which are left alone."""

from collections.abc import Callable
from dataclasses import dataclass, field

from opencode.infra.observability import metrics
from opencode.kernel.clock import Clock
from opencode.modules.ai.domain.balancing import Load
from opencode.modules.ai.domain.breakers import BreakerState
from opencode.modules.ai.domain.dialects.canonical import Failure
from opencode.modules.ai.domain.registry import Deployment, Upstream
from opencode.modules.ai.domain.retrying import RetryBudget, speaks_against

MOST_REMEMBERED = 20_000
"""Deployments whose state is kept; names that come from callers must not fill the memory."""
_RECENT = 0.2
"""How much the last answer weighs in the mean."""
_BUSY_WAIT_S = 1.0


@dataclass(slots=True)
class _Standing:
    breaker: BreakerState = field(default_factory=BreakerState)
    busy: int = 0
    first_byte_s: float = 0.0


@dataclass(slots=True)
class _Provider:
    busy: int = 0
    retries: RetryBudget = field(default_factory=RetryBudget)


class Try:
    """One call to one deployment, while it is under way. Exactly one of the three ends what is said of its health."""

    def __init__(self, fleet: "Fleet", deployment: Deployment, standing: _Standing, provider: _Provider) -> None:
        self.deployment = deployment
        self._fleet = fleet
        self._standing = standing
        self._provider = provider
        self._judged = False
        self._open = True

    def succeeded(self, first_byte_s: float) -> None:
        """Its answer began."""
        self._judged = True
        self._standing.breaker.succeeded()
        before = self._standing.first_byte_s
        self._standing.first_byte_s = before + _RECENT * (first_byte_s - before) if before else first_byte_s

    def failed(self, failure: Failure) -> None:
        """It failed; also when its answer had begun."""
        self._judged = True
        breaker, now_s = self._standing.breaker, self._fleet.now_s()
        if not speaks_against(failure):
            breaker.learned_nothing()
        else:
            was_open = breaker.open_until is not None
            breaker.failed(now_s, self.deployment.upstream.breaker)
            if breaker.open_until is not None and not was_open:
                metrics.AI_BREAKERS_OPENED.labels(self.deployment.upstream.name).inc()
        if failure.retry_after_s:
            breaker.rest(now_s + failure.retry_after_s)

    def end(self) -> None:
        """Nothing more comes of it. Ended twice is the same as once."""
        if not self._open:
            return
        self._open = False
        self._standing.busy -= 1
        self._provider.busy -= 1
        if not self._judged:
            self._standing.breaker.learned_nothing()


class Fleet:
    def __init__(self, clock: Clock, is_failing: Callable[[str], bool]) -> None:
        """Args: is_failing: whether a provider fails its tests."""
        self._clock = clock
        self._is_failing = is_failing
        self._standings: dict[str, _Standing] = {}
        self._providers: dict[str, _Provider] = {}

    @property
    def under_way(self) -> int:
        """Calls to providers."""
        return sum(each.busy for each in self._providers.values())

    def now_s(self) -> float:
        return self._clock.timestamp()

    def load_of(self, deployment: Deployment) -> Load:
        standing = self._standings.get(deployment.name)
        failing = self._is_failing(deployment.upstream.name)
        return Load(standing.busy, standing.first_byte_s, failing) if standing else Load(failing=failing)

    def wait_s(self, deployment: Deployment) -> float:
        """Seconds until a call may be tried there; 0 for now."""
        upstream = deployment.upstream
        if upstream.concurrency is not None and self._provider(upstream.name).busy >= upstream.concurrency:
            return _BUSY_WAIT_S
        return self._standing(deployment.name).breaker.wait_s(self.now_s())

    def begin(self, deployment: Deployment) -> Try:
        standing, provider = self._standing(deployment.name), self._provider(deployment.upstream.name)
        standing.breaker.begin()
        standing.busy += 1
        provider.busy += 1
        provider.retries.called(self.now_s())
        return Try(self, deployment, standing, provider)

    def may_retry(self, upstream: Upstream) -> bool:
        """Whether the provider's budget of retries has one left; it is taken if so."""
        return self._provider(upstream.name).retries.take(self.now_s(), upstream.retries.budget)

    def _standing(self, name: str) -> _Standing:
        found = self._standings.get(name)
        if found is None:
            if len(self._standings) >= MOST_REMEMBERED:
                self._standings = {name: each for name, each in self._standings.items() if each.busy}
            found = self._standings[name] = _Standing()
        return found

    def _provider(self, name: str) -> _Provider:
        found = self._providers.get(name)
        if found is None:
            found = self._providers[name] = _Provider()
        return found
