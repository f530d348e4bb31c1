"""A cell's life: made, watched while it runs, ended as a whole, and removed without a trace."""

import asyncio
import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from opencode.contracts.execution import Finished, Output, RunEvent, Stage, StageStarted, Stream, Verdict
from opencode.modules.execution.adapters import bubblewrap, processes
from opencode.modules.execution.adapters.bubblewrap import Surroundings, Tools
from opencode.modules.execution.adapters.groups import Group, Groups, Usage
from opencode.modules.execution.domain.programs import Program, StageFacts, judge
from opencode.modules.execution.settings import ExecutionSettings, StageLimits

CHECK_EVERY_S = 0.05  # processor time and forks have no event to wait for
_CHUNK = 64 * 1024  # a pipe holds as much
_REMOVAL_RETRY_S = 0.001
_REMOVAL_TRIES = 2000
_MOST_HEARD = 1024 * 1024  # bytes
_LONGEST_REPORT = 4096  # bytes; the status pipe says a few words


@dataclass(frozen=True, slots=True)
class CellPlan:
    """All that a cell needs to know."""

    program: Program
    stdin: bytes
    surroundings: Surroundings
    compiling: StageLimits
    running: StageLimits


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all cells share."""

    tools: Tools
    groups: Groups
    seccomp: bytes
    settings: ExecutionSettings

    @property
    def drops_user(self) -> bool:
        return self.tools.setpriv is not None


@dataclass(slots=True)
class Cell:
    """
    One run in one cell.

    Args:
        slot: which of the cells that may exist at once this is; picks the user id.
        emit: called with every event but `Finished`, in order, on the event loop.
    """

    workshop: Workshop
    plan: CellPlan
    slot: int
    emit: Callable[[RunEvent], None]

    _group: Group | None = None
    _stage: Stage = "run"
    _began: bool = False
    _done: bool = False
    _noise: bytes = b""
    _ended_for: Verdict | None = None
    _truncated: bool = False
    _printed: int = 0
    _stage_began_at: float = 0.0
    _cpu_before_ms: int = 0
    _init: int | None = None
    _init_pid: int | None = None
    _go: int | None = None
    _reports: int = -1
    _outlets: dict[int, int] = field(default_factory=dict[int, int])
    _status_text: bytes = b""
    _heard: int = 0
    _report_text: bytes = b""
    _clock: asyncio.TimerHandle | None = None
    _next_check: asyncio.TimerHandle | None = None
    _readers: dict[int, Callable[[], None]] = field(default_factory=dict[int, Callable[[], None]])

    async def live(self) -> Finished:
        """
        Make the cell, see it through, remove it.

        Raises:
            OSError: the cell could not be made.
        """
        self._stage = "compile" if self.plan.program.compile else "run"
        group = self._group = self.workshop.groups.make(self._limits)
        try:
            # The pipes hold what is printed until somebody reads; nothing can be lost before the first await.
            pidfd = self._start(group)
            self._watch()
            try:
                await processes.gone(pidfd)
            except asyncio.CancelledError:
                self.end(Verdict.STOPPED)
                await processes.gone(pidfd)
                raise
            finally:
                status = processes.reap(pidfd)
                os.close(pidfd)
                await self._end_everything()
            return self._finish(group.usage(None), 1 if status is None else status)
        finally:
            self._release()
            await _remove(group)

    def end(self, reason: Verdict) -> None:
        """End the whole cell; the first reason given counts. Safe at any time."""
        if self._ended_for is None:
            self._ended_for = reason
        # Process 1 takes the whole namespace with it. Before bwrap has named it, there is nobody to end: bwrap killed
        # at that moment would leave its child waiting for ever, so the report about process 1 finishes this.
        if self._init is not None:
            processes.kill(self._init)

    @property
    def _limits(self) -> StageLimits:
        return self.plan.compiling if self._stage == "compile" else self.plan.running

    # ------------------------------------------------------------------------------------------------------- starting

    def _start(self, group: Group) -> int:
        plan, settings = self.plan, self.workshop.settings
        uid = settings.first_uid + self.slot if self.workshop.drops_user else None
        given: dict[int, int] = {}
        kept: list[int] = []

        def outlet(there: int, on_data: Callable[[int], None]) -> None:
            reading, given[there] = processes.pipe()
            self._outlets[there] = reading
            self._readers[reading] = lambda: on_data(reading)
            # A program may open /dev/stdout anew, which needs the pipe to be its own.
            if uid is not None and there != bubblewrap.STATUS:
                os.fchown(given[there], uid, uid)

        def keep(content: bytes) -> int:
            kept.append(processes.memory_file(content))
            return kept[-1]

        try:
            given[bubblewrap.STDIN] = processes.memory_file(plan.stdin)
            outlet(bubblewrap.STATUS, self._on_status)
            outlet(bubblewrap.RUN_STDOUT, lambda pipe: self._on_output(pipe, "run", "stdout"))
            outlet(bubblewrap.RUN_STDERR, lambda pipe: self._on_output(pipe, "run", "stderr"))
            if plan.program.compile:
                outlet(bubblewrap.COMPILE_STDOUT, lambda pipe: self._on_output(pipe, "compile", "stdout"))
                outlet(bubblewrap.COMPILE_STDERR, lambda pipe: self._on_output(pipe, "compile", "stderr"))
                given[bubblewrap.GO], self._go = map(processes.out_of_the_way, os.pipe())
            self._reports, reports_in = processes.pipe()
            self._readers[self._reports] = lambda: self._on_report(self._reports)
            kept.append(reports_in)
            passwd, groups, hosts = bubblewrap.account_files()
            options = bubblewrap.options(
                plan.surroundings,
                [(keep(file.content), file) for file in plan.program.files],
                settings,
                keep(self.workshop.seccomp),
                reports_in,
                (keep(passwd), keep(groups), keep(hosts)),
            )
            hard = bubblewrap.HardLimits(
                open_files=settings.open_files,
                file_bytes=settings.disk_bytes,
                stack_bytes=settings.stack_bytes,
                stand_in=self.workshop.groups.rlimits_only,
            )
            script = bubblewrap.stages(plan.program, plan.compiling, plan.running, hard)
            command = bubblewrap.chain(self.workshop.tools, group.joining(), uid, keep(options), script)
            pid = processes.spawn(command, plan.surroundings.environment, given | {fd: fd for fd in kept})
            return os.pidfd_open(pid)
        finally:
            for descriptor in (*given.values(), *kept):
                os.close(descriptor)

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        for descriptor, reader in self._readers.items():
            loop.add_reader(descriptor, reader)
        self._start_clock()
        self._next_check = loop.call_later(CHECK_EVERY_S, self._check)

    def _start_clock(self) -> None:
        if self._clock:
            self._clock.cancel()
        self._stage_began_at = time.monotonic()
        after_s = self._limits.wall_time_ms / 1000
        self._clock = asyncio.get_running_loop().call_later(after_s, self.end, Verdict.WALL_TIME)

    def _check(self) -> None:
        self._next_check = asyncio.get_running_loop().call_later(CHECK_EVERY_S, self._check)
        usage = self._usage()
        if usage.oom_kills:
            self.end(Verdict.MEMORY)
        elif usage.cpu_time_ms >= self._limits.cpu_time_ms:
            self.end(Verdict.CPU_TIME)
        elif usage.refused_forks:
            self.end(Verdict.PROCESSES)

    def _usage(self) -> Usage:
        assert self._group is not None
        usage = self._group.usage(self._init_pid)
        return replace(usage, cpu_time_ms=max(0, usage.cpu_time_ms - self._cpu_before_ms))

    # -------------------------------------------------------------------------------------------------------- hearing

    def _on_report(self, pipe: int) -> None:
        """bwrap says who process 1 is, in a line of JSON that it writes piece by piece."""
        *lines, self._report_text = (self._report_text + self._read(pipe)).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, OSError):
                self._meet(int(json.loads(line)["child-pid"]))

    def _meet(self, pid: int) -> None:
        pidfd = os.pidfd_open(pid)
        # Were it gone already, the number could belong to somebody else by now.
        if _is_process_one(pid):
            self._init, self._init_pid = pidfd, pid
            if self._ended_for is not None:
                processes.kill(pidfd)
        else:
            os.close(pidfd)

    def _on_status(self, pipe: int) -> None:
        heard = self._read(pipe)
        self._heard += len(heard)
        # Our script says a few words. Where a cell keeps the server's user, a program can open this pipe and pour into
        # it.
        if self._heard > _MOST_HEARD:
            self.end(Verdict.OUTPUT)
        *lines, self._status_text = (self._status_text + heard).split(b"\n")
        for line in lines:
            match line:
                case b"compile":
                    self._begin("compile")
                case b"compiled" if self._stage == "compile":
                    self._turn_to_run()
                case b"run":
                    self._begin("run")
                case b"done":
                    self._done = True
                case _:
                    self._noise = (self._noise + line + b"\n")[-_LONGEST_REPORT:]
        self._status_text = self._status_text[-_LONGEST_REPORT:]

    def _begin(self, stage: Stage) -> None:
        if stage != self._stage or self._began:
            return
        self._began, self._noise = True, b""
        self._start_clock()
        self.emit(StageStarted(stage))

    def _turn_to_run(self) -> None:
        """The compiler is done and all its processes are gone; its files stay. The cell's shell waits for our word."""
        assert self._group is not None
        for descriptor in (bubblewrap.COMPILE_STDOUT, bubblewrap.COMPILE_STDERR):
            self._drain(self._outlets[descriptor])
        self._cpu_before_ms = self._group.usage(self._init_pid).cpu_time_ms
        self._stage, self._began, self._printed = "run", False, 0
        self._group.begin_stage(self._limits)
        self._start_clock()
        self._say_go()

    def _say_go(self) -> None:
        if self._go is not None:
            # The shell may have been ended a moment ago; then nobody reads, and the cell's end is under way.
            with contextlib.suppress(BrokenPipeError):
                os.write(self._go, b"\n")
            os.close(self._go)
            self._go = None

    def _on_output(self, pipe: int, stage: Stage, stream: Stream) -> None:
        data = self._read(pipe)
        if not data:
            return
        if not self._began:
            # The shell said so before it started the program, but the event loop may look at this pipe first.
            self._on_status(self._outlets[bubblewrap.STATUS])
        room = self._limits.output_bytes - self._printed
        if len(data) > room:
            data = data[:room]
            self._truncated = True
            self.end(Verdict.OUTPUT)
        self._printed += len(data)
        if data:
            self.emit(Output(stage, stream, data))

    def _read(self, pipe: int) -> bytes:
        """What is there now; a pipe whose other end is gone is closed."""
        if pipe not in self._readers:
            return b""
        try:
            data = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            self._close(pipe)
        return data

    def _drain(self, pipe: int) -> None:
        while (reader := self._readers.get(pipe)) and _readable(pipe):
            reader()

    # --------------------------------------------------------------------------------------------------------- ending

    async def _end_everything(self) -> None:
        """The main program is gone; whatever it left behind goes now."""
        if self._init is None:
            self._on_report(self._reports)
        if self._init is not None:
            processes.kill(self._init)
            await processes.gone(self._init)
            processes.reap(self._init)
        self._drain(self._outlets[bubblewrap.STATUS])
        for pipe in list(self._readers):
            self._drain(pipe)

    def _finish(self, usage: Usage, status: int) -> Finished:
        stage, limits = self._stage, self._limits
        facts = StageFacts(
            stage=stage,
            began=self._began,
            ended_for=self._ended_for,
            status=status,
            by_signal=status > 128 and (bool(self._noise) or not self._done or status in _SILENT_SIGNALS),
            cpu_time_ms=max(0, usage.cpu_time_ms - self._cpu_before_ms),
            oom_kills=usage.oom_kills,
            refused_forks=usage.refused_forks,
        )
        judgement = judge(facts, limits)
        return Finished(
            stage=stage,
            verdict=judgement.verdict,
            message=judgement.message,
            exit_code=judgement.exit_code,
            signal=judgement.signal,
            cpu_time_ms=facts.cpu_time_ms,
            wall_time_ms=round((time.monotonic() - self._stage_began_at) * 1000),
            memory_bytes=usage.memory_bytes,
            truncated=self._truncated,
            limits_held=self.workshop.groups.name,
        )

    @property
    def complaints(self) -> str:
        """What the programs of the chain said on their way; for the log, since it may name places of this server."""
        return (self._noise + self._status_text).decode("utf-8", "replace").strip()

    def _close(self, pipe: int) -> None:
        asyncio.get_running_loop().remove_reader(pipe)
        del self._readers[pipe]
        os.close(pipe)

    def _release(self) -> None:
        for timer in (self._clock, self._next_check):
            if timer:
                timer.cancel()
        for pipe in list(self._readers):
            self._close(pipe)
        for descriptor in (self._go, self._init):
            if descriptor is not None:
                os.close(descriptor)
        self._go = self._init = None


# Shells say nothing when one of these ends a program (dash: jobs.c, sprint_status), so the status alone has to do.
_SILENT_SIGNALS = frozenset({128 + signal.SIGINT, 128 + signal.SIGPIPE})


async def _remove(group: Group) -> None:
    # A group stays busy for a moment after its last process, and the kernel tells nobody when it is free.
    for _ in range(_REMOVAL_TRIES):
        if group.remove():
            return
        await asyncio.sleep(_REMOVAL_RETRY_S)


def _readable(pipe: int) -> bool:
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(0))


def _is_process_one(pid: int) -> bool:
    """Whether a process is the first of a namespace right below ours."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return line.split()[-1] == "1" and len(line.split()) > 2
    return False
