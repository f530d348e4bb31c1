"""Scenarios in which people type: what a delivered update costs the server, and how long it travels."""

import asyncio
import gc
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.collaboration.contenders import Contender
from benchmarks.collaboration.load import Crowd, LoadFailed, fill, type_evenly, type_in_step, until_delivered
from benchmarks.collaboration.processes import until_quiet
from benchmarks.collaboration.statistics import Figures, percentile
from benchmarks.collaboration.updates import typed_chain

FIRST_CLIENT_ID = 1_001


@dataclass(frozen=True)
class Editing:
    """
    Rooms of people of whom the first `typists` type `rate_per_s` single letters a second each: their turns spread
    evenly over time, or `in_step`.
    """

    rooms: int
    people: int
    typists: int
    rate_per_s: float
    warm_up_s: float
    measured_s: float
    in_step: bool = False

    async def measure(self, contender: Contender) -> Figures:
        """
        Start the contender, let the people type, and read its CPU at both ends of the measured window.

        Raises:
            LoadFailed: updates were lost or refused, or a socket was closed.
        """
        length = int(self.rate_per_s * (self.warm_up_s + self.measured_s + 1)) + 2
        chains = [typed_chain(FIRST_CLIENT_ID + number, length) for number in range(self.typists)]
        await contender.start()
        crowd = await fill(await contender.rooms(self.rooms), self.people, chains)
        # What follows an arrangement (who is online is told, templates are saved) is not typing.
        await until_quiet(contender.running)
        with no_garbage_collection():
            figures = await self._type(contender, crowd)
        await crowd.leave()
        return figures

    async def _type(self, contender: Contender, crowd: Crowd) -> Figures:
        tally, server = crowd.tally, contender.running
        type_together = type_in_step if self.in_step else type_evenly
        typing = asyncio.create_task(
            type_together(crowd.typists, self.rate_per_s, self.warm_up_s + self.measured_s + 0.2)
        )
        await asyncio.sleep(self.warm_up_s)
        cpu, load_cpu, began = server.cpu_ns(), time.process_time(), time.perf_counter()
        tally.measuring = True
        await asyncio.sleep(self.measured_s)
        tally.measuring = False
        cpu, load_cpu = server.cpu_ns() - cpu, time.process_time() - load_cpu
        elapsed = time.perf_counter() - began
        await typing
        await _all_arrived(crowd)
        return {
            "cpu_us_per_delivery": cpu / 1_000 / tally.deliveries,
            "deliveries_per_s": tally.deliveries / elapsed,
            "server_busy_percent": cpu / 1e7 / elapsed,
            "propagation_p50_ms": percentile(tally.propagation, 50) * 1_000,
            "propagation_p99_ms": percentile(tally.propagation, 99) * 1_000,
            "acknowledgement_p50_ms": percentile(tally.acknowledgement, 50) * 1_000,
            "acknowledgement_p99_ms": percentile(tally.acknowledgement, 99) * 1_000,
            "load_busy_percent": load_cpu * 100 / elapsed,
            "load_lateness_p99_ms": percentile(tally.lateness, 99) * 1_000,
        }


async def _all_arrived(crowd: Crowd) -> None:
    missing = await until_delivered(crowd)
    tally = crowd.tally
    if missing or tally.refused or tally.lost_sockets:
        raise LoadFailed(
            f"{missing} deliveries missing, {tally.refused} updates refused, {tally.lost_sockets} sockets lost"
        )


@contextmanager
def no_garbage_collection() -> Generator[None]:
    """A collection in the load would look like slowness of the server."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
