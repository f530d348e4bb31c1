"""The plug of execution."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog
from litestar.types import ControllerRouterHandler

from opencode.contracts.execution import CodeRunner, Installer
from opencode.contracts.identity import CredentialsRevoked, Identity
from opencode.infra.events import Reactions
from opencode.infra.plugs import Parts, Plug
from opencode.infra.websocket import SocketRoute
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.adapters.installer import CommandLineOnly
from opencode.modules.execution.policy import Door
from opencode.modules.execution.reactions import forget_revoked_person
from opencode.modules.execution.routes import piston_routes
from opencode.modules.execution.routes.packages import PackageRoutes
from opencode.modules.execution.routes.piston import PistonRoutes
from opencode.modules.execution.schemas.catalogue import CurrentCatalogue
from opencode.modules.execution.schemas.requests import Allowance
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings
from opencode.modules.execution.sockets import PistonSockets

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExecutionModule:
    """What wiring gets: the plug, its sockets, and the runner that others and the command line use."""

    plug: Plug
    sockets: tuple[SocketRoute, ...]
    runner: Runs


def build(
    parts: Parts, settings: ExecutionSettings, piston_settings: PistonSettings, *, identity: Identity
) -> ExecutionModule:
    """Put the module together. Toolchains are looked for once the server listens, beside its first requests."""
    runner = build_runner(settings)
    piston = build_piston(parts, settings, piston_settings, runner, CommandLineOnly(), identity)
    looking: set[asyncio.Task[None]] = set()

    async def look_around() -> None:
        report = await runner.probe()
        if not report.available:
            log.warning("programs cannot be run here", reason=report.reason)
        await runner.languages()

    async def ready() -> None:
        task = asyncio.get_running_loop().create_task(look_around())
        looking.add(task)
        task.add_done_callback(looking.discard)

    async def stop() -> None:
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
        await piston.sockets.stop()
        await runner.close()

    def react(reactions: Reactions) -> None:
        reactions.add(CredentialsRevoked, lambda event: forget_revoked_person(event, piston.door))

    plug = Plug(name="execution", routes=piston.routes, react=react, ready=ready, stop=stop)
    return ExecutionModule(plug, piston.sockets.routes, runner)


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


def build_runner(settings: ExecutionSettings) -> Runs:
    """The runner alone, with the languages that come with us and those of the operator."""
    own = (Path(settings.runtime_folder),) if settings.runtime_folder else ()
    return Runs(settings, toolchains.load(toolchains.RUNTIME_FILES, *own))
