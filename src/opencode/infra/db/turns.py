"""Turns to write: SQLite has one writer at a time, and within this process writers stand in line for it."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from opencode.kernel.errors import Unavailable

TURN_TIMEOUT_S = 15.0


class Turns:
    """
    A lock with two lines, each first come, first served; the urgent line goes first.

    Without it, whoever waits for SQLite asks again and again in no order, and under load somebody always comes last.
    """

    def __init__(self) -> None:
        self._taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    def take_free(self) -> bool:
        """Take the turn if nobody has it; `release` must follow. Returns whether it was free."""
        if self._taken:
            return False
        self._taken = True
        return True

    @asynccontextmanager
    async def turn(self, *, urgent: bool = False) -> AsyncGenerator[None]:
        """
        Raises:
            Unavailable: it took longer than 15 s.
        """
        if not self.take_free():
            await self._wait(self._urgent if urgent else self._others)
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Hand the turn to the next in line."""
        for line in (self._urgent, self._others):
            while line:
                waiting = line.popleft()
                if not waiting.done():
                    waiting.set_result(None)
                    return
        self._taken = False

    async def _wait(self, line: deque[asyncio.Future[None]]) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(mine)
        try:
            async with asyncio.timeout(TURN_TIMEOUT_S):
                await mine
        except BaseException as error:
            # The turn may have come in the very moment in which we stopped waiting for it.
            if mine.done() and not mine.cancelled():
                self.release()
            if isinstance(error, TimeoutError):
                raise Unavailable(
                    f"The database was busy for {TURN_TIMEOUT_S:.0f} s.", action="Try again in a moment."
                ) from None
            raise
