"""Runs: programs come in, wait for their turn, live in a cell, and leave their output and a verdict."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import dataclass, field

import structlog

from opencode.contracts.execution import (
    CaseEvent,
    CaseInput,
    ExecutionBusy,
    Finished,
    Language,
    LanguageUnknown,
    Queued,
    RunEvent,
    RunRefused,
    RunRequest,
    SandboxUnavailable,
    SourceFile,
    Terminal,
    Verdict,
)
from opencode.modules.execution.adapters import bubblewrap, groups, processes, toolchains
from opencode.modules.execution.adapters.bubblewrap import Surroundings, Tools
from opencode.modules.execution.adapters.cells import Cell, CellPlan, Workshop
from opencode.modules.execution.adapters.toolchains import Found, Missing
from opencode.modules.execution.domain.programs import Program, Runtime, arrange, check_request, narrow
from opencode.modules.execution.service.batches import one_by_one
from opencode.modules.execution.service.turns import Turn, Turns
from opencode.modules.execution.settings import ExecutionSettings, StageLimits

log = structlog.get_logger(__name__)

_PROBE_LIMITS = StageLimits(wall_time_ms=5_000)
_RECENT_WEIGHT = 0.2  # of the newest run in the moving mean of durations


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """
    Whether programs can be run here.

    Attributes:
        reason: why not, and what to do; None when they can.
        limits_held: `cgroup-v2`, `cgroup-v1` or `rlimits`.
        drops_user: cells run as another user than the server.
        duration_ms: how long an empty cell took, from nothing to nothing.
    """

    available: bool
    reason: str | None
    limits_held: str
    drops_user: bool
    duration_ms: int


@dataclass(frozen=True, slots=True)
class RuntimeRow:
    """One line of `ocp runtimes`."""

    language: str
    version: str | None
    available: bool
    reason: str | None


@dataclass(slots=True)
class Runs:
    """
    The `CodeRunner` of this process. Make one for each event loop, and `close` it.

    Args:
        settings: limits, and how many cells there may be at once.
        runtimes: what languages there are; by default those that come with OpenCode.
    """

    settings: ExecutionSettings = field(default_factory=ExecutionSettings)
    runtimes: tuple[Runtime, ...] = field(default_factory=toolchains.load)

    _workshop: Workshop | None = None
    _under_way: "dict[str, _Run]" = field(default_factory=dict[str, "_Run"])
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _found: dict[str, Found | Missing] = field(default_factory=dict[str, Found | Missing])
    _mean_duration_s: float = 1.0
    _turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        self._turns = Turns(self.settings.concurrency, self.settings.queue_length)

    # ---------------------------------------------------------------------------------------------------- CodeRunner

    async def languages(self) -> tuple[Language, ...]:
        """See `CodeRunner.languages`. The first call takes about a second: it asks every toolchain for its version."""
        await self._look_for_toolchains()
        known = [_language(runtime, self._found[runtime.id]) for runtime in self.runtimes]
        return tuple(sorted(known, key=lambda language: (not language.available, language.name.casefold())))

    async def run(self, request: RunRequest) -> AsyncGenerator[RunEvent, None]:
        """See `CodeRunner.run`."""
        check_request(request, self.settings)
        limits = narrow(request.limits, self.settings.run)
        if request.run_id in self._under_way:
            raise RunRefused(f"A run {request.run_id} is under way already.", action="Give every run an id of its own.")
        under_way = self._under_way[request.run_id] = _Run()
        try:
            runtime, found = await self._runtime(request.language)
            workshop = await self._open_workshop()
            program = arrange(runtime, request, found.places, self.settings.compile, limits)
            plan = CellPlan(program, request.stdin, found.surroundings, self.settings.compile, limits)
            with self._turn(under_way, request.owner) as turn:
                async for ahead in self._turns.ahead(turn):
                    yield Queued(ahead)
                if turn.place is None:
                    yield _stopped_early(runtime, workshop)
                    return
                cell = Cell(workshop, plan, turn.place, under_way.events.put_nowait)
                # Whoever leaves early must find the cell gone: a plain `async for` would not close the inner iteration.
                async with contextlib.aclosing(self._see_through(under_way, cell)) as events:
                    async for event in events:
                        yield event
        finally:
            del self._under_way[request.run_id]

    def batch(
        self, request: RunRequest, inputs: Sequence[CaseInput], *, parallel: int = 1
    ) -> AsyncGenerator[CaseEvent, None]:
        """See `CodeRunner.batch`."""
        return one_by_one(self.run, request, inputs)

    async def stop(self, run_id: str) -> bool:
        """See `CodeRunner.stop`."""
        under_way = self._under_way.get(run_id)
        if under_way is None:
            return False
        under_way.stop()
        return True

    async def write(self, run_id: str, data: bytes) -> bool:
        """See `CodeRunner.write`."""
        return False  # no run is live yet

    async def end_input(self, run_id: str) -> bool:
        """See `CodeRunner.end_input`."""
        return False

    async def signal(self, run_id: str, name: str) -> bool:
        """See `CodeRunner.signal`."""
        return False

    async def resize(self, run_id: str, terminal: Terminal) -> bool:
        """See `CodeRunner.resize`."""
        return False

    def expect(self, language: str) -> None:
        """See `CodeRunner.expect`."""

    # ------------------------------------------------------------------------------------------------ for the operator

    async def probe(self) -> ProbeReport:
        """
        Make an empty cell, to tell whether programs can be run here. Takes some 10 ms; for `/ready` and `ocp
        doctor`.
        """
        began = asyncio.get_running_loop().time()
        try:
            workshop = await self._open_workshop()
            reason = await self._try_cell(workshop)
        except SandboxUnavailable as error:
            return ProbeReport(False, f"{error.detail} {error.action}", "", False, 0)
        duration_ms = round((asyncio.get_running_loop().time() - began) * 1000)
        return ProbeReport(reason is None, reason, workshop.groups.name, workshop.drops_user, duration_ms)

    async def table(self) -> tuple[RuntimeRow, ...]:
        """The rows of `ocp runtimes`, the available ones first."""
        return tuple(
            RuntimeRow(language.id, language.version, language.available, language.reason)
            for language in await self.languages()
        )

    async def close(self) -> None:
        """End every run, and wait until their cells are gone. Each run still gets its `Finished`."""
        under_way = list(self._under_way.values())
        for run in under_way:
            run.stop()
        tasks = [run.task for run in under_way if run.task]
        await asyncio.gather(*tasks, return_exceptions=True)

    # -------------------------------------------------------------------------------------------------------- a run

    @contextlib.contextmanager
    def _turn(self, under_way: "_Run", owner: str) -> Generator[Turn]:
        """A turn for this run: it has a place once it is settled, or none when the run was stopped before."""
        try:
            turn = under_way.turn = self._turns.ask(owner)
        except asyncio.QueueFull:
            raise ExecutionBusy(
                f"{self.settings.queue_length} runs are waiting already.",
                action="Try again in a moment.",
                retry_after_s=self._retry_after_s(),
            ) from None
        try:
            yield turn
        finally:
            self._turns.leave(turn)

    async def _see_through(self, under_way: "_Run", cell: Cell) -> AsyncGenerator[RunEvent, None]:
        # The cell lives in a task of its own: whoever listens may leave at any moment, its removal may not be cut
        # short.
        under_way.cell = cell
        under_way.task = asyncio.create_task(self._live(under_way, cell))
        if under_way.stopped:
            cell.end(Verdict.STOPPED)
        try:
            while True:
                event = await under_way.events.get()
                if isinstance(event, Exception):
                    raise event
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            cell.end(Verdict.STOPPED)
            await asyncio.shield(asyncio.wait({under_way.task}))

    async def _live(self, under_way: "_Run", cell: Cell) -> None:
        began = asyncio.get_running_loop().time()
        try:
            finished = await cell.live()
        except OSError as error:
            log.error("cell could not be made", reason=str(error))
            under_way.events.put_nowait(
                SandboxUnavailable(
                    "This server could not make a sandbox just now.",
                    action="Try again; if it stays, ask an administrator to run `ocp doctor`.",
                )
            )
            return
        except Exception as error:  # raised again where the run is listened to
            under_way.events.put_nowait(error)
            return
        if finished.verdict is Verdict.SANDBOX_FAULT:
            log.error("sandbox did not start", reason=cell.complaints)
        duration_s = asyncio.get_running_loop().time() - began
        self._mean_duration_s += _RECENT_WEIGHT * (duration_s - self._mean_duration_s)
        under_way.events.put_nowait(finished)

    def _retry_after_s(self) -> int:
        return max(1, round(self.settings.queue_length / self.settings.concurrency * self._mean_duration_s))

    # ------------------------------------------------------------------------------------------------- what there is

    async def _runtime(self, name: str) -> tuple[Runtime, Found]:
        runtime = next((one for one in self.runtimes if name in (one.id, *one.aliases)), None)
        if runtime is None:
            known = ", ".join(sorted(one.id for one in self.runtimes))
            raise LanguageUnknown(f"There is no language {name[:50]!r}.", action=f"Take one of: {known}.")
        await self._look_for_toolchains()
        found = self._found[runtime.id]
        if isinstance(found, Missing):
            raise LanguageUnknown(f"{runtime.name} is not available on this server.", action=found.reason)
        return runtime, found

    async def _look_for_toolchains(self) -> None:
        async with self._looking:
            if not self._found:
                found = await asyncio.gather(
                    *(toolchains.find(runtime, self.settings.toolchain_folders) for runtime in self.runtimes)
                )
                self._found = {runtime.id: result for runtime, result in zip(self.runtimes, found, strict=True)}

    async def _open_workshop(self) -> Workshop:
        """
        Raises:
            SandboxUnavailable: with what is missing; asked again each time, so installing it is enough.
        """
        if self._workshop is None:
            workshop = await asyncio.to_thread(_prepare, self.settings)
            if reason := await self._try_cell(workshop):
                raise SandboxUnavailable("No sandbox can be made on this machine.", action=reason)
            self._workshop = workshop
        return self._workshop

    async def _try_cell(self, workshop: Workshop) -> str | None:
        """Why a cell does not work, and what to do; None when it does."""
        program = Program((SourceFile("empty", b""),), (), ("/bin/sh", "-c", ":"))
        plan = CellPlan(program, b"", Surroundings.of(), _PROBE_LIMITS, _PROBE_LIMITS)
        # One past the last slot, so that a probe never shares a user with a run.
        cell = Cell(workshop, plan, self.settings.concurrency, lambda event: None)
        try:
            finished = await cell.live()
        except OSError as error:
            return f"Starting a cell failed: {error.strerror}."
        if finished.verdict is Verdict.OK:
            return None
        return bubblewrap.advice(cell.complaints) or f"An empty cell ended with: {finished.message}"


def _prepare(settings: ExecutionSettings) -> Workshop:
    tools = Tools.find(settings.bubblewrap)
    if isinstance(tools, str):
        raise SandboxUnavailable("No sandbox can be made on this machine.", action=tools)
    try:
        # Here, since without libseccomp the import itself fails.
        from opencode.modules.execution.adapters import seccomp

        kind = groups.detect()
        program = seccomp.filter_program(hidden_memory=not kind.rlimits_only)
    except (RuntimeError, OSError):
        raise SandboxUnavailable(
            "No sandbox can be made on this machine.", action="libseccomp is missing. Install the package libseccomp2."
        ) from None
    processes.adopt_orphans()
    return Workshop(tools, kind, program, settings)


def _language(runtime: Runtime, found: Found | Missing) -> Language:
    available = isinstance(found, Found)
    return Language(
        id=runtime.id,
        name=runtime.name,
        aliases=runtime.aliases,
        version=found.version if isinstance(found, Found) else None,
        versions=(found.version,) if isinstance(found, Found) else (),
        available=available,
        reason=None if isinstance(found, Found) else found.reason,
        file_name=runtime.file_name,
        template=runtime.template,
    )


def _stopped_early(runtime: Runtime, workshop: Workshop) -> Finished:
    return Finished(
        stage=runtime.first_stage,
        verdict=Verdict.STOPPED,
        message="Stopped before it began.",
        exit_code=None,
        signal=None,
        cpu_time_ms=0,
        wall_time_ms=0,
        memory_bytes=None,
        limits_held=workshop.groups.name,
    )


@dataclass(slots=True)
class _Run:
    """A run that somebody waits for."""

    events: asyncio.Queue[RunEvent | Exception] = field(default_factory=asyncio.Queue[RunEvent | Exception])
    turn: Turn | None = None
    cell: Cell | None = None
    task: asyncio.Task[None] | None = None
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True
        if self.cell:
            self.cell.end(Verdict.STOPPED)
        elif self.turn:
            self.turn.give_up()
