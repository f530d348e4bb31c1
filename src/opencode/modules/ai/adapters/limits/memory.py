"""Limits counted within one process."""

from collections.abc import Sequence

from opencode.kernel.clock import Clock
from opencode.modules.ai.domain.limits import CountBound, Counted, Denial, Measure
from opencode.modules.ai.domain.windows import Window

_SWEEP_AT = 10_000
_WAIT_FOR_A_CALL_S = 1
"""Nobody knows when a call ends; a second later is a fair guess."""


class MemoryLimits:
    """
    `domain.limits.LimitCounters` for one process. Bounded: what nobody has used for a minute is swept once there is
    much of it. Calls end with the process, so none has to be renewed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, Window] = {}
        self._calls: dict[str, int] = {}
        self._sweep_at = _SWEEP_AT

    async def take(self, call_id: int, counts: tuple[CountBound, ...], tokens: int) -> Counted | Denial:
        now_s = int(self._clock.timestamp())
        denial: Denial | None = None
        windows, calls = self._windows, self._calls
        for bound in counts:
            measure, key = bound.measure, bound.key
            if measure is Measure.CALLS:
                wait_s = _WAIT_FOR_A_CALL_S if calls.get(key, 0) >= bound.most else 0
            else:
                window = windows.get(key)
                amount = tokens if measure is Measure.TOKENS else 1
                wait_s = window.wait_s(now_s, amount, bound.most) if window else 0
            if wait_s and (denial is None or wait_s > denial.retry_after_s):
                denial = Denial(bound, wait_s)
        if denial:
            return denial
        for bound in counts:
            key = bound.key
            if bound.measure is Measure.CALLS:
                calls[key] = calls.get(key, 0) + 1
            else:
                # Time may have gone back since; all windows of a call are then in one second all the same.
                self._window(key).add(now_s, tokens if bound.measure is Measure.TOKENS else 1)
        if len(self._windows) >= self._sweep_at:
            self._sweep(now_s)
        return Counted(call_id, counts, tokens, now_s)

    async def settle(self, counted: Counted, tokens: int) -> None:
        if tokens != counted.tokens:
            self._correct(counted, Measure.TOKENS, tokens - counted.tokens)
        self._end(counted)

    async def refund(self, counted: Counted) -> None:
        self._correct(counted, Measure.TOKENS, -counted.tokens)
        self._correct(counted, Measure.REQUESTS, -1)
        self._end(counted)

    async def renew(self, under_way: Sequence[Counted]) -> None:
        pass

    async def used(self, counts: Sequence[CountBound]) -> list[int]:
        now_s = int(self._clock.timestamp())
        return [self._used(bound.key, bound.measure, now_s) for bound in counts]

    def _used(self, key: str, measure: Measure, now_s: int) -> int:
        if measure is Measure.CALLS:
            return self._calls.get(key, 0)
        window = self._windows.get(key)
        return window.total(now_s) if window else 0

    def _window(self, key: str) -> Window:
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window()
        return window

    def _correct(self, counted: Counted, measure: Measure, by: int) -> None:
        for bound in counted.counts:
            if bound.measure is measure and (window := self._windows.get(bound.key)):
                window.correct(counted.second, by)

    def _end(self, counted: Counted) -> None:
        for bound in counted.counts:
            if bound.measure is not Measure.CALLS:
                continue
            left = self._calls[bound.key] - 1
            if left:
                self._calls[bound.key] = left
            else:
                del self._calls[bound.key]

    def _sweep(self, now_s: int) -> None:
        for window in self._windows.values():
            window.total(now_s)
        self._windows = {key: window for key, window in self._windows.items() if not window.is_empty}
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._windows))
