"""Runs: programs come in, wait for their turn, live in a cell, and leave their output and a verdict."""

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncGenerator, Coroutine, Generator, Sequence
from dataclasses import dataclass, field, replace

import structlog

from opencode.contracts.execution import (
    CaseEvent,
    CaseFinished,
    CaseInput,
    ExecutionBusy,
    Language,
    LanguageUnknown,
    Queued,
    RunEvent,
    RunRefused,
    RunRequest,
    SandboxUnavailable,
    Terminal,
    Verdict,
)
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.adapters.cells import Work
from opencode.modules.execution.adapters.compiled import CompileCache
from opencode.modules.execution.adapters.headers import HeaderShelf, open_shelf
from opencode.modules.execution.adapters.prepared import prepare
from opencode.modules.execution.adapters.sandbox import PLAIN, Sandbox
from opencode.modules.execution.adapters.surroundings import HEADERS
from opencode.modules.execution.adapters.toolchains import Found, Missing, Toolchains
from opencode.modules.execution.domain.programs import (
    Include,
    Program,
    Runtime,
    arrange,
    check_request,
    judge,
    narrow,
    signal_number,
    usual,
    with_defaults,
)
from opencode.modules.execution.service.kinds import kind_of, warm_compiler_of, warm_kind_of
from opencode.modules.execution.service.performing import (
    Performance,
    Plan,
    compile_program,
    perform,
    run_program,
    stopped_early,
)
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
    _headers: dict[tuple[str, str], HeaderShelf] = field(default_factory=dict[tuple[str, str], HeaderShelf])
    _usuals: dict[tuple[str, str, bool], Program] = field(default_factory=dict[tuple[str, str, bool], Program])
    _mean_duration_s: float = 1.0
    _turns: Turns = field(init=False)
    _turns_in_terminals: Turns = field(init=False)
    _toolchains: Toolchains = field(init=False)

    def __post_init__(self) -> None:
        self._sandbox = Sandbox(self.settings)
        self._compiled = CompileCache(self.settings.compile_cache_bytes)
        self._toolchains = Toolchains(self.runtimes, self.settings.toolchain_folders)
        self._turns = Turns(self.settings.concurrency, self.settings.queue_length)
        self._turns_in_terminals = Turns(self.settings.terminals, self.settings.queue_length)

    # ---------------------------------------------------------------------------------------------------- CodeRunner

    async def languages(self) -> tuple[Language, ...]:
        """See `CodeRunner.languages`. The first call takes seconds: it asks every toolchain for its version."""
        found = await self._toolchains.all()
        known = [_language(runtime, found[runtime.id]) for runtime in self.runtimes]
        return tuple(sorted(known, key=lambda language: (not language.available, language.name.casefold())))

    async def run(self, request: RunRequest) -> AsyncGenerator[RunEvent, None]:
        """See `CodeRunner.run`."""
        with self._registered(request) as run:
            plan = await self._plan(request)
            with self._turn(run) as turn:
                async for ahead in self._turns_of(request).ahead(turn):
                    yield Queued(ahead)
                if turn.place is None:
                    yield stopped_early(plan.runtime.first_stage)
                    return
                # Whoever leaves early must find the cell gone: a plain `async for` would not close the inner iteration.
                work = perform(run, plan, self._sandbox, self._compiled)
                async with contextlib.aclosing(self._listen(run, work)) as events:
                    async for event in events:
                        yield event

    async def batch(
        self, request: RunRequest, inputs: Sequence[CaseInput], *, parallel: int = 1
    ) -> AsyncGenerator[CaseEvent, None]:
        """See `CodeRunner.batch`."""
        with self._registered(request) as run:
            plan = await self._plan(replace(request, stdin=b"", args=()))
            if plan.program.compile:
                async with contextlib.aclosing(self._compile(run, plan)) as events:
                    async for event in events:
                        yield event
                if run.made is None:
                    return
            async with contextlib.aclosing(self._cases(run, plan, inputs, parallel)) as cases:
                async for case in cases:
                    yield case

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
        known = self._toolchains.known(runtime) if runtime else ()
        if runtime and known:
            found = known[0]
            usual = self._usual(runtime, found)
            warm = warm_kind_of(runtime, found, usual), warm_compiler_of(runtime, found, usual)
            with contextlib.suppress(SandboxUnavailable):
                for kind in (kind_of(runtime, found), *filter(None, warm)):
                    self._sandbox.expect(kind)

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

    async def prepare(self) -> None:
        """
        Make what lets toolchains start sooner. Takes seconds the first time; nobody has to wait for it, runs are slower
        until then and no different.
        """
        await self._toolchains.all()
        for prepare_one in (self._prepare_toolchain, self._prepare_headers):
            for runtime in self.runtimes:
                for found in self._toolchains.known(runtime):
                    await prepare_one(runtime, found)

    async def _prepare_toolchain(self, runtime: Runtime, found: Found) -> None:
        self._toolchains.improve(runtime, await prepare(runtime, found, self.settings.toolchain_folders))

    async def _prepare_headers(self, runtime: Runtime, found: Found) -> None:
        headers = await open_shelf(runtime, found, self.settings)
        if runtime.headers is None or headers is None:
            return
        self._headers[runtime.id, found.version] = headers
        showing = found.surroundings.showing(headers.folder, HEADERS)
        self._toolchains.improve(runtime, replace(found, surroundings=showing))
        for names in runtime.headers.ahead:
            await headers.make(tuple(Include(line, name) for line, name in enumerate(names, 1)))

    async def close(self) -> None:
        """End every run, and wait until their cells are gone. Each run still gets its `Finished`."""
        under_way = list(self._under_way.values())
        for run in under_way:
            run.stop()
        tasks = [run.task for run in under_way if run.task]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(headers.close() for headers in self._headers.values()))
        await self._sandbox.close()

    async def empty(self) -> None:
        """Remove the sandboxes that wait for a run: an idle server is smaller, and its next run takes longer."""
        await self._sandbox.empty()

    async def settle(self) -> None:
        """Wait until the sandboxes that the next run may find ready are ready; for benchmarks and tests."""
        await self._sandbox.settle()

    # -------------------------------------------------------------------------------------------------------- a run

    @contextlib.contextmanager
    def _registered(self, request: RunRequest) -> Generator[Performance]:
        """A run that can be found by its id, once its request has been looked at."""
        check_request(request, self.settings)
        narrow(request.limits, self._ceiling(request), "limits")
        narrow(request.compile_limits, self.settings.compile, "compile_limits")
        if request.run_id in self._under_way:
            raise RunRefused(f"A run {request.run_id} is under way already.", action="Give every run an id of its own.")
        run = self._under_way[request.run_id] = Performance(request)
        try:
            yield run
        finally:
            del self._under_way[request.run_id]

    async def _plan(self, request: RunRequest) -> Plan:
        runtime, found = await self._runtime(request.language, request.version)
        compiling, running = self._limits(runtime, request)
        await self._sandbox.open()
        program = arrange(runtime, request, found.places, compiling, running)
        headers = self._headers.get((runtime.id, found.version))
        return Plan(runtime, found, program, self._usual(runtime, found), headers, compiling, running)

    def _usual(self, runtime: Runtime, found: Found) -> Program:
        """Worked out once: every run asks for it."""
        # Its places change when it is prepared, and never else.
        key = runtime.id, found.version, found.is_prepared
        if key not in self._usuals:
            self._usuals[key] = usual(runtime, found.places, self.settings.compile, self.settings.run)
        return self._usuals[key]

    def _ceiling(self, request: RunRequest) -> StageLimits:
        return self.settings.terminal if request.terminal else self.settings.run

    @contextlib.contextmanager
    def _turn(self, run: Performance, *, insist: bool = False) -> Generator[Turn]:
        """
        A turn for this run: it has a place once it is settled, or none when the run was stopped before.

        Args:
            insist: the line may be as long as it likes.
        """
        turns = self._turns_of(run.request)
        try:
            turn = run.turn = turns.ask(run.request.owner, insist=insist)
        except asyncio.QueueFull:
            raise ExecutionBusy(
                f"{self.settings.queue_length} runs are waiting already.",
                action="Try again in a moment.",
                retry_after_s=self._retry_after_s(),
            ) from None
        try:
            if run.stopped:
                turn.give_up()
            yield turn
        finally:
            turns.leave(turn)

    def _turns_of(self, request: RunRequest) -> Turns:
        return self._turns_in_terminals if request.terminal else self._turns

    async def _compile(self, run: Performance, plan: Plan) -> AsyncGenerator[RunEvent, None]:
        with self._turn(run) as turn:
            async for ahead in self._turns.ahead(turn):
                yield Queued(ahead)
            if turn.place is None:
                yield stopped_early("compile")
                return
            work = compile_program(run, plan, self._sandbox, self._compiled)
            async with contextlib.aclosing(self._listen(run, work)) as events:
                async for event in events:
                    yield event

    async def _cases(
        self, run: Performance, plan: Plan, inputs: Sequence[CaseInput], parallel: int
    ) -> AsyncGenerator[CaseFinished, None]:
        # One more than may run is asked for, so that no place is empty while a result is looked at.
        under_way: deque[asyncio.Task[CaseFinished]] = deque()
        upcoming = enumerate(inputs)
        try:
            while True:
                for index, given in itertools.islice(upcoming, parallel + 1 - len(under_way)):
                    under_way.append(asyncio.create_task(self._case(run, plan, index, given)))
                if not under_way:
                    return
                case = await under_way.popleft()
                yield case
                if case.finished.verdict is Verdict.STOPPED:
                    return
        finally:
            run.stop()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _case(self, run: Performance, plan: Plan, index: int, given: CaseInput) -> CaseFinished:
        part = Performance(replace(run.request, stdin=given.stdin, live=False, terminal=None), made=run.made)
        part.stopped = run.stopped
        run.parts.add(part)
        try:
            with self._turn(part, insist=True) as turn:
                await asyncio.wait({turn.settled})
                if turn.place is None:
                    return CaseFinished(index, b"", b"", stopped_early("run"))
                with self._sandbox_faults():
                    finished = await run_program(part, plan, self._sandbox, given.args)
        finally:
            run.parts.discard(part)
        stdout, stderr = part.printed()
        return CaseFinished(index, stdout, stderr, finished)

    async def _listen(self, run: Performance, work: Coroutine[None, None, None]) -> AsyncGenerator[RunEvent, None]:
        # In a task of its own: whoever listens may leave at any moment, the removal of cells may not be cut short.
        task = run.task = asyncio.create_task(self._perform(run, work))
        try:
            while (event := await run.events.get()) is not None:
                yield event
            await task  # raises what went wrong
        finally:
            if not task.done():
                run.stop()
                await asyncio.shield(asyncio.wait({task}))

    async def _perform(self, run: Performance, work: Coroutine[None, None, None]) -> None:
        began = asyncio.get_running_loop().time()
        try:
            with self._sandbox_faults():
                await work
        finally:
            run.events.put_nowait(None)
        duration_s = asyncio.get_running_loop().time() - began
        self._mean_duration_s += _RECENT_WEIGHT * (duration_s - self._mean_duration_s)

    @contextlib.contextmanager
    def _sandbox_faults(self) -> Generator[None]:
        """A machine that has no room for a cell is no fault of the program."""
        try:
            yield
        except OSError as error:
            log.error("cell could not be made", reason=str(error))
            raise SandboxUnavailable(
                "This server could not make a sandbox just now.",
                action="Try again; if it stays, ask an administrator to run `ocp doctor`.",
            ) from error

    def _retry_after_s(self) -> int:
        return max(1, round(self.settings.queue_length / self.settings.concurrency * self._mean_duration_s))

    # ------------------------------------------------------------------------------------------------- what there is

    async def _runtime(self, name: str, version: str | None) -> tuple[Runtime, Found]:
        runtime = self._named(name)
        if runtime is None:
            known = ", ".join(sorted(one.id for one in self.runtimes))
            raise LanguageUnknown(f"There is no language {name[:50]!r}.", action=f"Take one of: {known}.")
        found = await self._toolchains.of(runtime)
        if isinstance(found, Missing):
            raise LanguageUnknown(f"{runtime.name} is not available on this server.", action=found.reason)
        chosen = toolchains.choose(found, version)
        if chosen is None:
            there = ", ".join(one.version for one in found)
            raise LanguageUnknown(f"{runtime.name} {version!s:.50} is not on this server.", action=f"It has {there}.")
        return runtime, chosen

    def _named(self, name: str) -> Runtime | None:
        return next((one for one in self.runtimes if name in (one.id, *one.aliases)), None)

    def _limits(self, runtime: Runtime, request: RunRequest) -> tuple[StageLimits, StageLimits]:
        """Those of the compile stage and of the run stage."""
        compiling, running = self.settings.compile, self._ceiling(request)
        return (
            narrow(
                with_defaults(request.compile_limits, runtime.limits.compile, compiling), compiling, "compile_limits"
            ),
            narrow(with_defaults(request.limits, runtime.limits.run, running), running, "limits"),
        )

    async def _try_cell(self) -> str | None:
        """Why a cell does not work, and what to do; None when it does."""
        work = Work("run", (), ("/bin/sh", "-c", ":"), {}, _PROBE_LIMITS, self._sandbox.hard_limits(_PROBE_LIMITS))
        try:
            result = await self._sandbox.perform(PLAIN, lambda _cell: work, lambda _output: None)
        except OSError as error:
            return f"Starting a cell failed: {error.strerror}."
        if result.facts.began and result.facts.status == 0:
            return None
        return f"An empty cell ended with: {judge(result.facts, _PROBE_LIMITS).message} {result.complaint}".strip()


def _language(runtime: Runtime, found: tuple[Found, ...] | Missing) -> Language:
    versions = () if isinstance(found, Missing) else tuple(one.version for one in found)
    return Language(
        id=runtime.id,
        name=runtime.name,
        aliases=runtime.aliases,
        version=versions[0] if versions else None,
        available=bool(versions),
        reason=found.reason if isinstance(found, Missing) else None,
        file_name=runtime.file_name,
        template=runtime.template,
        versions=versions,
        package=runtime.package,
    )
