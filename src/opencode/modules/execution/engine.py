"""
What runs programs, put together without the routes, the queue and the database.

It has a room of its own because commands need it in an instant: `ocp run` is not to load a server.
"""

from dataclasses import dataclass
from pathlib import Path

import structlog

from opencode.contracts.execution import CodeRunner
from opencode.infra.settings import SettingsError
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.service.routing import RoutedRunner
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings, PistonSettings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs programs: the sandboxes of this process, and beside them other servers where there are any."""

    cells: Runs
    routed: RoutedRunner | None = None

    @property
    def runner(self) -> CodeRunner:
        return self.routed or self.cells

    def troubles(self) -> dict[str, str]:
        """Servers that do not serve, and why; by a name for people."""
        troubles = self.routed.troubles() if self.routed else {}
        return {f"runs on {name}": trouble for name, trouble in troubles.items()}

    async def look_around(self) -> None:
        """Find out what can be run here, and say so when nothing can."""
        report = await self.cells.probe()
        if not report.available:
            log.warning("programs cannot be run here", reason=report.reason)
        await self.runner.languages()
        await self.cells.prepare()

    async def close(self) -> None:
        if self.routed:
            await self.routed.close()
        await self.cells.close()


def build_cells(settings: ExecutionSettings) -> Runs:
    """The sandboxes of this process, with the languages that come with us and those of the operator."""
    own = (Path(settings.runtime_folder),) if settings.runtime_folder else ()
    return Runs(settings, toolchains.load(toolchains.RUNTIME_FILES, *own))


def build_engine(settings: ExecutionSettings, piston: PistonSettings) -> Engine:
    """
    All that runs programs, other servers included where the operator names any.

    Raises:
        SettingsError: a server's address is none.
    """
    cells = build_cells(settings)
    if not piston.piston_servers:
        return Engine(cells)
    # Loaded only here: most have no other servers, and it takes a part of a server's start.
    from opencode.modules.execution.adapters.piston.runner import PistonRunner
    from opencode.modules.execution.adapters.piston.server import PistonServer

    servers: list[PistonRunner] = []
    for url in piston.piston_servers:
        try:
            server = PistonServer(url, piston.piston_server_token)
        except ValueError as error:
            raise SettingsError([f"OCP_PISTON_SERVERS has {url.rpartition('@')[2]!r}: {error}"]) from None
        servers.append(PistonRunner(server, settings, cells.runtimes))
    return Engine(cells, RoutedRunner(cells, servers, frozenset(piston.piston_languages)))
