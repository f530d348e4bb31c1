"""Doing things for somebody one after the other, with an end to how much may wait."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Turnstile(Generic[T]):
    """
    One thing after the other, in the order in which they came.

    Args:
        work: does one of them, and may take its time.
        most: how much may wait, in the unit of `put`'s weight.
    """

    def __init__(self, work: Callable[[T], Awaitable[object]], most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: deque[tuple[T, int]] = deque()
        self._weight = 0
        self._task: asyncio.Task[None] | None = None

    def put(self, thing: T, weight: int = 1) -> bool:
        """False when too much waits already; then it is not done."""
        if self._weight + weight > self._most:
            return False
        self._weight += weight
        self._waiting.append((thing, weight))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work_off())
        return True

    def close(self) -> None:
        """Do nothing more."""
        self._waiting.clear()
        if self._task:
            self._task.cancel()

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                thing, weight = self._waiting[0]
                await self._work(thing)
                if self._waiting:
                    self._waiting.popleft()
                    self._weight -= weight
        except Exception:
            log.exception("what somebody asked of a terminal could not be done")
            self._most = 0
        finally:
            self._task = None
