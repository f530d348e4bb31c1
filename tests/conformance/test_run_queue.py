"""One promise of the queue of runs, kept in one process and on Redis."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from opencode.kernel.errors import Unavailable
from opencode.kernel.ids import RunId, new_id
from opencode.modules.execution.adapters.local_queue import LocalQueue
from opencode.modules.execution.adapters.redis_queue import RedisQueue
from opencode.modules.execution.domain.lines import FairLine
from opencode.modules.execution.domain.queue import RunQueue, Ticket
from tests.servers import RedisServer

PATIENCE_S = 10
LEASE_S = 0.5

Connect = Callable[[], RedisQueue]


@pytest.fixture
async def connect(redis_url: str) -> AsyncIterator[Connect]:
    """Makes connections of several processes to one queue that nobody else has."""
    prefix, made = new_id("que"), list[RedisQueue]()

    def open_one() -> RedisQueue:
        queue = RedisQueue(Redis.from_url(redis_url), lease_s=LEASE_S, prefix=f"{{{prefix}}}")
        made.append(queue)
        return queue

    yield open_one
    for queue in made:
        await queue.close()


@pytest.fixture(params=["local", "redis"])
def queue(request: pytest.FixtureRequest) -> RunQueue:
    if request.param == "local":
        return LocalQueue()
    connect: Connect = request.getfixturevalue("connect")
    return connect()


def run(name: str) -> RunId:
    return RunId(f"run_{name}")


async def put(queue: RunQueue, *names: str) -> None:
    """The first letter of a name is its owner."""
    for name in names:
        await queue.put(run(name), name[0])


async def take(queue: RunQueue, worker: str = "wrk_1") -> Ticket:
    async with asyncio.timeout(PATIENCE_S):
        return await queue.take(worker)


async def take_names(queue: RunQueue, count: int) -> list[str]:
    return [(await take(queue)).run_id.removeprefix("run_") for _ in range(count)]


async def test_turns_go_round_among_owners_and_within_one_first_come_first_served(queue: RunQueue) -> None:
    await put(queue, "a1", "a2", "a3", "b1", "c1", "c2")
    assert await take_names(queue, 6) == ["a1", "b1", "c1", "a2", "c2", "a3"]


async def test_a_ticket_tells_whose_run_it_is(queue: RunQueue) -> None:
    await put(queue, "a1")
    ticket = await take(queue)
    assert (ticket.run_id, ticket.owner_id) == (run("a1"), "a")


async def test_who_finds_nothing_waits_until_something_comes(queue: RunQueue) -> None:
    waiting = [asyncio.create_task(take(queue, f"wrk_{number}")) for number in range(3)]
    await asyncio.sleep(0.05)
    await put(queue, "a1", "b1", "c1")
    assert {(await ticket).run_id for ticket in waiting} == {run("a1"), run("b1"), run("c1")}


async def test_a_run_waits_once_and_is_held_once_however_often_it_is_put(queue: RunQueue) -> None:
    await put(queue, "a1", "a1")
    ticket = await take(queue)
    await put(queue, "a1", "b1")
    assert (await take(queue)).run_id == run("b1")
    assert await queue.size() == 0
    await queue.done(ticket)
    await put(queue, "a1")
    assert (await take(queue)).run_id == run("a1")


async def test_what_is_given_back_waits_behind_the_others_of_its_owner(queue: RunQueue) -> None:
    await put(queue, "a1", "a2")
    await queue.give_back(await take(queue))
    assert await take_names(queue, 2) == ["a2", "a1"]


async def test_a_run_that_is_dropped_is_never_taken(queue: RunQueue) -> None:
    await put(queue, "a1", "a2", "b1")
    assert await queue.drop(run("a1"))
    assert not await queue.drop(run("a1"))
    assert await queue.drop(run("b1"))
    assert await take_names(queue, 1) == ["a2"]
    assert not await queue.drop(run("a2"))
    assert await queue.size() == 0


async def test_the_place_of_each_run_is_how_many_are_taken_before_it(queue: RunQueue) -> None:
    chance = random.Random(7)
    names = [f"{chance.choice('abcd')}{number}" for number in range(40)]
    await put(queue, *names)
    for name in chance.sample(names, 8):
        await queue.drop(run(name))
        names.remove(name)
    await take(queue)
    places = {name: await queue.ahead(run(name)) for name in names}
    waiting = {name: place for name, place in places.items() if place is not None}
    assert len(waiting) == len(names) - 1 == await queue.size()
    taken = await take_names(queue, len(waiting))
    assert {name: place for place, name in enumerate(taken)} == waiting
    assert await queue.ahead(run("zz")) is None


async def test_both_queues_give_turns_in_the_same_order_as_the_rule(queue: RunQueue) -> None:
    chance, rule, number = random.Random(3), FairLine[str](), 0
    for _ in range(300):
        if chance.random() < 0.55:
            name, number = f"{chance.choice('abc')}{number}", number + 1
            await put(queue, name)
            rule.push(name[0], name)
        elif expected := rule.pop():
            ticket = await take(queue)
            assert ticket.run_id == run(expected[0])
            await queue.done(ticket)


async def test_a_lease_that_lapses_gives_the_run_to_somebody_else(connect: Connect) -> None:
    dead, alive = connect(), connect()
    await put(dead, "a1", "a2")
    lost = await take(dead, "wrk_dead")
    assert (await take(alive, "wrk_alive")).run_id == run("a2")
    again = await take(alive, "wrk_alive")
    assert again.run_id == lost.run_id
    # Whoever lost it takes it from nobody.
    await dead.done(lost)
    await dead.give_back(lost)
    await put(alive, "a1")
    assert await alive.size() == 0
    await alive.done(again)
    await put(alive, "a1")
    assert await alive.size() == 1


async def test_a_lapsed_lease_is_found_behind_many_that_are_kept(connect: Connect) -> None:
    queue = connect()
    await put(queue, *(f"a{number}" for number in range(41)))
    held = [await take(queue) for _ in range(40)]
    await take(queue, "wrk_dead")
    waiting = asyncio.create_task(take(queue, "wrk_alive"))
    while not waiting.done():
        await queue.beat("wrk_1", held)
        await asyncio.sleep(LEASE_S / 4)
    assert (await waiting).run_id == run("a40")


async def test_a_heartbeat_keeps_a_lease(connect: Connect) -> None:
    slow, greedy = connect(), connect()
    await put(slow, "a1")
    held = await take(slow, "wrk_slow")
    waiting = asyncio.create_task(take(greedy, "wrk_greedy"))
    for _ in range(12):
        await asyncio.sleep(LEASE_S / 4)
        await slow.beat("wrk_slow", [held])
        await greedy.beat("wrk_greedy", [held])
        assert not waiting.done()
    assert (await waiting).run_id == run("a1")


async def test_many_workers_take_each_run_once(connect: Connect) -> None:
    queues, taken = [connect() for _ in range(4)], Counter[str]()
    await put(queues[0], *(f"{'abc'[number % 3]}{number}" for number in range(90)))

    async def work(number: int) -> None:
        while sum(taken.values()) < 90:
            try:
                async with asyncio.timeout(1):
                    ticket = await queues[number].take(f"wrk_{number}")
            except TimeoutError:
                return
            taken[ticket.run_id] += 1
            await queues[number].done(ticket)

    await asyncio.gather(*(work(number) for number in range(4)))
    assert len(taken) == 90
    assert set(taken.values()) == {1}


async def test_a_redis_that_is_away_is_told_and_one_that_forgot_everything_is_filled_again(
    redis_server: RedisServer, connect: Connect
) -> None:
    queue = connect()
    await put(queue, "a1")
    redis_server.stop()
    with pytest.raises(Unavailable):
        await queue.put(run("a2"), "a")
    redis_server.start()
    waiting = asyncio.create_task(take(queue))
    await put(queue, "a1")
    assert (await waiting).run_id == run("a1")
