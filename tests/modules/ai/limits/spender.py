"""
A process that calls against a budget, for tests that run several and kill them:

    python -m tests.modules.ai.limits.spender DATABASE-URL FOLDER AMOUNT CALLS [--hang]

says `ready`, waits for a line, makes all its calls at once, a nano-dollar for each, and says how many went ahead. With
--hang it leaves every second call under way, writes nothing more, and waits to be killed.
"""

import asyncio
import sys
from pathlib import Path

from opencode.infra.db import Database
from opencode.kernel.clock import SystemClock
from opencode.modules.ai.domain.limits import Bounds
from opencode.modules.ai.service import bookkeeping
from tests.modules.ai.limits.house import ANN, Till, budget, estimate, parts_on, took

FOR_EVER_S = 3_600.0


async def spend(url: str, folder: Path, amount: int, count: int, *, hang: bool) -> None:
    database = Database(url)
    parts = parts_on(database, SystemClock())
    till = await Till(parts, folder, Bounds(budgets=(budget(amount),))).open()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    if hang:
        bookkeeping.GATHER_S = FOR_EVER_S
        for number in range(count):
            reservation = await till.meter.reserve(ANN, estimate(10))
            if number % 2:
                await till.meter.settle(reservation, took(3))
        print("hanging", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    went = await asyncio.gather(*(till.call(1) for _ in range(count)))
    await till.close()
    await database.close()
    print(sum(went), flush=True)


if __name__ == "__main__":
    url, folder, amount, count, *flags = sys.argv[1:]
    asyncio.run(spend(url, Path(folder), int(amount), int(count), hang="--hang" in flags))
