"""Pub/sub between processes, on Redis 7 or Valkey. One connection listens for all topics of a process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from opencode.infra.pubsub.base import LAGGED, Subscription

log = structlog.get_logger(__name__)

_RETRY_S = 0.5


class RedisPubSub:
    """
    Every topic is one Redis channel, subscribed to while somebody here listens. When the connection breaks, all
    subscribers are told that they lagged, and the channels are subscribed to anew.
    """

    def __init__(self, client: "Redis", *, prefix: str = "opencode:") -> None:
        self._client = client
        self._prefix = prefix
        self._topics: dict[str, set[Subscription]] = {}
        self._confirmed: dict[str, asyncio.Event] = {}
        self._channel: Any = None
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    def connect(cls, url: str) -> "RedisPubSub":
        """Args: url: `redis://host:6379/0` or `unix:///path`."""
        return cls(Redis.from_url(url))

    async def publish(self, topic: str, message: bytes) -> None:
        await self._client.publish(self._prefix + topic, message)

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncGenerator[Subscription]:
        subscription = Subscription()
        self._topics.setdefault(topic, set()).add(subscription)
        try:
            await self._listen_to(topic)
            yield subscription
        finally:
            await self._leave(topic, subscription)

    async def close(self) -> None:
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._channel:
            await self._channel.aclose()
        await self._client.aclose()

    async def _listen_to(self, topic: str) -> None:
        confirmed = self._confirmed.get(topic)
        if confirmed is None:
            confirmed = self._confirmed[topic] = asyncio.Event()
            if self._channel is None:
                self._channel = self._client.pubsub()
            await self._channel.subscribe(self._prefix + topic)
            if self._reader is None:
                self._reader = asyncio.create_task(self._read())
        # Redis answers a SUBSCRIBE; only from then on is a message sure to arrive.
        await confirmed.wait()

    async def _leave(self, topic: str, subscription: Subscription) -> None:
        listeners = self._topics[topic]
        listeners.discard(subscription)
        if listeners:
            return
        del self._topics[topic]
        self._confirmed.pop(topic, None)
        if self._channel:
            await self._channel.unsubscribe(self._prefix + topic)

    async def _read(self) -> None:
        while True:
            try:
                message = await self._channel.get_message(timeout=None)
            except (RedisError, OSError):
                await self._mend()
                continue
            if message:
                self._dispatch(message)

    def _dispatch(self, message: dict[str, Any]) -> None:
        topic = message["channel"].decode().removeprefix(self._prefix)
        if message["type"] == "subscribe" and topic in self._confirmed:
            self._confirmed[topic].set()
        elif message["type"] == "message":
            for subscription in self._topics.get(topic, ()):
                subscription.put(message["data"])

    async def _mend(self) -> None:
        log.warning("pub/sub lost its connection, connecting again", topics=len(self._topics), retry_s=_RETRY_S)
        await asyncio.sleep(_RETRY_S)
        try:
            await self._channel.connection.disconnect()
            await self._channel.connect()
        except (RedisError, OSError):
            return
        for listeners in self._topics.values():
            for subscription in listeners:
                subscription.put(LAGGED)
