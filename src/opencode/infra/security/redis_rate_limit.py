"""Brakes that all processes share. A module of its own: loading Redis costs the start of a server that has none."""

from redis.asyncio import Redis

from opencode.infra.security.rate_limit import Rate


class RedisRateLimiter:
    """Shared by all processes."""

    def __init__(self, client: "Redis", *, prefix: str = "opencode:rate:") -> None:
        self._client = client
        self._prefix = prefix

    async def attempt(self, key: str, rate: Rate) -> int:
        name = self._prefix + key
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.set(name, 0, ex=rate.window_s, nx=True)
            pipe.incr(name)
            pipe.ttl(name)
            _, count, seconds_left = await pipe.execute()
        return 0 if count <= rate.attempts else max(1, seconds_left)

    async def waiting(self, key: str, rate: Rate) -> int:
        name = self._prefix + key
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.get(name)
            pipe.ttl(name)
            count, seconds_left = await pipe.execute()
        return 0 if count is None or int(count) < rate.attempts else max(1, seconds_left)

    async def forget(self, key: str) -> None:
        await self._client.delete(self._prefix + key)
