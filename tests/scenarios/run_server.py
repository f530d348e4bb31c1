"""
Servers and workers of queued runs and nothing else, for tests that kill them. Programs run in no sandbox: their source
is a line `MILLISECONDS TEXT`, which is how long they take and what they print; `ours` in place of the text is a fault
of the sandbox.

    python -m tests.scenarios.run_server

reads a `Wanted` as JSON on each line and forks a process for it in a few milliseconds, which prints `ready PORT PID`
(a worker has port 0). Whoever says a name is let in under that name.
"""

import asyncio
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator
from importlib import import_module
from typing import Any

import msgspec
import uvicorn
import uvloop

from opencode.app.migrate import migrate
from opencode.contracts.execution import Finished, Output, RunEvent, RunRequest, StageStarted, Verdict
from opencode.infra.cache import Cache
from opencode.infra.db import Database
from opencode.infra.jobs import Job, run_job
from opencode.infra.observability.logs import configure_logs
from opencode.infra.plugs import Parts
from opencode.infra.pubsub import MemoryPubSub
from opencode.infra.pubsub.redis import RedisPubSub
from opencode.infra.security import MemoryRateLimiter, Signer
from opencode.kernel.clock import SystemClock
from opencode.kernel.principal import ANONYMOUS, Principal, PrincipalKind
from opencode.modules.execution.module import build, build_worker
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings
from tests.doubles.identity import IdentityInMemory
from tests.doubles.runner import ScriptedRunner
from tests.http import application


class Wanted(msgspec.Struct):
    """A process. Without a `redis_url` the queue is its own; `works` says whether a server runs programs itself."""

    role: str
    database_url: str
    redis_url: str = ""
    works: bool = True
    lease_s: float = 1.0


class EverybodyIsWhoTheySay:
    """The bearer token is the person's id."""

    async def authenticate(self, *, session: str | None, bearer: str | None) -> Principal:
        return Principal(bearer, PrincipalKind.USER, permissions=frozenset({"runs:create"})) if bearer else ANONYMOUS


class TimedRunner(ScriptedRunner):
    """Programs that take a while."""

    async def run(self, request: RunRequest) -> AsyncGenerator[RunEvent]:
        milliseconds, _, text = request.files[0].content.decode().partition(" ")
        yield StageStarted("run")
        yield Output("run", "stdout", f"{text} begins\n".encode())
        await asyncio.sleep(int(milliseconds) / 1000)
        verdict = Verdict.SANDBOX_FAULT if text == "ours" else Verdict.OK
        yield Output("run", "stdout", f"{text} ends\n".encode())
        yield Finished("run", verdict, "Over.", 0, None, 1, int(milliseconds), None)


def parts_of(wanted: Wanted) -> Parts:
    clock = SystemClock()
    pubsub = RedisPubSub.connect(wanted.redis_url) if wanted.redis_url else MemoryPubSub()
    return Parts(
        database=Database(wanted.database_url, pool_size=4),
        clock=clock,
        pubsub=pubsub,
        cache=Cache(clock, pubsub),
        limiter=MemoryRateLimiter(clock),
        signer=Signer(b"a key of thirty-two bytes, no less"),
        wake_relay=lambda: None,
        public_url=lambda: "",
    )


async def serve(wanted: Wanted) -> None:
    parts = parts_of(wanted)
    settings = ExecutionSettings(
        concurrency=3,
        run_lease_s=wanted.lease_s,
        execution_worker=wanted.works,
        queued_runs=10_000,
        queued_runs_of_one=10_000,
    )
    if wanted.role == "worker":
        worker = build_worker(parts, settings, PistonSettings(), redis_url=wanted.redis_url, runner=TimedRunner())
        await worker.start()
        await _go_on(worker.jobs, 0)
        return
    plug = build(
        parts,
        settings,
        PistonSettings(),
        identity=IdentityInMemory(parts.clock),
        runner=TimedRunner(),
        redis_url=wanted.redis_url,
    ).plug
    assert plug.start
    assert plug.ready
    await migrate(parts.database)
    await plug.start()
    app: Any = application(plug.routes, EverybodyIsWhoTheySay())
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http="httptools", lifespan="off", log_config=None, access_log=False)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.001)
    await plug.ready()
    await _go_on(list(plug.jobs), server.servers[0].sockets[0].getsockname()[1])
    await serving


async def _go_on(jobs: list[Job], port: int) -> None:
    print(f"ready {port} {os.getpid()}", flush=True)
    await asyncio.gather(*(run_job(job) for job in jobs))


def main() -> None:
    import_module("opencode.modules.execution.adapters.redis_queue")  # before the forks
    configure_logs(level="error", json=True)
    logging.disable(logging.WARNING)
    faulthandler.register(signal.SIGUSR1)  # a process that hangs says where
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    for line in sys.stdin:
        wanted = msgspec.json.decode(line, type=Wanted)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            uvloop.run(serve(wanted))
            os._exit(0)


if __name__ == "__main__":
    main()
