"""The worker process: takes queued runs from Redis, drives them here, and writes what became of them."""

import asyncio
import signal

import uvloop
from sqlalchemy.exc import SQLAlchemyError

from opencode.app.migrate import pending
from opencode.app.settings import Settings
from opencode.app.wiring import WorkersHouse, wire_worker
from opencode.infra.db import Database
from opencode.infra.jobs import run_job
from opencode.kernel.errors import Unavailable

STOP_S = 9.0
"""A worker is gone so long after SIGTERM at the latest. What it could not give back begins anew after a lease."""


def work(settings: Settings) -> None:
    """
    Work until SIGTERM or SIGINT.

    Raises:
        Unavailable: there is no shared database or queue, or they do not answer.
    """
    process = settings.process
    for name, value in (("OCP_DATABASE_URL", process.database_url), ("OCP_REDIS_URL", process.redis_url)):
        if not value:
            raise Unavailable(
                f"A worker shares its work with servers, and {name} is not set.",
                action="Set it to what the servers use. A server without them runs its programs itself.",
            )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(wire_worker(settings), settings.execution.concurrency))


async def _work(house: WorkersHouse, concurrency: int) -> None:
    await _require_schema(house.parts.database)
    await house.worker.start()
    jobs = [asyncio.create_task(run_job(job)) for job in house.worker.jobs]
    print(f"OpenCode works: {concurrency} programs at once", flush=True)  # noqa: T201, for the person who started it
    await _told_to_stop()
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    try:
        async with asyncio.timeout(STOP_S):
            await house.worker.stop()
    finally:
        await house.parts.pubsub.close()
        await house.parts.database.close()


async def _told_to_stop() -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


async def _require_schema(database: Database) -> None:
    try:
        missing = await pending(database)
    except (OSError, SQLAlchemyError) as error:
        cause = getattr(error, "orig", None) or error
        raise Unavailable(f"The database cannot be used: {cause}.", action="Check OCP_DATABASE_URL.") from error
    if missing:
        raise Unavailable(
            "The database is older than this worker.", action="Start a server of this version, or run ocp migrate."
        )
