"""One run: its stages, one cell each, and what is told of them."""

import asyncio
import base64
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import structlog

from opencode.contracts.execution import (
    Compiled,
    Finished,
    Output,
    RunEvent,
    RunRequest,
    Stage,
    StageStarted,
    Terminal,
    Verdict,
)
from opencode.modules.execution.adapters.cells import Cell, Result, Work
from opencode.modules.execution.adapters.compiled import CompileCache, CompiledProgram, key_of
from opencode.modules.execution.adapters.headers import HeaderShelf
from opencode.modules.execution.adapters.sandbox import Sandbox
from opencode.modules.execution.adapters.toolchains import Found
from opencode.modules.execution.adapters.zygotes import Kind
from opencode.modules.execution.domain.programs import Program, Runtime, judge, leading_includes
from opencode.modules.execution.service.kinds import kind_of, plain, suits_warm, warm_compiler_of, warm_kind_of
from opencode.modules.execution.service.turns import Turn
from opencode.modules.execution.settings import StageLimits

log = structlog.get_logger(__name__)

_TRIES = 3  # of a stage that our sandbox spoilt before the program could do anything
_PYTHON = "python3"


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a run is, once everything about it is decided.

    Attributes:
        usual: what the program would be if the request left all to us.
        headers: compiled ahead for the compiler of this runtime.
    """

    runtime: Runtime
    found: Found
    program: Program
    usual: Program
    headers: HeaderShelf | None
    compiling: StageLimits
    running: StageLimits


@dataclass(slots=True, eq=False)
class Performance:
    """
    A run that somebody listens to, and may speak to.

    Attributes:
        events: what has happened; None is the end.
        made: what the compile stage left, once it is over.
        parts: the cases of a batch that are under way.
    """

    request: RunRequest
    events: asyncio.Queue[RunEvent | None] = field(default_factory=asyncio.Queue[RunEvent | None])
    turn: Turn | None = None
    task: asyncio.Task[None] | None = None
    made: CompiledProgram | None = None
    parts: "set[Performance]" = field(default_factory=set["Performance"])
    stopped: bool = False

    _cell: Cell | None = None
    _stage: Stage | None = None
    _early_input: bytearray = field(default_factory=bytearray)
    _input_ended: bool = False

    def begin(self, work: Work, cell: Cell) -> Work:
        """There is a cell. What was typed until now goes along with the work; later words go to the cell."""
        self._stage, self._cell = work.stage, cell
        if self.stopped:
            cell.end(Verdict.STOPPED)
        if work.stage == "compile":
            return work
        stdin = self.request.stdin + bytes(self._early_input)
        return replace(work, stdin=stdin, live=self.request.live and not self._input_ended)

    def stop(self) -> None:
        self.stopped = True
        for part in self.parts:
            part.stop()
        if self._cell:
            self._cell.end(Verdict.STOPPED)
        elif self.turn:
            self.turn.give_up()

    async def write(self, data: bytes) -> bool:
        if not self.request.live or self._input_ended:
            return False
        if self._stage == "run" and self._cell:
            return await self._cell.write(data)
        # Typed while it still compiles, or waits for its turn.
        self._early_input += data
        return True

    def end_input(self) -> bool:
        if not self.request.live or self._input_ended:
            return False
        if self._stage == "run" and self._cell:
            return self._cell.end_input()
        self._input_ended = True
        return True

    def printed(self) -> tuple[bytes, bytes]:
        """All that has come on stdout and on stderr; for who did not listen."""
        streams: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        while not self.events.empty():
            event = self.events.get_nowait()
            if isinstance(event, Output):
                streams[event.stream].append(event.data)
        return b"".join(streams["stdout"]), b"".join(streams["stderr"])

    def signal(self, number: int) -> bool:
        return self._cell is not None and self._cell.signal(number)

    def resize(self, terminal: Terminal) -> bool:
        return self._stage == "run" and self._cell is not None and self._cell.resize(terminal)


async def perform(run: Performance, plan: Plan, sandbox: Sandbox, cache: CompileCache) -> None:
    """
    Do all stages, and put what happens into the run's events, with exactly one `Finished` at the end.

    Raises:
        OSError, SandboxUnavailable: no cell can be made.
    """
    if plan.program.compile:
        await compile_program(run, plan, sandbox, cache)
        if run.made is None:
            return
    run.events.put_nowait(StageStarted("run"))
    run.events.put_nowait(await run_program(run, plan, sandbox))


async def compile_program(run: Performance, plan: Plan, sandbox: Sandbox, cache: CompileCache) -> None:
    """Compile, so that `run.made` is there; or `Finished` is the last event."""
    run.events.put_nowait(StageStarted("compile"))
    key = key_of(plan.program, f"{plan.runtime.id} {plan.found.version}")
    if kept := cache.get(key):
        for output in kept.said:
            run.events.put_nowait(output)
        run.events.put_nowait(Compiled(cpu_time_ms=0, wall_time_ms=0, memory_bytes=None, cached=True))
        run.made = kept
        return
    work = Work(
        stage="compile",
        files=plan.program.files,
        argv=_compile_command(plan),
        environment=plan.found.surroundings.environment_of("compile"),
        limits=plan.compiling,
        hard_limits=sandbox.hard_limits(plan.compiling),
        collect=plan.runtime.outputs,
        line=_line(plan.program.compile[1:]),
    )
    kinds = _Kinds(plain(plan.found), warm_compiler_of(plan.runtime, plan.found, plan.usual))
    said: list[Output] = []
    result = await _one_stage(run, kinds, work, sandbox, said)
    finished = _finished(result, plan.compiling, (await sandbox.open()).groups.name)
    if finished.verdict is not Verdict.OK:
        run.events.put_nowait(finished)
        return
    run.made = CompiledProgram(result.collected, tuple(said))
    cache.put(key, run.made)
    run.events.put_nowait(Compiled(finished.cpu_time_ms, finished.wall_time_ms, finished.memory_bytes))


async def run_program(run: Performance, plan: Plan, sandbox: Sandbox, args: tuple[str, ...] = ()) -> Finished:
    """
    Do the run stage; what is printed comes as events.

    Args:
        args: further arguments than those of the plan.
    """
    runtime, program = plan.runtime, plan.program
    kind = kind_of(runtime, plan.found)
    request = replace(run.request, args=(*run.request.args, *args))
    warm = warm_kind_of(runtime, plan.found, plan.usual)
    if not suits_warm(runtime, request, program, plan.usual):
        warm = None
    command = (*program.run, *args)
    work = Work(
        stage="run",
        files=program.files,
        argv=(_PYTHON, *command[1:]) if kind.python else command,
        environment=plan.found.surroundings.environment_of("run"),
        limits=plan.running,
        hard_limits=sandbox.hard_limits(plan.running),
        in_python=bool(kind.python),
        made=run.made.collected if run.made else b"",
        line=_line(request.args),
        terminal=run.request.terminal,
    )
    result = await _one_stage(run, _Kinds(kind, warm), work, sandbox)
    return _finished(result, plan.running, (await sandbox.open()).groups.name)


def _compile_command(plan: Plan) -> tuple[str, ...]:
    compiler, *words = plan.program.compile
    if plan.headers is None:
        return plan.program.compile
    return (compiler, *plan.headers.options_for(leading_includes(plan.runtime, plan.program.files)), *words)


@dataclass(frozen=True, slots=True)
class _Kinds:
    cold: Kind
    warm: Kind | None


async def _one_stage(
    run: Performance, kinds: _Kinds, work: Work, sandbox: Sandbox, said: list[Output] | None = None
) -> Result:
    """What our sandbox spoils is done again, as long as nobody has seen anything of it."""

    def emit(output: Output) -> None:
        run.events.put_nowait(output)
        if said is not None:
            said.append(output)

    for tries_left in reversed(range(_TRIES)):
        result = await sandbox.perform(kinds.cold, lambda cell: run.begin(work, cell), emit, warm=kinds.warm)
        if result.facts.began or run.stopped or not tries_left:
            return result
        log.error("a sandbox failed", reason=result.complaint, tries_left=tries_left)
    raise AssertionError("unreachable")


def _line(words: Iterable[str]) -> bytes:
    """Words for a program that is up already. Base64, and a space after each, lets any word be in a line."""
    return b"".join(base64.b64encode(word.encode()) + b" " for word in words) + b"\n"


def _finished(result: Result, limits: StageLimits, limits_held: str) -> Finished:
    judgement = judge(result.facts, limits)
    return Finished(
        stage=result.facts.stage,
        verdict=judgement.verdict,
        message=judgement.message,
        exit_code=judgement.exit_code,
        signal=judgement.signal,
        cpu_time_ms=result.facts.cpu_time_ms,
        wall_time_ms=result.wall_time_ms,
        memory_bytes=result.memory_bytes,
        truncated=result.truncated,
        limits_held=limits_held,
    )


def stopped_early(stage: Stage) -> Finished:
    """For a run that was stopped before its turn came."""
    return Finished(
        stage=stage,
        verdict=Verdict.STOPPED,
        message="Stopped before it began.",
        exit_code=None,
        signal=None,
        cpu_time_ms=0,
        wall_time_ms=0,
        memory_bytes=None,
    )
