"""The plug of execution."""

import asyncio
from dataclasses import dataclass

import structlog

from opencode.infra.plugs import Plug
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExecutionModule:
    """What wiring gets: the plug, and the runner that others and the command line use."""

    plug: Plug
    runner: Runs


def build(settings: ExecutionSettings) -> ExecutionModule:
    """Put the module together. Toolchains are looked for once the server listens, beside its first requests."""
    runner = Runs(settings)
    looking: set[asyncio.Task[None]] = set()

    async def look_around() -> None:
        report = await runner.probe()
        if not report.available:
            log.warning("programs cannot be run here", reason=report.reason)
        await runner.languages()
        await runner.prepare()

    async def ready() -> None:
        task = asyncio.get_running_loop().create_task(look_around())
        looking.add(task)
        task.add_done_callback(looking.discard)

    async def stop() -> None:
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
        await runner.close()

    return ExecutionModule(Plug(name="execution", ready=ready, stop=stop), runner)
