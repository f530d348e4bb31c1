"""
A window that slides: at most so much within any sixty seconds, wherever they begin. Amounts are kept by the second,
and a second counts until all of it is a minute ago: what is counted is never less than the truth, and at most a second
more.
"""

from collections import deque

WINDOW_S = 60
"""Limits are by the minute."""


class Window:
    """What happened in the last minute, second by second. Time only goes forward; a clock that goes back stands."""

    __slots__ = ("_seconds", "_total")

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque()
        self._total = 0

    def total(self, now_s: int) -> int:
        self._slide(now_s)
        return self._total

    def add(self, now_s: int, amount: int) -> int:
        """Count an amount. Returns the second that it is counted in, for `correct`."""
        seconds = self._seconds
        if seconds and seconds[-1][0] >= now_s:
            last = seconds[-1]
            last[1] += amount
            self._total += amount
            return last[0]
        seconds.append([now_s, amount])
        self._total += amount
        return now_s

    def correct(self, second: int, by: int) -> None:
        """Change what is counted in a second, unless that is long ago."""
        for each in reversed(self._seconds):
            if each[0] == second:
                each[1] += by
                self._total += by
                return
            if each[0] < second:
                return

    def wait_s(self, now_s: int, amount: int, limit: int) -> int:
        """Seconds until an amount has room; 0 when it has now. The amount must not be more than the limit."""
        over = self.total(now_s) + amount - limit
        if over <= 0:
            return 0
        for second, counted in self._seconds:
            over -= counted
            if over <= 0:
                return max(1, second + WINDOW_S + 1 - now_s)
        return WINDOW_S + 1

    @property
    def is_empty(self) -> bool:
        return not self._seconds

    def _slide(self, now_s: int) -> None:
        seconds = self._seconds
        while seconds and seconds[0][0] < now_s - WINDOW_S:
            self._total -= seconds.popleft()[1]
