"""Real processes on one database: nothing is overspent, nothing is refused while there is money, nothing is lost."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from opencode.infra.db import Database
from opencode.infra.plugs import Parts
from opencode.modules.ai.service.bookkeeping import settle_left
from tests.modules.ai.limits.house import Books, books

ROOT = Path(__file__).parents[4]


async def start(database: Database, folder: Path, amount: int, calls: int, *flags: str) -> Process:
    words = ["-m", "tests.modules.ai.limits.spender", database.url, str(folder), str(amount), str(calls), *flags]
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdin=PIPE, stdout=PIPE)
    assert await line_of(process) == "ready"
    return process


async def line_of(process: Process) -> str:
    assert process.stdout
    return (await process.stdout.readline()).decode().strip()


async def go(process: Process) -> None:
    assert process.stdin
    process.stdin.write(b"\n")
    await process.stdin.drain()


@pytest.mark.parametrize("amount", [400, 300])
async def test_two_processes_make_as_many_calls_as_there_is_money_for(
    database: Database, tmp_path: Path, amount: int
) -> None:
    processes = [await start(database, tmp_path / "calls", amount, 200) for _ in range(2)]
    for process in processes:
        await go(process)
    assert sum([int(await line_of(process)) for process in processes]) == amount
    assert [await process.wait() for process in processes] == [0, 0]
    assert await books(database) == Books(amount, amount, spent=amount, held=0, leased=0, by_day=amount)


async def test_after_a_kill_every_call_is_charged_and_what_was_held_is_free_again(
    database: Database, tmp_path: Path, parts: Parts
) -> None:
    folder = tmp_path / "calls"
    killed = await start(database, folder, 1_000_000, 40, "--hang")
    await go(killed)
    assert await line_of(killed) == "hanging"
    before = await books(database)
    assert (before.calls, before.spent, before.held) == (0, 0, before.leased)
    assert before.held >= 20 * 10 + 20 * 3
    await settle_left(parts, folder)  # it lives: its journal is left alone
    assert (await books(database)).calls == 0
    killed.send_signal(signal.SIGKILL)
    await killed.wait()
    # Twenty were settled at 3, twenty were under way and are charged the 10 that were reserved.
    charged = Books(calls=40, cost=260, spent=260, held=0, leased=0, by_day=260)
    for _ in range(2):
        await settle_left(parts, folder)
        assert await books(database) == charged
    assert list(folder.iterdir()) == []
