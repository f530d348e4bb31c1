"""Cells that are made before they are needed: a pool for each kind, as large as the demand of late asks for."""

import asyncio
import errno
import math
import os
import socket
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field

import structlog

from opencode.contracts.execution import SandboxUnavailable
from opencode.modules.execution.adapters import processes
from opencode.modules.execution.adapters.cells import Cell
from opencode.modules.execution.adapters.groups import Groups
from opencode.modules.execution.adapters.zygotes import USERS_EACH, Kind, Zygote
from opencode.modules.execution.settings import ExecutionSettings

log = structlog.get_logger(__name__)

_MEMORY_OF_DEMAND_S = 10.0  # what was asked for longer ago weighs little
_KEPT_READY_S = 600.0  # a kind that nobody asked for this long gets no cell ahead of time
# A zygote does one thing at a time: it would tell the end of a short program only after it made the next cell.
_REFILLED_AFTER_S = 0.02
# Who makes a cell slows the run beside it. When nobody has asked for a while, the run that begins now ends first.
_REFILLED_CALMLY_AFTER_S = 0.1
_CALM_AFTER_S = 0.3
_STARTED_EARLY_AFTER_S = 0.5
_RUSH = 3.0  # times that a cell is asked for while one is made
_PATIENCE_S = 20.0
_OUT_OF_USERS = OSError(errno.EAGAIN, "too many cells at once")


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all cells share."""

    groups: Groups
    seccomp: bytes
    settings: ExecutionSettings
    drops_user: bool


@dataclass(slots=True)
class Demand:
    """How many cells a second are asked for, as a mean that forgets."""

    asked_at: float = -math.inf
    _rate: float = 0.0

    def note(self, now: float) -> bool:
        """Returns whether nobody had asked for a while."""
        calm = now - self.asked_at > _CALM_AFTER_S
        self._rate = self.rate(now) + 1 / _MEMORY_OF_DEMAND_S
        self.asked_at = now
        return calm

    def rate(self, now: float) -> float:
        return self._rate * math.exp((self.asked_at - now) / _MEMORY_OF_DEMAND_S) if self._rate else 0.0


@dataclass(slots=True, eq=False)
class Nursery:
    """
    All cells of one kind.

    Args:
        kind: what they have in common.
        first_uid: of the users that they get; None when they all keep the server's.
    """

    workshop: Workshop
    kind: Kind
    first_uid: int | None

    _zygote: Zygote | None = None
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ready: list[Cell] = field(default_factory=list[Cell])
    _users: list[int] = field(default_factory=lambda: list(range(USERS_EACH - 1, 0, -1)))
    _demand: Demand = field(default_factory=Demand)
    _making_s: float = 0.02
    _on_their_way: int = 0
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set["asyncio.Task[None]"])
    _closed: bool = False
    _idle_check: asyncio.TimerHandle | None = None
    _soon: asyncio.TimerHandle | None = None

    async def take(self) -> Cell:
        """
        A cell that is ready for its program; made now when none is at hand.

        Raises:
            OSError, SandboxUnavailable: it cannot be made.
        """
        calm = self._demand.note(time.monotonic())
        cell = self._pop_ready()
        try:
            cell = cell or await self._make()
        except ConnectionError:
            # The zygote ended under our hands. That costs a moment, not a run: there is another one now.
            cell = await self._make()
        self._refill_soon(calm=calm)
        return cell

    def take_ready(self) -> Cell | None:
        """A cell that is ready, if there is one. Asking is demand, so that there may be one the next time."""
        calm = self._demand.note(time.monotonic())
        cell = self._pop_ready()
        self._refill_soon(calm=calm)
        return cell

    def expect(self) -> None:
        """Somebody is about to ask."""
        self._demand.asked_at = time.monotonic()
        self._refill()

    def dispose(self, cell: Cell) -> None:
        """Remove a cell with all that is in it, while others go on."""
        self._spawn(self._dispose(cell))

    async def close(self) -> None:
        """Remove all cells, and the zygote."""
        self._closed = True
        await self.empty()

    async def empty(self) -> None:
        """Remove the cells that wait, and the zygote. The next that is asked for takes longer."""
        if self._idle_check:
            self._idle_check.cancel()
            self._idle_check = None
        self._demand = Demand()
        # What is on its way arrives first.
        await self.settle()
        for cell in self._ready:
            self.dispose(cell)
        self._ready.clear()
        await self.settle()
        zygote, self._zygote = self._zygote, None
        if zygote:
            await zygote.stop()

    async def settle(self) -> None:
        """Wait until no cell is being made or removed, nor about to be."""
        if self._soon:
            self._refill()
        while others := self._tasks - {asyncio.current_task()}:
            await asyncio.gather(*others, return_exceptions=True)

    # -------------------------------------------------------------------------------------------------------- the pool

    def _pop_ready(self) -> Cell | None:
        while self._ready:
            cell = self._ready.pop()
            if cell.is_alive:
                return cell
            self.dispose(cell)
        return None

    def _refill_soon(self, *, calm: bool) -> None:
        if self.kind.warm:
            after_s = _STARTED_EARLY_AFTER_S
        elif calm:
            after_s = _REFILLED_CALMLY_AFTER_S
        else:
            after_s = _REFILLED_AFTER_S
        loop = asyncio.get_running_loop()
        if self._soon is None:
            self._soon = loop.call_later(after_s, self._refill)
        if not self._ready and self._soon.when() <= loop.time() + _REFILLED_AFTER_S:
            self._refill()

    def _refill(self) -> None:
        if self._soon:
            self._soon.cancel()
            self._soon = None
        if self._idle_check is None:
            self._idle_check = asyncio.get_running_loop().call_later(_KEPT_READY_S, self._check_idle)
        missing = self._wanted() - len(self._ready) - self._on_their_way
        for _ in range(missing if not self._closed else 0):
            self._on_their_way += 1
            self._spawn(self._put_one())

    def _check_idle(self) -> None:
        self._idle_check = None
        if time.monotonic() - self._demand.asked_at > _KEPT_READY_S:
            self._spawn(self.empty())
        else:
            self._refill()

    def _wanted(self) -> int:
        now = time.monotonic()
        if now - self._demand.asked_at > _KEPT_READY_S:
            return 0
        # What is asked for while one is made, twice over: people do not come evenly.
        while_making = self._demand.rate(now) * self._making_s
        if self.kind.warm and while_making > _RUSH:
            # Starting a program early costs more than starting it in time. In a rush there is nothing to gain by it.
            return 0
        return min(1 + math.ceil(2 * while_making), self.workshop.settings.warm_cells, self.kind.most)

    async def _put_one(self) -> None:
        try:
            cell = await self._make()
        except (OSError, SandboxUnavailable) as error:
            log.warning("a cell could not be made ahead of time", reason=str(error))
            return
        finally:
            self._on_their_way -= 1
        if self._closed:
            await self._dispose(cell)
        else:
            self._ready.insert(0, cell)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------------------------------------ making, removing

    async def _make(self) -> Cell:
        began = time.monotonic()
        zygote = await self._open_zygote()
        if not self._users:
            raise _OUT_OF_USERS
        user = self._users.pop()
        cell = None
        try:
            cell = await self._ask_for_one(zygote, user)
            async with asyncio.timeout(_PATIENCE_S):
                await cell.until_ready()
        except (OSError, TimeoutError) as error:
            if cell:
                self.dispose(cell)
            else:
                self._users.append(user)
            if isinstance(error, ConnectionError):
                zygote.fall()
            raise OSError(error.errno, error.strerror or "it took too long") from error
        self._making_s += 0.2 * (time.monotonic() - began - self._making_s)
        return cell

    async def _ask_for_one(self, zygote: Zygote, user: int) -> Cell:
        """Its descriptors are ours from here on, whatever happens."""
        limits = self.workshop.settings.run
        group = self.workshop.groups.make(limits)
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        stdin, stdin_in = map(processes.out_of_the_way, os.pipe())
        stdout, stdout_in = processes.pipe()
        stderr, stderr_in = processes.pipe()
        os.set_blocking(stdin_in, False)
        given = (its.fileno(), stdin, stdout_in, stderr_in)
        try:
            if self.first_uid is not None:
                # A program may open /dev/stdout anew, which needs the pipe to be its own.
                for descriptor in (stdin, stdout_in, stderr_in):
                    os.fchown(descriptor, self.first_uid + user, self.first_uid + user)
            newborn = zygote.ask(user, given)
        except OSError:
            ours.close()
            for descriptor in (stdin_in, stdout, stderr):
                os.close(descriptor)
            group.remove()
            raise
        finally:
            its.close()
            for descriptor in given[1:]:
                os.close(descriptor)
        return Cell(newborn, group, limits, user, ours, stdin_in, stdout, stderr, is_warm=bool(self.kind.warm))

    async def _open_zygote(self) -> Zygote:
        async with self._starting:
            if self._zygote is None:
                zygote = Zygote(
                    self.kind, self.workshop.settings, self.first_uid, self.workshop.seccomp, self._on_zygote_gone
                )
                await zygote.start()
                self._zygote = zygote
            return self._zygote

    def _on_zygote_gone(self, zygote: Zygote) -> None:
        log.error("the process that makes cells ended; another one is started", kind=self.kind.python or "plain")
        if self._zygote is zygote:
            self._zygote = None
        self._spawn(zygote.stop())

    async def _dispose(self, cell: Cell) -> None:
        await cell.remove()
        self._users.append(cell.user)
