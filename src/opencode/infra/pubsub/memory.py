"""Pub/sub within one process: the default product."""

from collections.abc import AsyncGenerator
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
    async def subscribe(self, topic: str) -> AsyncGenerator[Subscription]:
        subscription = Subscription()
        self._topics.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            # After `close` the topic is gone already.
            listeners = self._topics.get(topic, set())
            listeners.discard(subscription)
            if not listeners:
                self._topics.pop(topic, None)

    async def close(self) -> None:
        self._topics.clear()
