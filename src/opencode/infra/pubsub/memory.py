"""Pub/sub within one process: the default product."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opencode.infra.pubsub.base import Subscription


class MemoryPubSub:
    """Delivers before `publish` returns."""

    def __init__(self) -> None:
        self._topics: dict[str, set[Subscription]] = {}

    async def publish(self, topic: str, message: bytes) -> None:
        for subscription in self._topics.get(topic, ()):
            subscription.put(message)

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[Subscription]:
        subscription = Subscription()
        self._topics.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            listeners = self._topics[topic]
            listeners.discard(subscription)
            if not listeners:
                del self._topics[topic]

    async def close(self) -> None:
        self._topics.clear()
