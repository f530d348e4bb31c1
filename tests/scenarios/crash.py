"""
Seeded crashes: people type, the server is killed in the middle of it, and nothing that was acknowledged is missing.

    python -m tests.scenarios.crash --scenarios 500 [--first-seed 1]

prints progress, and the seed of a scenario that fails; `--scenarios 1 --first-seed SEED` plays it again.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pycrdt import Doc, Text

from opencode.infra.db import Database
from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain.codec import EMPTY_UPDATE
from opencode.modules.collaboration.domain.records import Record, RecordKind
from opencode.modules.collaboration.store import SqlUpdateLog
from tests.scenarios.client import PATIENCE_S, Desk, Writer

ROOT = Path(__file__).parents[2]
LANGUAGES = ("python", "java")
ROOMS = 3
ALPHABET = "abc xyz\n\t🎉👩‍💻äß漢字()"


class ScenarioFailedError(AssertionError):
    """What people were promised was not kept."""


@dataclass(slots=True)
class Tally:
    """What happened in a scenario."""

    acknowledged: int = 0
    killed: int = 0
    records: int = 0


@dataclass(slots=True)
class RunningServer:
    """A process of its own."""

    port: int
    pid: int

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """Starts document servers in milliseconds; see `document_server --nursery`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def start(self, folder: Path, durability: str = "process") -> RunningServer:
        """Several may ask at once; it answers one after the other."""
        async with self._turn:
            return await self._started(folder, durability)

    async def _started(self, folder: Path, durability: str) -> RunningServer:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{folder} 0 {durability}\n".encode())
        try:
            async with asyncio.timeout(PATIENCE_S):
                words: list[bytes] = []
                while words[:1] != [b"ready"]:
                    words = (await self._process.stdout.readline()).split()
                    if self._process.stdout.at_eof():
                        raise ScenarioFailedError("the nursery has ended")
        except TimeoutError:
            os.killpg(self._process.pid, signal.SIGUSR1)  # it says on stderr where it hangs
            raise ScenarioFailedError("the server did not start") from None
        return RunningServer(int(words[1]), int(words[2]))


@asynccontextmanager
async def open_nursery() -> AsyncGenerator[Nursery]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.scenarios.document_server", "--nursery"),
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


