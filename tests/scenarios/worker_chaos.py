"""
Seeded kills: people send runs, servers and workers are killed in the middle of it, and every accepted run ends once.

    python -m tests.scenarios.worker_chaos --scenarios 20 --runs 1000 [--first-seed 1]

prints progress, and the seed of a scenario that fails; `--scenarios 1 --first-seed SEED` plays it again. The order of
events also depends on the machine, so that a seed narrows a failure down and does not always bring it back.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import msgspec
from sqlalchemy import select

from opencode.contracts.execution import Verdict
from opencode.infra.db import Database, outbox
from opencode.modules.execution.domain.runs import RunEventType, RunProgress
from opencode.modules.execution.store.tables import events, runs
from tests.databases import PostgresDatabases
from tests.scenarios.run_server import Wanted
from tests.servers import running_postgres, running_redis

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
OWNERS = 5


class ScenarioFailedError(AssertionError):
    """What people were promised was not kept."""


@dataclass(slots=True)
class Running:
    """A process that can be killed."""

    wanted: Wanted
    port: int
    pid: int

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """Starts servers and workers in milliseconds; see `run_server`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def start(self, wanted: Wanted) -> Running:
        assert self._process.stdin
        assert self._process.stdout
        async with self._turn:
            self._process.stdin.write(msgspec.json.encode(wanted) + b"\n")
            try:
                async with asyncio.timeout(PATIENCE_S):
                    words: list[bytes] = []
                    while words[:1] != [b"ready"]:
                        words = (await self._process.stdout.readline()).split()
                        if self._process.stdout.at_eof():
                            raise ScenarioFailedError("the nursery has ended")
            except TimeoutError:
                os.killpg(self._process.pid, signal.SIGUSR1)  # it says on stderr where it hangs
                raise ScenarioFailedError("a process did not start") from None
        return Running(wanted, int(words[1]), int(words[2]))


@asynccontextmanager
async def open_nursery() -> AsyncGenerator[Nursery]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.scenarios.run_server"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Nursery(process)
    finally:
        # Its servers are in a group with it: none outlives it, and none keeps its pipes open.
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@dataclass(slots=True)
class Tally:
    """What happened in a scenario."""

    finished: int = 0
    killed: int = 0
    begun_anew: int = 0
    given_up: int = 0


@dataclass(slots=True)
class Scenario:
    """Some hundred runs, sent by a few people while processes die."""

    seed: int
    nursery: Nursery
    wanted: list[Wanted]
    runs: int
    kills: int
    tally: Tally = field(default_factory=Tally)
    house: list[Running] = field(default_factory=list[Running])
    accepted: dict[str, str] = field(default_factory=dict[str, str])
    """The id that each key got."""

    async def play(self) -> Tally:
        chance = random.Random(self.seed)
        try:
            self.house = [await self.nursery.start(wanted) for wanted in self.wanted]
            async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
                work = [f"{chance.randint(0, 60)} {chance.randint(0, 999)}" for _ in range(self.runs)]
                sending = [self._send(client, number, source) for number, source in enumerate(work)]
                await asyncio.gather(_few_at_once(sending), self._kill_now_and_then(chance))
            await self._check()
        finally:
            for process in self.house:
                process.kill()
        return self.tally

    async def _send(self, client: httpx.AsyncClient, number: int, source: str) -> None:
        """As a careful client does: again with the same key until there is an answer."""
        headers = {"authorization": f"Bearer usr_{number % OWNERS}", "idempotency-key": f"key-{number}"}
        body = {"language": "python", "files": [{"content": source}]}
        gives_up_at = time.monotonic() + PATIENCE_S
        attempt = 0
        while time.monotonic() < gives_up_at:
            servers = [process for process in self.house if process.port]
            attempt += 1
            if not servers:
                await asyncio.sleep(0.01)
                continue
            url = f"http://127.0.0.1:{servers[(number + attempt) % len(servers)].port}/api/v1/runs"
            # AttributeError: anyio 4 asks a connection for its peer that has ended in the moment it was made.
            with suppress(httpx.TransportError, AttributeError):
                answer = await client.post(url, json=body, headers=headers)
                if answer.status_code == 202:
                    self.accepted[f"key-{number}"] = answer.json()["id"]
                    return
                if answer.status_code < 500:
                    raise ScenarioFailedError(f"a run was refused: {answer.text}")
            await asyncio.sleep(0.01)
        raise ScenarioFailedError("a run was not accepted")

    async def _kill_now_and_then(self, chance: random.Random) -> None:
        for _ in range(self.kills):
            await asyncio.sleep(chance.uniform(0.02, 0.4))
            victim = chance.choice(self.house)
            victim.kill()
            self.tally.killed += 1
            self.house.remove(victim)
            await asyncio.sleep(chance.uniform(0, 0.3))
            self.house.append(await self.nursery.start(victim.wanted))

    async def _check(self) -> None:
        database = Database(self.wanted[0].database_url)
        try:
            await self._all_finished(database)
            async with database.read() as connection:
                rows = list(await connection.execute(select(runs)))
                said = list(await connection.execute(select(events).order_by(events.c.run_id, events.c.seq)))
                outside = list((await connection.execute(select(outbox.c.payload))).scalars())
        finally:
            await database.close()
        if {row.id for row in rows} != set(self.accepted.values()) or len(rows) != self.runs:
            raise ScenarioFailedError(f"{self.runs} runs were sent, {len(rows)} are there")
        told = Counter[str](msgspec.json.decode(payload)["run_id"] for payload in outside)
        if told != Counter(self.accepted.values()):
            raise ScenarioFailedError(f"ends were told {told.most_common(3)}, and {len(told)} of {self.runs}")
        for row in rows:
            self._check_one(row, [event for event in said if event.run_id == row.id])

    def _check_one(self, row: Any, said: list[Any]) -> None:
        text = row.request.files[0].content.decode().partition(" ")[2]
        self.tally.finished += 1
        self.tally.begun_anew += row.attempt > 1
        kinds = [event.type for event in said]
        numbers = [event.seq for event in said]
        if numbers != list(range(1, len(numbers) + 1)) or kinds.count(RunEventType.RUN_FINISHED) != 1:
            raise ScenarioFailedError(f"the events of {row.id} are {kinds}")
        if row.result.verdict is Verdict.SANDBOX_FAULT and row.faults >= 2:
            self.tally.given_up += 1
            return
        last = len(kinds) - kinds[::-1].index(RunEventType.RUN_STARTED)
        data = [msgspec.json.decode(event.data) for event in said[last:]]
        heard = "".join(each["text"] for each in data if each["type"] == "run.output")
        if not row.details.stdout.decode() == heard == f"{text} begins\n{text} ends\n":
            raise ScenarioFailedError(f"{row.id} printed {row.details.stdout}, heard was {heard!r}")

    async def _all_finished(self, database: Database) -> None:
        left = select(runs.c.id, runs.c.state, runs.c.attempt).where(runs.c.state != RunProgress.FINISHED)
        waiting: list[Any] = []
        gives_up_at = time.monotonic() + PATIENCE_S
        while time.monotonic() < gives_up_at:
            async with database.read() as connection:
                waiting = list(await connection.execute(left))
            if not waiting:
                return
            await asyncio.sleep(0.05)
        raise ScenarioFailedError(f"{len(waiting)} runs never ended, such as {waiting[0]}")


