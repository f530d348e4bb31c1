"""Scenarios about what rooms weigh: idle ones, closed ones, and one large document that all open at once."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.collaboration.contenders import Contender, Door, Room
from benchmarks.collaboration.editing import no_garbage_collection
from benchmarks.collaboration.load import Crowd, LoadFailed, Person, Tally, connect, fill
from benchmarks.collaboration.processes import PeakOfMemory, settled_memory
from benchmarks.collaboration.statistics import Figures
from benchmarks.collaboration.updates import big_document, length_of_text, written_text

KB, MB = 1_000, 1_000_000
OPENING_TEXT = "def solve(numbers: list[int]) -> int:\n    return sum(numbers)\n" * 8  # about 500 letters
SETTLE_AT_LEAST_S, SETTLE_AT_MOST_S = 4.0, 20.0
UNLOAD_AT_MOST_S = 90.0  # a server may keep a room for a while after the last person left


@dataclass(frozen=True)
class Idle:
    """Interviews of two people who have written a few lines and now talk."""

    interviews: int

    async def measure(self, contender: Contender) -> Figures:
        """Growth of the resident set from none to all of them, after settling."""
        await contender.start()
        server = contender.running
        await (await fill(await contender.rooms(4), 2, ())).leave()  # what is loaded on first use is not a room's
        empty = await settled_memory(server, at_least_s=SETTLE_AT_LEAST_S, at_most_s=SETTLE_AT_MOST_S)
        rooms = await contender.rooms(self.interviews)
        arranged = server.resident_bytes()
        crowd = await fill(rooms, 2, ())
        for person in crowd.people[::2]:
            person.send_update(written_text(OPENING_TEXT))
        full = await settled_memory(server, at_least_s=SETTLE_AT_LEAST_S, at_most_s=SETTLE_AT_MOST_S)
        _nobody_lost(crowd)
        await crowd.leave()
        return {
            "empty_mb": empty / MB,
            "full_mb": full / MB,
            "kb_per_interview": (full - empty) / KB / self.interviews,
            "kb_per_interview_of_sockets": (full - arranged) / KB / self.interviews,
        }


@dataclass(frozen=True)
class Churn:
    """Rooms that are opened, written in and closed, one wave after the other."""

    rooms: int
    wave: int = 100

    async def measure(self, contender: Contender) -> Figures:
        """The resident set after all waves against that after the first few."""
        await contender.start()
        server = contender.running
        fresh = server.resident_bytes()
        await self._waves(contender, max(1, self.rooms // self.wave // 20))
        before = await settled_memory(server, at_least_s=SETTLE_AT_LEAST_S, at_most_s=SETTLE_AT_MOST_S)
        began = time.perf_counter()
        await self._waves(contender, self.rooms // self.wave)
        elapsed = time.perf_counter() - began
        at_once = server.resident_bytes()
        after = await settled_memory(server, at_least_s=UNLOAD_AT_MOST_S / 3, at_most_s=UNLOAD_AT_MOST_S)
        return {
            "fresh_mb": fresh / MB,
            "before_mb": before / MB,
            "at_once_mb": at_once / MB,
            "after_mb": after / MB,
            "growth_mb": (after - before) / MB,
            "growth_kb_per_room": (after - before) / KB / self.rooms,
            "rooms_per_s": self.rooms / elapsed,
        }

    async def _waves(self, contender: Contender, count: int) -> None:
        for _ in range(count):
            crowd = await fill(await contender.rooms(self.wave), 1, ())
            for person in crowd.people:
                person.send_update(written_text(OPENING_TEXT))
            await asyncio.sleep(0.05)  # so that nobody leaves before the text went out
            _nobody_lost(crowd)
            await crowd.leave()


@dataclass(frozen=True)
class JoinStorm:
    """A class opens the same large document in the same moment."""

    people: int
    document_bytes: int

    async def measure(self, contender: Contender) -> Figures:
        """Time from the first connection until the last person holds the document, and the server's peak."""
        await contender.start()
        server = contender.running
        room = (await contender.rooms(1))[0]
        author = await self._write(room)
        resting = await settled_memory(server, at_least_s=SETTLE_AT_LEAST_S, at_most_s=SETTLE_AT_MOST_S)
        doors = [await room.door(1 + number) for number in range(self.people)]
        people = [Person(Tally(), {}, {}, None) for _ in doors]
        with PeakOfMemory(server) as peak, no_garbage_collection():
            cpu, began = server.cpu_ns(), time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for person, door in zip(people, doors, strict=True):
                    group.create_task(_join(person, door))
            cpu = server.cpu_ns() - cpu
        waited = sorted(person.synced_at - began for person in people)
        _all_hold(people, big_document(self.document_bytes).letters)
        await Crowd(Tally(), [author, *people]).leave()
        return {
            "document_mb": len(people[0].step_2) / MB,
            "all_synced_s": waited[-1],
            "half_synced_s": waited[len(waited) // 2],
            "cpu_ms_per_person": cpu / 1e6 / self.people,
            "resting_mb": resting / MB,
            "peak_above_resting_mb": (peak.bytes - resting) / MB,
        }

    async def _write(self, room: Room) -> Person:
        """Build the document through one socket, which stays: the room is open when the others come."""
        author = Person(Tally(), {}, {}, None)
        await connect(author, await room.door(0))
        await author.until_synced()
        for frame in big_document(self.document_bytes).frames:
            author.send_update(frame)
            await asyncio.sleep(0.02)
        return author


async def _join(person: Person, door: Door) -> None:
    await connect(person, door)
    await person.until_synced()


def _all_hold(people: Sequence[Person], letters: int) -> None:
    """Whoever joined has the whole text. Equal answers are read once only."""
    for answer in {person.step_2 for person in people}:
        if (held := length_of_text(answer)) < letters:  # an interview begins with its template
            raise LoadFailed(f"a step 2 holds {held} letters of {letters}")


def _nobody_lost(crowd: Crowd) -> None:
    if crowd.tally.lost_sockets or crowd.tally.refused:
        raise LoadFailed(f"{crowd.tally.lost_sockets} sockets lost, {crowd.tally.refused} updates refused")
