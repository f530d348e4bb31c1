"""Those who listen to a topic through this process, each until it ends or is ended."""

import asyncio
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from typing import Generic, TypeVar

import msgspec

from opencode.infra.pubsub.base import LAGGED, Lagged, Subscription

T = TypeVar("T")


class Listener(Generic[T]):
    """One open stream of messages, each a `kind` in msgpack."""

    def __init__(self, subscription: Subscription, kind: type[T]) -> None:
        self._subscription = subscription
        self._kind = kind
        self.ended = False

    async def hear(self, patience_s: float) -> T | None:
        """The next message. None when none came in time, when some were lost, or at `ended`."""
        try:
            async with asyncio.timeout(patience_s):
                message = await anext(self._subscription)
        except TimeoutError:
            return None
        return None if isinstance(message, Lagged) else msgspec.msgpack.decode(message, type=self._kind)

    def end(self) -> None:
        self.ended = True
        self._subscription.put(LAGGED)


class Listeners(Generic[T]):
    """All open streams of this process, by whom they are for."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._open: dict[str, set[Listener[T]]] = defaultdict(set)
        self._closing = False

    def count(self, principal_id: str) -> int:
        return len(self._open.get(principal_id, ()))

    @contextmanager
    def listening(self, principal_id: str, subscription: Subscription) -> Generator[Listener[T]]:
        listener = Listener(subscription, self._kind)
        self._open[principal_id].add(listener)
        if self._closing:
            listener.end()
        try:
            yield listener
        finally:
            self._open[principal_id].discard(listener)
            if not self._open[principal_id]:
                del self._open[principal_id]

    def end_here(self, principal_id: str) -> None:
        """End the streams that this person holds open; who may comes back by itself."""
        for listener in self._open.get(principal_id, ()):
            listener.end()

    def close(self) -> None:
        """End all streams, and those that are opened from now on."""
        self._closing = True
        for listeners in self._open.values():
            for listener in listeners:
                listener.end()
