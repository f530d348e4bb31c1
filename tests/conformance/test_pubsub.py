"""One promise of pub/sub, kept in one process and on Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from opencode.infra.pubsub import LAGGED, MemoryPubSub, PubSub, Subscription
from opencode.infra.pubsub.base import MAILBOX_MESSAGES
from opencode.infra.pubsub.redis import RedisPubSub
from opencode.kernel.ids import new_id
from tests.servers import RedisServer

PATIENCE_S = 10


@pytest.fixture(params=["memory", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def pubsub(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[PubSub]:
    made = MemoryPubSub() if kind == "memory" else RedisPubSub.connect(request.getfixturevalue("redis_url"))
    yield made
    await made.close()


@pytest.fixture
def topic() -> str:
    return new_id("top")


async def take(subscription: Subscription, count: int) -> list[object]:
    async with asyncio.timeout(PATIENCE_S):
        return [await anext(subscription) for _ in range(count)]


async def test_messages_arrive_in_the_order_in_which_they_were_published(pubsub: PubSub, topic: str) -> None:
    sent = [f"{number}".encode() for number in range(200)]
    async with pubsub.subscribe(topic) as subscription:
        for message in sent:
            await pubsub.publish(topic, message)
        assert await take(subscription, len(sent)) == sent


async def test_a_message_is_bytes_of_any_kind(pubsub: PubSub, topic: str) -> None:
    async with pubsub.subscribe(topic) as subscription:
        await pubsub.publish(topic, b"")
        await pubsub.publish(topic, bytes(range(256)))
        assert await take(subscription, 2) == [b"", bytes(range(256))]


async def test_everyone_who_listens_to_a_topic_hears_it_and_nobody_else_does(pubsub: PubSub, topic: str) -> None:
    async with (
        pubsub.subscribe(topic) as one,
        pubsub.subscribe(topic) as two,
        pubsub.subscribe(topic + "x") as other,
    ):
        await pubsub.publish(topic, b"news")
        await pubsub.publish(topic + "x", b"other news")
        assert [await take(listener, 1) for listener in (one, two, other)] == [[b"news"], [b"news"], [b"other news"]]


async def test_who_comes_late_misses_what_was_said_before(pubsub: PubSub, topic: str) -> None:
    async with pubsub.subscribe(topic) as early:
        await pubsub.publish(topic, b"first")
        assert await take(early, 1) == [b"first"]
        async with pubsub.subscribe(topic) as late:
            await pubsub.publish(topic, b"second")
            assert await take(early, 1) == [b"second"]
            assert await take(late, 1) == [b"second"]


async def test_who_leaves_and_comes_back_at_once_hears_what_is_said_from_then_on(pubsub: PubSub, topic: str) -> None:
    for number in range(30):
        async with pubsub.subscribe(topic) as subscription:
            message = f"{number}".encode()
            await pubsub.publish(topic, message)
            assert await take(subscription, 1) == [message]


async def test_who_leaves_does_not_disturb_those_who_stay(pubsub: PubSub, topic: str) -> None:
    async with pubsub.subscribe(topic) as stays:
        async with pubsub.subscribe(topic):
            pass
        await pubsub.publish(topic, b"still here")
        assert await take(stays, 1) == [b"still here"]


async def test_who_is_too_slow_is_told_that_something_was_lost_and_goes_on_from_there(
    pubsub: PubSub, topic: str
) -> None:
    async with pubsub.subscribe(topic) as slow, pubsub.subscribe(topic) as quick:
        heard: list[object] = []
        for number in range(MAILBOX_MESSAGES + 10):
            await pubsub.publish(topic, f"{number}".encode())
            # A second, quick listener knows when each one has arrived.
            heard += await take(quick, 1)
        assert LAGGED not in heard
        kept = await take(slow, 11)
        assert kept[0] is LAGGED
        assert kept[1:] == [f"{number}".encode() for number in range(MAILBOX_MESSAGES, MAILBOX_MESSAGES + 10)]


async def test_publishing_where_nobody_listens_is_no_error(pubsub: PubSub, topic: str) -> None:
    await pubsub.publish(topic, b"to nobody")


async def test_a_subscriber_may_still_leave_after_the_end(pubsub: PubSub, topic: str) -> None:
    async with pubsub.subscribe(topic):
        await pubsub.close()


async def test_two_processes_hear_each_other(redis_url: str, topic: str) -> None:
    here, there = RedisPubSub.connect(redis_url), RedisPubSub.connect(redis_url)
    async with here.subscribe(topic) as subscription:
        await there.publish(topic, b"from there")
        assert await take(subscription, 1) == [b"from there"]
    await here.close()
    await there.close()


async def test_a_connection_that_was_cut_is_told_to_every_listener_and_mended(redis_url: str, topic: str) -> None:
    pubsub = RedisPubSub.connect(redis_url)
    async with pubsub.subscribe(topic) as one, pubsub.subscribe(topic + "x") as two:
        async with Redis.from_url(redis_url) as operator:
            await operator.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        assert await take(one, 1) == [LAGGED]
        assert await take(two, 1) == [LAGGED]
        await pubsub.publish(topic, b"well again")
        assert await take(one, 1) == [b"well again"]
    await pubsub.close()


async def test_a_redis_that_was_away_is_told_to_every_listener_and_heard_again(
    redis_server: RedisServer, topic: str
) -> None:
    pubsub = RedisPubSub.connect(redis_server.url)
    async with pubsub.subscribe(topic) as subscription:
        redis_server.stop()
        redis_server.start()
        async with asyncio.timeout(PATIENCE_S):
            while await anext(subscription) is not LAGGED:
                pass
        await pubsub.publish(topic, b"well again")
        async with asyncio.timeout(PATIENCE_S):
            while await anext(subscription) != b"well again":
                pass
    await pubsub.close()


async def test_subscribing_while_redis_is_away_waits_until_it_is_back(redis_server: RedisServer, topic: str) -> None:
    pubsub = RedisPubSub.connect(redis_server.url)
    async with pubsub.subscribe(topic + "x"):
        redis_server.stop()

        async def listen() -> object:
            async with pubsub.subscribe(topic) as subscription:
                listening.set()
                while (message := await anext(subscription)) is LAGGED:
                    pass
                return message

        listening = asyncio.Event()
        listener = asyncio.create_task(listen())
        redis_server.start()
        async with asyncio.timeout(PATIENCE_S):
            await listening.wait()
            await pubsub.publish(topic, b"well again")
            assert await listener == b"well again"
    await pubsub.close()
