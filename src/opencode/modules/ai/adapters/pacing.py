"""How often streams are read when there are many."""

import asyncio
from collections import deque
from typing import Protocol

READS_PER_S = 8_000
"""Of all streams together: some third of what a core can do."""
_FEW = 160
"""With so many at most no stream waits: hardly any model says more than fifty words a second."""
_TICK_S = 0.002
_MOST_WORDS_BYTES = 16 * 1024
"""What comes in larger pieces are no words, and takes as few reads as it can."""


class Reading(Protocol):
    """The end of a connection on which a stream comes."""

    def rest(self) -> None:
        """Read no more for now."""
        ...

    def go_on(self) -> None:
        """Read on, if it is still resting."""
        ...


class Pace:
    """
    The pace of all streams of this process. A word costs it some forty microseconds however short it is, most of them
    system calls on both sides; of a thousand streams with fifty words a second no core can hand on each word by itself,
    and trying to would delay all of them, and those who just begin the most. So where there are many, a stream that has
    been read is read again only when its turn comes, and what came meanwhile goes on as one piece. The first words of a
    stream wait for nothing, nor does what comes seldom.
    """

    def __init__(self) -> None:
        self._streams = 0
        self._resting: deque[tuple[float, Reading]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def rest_s(self) -> float:
        """How long a stream rests after each read; 0 for not at all."""
        return self._streams / READS_PER_S if self._streams > _FEW else 0.0

    def begun(self) -> None:
        self._streams += 1

    def ended(self) -> None:
        self._streams -= 1

    def has_read(self, reading: Reading, size: int) -> None:
        """So many bytes of a stream have come, and more are expected."""
        rest_s = self.rest_s
        if not rest_s or size > _MOST_WORDS_BYTES:
            return
        reading.rest()
        loop = asyncio.get_running_loop()
        self._resting.append((loop.time() + rest_s, reading))
        if self._timer is None:
            self._timer = loop.call_later(rest_s, self._wake)

    def _wake(self) -> None:
        resting, loop = self._resting, asyncio.get_running_loop()
        now_s = loop.time()
        while resting and resting[0][0] <= now_s:
            resting.popleft()[1].go_on()
        # Several at a time: each way to the timer and back costs as much as a read.
        self._timer = loop.call_at(max(resting[0][0], now_s + _TICK_S), self._wake) if resting else None
