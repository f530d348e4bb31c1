"""One promise of shelves, kept in one process and in Redis for all; and what the cache in front of them does."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from opencode.infra.cache import Cache, Kept, Made, MemoryShelf, Shelf
from opencode.infra.cache.redis import RedisShelf
from opencode.infra.pubsub import LAGGED, MemoryPubSub
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import new_id


@pytest.fixture(params=["memory", "redis"])
async def shelf(request: pytest.FixtureRequest) -> AsyncIterator[Shelf]:
    if request.param == "memory":
        yield MemoryShelf()
        return
    shelf = RedisShelf.connect(request.getfixturevalue("redis_url"), "1")
    yield shelf
    await shelf.close()


@pytest.fixture
def key() -> str:
    return new_id("key")


async def put(shelf: Shelf, key: str, *surrogate_keys: str, stamp: int | None = None) -> None:
    stamp = await shelf.stamp() if stamp is None else stamp
    assert stamp is not None
    await shelf.put(key, Kept(b"value", surrogate_keys, stamp, 1e12, 1e12), for_s=60)


async def test_what_is_put_is_got(shelf: Shelf, key: str) -> None:
    assert await shelf.get(key) is None
    await put(shelf, key, f"{key}/a")
    kept = await shelf.get(key)
    assert kept
    assert (kept.value, kept.surrogate_keys) == (b"value", (f"{key}/a",))


async def test_what_was_made_of_something_that_is_dropped_is_gone(shelf: Shelf, key: str) -> None:
    await put(shelf, f"{key}1", f"{key}/a", f"{key}/b")
    await put(shelf, f"{key}2", f"{key}/c")
    await put(shelf, f"{key}3")
    await shelf.drop([f"{key}/b", f"{key}/unheard-of"])
    assert await shelf.get(f"{key}1") is None
    assert await shelf.get(f"{key}2")
    assert await shelf.get(f"{key}3")
    await put(shelf, f"{key}1", f"{key}/b")
    assert await shelf.get(f"{key}1")


async def test_what_was_begun_before_a_drop_is_refused_after_it(shelf: Shelf, key: str) -> None:
    before = await shelf.stamp()
    await shelf.drop([f"{key}/a"])
    await put(shelf, key, f"{key}/a", stamp=before)
    assert await shelf.get(key) is None


async def test_dropping_twice_or_nothing_does_no_harm(shelf: Shelf, key: str) -> None:
    await put(shelf, key, f"{key}/a")
    await shelf.drop([])
    assert await shelf.get(key)
    await shelf.drop([f"{key}/a"])
    await shelf.drop([f"{key}/a"])
    assert await shelf.get(key) is None


async def test_a_redis_that_is_away_holds_nothing_and_says_so_only_to_who_drops() -> None:
    shelf = RedisShelf.connect("redis://127.0.0.1:1/0", "1")
    assert await shelf.stamp() is None
    assert await shelf.get("key") is None
    await shelf.put("key", Kept(b"", (), 0, 0, 0), for_s=1)
    with pytest.raises(RedisError):
        await shelf.drop(["a"])
    await shelf.close()


async def test_another_version_of_the_program_keeps_its_own_and_hears_of_the_same_drops(
    redis_url: str, key: str
) -> None:
    old, new = RedisShelf.connect(redis_url, "1"), RedisShelf.connect(redis_url, "2")
    await put(old, key, f"{key}/a")
    assert await new.get(key) is None
    await new.drop([f"{key}/a"])
    assert await old.get(key) is None
    await old.close()
    await new.close()


async def test_nothing_stays_in_redis_for_ever(redis_url: str, key: str) -> None:
    shelf = RedisShelf.connect(redis_url, "1")
    await put(shelf, key, f"{key}/a")
    await shelf.drop([f"{key}/a"])
    async with Redis.from_url(redis_url) as client:
        ours = [name async for name in client.scan_iter("{opencode:cache}:*")]
        assert ours
        assert all([await client.ttl(name) > 0 for name in ours])
    await shelf.close()


async def test_a_shelf_takes_no_more_room_than_it_has(key: str) -> None:
    shelf = MemoryShelf(most_bytes=10_000)
    for number in range(100):
        await put(shelf, f"{number}", f"{number}/a")
        await shelf.get("0")
    assert shelf.size_bytes <= 10_000
    assert await shelf.get("0"), "what is asked for stays"
    assert await shelf.get("1") is None
    assert await shelf.get("99")
    stamp = await shelf.stamp()
    await shelf.put(key, Kept(b"x" * 5_000, (), stamp, 1e12, 1e12), for_s=60)
    assert await shelf.get(key) is None, "one value does not push all others out"
    assert len(shelf._made_of) == len(shelf._kept)


async def test_a_shelf_remembers_only_so_many_drops_and_errs_on_the_safe_side(key: str) -> None:
    shelf = MemoryShelf()
    before = await shelf.stamp()
    for number in range(10_001):
        await shelf.drop([f"{number}"])
    assert len(shelf._dropped) <= 10_000
    await put(shelf, key, "0", stamp=before)
    assert await shelf.get(key) is None


class Kitchen:
    """Makes something, and counts how often."""

    def __init__(self, *surrogate_keys: str, fresh_s: float = 60, stale_s: float = 0) -> None:
        self.times = 0
        self.open = asyncio.Event()
        self.open.set()
        self._surrogate_keys = surrogate_keys
        self._fresh_s, self._stale_s = fresh_s, stale_s

    async def make(self) -> Made:
        self.times += 1
        value = f"{self.times}".encode()
        await self.open.wait()
        return Made(value, self._surrogate_keys, self._fresh_s, self._stale_s)


@pytest.fixture(params=["near", "shared"])
async def cache(request: pytest.FixtureRequest, clock: ManualClock) -> AsyncIterator[Cache]:
    shared = (
        RedisShelf.connect(request.getfixturevalue("redis_url"), new_id("ver")) if request.param == "shared" else None
    )
    cache = Cache(clock, MemoryPubSub(), shared=shared)
    await cache.start()
    yield cache
    await cache.close()


async def test_a_hundred_who_ask_at_once_have_it_made_once(cache: Cache, key: str) -> None:
    kitchen = Kitchen()
    kitchen.open.clear()
    asking = [asyncio.create_task(cache.get(key, kitchen.make)) for _ in range(100)]
    while not kitchen.times:
        await asyncio.sleep(0)
    asking[0].cancel()
    kitchen.open.set()
    assert set(await asyncio.gather(*asking[1:])) == {b"1"}
    assert await cache.get(key, kitchen.make) == b"1"
    assert kitchen.times == 1


async def test_what_is_outdated_is_given_away_once_more_while_another_is_made(
    cache: Cache, clock: ManualClock, key: str
) -> None:
    kitchen = Kitchen(fresh_s=60, stale_s=600)
    assert await cache.get(key, kitchen.make) == b"1"
    clock.advance(61)
    assert await cache.get(key, kitchen.make) == b"1"
    async with asyncio.timeout(10):
        while await cache.get(key, kitchen.make) != b"2" or cache._making:
            await asyncio.sleep(0)
    clock.advance(700)
    assert await cache.get(key, kitchen.make) == b"3"


async def test_what_is_dropped_is_made_anew_for_the_next_who_asks(cache: Cache, key: str) -> None:
    kitchen = Kitchen(f"{key}/a", stale_s=600)
    assert await cache.get(key, kitchen.make) == b"1"
    await cache.drop([f"{key}/a"])
    assert await cache.get(key, kitchen.make) == b"2"


async def test_nobody_who_asks_after_a_drop_gets_what_was_begun_before(cache: Cache, key: str) -> None:
    kitchen = Kitchen(f"{key}/a")
    kitchen.open.clear()
    early = asyncio.create_task(cache.get(key, kitchen.make))
    while not kitchen.times:
        await asyncio.sleep(0)
    await cache.drop([f"{key}/a"])
    late = asyncio.create_task(cache.get(key, kitchen.make))
    while kitchen.times < 2:
        await asyncio.sleep(0)
    kitchen.open.set()
    assert (await early, await late) == (b"1", b"2")
    assert await cache.get(key, kitchen.make) == b"2"


async def test_an_error_reaches_all_who_wait_and_is_not_kept(cache: Cache, key: str) -> None:
    async def fail() -> Made:
        raise ValueError("no")

    answers = await asyncio.gather(*(cache.get(key, fail) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(answer, ValueError) for answer in answers)
    assert await cache.get(key, Kitchen().make) == b"1"


async def test_what_is_not_to_be_kept_is_made_each_time(cache: Cache, key: str) -> None:
    kitchen = Kitchen(fresh_s=0)
    assert [await cache.get(key, kitchen.make) for _ in range(3)] == [b"1", b"2", b"3"]


async def test_other_processes_hear_of_a_drop(clock: ManualClock, key: str) -> None:
    pubsub, kitchen = MemoryPubSub(), Kitchen(f"{key}/a")
    here, there = Cache(clock, pubsub), Cache(clock, pubsub)
    await here.start()
    await there.start()
    assert await there.get(key, kitchen.make) == b"1"
    await here.drop([f"{key}/a"])
    async with asyncio.timeout(10):
        while await there.get(key, kitchen.make) != b"2":
            await asyncio.sleep(0)
    await here.close()
    await there.close()


async def test_a_process_that_may_have_missed_something_keeps_nothing(clock: ManualClock, key: str) -> None:
    pubsub, kitchen = MemoryPubSub(), Kitchen(f"{key}/a")
    cache = Cache(clock, pubsub)
    await cache.start()
    assert await cache.get(key, kitchen.make) == b"1"
    for subscription in pubsub._topics["cache.dropped"]:
        subscription.put(LAGGED)
    async with asyncio.timeout(10):
        while await cache.get(key, kitchen.make) != b"2":
            await asyncio.sleep(0)
    await cache.close()


async def test_what_one_process_made_another_takes_from_redis(redis_url: str, clock: ManualClock, key: str) -> None:
    kitchen, version = Kitchen(f"{key}/a"), new_id("ver")
    caches = [Cache(clock, MemoryPubSub(), shared=RedisShelf.connect(redis_url, version)) for _ in range(2)]
    assert [await cache.get(key, kitchen.make) for cache in caches] == [b"1", b"1"]
    for cache in caches:
        await cache.close()
