"""Brakes: so many attempts in so many seconds for a key. Counted in this process; `redis_rate_limit` counts for all."""

import math
from dataclasses import dataclass
from typing import Protocol

from opencode.kernel.clock import Clock

_SWEEP_AT = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `attempts` within `window_s` seconds."""

    attempts: int
    window_s: int


class RateLimiter(Protocol):
    """Counts attempts."""

    async def attempt(self, key: str, rate: Rate) -> int:
        """
        Count one attempt. Returns 0 when it may go ahead, else the seconds to wait. A refused attempt counts as well,
        within the window that runs; windows are fixed, so a wait is never longer than one window.
        """
        ...

    async def waiting(self, key: str, rate: Rate) -> int:
        """The seconds to wait that `attempt` would answer now. Counts nothing."""
        ...

    async def forget(self, key: str) -> None:
        """Start over, such as after the right password."""
        ...


class MemoryRateLimiter:
    """Within one process. Bounded: windows that have passed are swept once there are many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[int, int]] = {}
        self._sweep_at = _SWEEP_AT

    async def attempt(self, key: str, rate: Rate) -> int:
        now = self._clock.timestamp()
        ends_at, count = self._windows.get(key, (0, 0))
        if now >= ends_at:
            self._sweep(now)
            ends_at, count = math.ceil(now + rate.window_s), 0
        self._windows[key] = (ends_at, count + 1)
        return 0 if count < rate.attempts else max(1, math.ceil(ends_at - now))

    async def waiting(self, key: str, rate: Rate) -> int:
        now = self._clock.timestamp()
        ends_at, count = self._windows.get(key, (0, 0))
        return 0 if now >= ends_at or count < rate.attempts else max(1, math.ceil(ends_at - now))

    async def forget(self, key: str) -> None:
        self._windows.pop(key, None)

    def _sweep(self, now: float) -> None:
        if len(self._windows) < self._sweep_at:
            return
        self._windows = {key: window for key, window in self._windows.items() if window[0] > now}
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._windows))
