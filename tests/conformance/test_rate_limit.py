"""One promise of brakes, kept in one process and in Redis for all of them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from opencode.infra.security import MemoryRateLimiter, Rate, RateLimiter
from opencode.infra.security.redis_rate_limit import RedisRateLimiter
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import new_id

THREE_A_MINUTE = Rate(attempts=3, window_s=60)


@pytest.fixture(params=["memory", "redis"])
async def limiter(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[RateLimiter]:
    if request.param == "memory":
        yield MemoryRateLimiter(clock)
        return
    async with Redis.from_url(request.getfixturevalue("redis_url")) as client:
        yield RedisRateLimiter(client)


@pytest.fixture
def key() -> str:
    return new_id("key")


async def test_so_many_attempts_go_ahead_and_the_next_one_is_told_how_long_to_wait(
    limiter: RateLimiter, key: str
) -> None:
    assert [await limiter.attempt(key, THREE_A_MINUTE) for _ in range(3)] == [0, 0, 0]
    for _ in range(5):
        assert 1 <= await limiter.attempt(key, THREE_A_MINUTE) <= 60


async def test_each_key_has_a_count_of_its_own(limiter: RateLimiter, key: str) -> None:
    for _ in range(4):
        await limiter.attempt(key, THREE_A_MINUTE)
    assert await limiter.attempt(key + "x", THREE_A_MINUTE) == 0


async def test_a_key_that_is_forgotten_starts_over(limiter: RateLimiter, key: str) -> None:
    for _ in range(4):
        await limiter.attempt(key, THREE_A_MINUTE)
    await limiter.forget(key)
    await limiter.forget(key)
    assert await limiter.attempt(key, THREE_A_MINUTE) == 0


async def test_of_many_attempts_at_once_no_more_than_allowed_go_ahead(limiter: RateLimiter, key: str) -> None:
    waits = await asyncio.gather(*(limiter.attempt(key, THREE_A_MINUTE) for _ in range(20)))
    assert waits.count(0) == 3


async def test_after_the_window_it_goes_on(clock: ManualClock, key: str) -> None:
    limiter = MemoryRateLimiter(clock)
    for _ in range(4):
        await limiter.attempt(key, THREE_A_MINUTE)
    clock.advance(await limiter.attempt(key, THREE_A_MINUTE))
    assert await limiter.attempt(key, THREE_A_MINUTE) == 0


async def test_after_the_window_it_goes_on_in_redis_too(redis_url: str, key: str) -> None:
    async with Redis.from_url(redis_url) as client:
        limiter = RedisRateLimiter(client, prefix="rate:")
        for _ in range(4):
            await limiter.attempt(key, THREE_A_MINUTE)
        # Time is Redis's own here: the window is made to pass by taking its key's end forward.
        assert await client.pexpire(f"rate:{key}", 1, lt=True)
        async with asyncio.timeout(5):
            while await client.exists(f"rate:{key}"):
                pass
        assert await limiter.attempt(key, THREE_A_MINUTE) == 0


async def test_a_window_in_redis_always_ends(redis_url: str, key: str) -> None:
    async with Redis.from_url(redis_url) as client:
        limiter = RedisRateLimiter(client, prefix="rate:")
        for _ in range(5):
            await limiter.attempt(key, THREE_A_MINUTE)
            assert 1 <= await client.ttl(f"rate:{key}") <= 60


async def test_keys_of_long_ago_take_no_memory(clock: ManualClock) -> None:
    limiter = MemoryRateLimiter(clock)
    for number in range(25_000):
        await limiter.attempt(f"{number}", THREE_A_MINUTE)
        if number % 5_000 == 0:
            clock.advance(61)
    assert len(limiter._windows) <= 15_000
