"""The contract of pub/sub, and the bounded mailbox of a subscriber."""

import asyncio
from collections import deque
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

MAILBOX_MESSAGES = 1_000


class Lagged:
    """Messages were lost: the subscriber was too slow, or the connection broke. Read the truth again."""


LAGGED: Final = Lagged()


class Subscription:
    """
    What a subscriber holds: an endless iteration of messages, in the order in which they were published, with
    `LAGGED` in the place of what was lost. It never holds more than `MAILBOX_MESSAGES`.
    """

    def __init__(self) -> None:
        self._messages: deque[bytes | Lagged] = deque()
        self._arrived = asyncio.Event()

    def put(self, message: bytes | Lagged) -> None:
        """Called by the pub/sub. Never waits: a full mailbox is emptied and marked as lagged."""
        if len(self._messages) >= MAILBOX_MESSAGES:
            self._messages.clear()
            self._messages.append(LAGGED)
        self._messages.append(message)
        self._arrived.set()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> bytes | Lagged:
        while not self._messages:
            self._arrived.clear()
            await self._arrived.wait()
        return self._messages.popleft()


class PubSub(Protocol):
    """At most once, to those who listen now; whoever needs more reads a log as well."""

    async def publish(self, topic: str, message: bytes) -> None: ...

    def subscribe(self, topic: str) -> AbstractAsyncContextManager[Subscription]:
        """
        Once entered, every message published from then on arrives or is marked as lost. One that was on its way at
        that moment may arrive as well.
        """
        ...

    async def close(self) -> None: ...
