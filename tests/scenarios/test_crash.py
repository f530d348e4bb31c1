"""A server that dies in the middle of typing loses nothing that it said was safe, and doubles nothing."""

from collections.abc import AsyncIterator

import pytest

from tests.scenarios.crash import Nursery, open_nursery, play_seed, soak

SEEDS = range(1, 16)


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    async with open_nursery() as nursery:
        yield nursery


async def test_what_was_acknowledged_survives_a_kill_and_everyone_agrees_afterwards(nursery: Nursery) -> None:
    killed = acknowledged = 0
    for seed in SEEDS:
        try:
            tally = await play_seed(seed, nursery)
        except Exception as error:
            error.add_note(f"seed {seed}: python -m tests.scenarios.crash --scenarios 1 --first-seed {seed}")
            raise
        killed += tally.killed
        acknowledged += tally.acknowledged
    assert killed >= len(SEEDS)
    assert acknowledged > 100 * len(SEEDS)


@pytest.mark.soak
async def test_five_hundred_crashes_lose_nothing() -> None:
    await soak(first_seed=1, scenarios=500)
