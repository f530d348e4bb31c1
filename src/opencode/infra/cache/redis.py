"""A shelf in Redis 7 or Valkey, for all processes. One that cannot be reached holds nothing."""

from collections.abc import Collection
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from opencode.infra.cache.base import MOST_KEPT_S, Kept

log = structlog.get_logger(__name__)

_PATIENCE_S = 1.0
# Stamps are Redis's own time in microseconds: they go on growing when Redis has lost everything else.
_NOW = "local now = redis.call('TIME'); now = now[1] * 1000000 + now[2]; "
_STAMP = f"{_NOW} return now"
_DROP = f"""{_NOW}
for _, key in ipairs(KEYS) do redis.call('SET', key, string.format('%d', now), 'EX', ARGV[1]) end
"""


class RedisShelf:
    """Values carry the stamp from before they were made, surrogate keys the moment in which they were dropped."""

    def __init__(self, client: "Redis", version: str, *, prefix: str = "{opencode:cache}:") -> None:
        """
        Args:
            version: of the program. Others may write the same things in another way, but hear of the same drops.
            prefix: in braces, so that all keys are in one slot of a cluster.
        """
        self._client = client
        self._entries = f"{prefix}entry:{version}:"
        self._drops = f"{prefix}dropped:"

    @classmethod
    def connect(cls, url: str, version: str) -> "RedisShelf":
        return cls(Redis.from_url(url, socket_timeout=_PATIENCE_S, socket_connect_timeout=_PATIENCE_S), version)

    async def stamp(self) -> int | None:
        try:
            return int(await self._eval(_STAMP))
        except (RedisError, OSError) as error:
            _complain(error)
            return None

    async def get(self, key: str) -> Kept | None:
        try:
            raw: Any = await self._client.get(self._entries + key)
            if raw is None:
                return None
            kept = msgspec.msgpack.decode(raw, type=Kept)
            dropped: list[Any] = []
            if kept.surrogate_keys:
                dropped = await self._client.mget([self._drops + each for each in kept.surrogate_keys])
        except (RedisError, OSError, msgspec.MsgspecError) as error:
            _complain(error)
            return None
        return None if any(at is not None and int(at) >= kept.stamp for at in dropped) else kept

    async def put(self, key: str, kept: Kept, *, for_s: float) -> None:
        lifetime_ms = max(1, int(min(for_s, MOST_KEPT_S) * 1000))
        try:
            await self._client.set(self._entries + key, msgspec.msgpack.encode(kept), px=lifetime_ms)
        except (RedisError, OSError) as error:
            _complain(error)

    async def drop(self, surrogate_keys: Collection[str]) -> None:
        """
        Raises:
            RedisError, OSError: it is not certain that they are dropped; try again.
        """
        if surrogate_keys:
            # For longer than anything lives that was made before.
            await self._eval(_DROP, [self._drops + each for each in surrogate_keys], 2 * MOST_KEPT_S)

    async def close(self) -> None:
        await self._client.aclose()

    async def _eval(self, script: str, keys: Collection[str] = (), *arguments: int) -> Any:
        client: Any = self._client
        return await client.eval(script, len(keys), *keys, *arguments)


def _complain(error: Exception) -> None:
    log.warning("the shared cache cannot be used", reason=f"{type(error).__name__}: {error}"[:200])
