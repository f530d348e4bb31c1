"""
What modules ask: the nearest shelf that has it, or else whoever can make it, once for all who wait.

What is dropped is dropped in this process and in the shared shelf before `drop` returns, and in all other processes as
soon as they hear of it. A process that may have missed something empties its own shelf.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import structlog

from opencode.infra.cache.base import MOST_KEPT_S, Kept, Made, Shelf
from opencode.infra.cache.memory import MemoryShelf
from opencode.infra.observability import metrics
from opencode.infra.pubsub import Lagged, PubSub, Subscription
from opencode.kernel.clock import Clock

log = structlog.get_logger(__name__)

Maker = Callable[[], Awaitable[Made]]

_TOPIC = "cache.dropped"


class Cache:
    """
    Attributes:
        near: the shelf of this process.
    """

    def __init__(
        self, clock: Clock, pubsub: PubSub, near: MemoryShelf | None = None, shared: Shelf | None = None
    ) -> None:
        self.near = near or MemoryShelf()
        self._shared = shared
        self._clock = clock
        self._pubsub = pubsub
        self._making: dict[str, asyncio.Task[bytes]] = {}
        self._held = AsyncExitStack()
        self._listener: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to hear what other processes drop."""
        subscription = await self._held.enter_async_context(self._pubsub.subscribe(_TOPIC))
        self._listener = asyncio.create_task(self._listen(subscription))

    async def close(self) -> None:
        tasks: list[asyncio.Task[Any]] = [*self._making.values(), *([self._listener] if self._listener else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._held.aclose()
        if self._shared:
            await self._shared.close()

    async def get(self, key: str, make: Maker) -> bytes:
        """
        What is kept under a key, or what is made now. However many ask at the same moment, it is made once; an error
        of `make` reaches all of them and is not kept.
        """
        kept = await self.near.get(key)
        now = self._clock.timestamp()
        if kept is None or now >= kept.stale_until:
            return await asyncio.shield(self._made(key, make))
        if now >= kept.fresh_until:
            metrics.CACHE_REQUESTS.labels("stale").inc()
            self._made(key, make)
        else:
            metrics.CACHE_REQUESTS.labels("hit").inc()
        return kept.value

    async def drop(self, surrogate_keys: Collection[str]) -> None:
        """
        What was made from these is outdated, everywhere.

        Raises:
            Exception: of Redis, when not everybody could be told. This process has dropped it all the same.
        """
        if not surrogate_keys:
            return
        await self.forget(surrogate_keys)
        if self._shared:
            await self._shared.drop(surrogate_keys)
        await self._pubsub.publish(_TOPIC, msgspec.msgpack.encode(list(surrogate_keys)))

    async def forget(self, surrogate_keys: Collection[str]) -> None:
        """The same for this process alone; for what is local (`Made.is_local`)."""
        # Nobody who asks from now on may get what was begun before.
        self._making.clear()
        await self.near.drop(surrogate_keys)

    def _made(self, key: str, make: Maker) -> asyncio.Task[bytes]:
        if (task := self._making.get(key)) is None:
            task = self._making[key] = asyncio.create_task(self._fetch(key, make))
            task.add_done_callback(lambda done: self._finish(key, done))
        return task

    def _finish(self, key: str, done: asyncio.Task[bytes]) -> None:
        if self._making.get(key) is done:
            del self._making[key]
        if not done.cancelled() and (error := done.exception()):
            # Whoever waits gets it as well; where nobody does, it must not be lost.
            log.debug("nothing could be made to be kept", key=key[:200], reason=repr(error)[:200])

    async def _fetch(self, key: str, make: Maker) -> bytes:
        near_stamp = await self.near.stamp()
        shared_stamp = None
        if self._shared:
            kept, now = await self._shared.get(key), self._clock.timestamp()
            if kept and now < kept.fresh_until:
                metrics.CACHE_REQUESTS.labels("shared").inc()
                await self.near.put(key, msgspec.structs.replace(kept, stamp=near_stamp), for_s=kept.stale_until - now)
                return kept.value
            shared_stamp = await self._shared.stamp()
        metrics.CACHE_REQUESTS.labels("miss").inc()
        made = await make()
        if made.fresh_s > 0:
            await self._keep(key, made, near_stamp, shared_stamp)
        return made.value

    async def _keep(self, key: str, made: Made, near_stamp: int, shared_stamp: int | None) -> None:
        now, for_s = self._clock.timestamp(), min(made.fresh_s + made.stale_s, MOST_KEPT_S)
        kept = Kept(made.value, made.surrogate_keys, near_stamp, now + made.fresh_s, now + for_s)
        await self.near.put(key, kept, for_s=for_s)
        if self._shared and shared_stamp is not None and not made.is_local:
            await self._shared.put(key, msgspec.structs.replace(kept, stamp=shared_stamp), for_s=for_s)

    async def _listen(self, subscription: Subscription) -> None:
        async for message in subscription:
            if isinstance(message, Lagged):
                self._making.clear()
                self.near.clear()
            else:
                await self.forget(msgspec.msgpack.decode(message, type=list[str]))
