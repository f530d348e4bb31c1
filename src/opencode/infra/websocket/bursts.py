"""
Writing in bursts. What costs most of a small message is not making it but waking whoever reads it: many writes at
once cost the kernel far less than the same writes one by one (docs/adr/0002 has the measurements).
"""

import asyncio
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

INTERVAL_S = 0.003
"""The shortest time between two bursts. It is also the longest time that a frame waits, and only on a busy server."""


class Writer(Protocol):
    """Somebody with frames to write."""

    def write_out(self) -> None: ...


class Bursts:
    """Lets all writers of a server write together: at once when nobody wrote lately, else when the interval is over."""

    def __init__(self, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._writers: list[Writer] = []
        self._last = 0.0

    def join(self, writer: Writer) -> None:
        """Have `write_out` called in the next burst. Call once until then."""
        self._writers.append(writer)
        if len(self._writers) == 1:
            loop = asyncio.get_running_loop()
            wait = self._last + self._interval_s - loop.time()
            if wait > 0:
                loop.call_later(wait, self._burst)
            else:
                # Whatever else has arrived in this turn of the loop still comes along.
                loop.call_soon(self._burst)

    def _burst(self) -> None:
        self._last = asyncio.get_running_loop().time()
        writers, self._writers = self._writers, []
        for writer in writers:
            try:
                writer.write_out()
            except Exception:
                # Whatever broke this connection takes nothing from the others.
                log.exception("a connection could not be written to")
