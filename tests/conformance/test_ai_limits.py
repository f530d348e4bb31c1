"""One promise of limits by the minute and of calls at once, kept in one process and in Redis for all of them."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from redis.asyncio import Redis

from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import new_id
from opencode.modules.ai.adapters.limits.memory import MemoryLimits
from opencode.modules.ai.adapters.limits.redis import RedisLimits
from opencode.modules.ai.domain.limits import CountBound, Counted, Denial, LimitCounters, Measure
from opencode.modules.ai.domain.usage import Subject, SubjectKind
from opencode.modules.ai.errors import LimitsUnknown

CALL_IDS = count(1)


@pytest.fixture(params=["memory", "redis"])
async def limits(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[LimitCounters]:
    if request.param == "memory":
        yield MemoryLimits(clock)
        return
    async with Redis.from_url(request.getfixturevalue("redis_url")) as client:
        yield RedisLimits(client)


@pytest.fixture
def person() -> Subject:
    return Subject(SubjectKind.PERSON, new_id("usr"))


async def take(limits: LimitCounters, *counts: CountBound, tokens: int = 0) -> Counted | Denial:
    return await limits.take(next(CALL_IDS), counts, tokens)


async def taken(limits: LimitCounters, *counts: CountBound, tokens: int = 0) -> Counted:
    counted = await take(limits, *counts, tokens=tokens)
    assert isinstance(counted, Counted)
    return counted


@pytest.mark.parametrize("measure", Measure)
async def test_of_many_calls_at_once_no_more_than_allowed_go_ahead(
    limits: LimitCounters, person: Subject, measure: Measure
) -> None:
    bound = CountBound(person, measure, 7)
    answers = await asyncio.gather(*(take(limits, bound, tokens=1) for _ in range(30)))
    denials = [each for each in answers if isinstance(each, Denial)]
    assert len(denials) == 23
    assert all(each.bound == bound and 1 <= each.retry_after_s <= 61 for each in denials)


async def test_a_call_that_one_bound_refuses_is_counted_by_none(limits: LimitCounters, person: Subject) -> None:
    wide, narrow = CountBound(person, Measure.REQUESTS, 3), CountBound(person, Measure.TOKENS, 10)
    await taken(limits, wide, narrow, tokens=10)
    for _ in range(5):
        assert isinstance(await take(limits, wide, narrow, tokens=1), Denial)
    await taken(limits, wide)
    await taken(limits, wide)
    assert isinstance(await take(limits, wide), Denial)


async def test_a_call_that_ends_makes_room_for_another(limits: LimitCounters, person: Subject) -> None:
    one = CountBound(person, Measure.CALLS, 1)
    first = await taken(limits, one)
    assert isinstance(await take(limits, one), Denial)
    await limits.renew([first])
    assert isinstance(await take(limits, one), Denial)
    await limits.settle(first, 0)
    await taken(limits, one)


async def test_tokens_count_as_they_were_used_once_that_is_known(limits: LimitCounters, person: Subject) -> None:
    bound = CountBound(person, Measure.TOKENS, 100)
    await limits.settle(await taken(limits, bound, tokens=90), 20)
    await limits.settle(await taken(limits, bound, tokens=80), 90)
    assert isinstance(await take(limits, bound, tokens=1), Denial)


async def test_a_call_that_never_was_counts_nowhere(limits: LimitCounters, person: Subject) -> None:
    counts = [CountBound(person, measure, 5) for measure in Measure]
    for _ in range(12):
        await limits.refund(await taken(limits, *counts, tokens=5))


async def test_what_is_taken_of_a_bound_now_can_be_asked(limits: LimitCounters, person: Subject) -> None:
    counts = [CountBound(person, measure, 50) for measure in Measure]
    assert await limits.used(counts) == [0, 0, 0]
    first, _ = await taken(limits, *counts, tokens=20), await taken(limits, *counts, tokens=5)
    assert await limits.used(counts) == [2, 25, 2]
    await limits.settle(first, 7)
    assert await limits.used(counts[::-1]) == [1, 12, 2]
    assert await limits.used([]) == []


async def test_a_caller_without_limits_goes_ahead(limits: LimitCounters) -> None:
    counted = await taken(limits, tokens=10**9)
    await limits.settle(counted, 5)


async def test_a_minute_later_in_one_process_it_goes_on(clock: ManualClock, person: Subject) -> None:
    limits, bound = MemoryLimits(clock), CountBound(person, Measure.REQUESTS, 2)
    await taken(limits, bound)
    clock.advance(30)
    await taken(limits, bound)
    denial = await take(limits, bound)
    assert isinstance(denial, Denial)
    clock.advance(denial.retry_after_s - 1)
    assert isinstance(await take(limits, bound), Denial)
    clock.advance(1)
    await taken(limits, bound)
    assert isinstance(await take(limits, bound), Denial)


async def test_what_nobody_has_used_for_a_minute_takes_no_memory(clock: ManualClock) -> None:
    limits = MemoryLimits(clock)
    for number in range(25_000):
        bound = CountBound(Subject(SubjectKind.PERSON, f"{number}"), Measure.REQUESTS, 5)
        await limits.settle(await taken(limits, bound), 0)
        if number % 5_000 == 0:
            clock.advance(62)
    assert len(limits._windows) <= 15_000
    assert limits._calls == {}


async def test_a_minute_later_in_redis_it_goes_on_and_everything_there_ends(redis_url: str, person: Subject) -> None:
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        limits = RedisLimits(client, prefix="limits:")
        bound, calls = CountBound(person, Measure.REQUESTS, 1), CountBound(person, Measure.CALLS, 1)
        await taken(limits, bound, calls)
        windows, under_way = f"limits:{bound.key}", f"limits:{calls.key}"
        assert 1 <= await client.ttl(windows) <= 62
        assert 1 <= await client.ttl(under_way) <= 120
        # Time is Redis's own here: what was counted is made older.
        [(second, counted)] = (await client.hgetall(windows)).items()
        await client.delete(windows)
        await client.hset(windows, str(int(second) - 62), counted)
        for call in await client.zrange(under_way, 0, -1):
            await client.zincrby(under_way, -121, str(call))
        await taken(limits, bound, calls)
        assert isinstance(await take(limits, bound), Denial)


async def test_a_redis_that_is_away_is_said_and_lets_nobody_through(tmp_path: object, person: Subject) -> None:
    async with Redis.from_url(f"unix://{tmp_path}/none.sock") as client:
        with pytest.raises(LimitsUnknown):
            await take(RedisLimits(client), CountBound(person, Measure.REQUESTS, 1))
