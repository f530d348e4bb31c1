"""A server that dies in the middle of typing loses nothing that it said was safe, and doubles nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.scenarios.crash import Nursery, Tally, open_nursery, play_seed, soak

SEEDS = range(1, 16)
AT_ONCE = 3
"""Scenarios at a time: each has servers and a folder of its own, and most of it is people's pauses."""


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    async with open_nursery() as nursery:
        yield nursery


async def test_what_was_acknowledged_survives_a_kill_and_everyone_agrees_afterwards(nursery: Nursery) -> None:
    free = asyncio.Semaphore(AT_ONCE)

    async def play(seed: int) -> Tally:
        async with free:
            try:
                return await play_seed(seed, nursery)
            except Exception as error:
                error.add_note(f"seed {seed}: python -m tests.scenarios.crash --scenarios 1 --first-seed {seed}")
                raise

    tallies = await asyncio.gather(*(play(seed) for seed in SEEDS))
    assert sum(tally.killed for tally in tallies) >= len(SEEDS)
    assert sum(tally.acknowledged for tally in tallies) > 100 * len(SEEDS)


@pytest.mark.soak
async def test_five_hundred_crashes_lose_nothing() -> None:
    await soak(first_seed=1, scenarios=500)
