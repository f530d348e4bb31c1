"""Asking a brake whether it holds, without counting an attempt."""

import pytest
from redis.asyncio import Redis

from opencode.infra.security import MemoryRateLimiter, Rate, RateLimiter
from opencode.infra.security.redis_rate_limit import RedisRateLimiter
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import new_id

RATE = Rate(attempts=2, window_s=60)


@pytest.fixture(params=["memory", "redis"])
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    if request.param == "memory":
        return MemoryRateLimiter(ManualClock())
    return RedisRateLimiter(Redis.from_url(request.getfixturevalue("redis_url")))


async def test_looking_at_a_brake_counts_nothing_and_tells_what_the_next_attempt_would(limiter: RateLimiter) -> None:
    key = new_id("key")
    for _ in range(5):
        assert await limiter.waiting(key, RATE) == 0
    for _ in range(2):
        assert await limiter.waiting(key, RATE) == 0
        assert await limiter.attempt(key, RATE) == 0
    assert 1 <= await limiter.waiting(key, RATE) <= 60
    assert 1 <= await limiter.attempt(key, RATE) <= 60
    await limiter.forget(key)
    assert await limiter.waiting(key, RATE) == 0


async def test_a_brake_lets_go_when_its_window_is_over() -> None:
    clock = ManualClock()
    limiter = MemoryRateLimiter(clock)
    for _ in range(2):
        await limiter.attempt("key", RATE)
    assert await limiter.waiting("key", RATE) == 60
    clock.advance(60)
    assert await limiter.waiting("key", RATE) == 0
