"""The plug of execution."""

import asyncio
from dataclasses import dataclass

from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from opencode.contracts.execution import CodeRunner, Installer, RunsElsewhere
from opencode.contracts.identity import CredentialsRevoked, Identity
from opencode.infra.events import Reactions
from opencode.infra.fetching import Caller
from opencode.infra.http import LateRouter
from opencode.infra.jobs import Job
from opencode.infra.plugs import Hook, Parts, Plug
from opencode.infra.websocket import SocketRoute
from opencode.modules.execution.adapters.installer import CommandLineOnly
from opencode.modules.execution.adapters.local_queue import LocalQueue
from opencode.modules.execution.domain.queue import RunQueue
from opencode.modules.execution.engine import Engine, build_engine
from opencode.modules.execution.jobs import jobs, worker_jobs
from opencode.modules.execution.policy import Door
from opencode.modules.execution.reactions import end_streams_of_revoked_person, forget_revoked_person
from opencode.modules.execution.routes import NATIVE, piston_routes
from opencode.modules.execution.routes.packages import PackageRoutes
from opencode.modules.execution.routes.piston import PistonRoutes
from opencode.modules.execution.schemas.catalogue import CurrentCatalogue
from opencode.modules.execution.schemas.requests import Allowance
from opencode.modules.execution.service.base import UseCases
from opencode.modules.execution.service.control import Control
from opencode.modules.execution.service.hooking import Hooking
from opencode.modules.execution.service.ordering import Ordering
from opencode.modules.execution.service.streaming import Streaming
from opencode.modules.execution.service.tidying import Tidying
from opencode.modules.execution.service.working import Worker
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings
from opencode.modules.execution.sockets import PistonSockets


@dataclass(frozen=True, slots=True)
class ExecutionModule:
    """What wiring gets: the plug, its sockets, the runner that others use, and what needs a neighbour."""

    plug: Plug
    sockets: tuple[SocketRoute, ...]
    runner: CodeRunner
    ordering: Ordering

    def open_elsewhere(self, elsewhere: RunsElsewhere) -> None:
        """Runs that this module does not know are asked for there."""
        self.ordering.elsewhere = elsewhere


def build(
    parts: Parts,
    settings: ExecutionSettings,
    piston_settings: PistonSettings,
    *,
    identity: Identity,
    runner: CodeRunner | None = None,
    redis_url: str = "",
) -> ExecutionModule:
    """
    Put the module together. Toolchains are looked for once the server listens, beside its first requests.

    Args:
        runner: what runs programs; by default the sandboxes of this process.
        redis_url: where the queue is, when several processes share the work.
    """
    engine = build_engine(settings, piston_settings) if runner is None else None
    runner = engine.runner if engine else runner
    if runner is None:
        raise ValueError("there is no runner")
    queue = _queue_of(redis_url, settings)
    control = Control(parts.pubsub)
    ordering = Ordering(parts, settings, runner, queue, control)
    streaming = Streaming(parts, settings, runner, queue)
    tidying = Tidying(parts, settings, runner, queue)
    hooking = Hooking(parts, settings, runner, queue, Caller(private_too=settings.webhooks_to_private_networks))
    worker = Worker(parts, settings, runner, queue, concurrency=settings.concurrency)
    piston = build_piston(parts, settings, piston_settings, runner, CommandLineOnly(), identity)
    life = _Life(settings, engine, queue, control, streaming, tidying, hooking, worker, piston.sockets)

    def react(reactions: Reactions) -> None:
        reactions.add(CredentialsRevoked, lambda event: end_streams_of_revoked_person(event, control))
        reactions.add(CredentialsRevoked, lambda event: forget_revoked_person(event, piston.door))

    use_cases: dict[str, UseCases] = {"ordering": ordering, "streaming": streaming}
    dependencies = {name: _provide(use_case) for name, use_case in use_cases.items()}
    plug = Plug(
        name="execution",
        routes=[LateRouter("/", NATIVE, dependencies), *piston.routes],
        react=react,
        jobs=life.jobs(),
        notices=engine.troubles if engine else dict,
        start=life.start,
        ready=life.ready,
        drain=life.drain,
        stop=life.stop,
    )
    return ExecutionModule(plug, piston.sockets.routes, runner, ordering)


