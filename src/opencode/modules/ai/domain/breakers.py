"""Breakers: a deployment that fails again and again is left alone for a while, then tried with one call."""

from dataclasses import dataclass

from opencode.modules.ai.domain.configuration.model import Breaker


@dataclass(slots=True)
class BreakerState:
    """
    Closed as long as it works; open after so many failures in a row; half open once its time is over, when one call
    may find out. Times are seconds of one clock that does not go back.

    Attributes:
        failures: in a row.
        open_until: None while it is closed.
        probing: the one call is under way.
        rests_until: the provider asked for a pause, which says nothing of its health.
    """

    failures: int = 0
    open_until: float | None = None
    probing: bool = False
    rests_until: float = 0.0

    def wait_s(self, now_s: float) -> float:
        """Seconds until a call may be tried; 0 for now."""
        rest_s = max(self.rests_until - now_s, 0.0)
        if self.open_until is None:
            return rest_s
        if self.probing:
            # Nobody knows how long the call that finds out will take.
            return max(rest_s, 1.0)
        return max(rest_s, self.open_until - now_s, 0.0)

    def begin(self) -> None:
        """A call is tried."""
        self.probing = self.open_until is not None

    def succeeded(self) -> None:
        self.failures, self.open_until, self.probing = 0, None, False

    def failed(self, now_s: float, policy: Breaker) -> None:
        self.failures += 1
        if self.probing or self.failures >= policy.failures:
            self.open_until = now_s + policy.open_s
        self.probing = False

    def learned_nothing(self) -> None:
        """The call's end says nothing of the deployment: it was refused for what it asked, or its client left."""
        self.probing = False

    def rest(self, until_s: float) -> None:
        """The provider asked for a pause."""
        self.rests_until = max(self.rests_until, until_s)