async def _few_at_once(sending: Sequence[Awaitable[None]]) -> None:
    places = asyncio.Semaphore(20)

    async def one(each: Awaitable[None]) -> None:
        async with places:
            await each

    await asyncio.gather(*(one(each) for each in sending))


def alone(folder: Path) -> list[Wanted]:
    """The default product: one process on SQLite."""
    return [Wanted("server", f"sqlite+aiosqlite:///{folder / 'opencode.db'}")]


def together(database_url: str, redis_url: str) -> list[Wanted]:
    """Two servers, one of which runs programs itself, and three workers, on PostgreSQL and Redis."""
    servers = [Wanted("server", database_url, redis_url, works) for works in (True, False)]
    return [*servers, *(Wanted("worker", database_url, redis_url) for _ in range(3))]


async def play_alone(seed: int, nursery: Nursery, *, runs: int, kills: int) -> Tally:
    with TemporaryDirectory(prefix="ocp-chaos-") as folder:
        return await Scenario(seed, nursery, alone(Path(folder)), runs, kills).play()


async def play_together(
    seed: int, nursery: Nursery, databases: PostgresDatabases, redis_url: str, *, runs: int, kills: int
) -> Tally:
    database_url = await databases.migrated()
    tally = await Scenario(seed, nursery, together(database_url, redis_url), runs, kills).play()
    await databases.give_back(database_url)
    return tally


async def soak(databases: PostgresDatabases, redis_url: str, *, first_seed: int, scenarios: int, runs: int) -> None:
    started, total = time.monotonic(), Tally()
    async with open_nursery() as nursery:
        for seed in range(first_seed, first_seed + scenarios):
            for name in ("alone", "together"):
                try:
                    if name == "alone":
                        tally = await play_alone(seed, nursery, runs=runs, kills=runs // 50)
                    else:
                        tally = await play_together(seed, nursery, databases, redis_url, runs=runs, kills=runs // 25)
                except BaseException:
                    print(f"FAILED: {name}, seed {seed}", flush=True)
                    raise
                total.finished += tally.finished
                total.killed += tally.killed
                total.begun_anew += tally.begun_anew
                total.given_up += tally.given_up
            print(
                f"seed {seed}: {total.finished} runs ended once each, {total.killed} kills, {total.begun_anew} begun "
                f"anew, {total.given_up} given up, {time.monotonic() - started:.0f} s",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenarios", type=int, default=20)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=1)
    arguments = parser.parse_args()
    with running_postgres() as server, running_redis() as redis:
        databases = PostgresDatabases(server)

        async def play() -> None:
            await databases.prepare()
            await soak(
                databases,
                redis.url,
                first_seed=arguments.first_seed,
                scenarios=arguments.scenarios,
                runs=arguments.runs,
            )

        asyncio.run(play())


if __name__ == "__main__":
    main()