@dataclass(slots=True)
class _Life:
    """What of the module lives from the start of the server to its end. `engine` is None where a test runs."""

    settings: ExecutionSettings
    engine: Engine | None
    queue: RunQueue
    control: Control
    streaming: Streaming
    tidying: Tidying
    hooking: Hooking
    worker: Worker
    piston: PistonSockets
    looking: asyncio.Task[None] | None = None

    def jobs(self) -> list[Job]:
        timed = jobs(self.tidying, self.hooking, lease_s=self.settings.run_lease_s)
        if self.settings.execution_worker:
            timed += worker_jobs(self.worker, lease_s=self.settings.run_lease_s)
        return timed

    async def start(self) -> None:
        await self.control.listen(self.worker, self.streaming)
        await self.tidying.queue_again(starting=True)

    async def ready(self) -> None:
        if self.engine:
            self.looking = asyncio.create_task(self.engine.look_around())
        if self.settings.execution_worker:
            self.worker.start()

    async def drain(self) -> None:
        self.streaming.close()

    async def stop(self) -> None:
        if self.looking:
            self.looking.cancel()
            await asyncio.gather(self.looking, return_exceptions=True)
        await self.worker.close()
        await self.piston.stop()
        if self.engine:
            await self.engine.close()
        await self.control.close()
        await self.queue.close()


@dataclass(frozen=True, slots=True)
class Piston:
    """The Piston API over some runner."""

    routes: tuple[ControllerRouterHandler, ...]
    sockets: PistonSockets
    door: Door


def build_piston(
    parts: Parts,
    settings: ExecutionSettings,
    piston: PistonSettings,
    runner: CodeRunner,
    installer: Installer,
    identity: Identity,
) -> Piston:
    """Put the Piston API together, by itself: it needs no more of a runner than the contract says."""
    door = Door(identity, parts.limiter, piston.piston_open, piston.piston_open_runs_per_minute)
    catalogue = CurrentCatalogue(runner)
    allowance = Allowance.of(piston, settings)
    programs = PistonRoutes(runner, catalogue, allowance, door)
    packages = PackageRoutes(installer, catalogue, door, identity)
    return Piston(piston_routes(programs, packages), PistonSockets(runner, catalogue, allowance, door), door)


@dataclass(frozen=True, slots=True)
class WorkerModule:
    """What `ocp worker` gets: a worker without any of the routes."""

    jobs: list[Job]
    start: Hook
    stop: Hook


def build_worker(
    parts: Parts,
    settings: ExecutionSettings,
    piston: PistonSettings,
    *,
    redis_url: str,
    runner: CodeRunner | None = None,
) -> WorkerModule:
    """Put a worker together that serves the shared queue and nobody else."""
    engine = build_engine(settings, piston) if runner is None else None
    runner = engine.runner if engine else runner
    if runner is None:
        raise ValueError("there is no runner")
    queue = _queue_of(redis_url, settings)
    control = Control(parts.pubsub)
    worker = Worker(parts, settings, runner, queue, concurrency=settings.concurrency)

    async def start() -> None:
        await control.listen(worker)
        if engine:
            await engine.look_around()
        worker.start()

    async def stop() -> None:
        await worker.close()
        if engine:
            await engine.close()
        await control.close()
        await queue.close()

    return WorkerModule(worker_jobs(worker, lease_s=settings.run_lease_s), start, stop)


def _queue_of(redis_url: str, settings: ExecutionSettings) -> RunQueue:
    """The queue that all processes share, or this process's own."""
    if not redis_url:
        return LocalQueue()
    # Loaded only here: it takes a tenth of a server's start.
    from opencode.modules.execution.adapters.redis_queue import RedisQueue

    return RedisQueue.connect(redis_url, lease_s=settings.run_lease_s)


def _provide(use_case: UseCases) -> Provide:
    return Provide(lambda: use_case, sync_to_thread=False)
