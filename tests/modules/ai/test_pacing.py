"""How often streams are read: all at once while there are few, in turns when there are many."""

import asyncio

import pytest

from opencode.modules.ai.adapters.pacing import READS_PER_S, Pace

PATIENCE_S = 5.0


class End:
    """The end of a connection that only notes what it is told."""

    def __init__(self) -> None:
        self.rests = False
        self.goes_on = asyncio.Event()

    def rest(self) -> None:
        self.rests = True

    def go_on(self) -> None:
        self.rests = False
        self.goes_on.set()


def crowd(count: int) -> Pace:
    pace = Pace()
    for _ in range(count):
        pace.begun()
    return pace


async def test_while_there_are_few_streams_none_rests() -> None:
    pace, end = crowd(100), End()
    pace.has_read(end, 200)
    assert not end.rests


@pytest.mark.parametrize("count", [200, 1_000])
async def test_many_streams_are_read_in_turns_and_each_as_often(count: int) -> None:
    pace, ends = crowd(count), [End() for _ in range(count)]
    assert pace.rest_s == count / READS_PER_S
    began = asyncio.get_running_loop().time()
    for each in ends:
        pace.has_read(each, 200)
    assert all(each.rests for each in ends)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(each.goes_on.wait() for each in ends))
    assert asyncio.get_running_loop().time() - began >= pace.rest_s - 0.001


async def test_a_crowd_that_has_gone_makes_nobody_wait() -> None:
    pace, end = crowd(1_000), End()
    for _ in range(999):
        pace.ended()
    pace.has_read(end, 200)
    assert not end.rests


async def test_what_comes_in_large_pieces_is_read_as_fast_as_it_comes() -> None:
    pace, end = crowd(1_000), End()
    pace.has_read(end, 64 * 1024)
    assert not end.rests
