"""Runs: programs come in, wait for their turn, live in a cell, and leave their output and a verdict."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import structlog

from opencode.contracts.execution import (
    ExecutionBusy,
    Finished,
    Language,
    LanguageUnknown,
    RunEvent,
    RunRefused,
    RunRequest,
    SandboxUnavailable,
    Terminal,
)
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.adapters.cells import Work
from opencode.modules.execution.adapters.compiled import CompileCache
from opencode.modules.execution.adapters.sandbox import PLAIN, Sandbox
from opencode.modules.execution.adapters.toolchains import Found, Missing
from opencode.modules.execution.domain import Runtime, arrange, check_request, judge, narrow, signal_number
from opencode.modules.execution.service.performing import Performance, Plan, kind_of, perform, stopped_early
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

    _sandbox: Sandbox = field(init=False)
    _compiled: CompileCache = field(init=False)
    _under_way: dict[str, Performance] = field(default_factory=dict[str, Performance])
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _found: dict[str, Found | Missing] = field(default_factory=dict[str, Found | Missing])
    _mean_duration_s: float = 1.0
    _slots: "_Slots" = field(init=False)

    def __post_init__(self) -> None:
        self._sandbox = Sandbox(self.settings)
        self._compiled = CompileCache(self.settings.compile_cache_bytes)
        self._slots = _Slots(self.settings.concurrency, self.settings.queue_length)

    # ---------------------------------------------------------------------------------------------------- CodeRunner

    async def languages(self) -> tuple[Language, ...]:
        """See `CodeRunner.languages`. The first call takes about a second: it asks every toolchain for its version."""
        await self._look_for_toolchains()
        known = [_language(runtime, self._found[runtime.id]) for runtime in self.runtimes]
        return tuple(sorted(known, key=lambda language: (not language.available, language.name.casefold())))

    async def run(self, request: RunRequest) -> AsyncGenerator[RunEvent, None]:
        """See `CodeRunner.run`."""
        check_request(request, self.settings)
        limits = narrow(request.limits, self.settings.terminal if request.terminal else self.settings.run, "limits")
        compiling = narrow(request.compile_limits, self.settings.compile, "compile_limits")
        if request.run_id in self._under_way:
            raise RunRefused(f"A run {request.run_id} is under way already.", action="Give every run an id of its own.")
        under_way = self._under_way[request.run_id] = Performance(request)
        try:
            runtime, found = await self._runtime(request.language)
            await self._sandbox.open()
            program = arrange(runtime, request, found.places, compiling, limits)
            plan = Plan(runtime, found, program, compiling, limits)
            async with self._turn(under_way) as slot:
                if slot is None:
                    yield stopped_early(runtime.first_stage)
                    return
                # Whoever leaves early must find the cell gone: a plain `async for` would not close the inner iteration.
                async with contextlib.aclosing(self._see_through(under_way, plan)) as events:
                    async for event in events:
                        yield event
        finally:
            del self._under_way[request.run_id]

    async def stop(self, run_id: str) -> bool:
        """See `CodeRunner.stop`."""
        under_way = self._under_way.get(run_id)
        if under_way is None:
            return False
        under_way.stop()
        return True

    async def write(self, run_id: str, data: bytes) -> bool:
        """See `CodeRunner.write`."""
        under_way = self._under_way.get(run_id)
        return under_way is not None and await under_way.write(data)

    async def end_input(self, run_id: str) -> bool:
        """See `CodeRunner.end_input`."""
        under_way = self._under_way.get(run_id)
        return under_way is not None and under_way.end_input()

    async def signal(self, run_id: str, name: str) -> bool:
        """See `CodeRunner.signal`."""
        number = signal_number(name)
        under_way = self._under_way.get(run_id)
        return under_way is not None and under_way.signal(number)

    async def resize(self, run_id: str, terminal: Terminal) -> bool:
        """See `CodeRunner.resize`."""
        under_way = self._under_way.get(run_id)
        return under_way is not None and under_way.resize(terminal)

    def expect(self, language: str) -> None:
        """See `CodeRunner.expect`."""
        runtime = self._named(language)
        found = self._found.get(runtime.id) if runtime else None
        if runtime and isinstance(found, Found):
            with contextlib.suppress(SandboxUnavailable):
                self._sandbox.expect(kind_of(runtime, found))

    # ------------------------------------------------------------------------------------------------ for the operator

    async def probe(self) -> ProbeReport:
        """
        Make an empty cell, to tell whether programs can be run here. Takes some 10 ms; for `/ready` and `ocp
        doctor`.
        """
        loop = asyncio.get_running_loop()
        try:
            workshop = await self._sandbox.open()
            began = loop.time()
            reason = await self._try_cell()
        except SandboxUnavailable as error:
            return ProbeReport(False, f"{error.detail} {error.action}", "", False, 0)
        duration_ms = round((loop.time() - began) * 1000)
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
        await self._sandbox.close()

    async def empty(self) -> None:
        """Remove the sandboxes that wait for a run: an idle server is smaller, and its next run takes longer."""
        await self._sandbox.empty()

    # -------------------------------------------------------------------------------------------------------- a run

    @contextlib.asynccontextmanager
    async def _turn(self, under_way: Performance) -> AsyncGenerator[int | None, None]:
        """A slot when it is this run's turn, None when it was stopped before."""
        try:
            waiting = self._slots.ask()
        except asyncio.QueueFull:
            raise ExecutionBusy(
                f"{self.settings.queue_length} runs are waiting already.",
                action="Try again in a moment.",
                retry_after_s=self._retry_after_s(),
            ) from None
        under_way.waiting = waiting
        try:
            yield None if await asyncio.wait({waiting}) and waiting.cancelled() else waiting.result()
        finally:
            self._slots.give_back(waiting)

    async def _see_through(self, under_way: Performance, plan: Plan) -> AsyncGenerator[RunEvent, None]:
        # In a task of its own: whoever listens may leave at any moment, the removal of cells may not be cut short.
        under_way.task = asyncio.create_task(self._perform(under_way, plan))
        try:
            while True:
                event = await under_way.events.get()
                if isinstance(event, Exception):
                    raise event
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            under_way.stop()
            await asyncio.shield(asyncio.wait({under_way.task}))

    async def _perform(self, under_way: Performance, plan: Plan) -> None:
        began = asyncio.get_running_loop().time()
        try:
            await perform(under_way, plan, self._sandbox, self._compiled)
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
        duration_s = asyncio.get_running_loop().time() - began
        self._mean_duration_s += _RECENT_WEIGHT * (duration_s - self._mean_duration_s)

    def _retry_after_s(self) -> int:
        return max(1, round(self.settings.queue_length / self.settings.concurrency * self._mean_duration_s))

    # ------------------------------------------------------------------------------------------------- what there is

    async def _runtime(self, name: str) -> tuple[Runtime, Found]:
        runtime = self._named(name)
        if runtime is None:
            known = ", ".join(sorted(one.id for one in self.runtimes))
            raise LanguageUnknown(f"There is no language {name[:50]!r}.", action=f"Take one of: {known}.")
        await self._look_for_toolchains()
        found = self._found[runtime.id]
        if isinstance(found, Missing):
            raise LanguageUnknown(f"{runtime.name} is not available on this server.", action=found.reason)
        return runtime, found

    def _named(self, name: str) -> Runtime | None:
        return next((one for one in self.runtimes if name in (one.id, *one.aliases)), None)

    async def _look_for_toolchains(self) -> None:
        async with self._looking:
            if not self._found:
                found = await asyncio.gather(
                    *(toolchains.find(runtime, self.settings.toolchain_folders) for runtime in self.runtimes)
                )
                self._found = {runtime.id: result for runtime, result in zip(self.runtimes, found, strict=True)}

    async def _try_cell(self) -> str | None:
        """Why a cell does not work, and what to do; None when it does."""
        work = Work("run", (), ("/bin/sh", "-c", ":"), {}, _PROBE_LIMITS, self._sandbox.hard_limits(_PROBE_LIMITS))
        try:
            result = await self._sandbox.perform(PLAIN, work, lambda _output: None, lambda _cell: None)
        except OSError as error:
            return f"Starting a cell failed: {error.strerror}."
        if result.facts.began and result.facts.status == 0:
            return None
        return f"An empty cell ended with: {judge(result.facts, _PROBE_LIMITS).message} {result.complaint}".strip()


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


class _Slots:
    """
    Who runs and who waits: first come, first served, and the line has an end.

    A slot is a number from 0 on, held by one run at a time; the cell's user id follows from it.
    """

    def __init__(self, slots: int, longest_line: int) -> None:
        self._free = deque(range(slots))
        self._line: deque[asyncio.Future[int]] = deque()
        self._longest_line = longest_line

    def ask(self) -> asyncio.Future[int]:
        """
        Stand in line. The future is done when it is one's turn; cancelling it leaves the line.

        Raises:
            asyncio.QueueFull: the line is as long as it may be.
        """
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._free:
            turn.set_result(self._free.popleft())
            return turn
        self._line = deque(waiting for waiting in self._line if not waiting.done())
        if len(self._line) >= self._longest_line:
            raise asyncio.QueueFull
        self._line.append(turn)
        return turn

    def give_back(self, turn: asyncio.Future[int]) -> None:
        """Leave the slot to the next in line, or leave the line."""
        if not turn.done() or turn.cancelled():
            turn.cancel()
            return
        slot = turn.result()
        while self._line:
            following = self._line.popleft()
            if not following.done():
                following.set_result(slot)
                return
        self._free.append(slot)
