"""Work that is done again and again while the server runs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`work` is called every `every_s` seconds; a call that fails is logged, and the next one comes all the same."""

    name: str
    every_s: float
    work: Callable[[], Awaitable[None]]


async def run_job(job: Job) -> None:
    """Repeat for ever; ends by cancellation."""
    while True:
        await asyncio.sleep(job.every_s)
        try:
            await job.work()
        except Exception:
            log.exception("job failed", job=job.name, next_try_s=job.every_s)
