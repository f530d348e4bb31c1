"""Pub/sub between processes, on Redis 7 or Valkey. One connection listens for all topics of a process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from opencode.infra.pubsub.base import LAGGED, Subscription

log = structlog.get_logger(__name__)

_RETRY_S = 0.5
# A network that drops packets silently shows no error: after so long without a word, one is asked for.
_QUIET_S = 15.0


class RedisPubSub:
    """
    Every topic is one Redis channel, subscribed to while somebody here listens. When the connection breaks, the
    channels are subscribed to anew, and all subscribers are told that they lagged.
    """

    def __init__(self, publisher: "Redis", listener: "Redis", *, prefix: str = "opencode:") -> None:
        """
        Args:
            listener: must not retry by itself. What it does again behind our back would be lost messages that nobody
                was told of.
        """
        self._publisher = publisher
        self._listener = listener
        self._prefix = prefix
        self._topics: dict[str, set[Subscription]] = {}
        self._confirmed: dict[str, asyncio.Event] = {}
        self._channel: Any = None
        self._reader: asyncio.Task[None] | None = None
        # Commands of the channel and its renewal take turns: one sent to a connection that is being replaced is lost.
        self._turn = asyncio.Lock()

    @classmethod
    def connect(cls, url: str) -> "RedisPubSub":
        """Args: url: `redis://host:6379/0` or `unix:///path`."""
        return cls(Redis.from_url(url), Redis.from_url(url, retry=Retry(NoBackoff(), 0)))

    async def publish(self, topic: str, message: bytes) -> None:
        await self._publisher.publish(self._prefix + topic, message)

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
        async with self._turn:
            await self._drop_channel()
        await self._listener.aclose()
        await self._publisher.aclose()

    async def _listen_to(self, topic: str) -> None:
        confirmed = self._confirmed.get(topic)
        if confirmed is None:
            confirmed = self._confirmed[topic] = asyncio.Event()
            async with self._turn:
                # Where this fails the reader fails too, and subscribes to everything once it has a connection.
                with suppress(RedisError, OSError):
                    if self._channel is None:
                        await self._open_channel()
                    else:
                        await self._channel.subscribe(self._prefix + topic)
            if self._reader is None:
                self._reader = asyncio.create_task(self._read())
        # Redis answers a SUBSCRIBE; only from then on is a message sure to arrive.
        await confirmed.wait()

    async def _leave(self, topic: str, subscription: Subscription) -> None:
        listeners = self._topics.get(topic, set())
        listeners.discard(subscription)
        if listeners:
            return
        self._topics.pop(topic, None)
        self._confirmed.pop(topic, None)
        async with self._turn:
            # Somebody may have come while this waited for its turn.
            if self._channel is not None and topic not in self._topics:
                with suppress(RedisError, OSError):
                    await self._channel.unsubscribe(self._prefix + topic)

    async def _open_channel(self) -> None:
        channel: Any = self._listener.pubsub()
        await channel.subscribe(*(self._prefix + topic for topic in self._topics))
        self._channel = channel

    async def _drop_channel(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            with suppress(RedisError, OSError):
                await channel.aclose()

    async def _read(self) -> None:
        while True:
            try:
                await self._read_until_it_breaks()
            except (RedisError, OSError) as error:
                log.warning("pub/sub lost its connection, connecting again", topics=len(self._topics), error=str(error))
                await self._mend()

    async def _read_until_it_breaks(self) -> None:
        asked = False
        while True:
            if self._channel is None:
                raise OSError("there is no connection yet")
            message = await self._channel.get_message(timeout=_QUIET_S)
            if message:
                self._dispatch(message)
            elif asked:
                raise OSError(f"Redis has been silent for {2 * _QUIET_S:.0f} s")
            # Without a topic there is nothing to hear, and no answer to a question either.
            asked = not message and self._channel.subscribed
            if asked:
                async with self._turn:
                    await self._channel.ping()

    async def _mend(self) -> None:
        async with self._turn:
            await self._drop_channel()
        while True:
            with suppress(RedisError, OSError):
                async with self._turn:
                    if self._topics and self._channel is None:
                        await self._open_channel()
                    if self._channel is not None:
                        return
            await asyncio.sleep(_RETRY_S)

    def _dispatch(self, message: dict[str, Any]) -> None:
        topic = message["channel"].decode().removeprefix(self._prefix)
        if message["type"] == "subscribe":
            self._confirm(topic)
        elif message["type"] == "message":
            for subscription in self._topics.get(topic, ()):
                subscription.put(message["data"])

    def _confirm(self, topic: str) -> None:
        confirmed = self._confirmed.get(topic)
        if confirmed is None:
            return
        if not confirmed.is_set():
            confirmed.set()
            return
        # Subscribed once more: the connection is a new one. Told only now, since whoever then reads the truth again
        # must not miss what is published while they read.
        for subscription in self._topics.get(topic, ()):
            subscription.put(LAGGED)
