"""Whatever is killed in the middle of a run: every accepted run ends, once, with what one attempt printed."""

from collections.abc import AsyncIterator, Awaitable

import pytest

from tests.databases import PostgresDatabases
from tests.scenarios.worker_chaos import Nursery, Tally, open_nursery, play_alone, play_together, soak


@pytest.fixture
async def nursery() -> AsyncIterator[Nursery]:
    async with open_nursery() as nursery:
        yield nursery


async def played(seed: int, scenario: Awaitable[Tally]) -> Tally:
    try:
        return await scenario
    except Exception as error:
        error.add_note(f"seed {seed}: python -m tests.scenarios.worker_chaos --scenarios 1 --first-seed {seed}")
        raise


async def test_a_server_that_is_killed_again_and_again_ends_every_run_once(nursery: Nursery) -> None:
    for seed in (1, 2):
        tally = await played(seed, play_alone(seed, nursery, runs=50, kills=3))
        assert (tally.finished, tally.killed) == (50, 3)


async def test_workers_and_servers_that_are_killed_end_every_run_once(
    nursery: Nursery, postgres: PostgresDatabases, redis_url: str
) -> None:
    tally = await played(3, play_together(3, nursery, postgres, redis_url, runs=80, kills=8))
    assert (tally.finished, tally.killed) == (80, 8)


@pytest.mark.soak
async def test_a_thousand_runs_through_forty_kills_end_once_each(postgres: PostgresDatabases, redis_url: str) -> None:
    await soak(postgres, redis_url, first_seed=1, scenarios=10, runs=1000)