class Scenario:
    """One life of a few documents: typing, a kill, coming back."""

    def __init__(self, seed: int, nursery: Nursery, folder: Path) -> None:
        self.chance = random.Random(seed)
        self.nursery = nursery
        self.folder = folder
        self.durability = self.chance.choice(("power", "process"))
        self.tally = Tally()
        self.news = asyncio.Event()
        self.writers: dict[str, list[Writer]] = {}

    async def play(self) -> Tally:
        server = await self.nursery.start(self.folder, self.durability)
        desk = Desk(server.port)
        try:
            await self._meet(desk)
            for _ in range(self.chance.randint(1, 2)):
                await self._type_until_killed(server, desk)
                await self._check_what_is_on_disk()
                await desk.close()
                await self._type_offline()
                server = await self.nursery.start(self.folder, self.durability)
                desk = Desk(server.port)
                await self._come_back(desk)
            await self._check_what_everyone_sees(desk)
        finally:
            await asyncio.gather(*(writer.close() for writer in self._everyone()), return_exceptions=True)
            await desk.close()
            with suppress(ProcessLookupError):
                server.kill()
        return self.tally

    def _everyone(self) -> list[Writer]:
        return [writer for writers in self.writers.values() for writer in writers]

    async def _meet(self, desk: Desk) -> None:
        for _ in range(ROOMS):
            document_id = await desk.create()
            people = range(self.chance.randint(2, 3))
            self.writers[document_id] = [Writer(document_id, f"usr_{number}", self.news) for number in people]
        await asyncio.gather(*(writer.connect(desk) for writer in self._everyone()))

    async def _type_until_killed(self, server: RunningServer, desk: Desk) -> None:
        seeding = [asyncio.create_task(self._seed_somewhen(desk, document_id)) for document_id in self.writers]
        typing = [asyncio.create_task(self._type(writer)) for writer in self._everyone()]
        await asyncio.sleep(self.chance.uniform(0.02, 0.5))
        server.kill()
        self.tally.killed += 1
        await asyncio.gather(*(writer.ended() for writer in self._everyone()))
        for task in (*typing, *seeding):
            task.cancel()
        await asyncio.gather(*typing, *seeding, return_exceptions=True)

    async def _seed_somewhen(self, desk: Desk, document_id: str) -> None:
        async def seed(name: str, delay_s: float) -> None:
            await asyncio.sleep(delay_s)
            with suppress(httpx.TransportError):
                await desk.seed(document_id, name, template(name))

        # Two people choose the same language at the same moment.
        await asyncio.gather(*(seed(name, self.chance.uniform(0, 0.2)) for name in LANGUAGES for _ in range(2)))

    async def _type(self, writer: Writer) -> None:
        while writer.connected:
            await self._edit(writer)
            await asyncio.sleep(self.chance.uniform(0, 0.006))

    async def _type_offline(self) -> None:
        for writer in self._everyone():
            for _ in range(self.chance.randint(0, 3)):
                await self._edit(writer)

    async def _edit(self, writer: Writer) -> None:
        """Insert or delete a few characters, never inside a template: then it must be there whole."""
        name = self.chance.choice(LANGUAGES)
        shown = writer.text(name)
        found = shown.find(template(name))
        first = 0 if found < 0 else found + len(template(name))
        at = self.chance.randint(first, len(shown))
        if at < len(shown) and self.chance.random() < 0.3:
            await writer.delete(name, at, self.chance.randint(1, 3))
        else:
            await writer.insert(name, at, "".join(self.chance.choices(ALPHABET, k=self.chance.randint(1, 3))))

    async def _come_back(self, desk: Desk) -> None:
        await asyncio.gather(*(writer.connect(desk) for writer in self._everyone()))
        await asyncio.gather(*(desk.seed(each, name, template(name)) for each in self.writers for name in LANGUAGES))
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not all(self._agree(writers) for writers in self.writers.values()):
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            raise ScenarioFailedError("the copies of the text did not become equal") from None

    def _agree(self, writers: list[Writer]) -> bool:
        return all(writer.all_safe for writer in writers) and all(
            writer.text(name) == writers[0].text(name) for writer in writers for name in LANGUAGES
        )

    async def _check_what_is_on_disk(self) -> None:
        for document_id, writers in self.writers.items():
            records = await self._history(document_id)
            replayed = replay(records)
            lost: list[bytes] = []
            subscription = replayed.observe(lambda event, lost=lost: lost.append(event.update))
            for writer in writers:
                self.tally.acknowledged += len(writer.acknowledged)
                for update in writer.acknowledged:
                    replayed.apply_update(update)
                writer.acknowledged.clear()
            replayed.unobserve(subscription)
            if any(update != EMPTY_UPDATE for update in lost):
                raise ScenarioFailedError(f"{len(lost)} acknowledged updates of {document_id} are not in the log")

    async def _check_what_everyone_sees(self, desk: Desk) -> None:
        for document_id, writers in self.writers.items():
            records = await self._history(document_id)
            self.tally.records += len(records)
            texts = await desk.texts(document_id)
            replayed = replay(records)
            for name in LANGUAGES:
                shown = writers[0].text(name)
                if not shown == texts[name] == str(replayed.get(name, type=Text)):
                    raise ScenarioFailedError(f"{document_id}: people, server and log do not agree on {name}")
                seeds = sum(each.kind is RecordKind.SEED and each.author == name for each in records)
                if shown.count(template(name)) != seeds or seeds > 1:
                    raise ScenarioFailedError(f"{document_id}: {seeds} seeds, {shown.count(template(name))} templates")

    async def _history(self, document_id: str) -> list[Record]:
        database = Database.in_folder(self.folder)
        try:
            records = await SqlUpdateLog(database).history(DocumentId(document_id))
        finally:
            await database.close()
        if [record.sequence for record in records] != list(range(1, len(records) + 1)):
            raise ScenarioFailedError(f"the log of {document_id} has gaps or doubles")
        return records


def template(name: str) -> str:
    return f"# the template of {name} 🎉\n"


def replay(records: list[Record]) -> Doc[Any]:
    doc: Doc[Any] = Doc()
    for record in records:
        doc.apply_update(record.update)
    return doc


async def play_seed(seed: int, nursery: Nursery) -> Tally:
    with tempfile.TemporaryDirectory(prefix="ocp-crash-") as folder:
        return await Scenario(seed, nursery, Path(folder)).play()


async def soak(first_seed: int, scenarios: int) -> None:
    started = time.monotonic()
    total = Tally()
    async with open_nursery() as nursery:
        for seed in range(first_seed, first_seed + scenarios):
            try:
                tally = await play_seed(seed, nursery)
            except BaseException:
                print(f"FAILED: seed {seed}", flush=True)
                raise
            total.acknowledged += tally.acknowledged
            total.killed += tally.killed
            total.records += tally.records
            if seed % 25 == 0 or seed == first_seed + scenarios - 1:
                print(
                    f"{seed - first_seed + 1}/{scenarios} scenarios, {total.killed} kills, "
                    f"{total.acknowledged} acknowledged updates checked, {total.records} records replayed, "
                    f"{time.monotonic() - started:.0f} s",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenarios", type=int, default=500)
    parser.add_argument("--first-seed", type=int, default=1)
    arguments = parser.parse_args()
    asyncio.run(soak(arguments.first_seed, arguments.scenarios))


if __name__ == "__main__":
    main()
