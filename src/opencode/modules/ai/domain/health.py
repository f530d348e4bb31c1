"""How providers are: what the last tests of a connection said, and when the next one is due."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from opencode.kernel.backoff import delay_s
from opencode.modules.ai.domain.models import DiscoveredModel
from opencode.modules.ai.domain.registry import Upstream

FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 300.0
_JITTER = 0.2


class HealthState(StrEnum):
    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Probe:
    """
    What one test of a connection said.

    Attributes:
        reason: what is wrong, as one sentence; empty when nothing is.
        action: what to do about it.
        models: what the provider has; None when it did not say.
    """

    latency_ms: float
    reason: str = ""
    action: str = ""
    models: tuple[DiscoveredModel, ...] | None = None

    @property
    def is_good(self) -> bool:
        return not self.reason


class Prober(Protocol):
    """Tests connections."""

    async def probe(self, upstream: Upstream, known: Sequence[DiscoveredModel] = ()) -> Probe:
        """
        Make the cheapest call that does no harm. Never raises for what is wrong with the provider.

        Args:
            known: what it had the last time, which need not be asked again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """
    Attributes:
        since: of this state.
        latency_ms: of the last test that was good.
        failures: in a row.
        due_at: of the next test; None for at once.
    """

    state: HealthState = HealthState.UNKNOWN
    reason: str = ""
    action: str = ""
    since: datetime | None = None
    checked_at: datetime | None = None
    latency_ms: float | None = None
    failures: int = 0
    due_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self.due_at is None or self.due_at <= now

    def after(self, probe: Probe, now: datetime, every_s: float, chance: float) -> "Health":
        """
        Args:
            every_s: between two tests of a provider that is well.
            chance: from 0 to 1, so that not all are tested in the same moment.
        """
        state = HealthState.HEALTHY if probe.is_good else HealthState.FAILING
        failures = 0 if probe.is_good else self.failures + 1
        wait_s = every_s * (1 - _JITTER / 2 + _JITTER * chance)
        if failures:
            longest_s = max(every_s, LONGEST_RETRY_S)
            wait_s = delay_s(failures, chance, first_s=FIRST_RETRY_S, longest_s=longest_s)
        return replace(
            self,
            state=state,
            reason=probe.reason,
            action=probe.action,
            since=self.since if state is self.state else now,
            checked_at=now,
            latency_ms=probe.latency_ms if probe.is_good else self.latency_ms,
            failures=failures,
            due_at=now + timedelta(seconds=wait_s),
        )
