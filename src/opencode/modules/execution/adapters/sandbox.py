"""The cells of this machine, of all kinds."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from opencode.contracts.execution import Output, SandboxUnavailable, Verdict
from opencode.modules.execution.adapters import groups
from opencode.modules.execution.adapters.cells import Cell, Result, Work, hard_limits
from opencode.modules.execution.adapters.nursery import Nursery, Workshop
from opencode.modules.execution.adapters.surroundings import Surroundings
from opencode.modules.execution.adapters.zygotes import USERS_EACH, Kind
from opencode.modules.execution.settings import ExecutionSettings, StageLimits

PLAIN = Kind(Surroundings.of(environment={}))
_MOST_KINDS = 64


@dataclass(slots=True)
class Sandbox:
    """Hands out cells, and takes them back. Make one for each event loop, and `close` it."""

    settings: ExecutionSettings
    _workshop: Workshop | None = None
    _nurseries: dict[Kind, Nursery] = field(default_factory=dict[Kind, Nursery])
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def open(self) -> Workshop:
        """
        Find out what this machine lets us do.

        Raises:
            SandboxUnavailable: with what is missing; asked again each time, so installing it is enough.
        """
        async with self._opening:
            if self._workshop is None:
                self._workshop = await asyncio.to_thread(_prepare, self.settings)
            return self._workshop

    async def perform(
        self,
        kind: Kind,
        begin: Callable[[Cell], Work],
        emit: Callable[[Output], None],
        warm: Kind | None = None,
    ) -> Result:
        """
        Do one stage in a cell of a kind. The answer is there when the program ends, not when the cell is gone.

        Args:
            begin: says what to do, once there is a cell; from then on it can be spoken to.
            warm: a kind in which a program is up that can do the work; taken when one is at hand, and not waited for.

        Raises:
            SandboxUnavailable: no cell can be made.
            OSError: the cell broke before it began.
        """
        await self.open()
        nursery, cell = self._nursery(warm or kind), None
        if warm:
            cell = nursery.take_ready()
        if cell is None:
            nursery = self._nursery(kind)
            cell = await nursery.take()
        try:
            return await cell.perform(begin(cell), emit)
        finally:
            cell.end(Verdict.STOPPED)
            nursery.dispose(cell)

    def expect(self, kind: Kind) -> None:
        """Somebody is about to need a cell of this kind."""
        if self._workshop is not None:
            self._nursery(kind).expect()

    def hard_limits(self, limits: StageLimits) -> tuple[tuple[int, int], ...]:
        assert self._workshop is not None
        return hard_limits(limits, self.settings, stand_in=self._workshop.groups.rlimits_only)

    async def empty(self) -> None:
        """Remove the cells that wait for work, with what makes them."""
        await asyncio.gather(*(nursery.empty() for nursery in self._nurseries.values()))

    async def settle(self) -> None:
        """Wait until no cell is being made or removed."""
        await asyncio.gather(*(nursery.settle() for nursery in self._nurseries.values()))

    async def close(self) -> None:
        await asyncio.gather(*(nursery.close() for nursery in self._nurseries.values()))
        self._nurseries.clear()

    def _nursery(self, kind: Kind) -> Nursery:
        nursery = self._nurseries.get(kind)
        if nursery is None:
            assert self._workshop is not None
            place = len(self._nurseries)
            if place >= _MOST_KINDS:
                raise SandboxUnavailable("There are too many kinds of sandboxes.", action="Start the server anew.")
            first_uid = self.settings.first_uid + place * USERS_EACH if self._workshop.drops_user else None
            nursery = self._nurseries[kind] = Nursery(self._workshop, kind, first_uid)
        return nursery


def _prepare(settings: ExecutionSettings) -> Workshop:
    try:
        # Here, since without libseccomp the import itself fails.
        from opencode.modules.execution.adapters import seccomp

        kind = groups.detect()
        program = seccomp.filter_program(hidden_memory=not kind.rlimits_only)
    except (RuntimeError, OSError):
        raise SandboxUnavailable(
            "No sandbox can be made on this machine.", action="libseccomp is missing. Install the package libseccomp2."
        ) from None
    return Workshop(kind, program, settings, drops_user=_may_give_users(settings.first_uid))


def _may_give_users(first_uid: int) -> bool:
    """Whether we are root, and of a world that has the users which cells are to get; a container may be a small one."""
    if os.geteuid() != 0 or Path("/proc/self/setgroups").read_text().strip() != "allow":
        return False
    wanted = range(first_uid, first_uid + _MOST_KINDS * USERS_EACH)
    return all(_covers(Path(f"/proc/self/{name}").read_text(), wanted) for name in ("uid_map", "gid_map"))


def _covers(ids: str, wanted: range) -> bool:
    for line in ids.splitlines():
        first, _, count = map(int, line.split())
        if first <= wanted.start and wanted.stop <= first + count:
            return True
    return False
