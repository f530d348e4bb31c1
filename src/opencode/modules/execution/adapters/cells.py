"""A cell's life: ready, at work on one stage of one run, and removed without a trace."""

import asyncio
import contextlib
import errno
import fcntl
import marshal
import os
import resource
import select
import signal
import socket
import struct
import termios
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from opencode.contracts.execution import Output, SourceFile, Stage, Stream, Terminal, Verdict
from opencode.modules.execution.adapters import processes
from opencode.modules.execution.adapters.groups import Group, Usage
from opencode.modules.execution.adapters.zygote import stage as within
from opencode.modules.execution.adapters.zygote import store
from opencode.modules.execution.adapters.zygotes import Ended, Newborn
from opencode.modules.execution.domain.programs import StageFacts
from opencode.modules.execution.settings import ExecutionSettings, StageLimits

CHECK_EVERY_S = 0.05  # processor time and forks have no event to wait for
_CHUNK = 64 * 1024  # a pipe holds as much
_REMOVAL_RETRY_S = 0.001
_REMOVAL_TRIES = 2000
_MOST_INLINE = 64 * 1024  # bytes of source that go in the message itself
_END_OF_INPUT = b"\x04"  # what Ctrl-D sends to a terminal


@dataclass(frozen=True, slots=True)
class Work:
    """
    One stage of a run.

    Attributes:
        argv: the whole command; its first word is a full path inside the cell.
        in_python: the interpreter that the cell's process already is runs `argv[1]`.
        made: what a compile stage left, as `Result.collected` gave it.
        collect: full paths of what to keep after the stage.
        line: all that a program which is up already has to hear; a cell that has none runs `argv`.
        hard_limits: of single processes, as setrlimit(2) takes them.
        live: input stays open after `stdin`.
    """

    stage: Stage
    files: tuple[SourceFile, ...]
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    limits: StageLimits
    hard_limits: tuple[tuple[int, int], ...]
    stdin: bytes = b""
    in_python: bool = False
    made: bytes = b""
    collect: tuple[str, ...] = ()
    line: bytes = b""
    live: bool = False
    terminal: Terminal | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """
    What became of a stage.

    Attributes:
        memory_bytes: the peak; None where the kernel cannot tell.
        collected: for other cells only; nobody here may look inside.
        complaint: what kept the cell from reaching the stage's command, for the log.
    """

    facts: StageFacts
    wall_time_ms: int
    memory_bytes: int | None
    truncated: bool
    collected: bytes = b""
    complaint: str = ""


@dataclass(slots=True, eq=False)
class Cell:
    """
    One cell, for one stage.

    Args:
        made_for: the limits that its group has.
        user: which of its zygote's users it has.
        is_warm: a program is up in it already.
        work: where its process hears what to run.
        stdin, stdout, stderr: our ends.
    """

    newborn: Newborn
    group: Group
    made_for: StageLimits
    user: int
    work: socket.socket
    stdin: int
    stdout: int
    stderr: int
    is_warm: bool = False

    _folders: list[int] = field(default_factory=list[int])
    _terminal: int = -1
    _collected: int = -1
    _emit: Callable[[Output], None] = lambda _output: None
    _stage: Stage = "run"
    _limits: StageLimits = field(default_factory=StageLimits)
    _printed: int = 0
    _truncated: bool = False
    _ended_for: Verdict | None = None
    _cpu_before_ms: int = 0
    _began_at: float = 0.0
    _unsent: bytearray = field(default_factory=bytearray)
    _more_input: bool = False
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _readers: dict[int, Stream] = field(default_factory=dict[int, Stream])
    _clock: asyncio.TimerHandle | None = None
    _next_check: asyncio.TimerHandle | None = None

    async def until_ready(self) -> None:
        """
        Put it into its control group, and wait until its walls stand.

        Raises:
            OSError: they do not.
        """
        await self.newborn.made
        self.group.join(self.newborn.pid)
        self.work.send(within.JOINED)
        await _readable(self.work.fileno())
        answer, self._folders, _, _ = socket.recv_fds(self.work, 4096, within.FOLDERS)
        if answer != within.READY:
            raise OSError(errno.EPERM, answer[1:].decode("utf-8", "replace") or "the cell ended while it was made")

    @property
    def is_alive(self) -> bool:
        return not self.newborn.ended.done()

    async def perform(self, work: Work, emit: Callable[[Output], None]) -> Result:
        """
        Run one stage to its end.

        Args:
            emit: called with what the program prints, in order, on the event loop.

        Raises:
            OSError: the cell is gone; nothing was run.
        """
        self._emit, self._stage, self._limits = emit, work.stage, work.limits
        self._prepare(work)
        loop = asyncio.get_running_loop()
        for descriptor in self._readers:
            loop.add_reader(descriptor, self._on_output, descriptor)
        self._began_at = time.monotonic()
        # A cell that is gone by now says so by its end.
        with contextlib.suppress(ConnectionError):
            self._send(work)
        self._clock = loop.call_later(work.limits.wall_time_ms / 1000, self.end, Verdict.WALL_TIME)
        self._next_check = loop.call_later(CHECK_EVERY_S, self._check)
        if work.stdin:
            self._unsent += work.stdin
        self._more_input = work.live
        self._pump()
        try:
            ended = await asyncio.shield(self.newborn.ended)
        except asyncio.CancelledError:
            self.end(Verdict.STOPPED)
            raise
        wall_time_ms = round((time.monotonic() - self._began_at) * 1000)
        if self.is_warm and work.collect:
            # What collects lives on after the program; should it be ended, that is heard, too.
            await _readable(self.work.fileno())
        self._stop_clocks()
        await self._hear_out()
        return self._result(ended, wall_time_ms)

    def end(self, reason: Verdict) -> None:
        """End the whole cell; the first reason given counts. Safe at any time."""
        if self._ended_for is None:
            self._ended_for = reason
        # Process 1 takes the whole namespace with it.
        if self.newborn.first >= 0:
            processes.kill(self.newborn.first)

    # ------------------------------------------------------------------------------------------------------ live input

    async def write(self, data: bytes) -> bool:
        """More input; waits while the program has more of it unread than a pipe holds. False when it takes none."""
        if not self._more_input:
            return False
        self._unsent += data
        self._pump()
        while self._unsent and self._more_input and self.is_alive:
            self._room.clear()
            await self._room.wait()
        return True

    def end_input(self) -> bool:
        if not self._more_input:
            return False
        if self._terminal >= 0:
            self._unsent += _END_OF_INPUT
        else:
            self._more_input = False
        self._pump()
        return True

    def signal(self, number: int) -> bool:
        """To the main program; on a terminal what stands for a signal goes to whoever is in the foreground."""
        if not self.is_alive:
            return False
        if self._terminal >= 0:
            try:
                os.killpg(os.tcgetpgrp(self._terminal), number)
            except OSError:
                return False
            return True
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.newborn.program, number)
        return True

    def resize(self, terminal: Terminal) -> bool:
        if self._terminal < 0:
            return False
        _set_size(self._terminal, terminal)
        return True

    def _pump(self) -> None:
        """Write what fits; the rest when there is room."""
        descriptor = self._terminal if self._terminal >= 0 else self.stdin
        loop = asyncio.get_running_loop()
        while self._unsent and descriptor >= 0:
            try:
                written = os.write(descriptor, self._unsent[:_CHUNK])
            except BlockingIOError:
                loop.add_writer(descriptor, self._pump)
                return
            except OSError:  # nobody reads any more
                self._unsent.clear()
                self._more_input = False
                break
            del self._unsent[:written]
        if descriptor >= 0:
            loop.remove_writer(descriptor)
        self._room.set()
        if not self._more_input and self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    # ------------------------------------------------------------------------------------------------------- beginning

    def _prepare(self, work: Work) -> None:
        # A compiler has a process of ours above it.
        wanted = replace(work.limits, processes=work.limits.processes + bool(work.collect))
        if wanted != self.made_for:
            try:
                self.group.limit(wanted)
            except OSError:
                # The kernel grants no less than what the cell has by now, so the program cannot even be loaded.
                self.end(Verdict.MEMORY)
        self._cpu_before_ms = self._usage_now().cpu_time_ms
        if work.terminal is None:
            self._readers = {self.stdout: "stdout", self.stderr: "stderr"}

    def _send(self, work: Work) -> None:
        content = b"".join(file.content for file in work.files)
        carried: list[int] = []
        try:
            if work.terminal is not None:
                carried.append(self._open_terminal(work.terminal))
            if len(content) > _MOST_INLINE:
                carried.append(processes.memory_file(content))
            if work.made:
                carried.append(processes.memory_file(work.made))
            if work.collect:
                self._collected = processes.out_of_the_way(os.memfd_create("collected", os.MFD_CLOEXEC))
            words = {
                "files": [(file.name, len(file.content)) for file in work.files],
                "content": None if len(content) > _MOST_INLINE else content,
                "terminal": work.terminal is not None,
                "made": bool(work.made),
                "limits": list(work.hard_limits),
                "argv": list(work.argv),
                "environment": dict(work.environment),
                "in_python": work.in_python,
                "collect": list(work.collect),
                "line": work.line,
            }
            target = [self._collected] if work.collect else []
            socket.send_fds(self.work, [marshal.dumps(words, 2)], [*carried, *target])
        finally:
            for descriptor in carried:
                os.close(descriptor)

    def _open_terminal(self, terminal: Terminal) -> int:
        """Our end stays, the program's is returned."""
        ours, its = map(processes.out_of_the_way, os.openpty())
        os.set_blocking(ours, False)
        _set_size(ours, terminal)
        self._terminal = ours
        self._readers = {ours: "stdout"}
        asyncio.get_running_loop().add_reader(ours, self._on_output, ours)
        return its

    # -------------------------------------------------------------------------------------------------------- watching

    def _check(self) -> None:
        self._next_check = asyncio.get_running_loop().call_later(CHECK_EVERY_S, self._check)
        usage = self._usage_now()
        if usage.oom_kills:
            self.end(Verdict.MEMORY)
        elif usage.cpu_time_ms - self._cpu_before_ms >= self._limits.cpu_time_ms:
            self.end(Verdict.CPU_TIME)
        elif usage.refused_forks:
            self.end(Verdict.PROCESSES)

    def _usage_now(self) -> Usage:
        return self.group.usage(self.newborn.pid, self.newborn.first_pid)

    def _on_output(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: nobody has the terminal open any more
            data = b""
        if not data:
            self._close_reader(descriptor)
            return
        room = self._limits.output_bytes - self._printed
        stream = self._readers[descriptor]
        if len(data) > room:
            data = data[:room]
            self._truncated = True
            self.end(Verdict.OUTPUT)
        self._printed += len(data)
        if data:
            self._emit(Output(self._stage, stream, data))

    async def _hear_out(self) -> None:
        """The main program is gone. What it printed is in the pipes; who else could still print goes now."""
        self._drain()
        if self._readers:
            processes.kill(self.newborn.first)
            await processes.gone(self.newborn.first)
            self._drain()

    def _drain(self) -> None:
        for descriptor in list(self._readers):
            while descriptor in self._readers and select.select([descriptor], [], [], 0)[0]:
                self._on_output(descriptor)

    def _result(self, ended: Ended, wall_time_ms: int) -> Result:
        usage = self._usage_now()
        words, collected = self._last_words(), b""
        status = ended.status
        if words[:1] == within.COMPILED_TAG and len(words) == within.COMPILED.size:
            status = within.COMPILED.unpack(words)[1]
            words = within.COLLECTED
        if words == within.COLLECTED:
            collected = processes.content_of(self._collected, store.MOST_COLLECTED)
        cpu_ms = max(usage.cpu_time_ms, ended.cpu_time_ms if usage.is_rough else 0)
        facts = StageFacts(
            stage=self._stage,
            began=status is not None and words[:1] != within.FAULT,
            status=status or 0,
            ended_for=self._ended_for,
            cpu_time_ms=max(0, cpu_ms - self._cpu_before_ms),
            oom_kills=usage.oom_kills,
            refused_forks=usage.refused_forks,
            disk_full=bool(status) and any(_is_full(folder) for folder in self._folders),
        )
        memory_bytes = max(usage.memory_bytes or 0, ended.memory_bytes) if usage.is_rough else usage.memory_bytes
        return Result(facts, wall_time_ms, memory_bytes, self._truncated, collected, words.decode("utf-8", "replace"))

    def _last_words(self) -> bytes:
        """
        What our process said before it became the program, or after the compiler ended. Nothing when all went well, or
        when it was ended itself.
        """
        try:
            return self.work.recv(4096)
        except OSError:
            return b""

    # -------------------------------------------------------------------------------------------------------- removing

    def _stop_clocks(self) -> None:
        for timer in (self._clock, self._next_check):
            if timer:
                timer.cancel()

    def _close_reader(self, descriptor: int) -> None:
        asyncio.get_running_loop().remove_reader(descriptor)
        del self._readers[descriptor]

    async def remove(self) -> None:
        """End whatever is left, and give everything back."""
        self._stop_clocks()
        with contextlib.suppress(OSError):
            await self.newborn.made
        if self.newborn.first >= 0:
            processes.kill(self.newborn.first)
            await processes.gone(self.newborn.first)
        for descriptor in list(self._readers):
            self._close_reader(descriptor)
        self._more_input = False
        self._unsent.clear()
        self._pump()
        self._close_all()
        # A group stays busy for a moment after its last process, and the kernel tells nobody when it is free.
        for _ in range(_REMOVAL_TRIES):
            if self.group.remove():
                return
            await asyncio.sleep(_REMOVAL_RETRY_S)

    def _close_all(self) -> None:
        newborn = self.newborn
        self.work.close()
        for descriptor in (
            newborn.first,
            newborn.program,
            self.stdout,
            self.stderr,
            self._terminal,
            self._collected,
            *self._folders,
        ):
            if descriptor >= 0:
                os.close(descriptor)
        # Whoever still knows this cell must not reach what gets these numbers next.
        newborn.first = newborn.program = self.stdout = self.stderr = self._terminal = self._collected = -1
        self._folders.clear()


_WAITING_SIGNALS = 1024  # and timers; of an ordinary user's cells all together, so that they leave some to the user

# Node and the JVM ask for far more writable memory than they touch: Node 24 does not start below some 700 MB.
_RESERVED_BYTES = 1 << 30


def hard_limits(limits: StageLimits, settings: ExecutionSettings, *, stand_in: bool) -> tuple[tuple[int, int], ...]:
    """
    Limits of single processes, as setrlimit(2) takes them. With a control group they only catch what it cannot count.
    Without one (`stand_in`) they are the rough outer bound, within which the host looks at the whole tree of processes.
    """
    found = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, settings.open_files),
        (resource.RLIMIT_FSIZE, settings.disk_bytes),
        (resource.RLIMIT_MEMLOCK, 64 * 1024),
        (resource.RLIMIT_STACK, settings.stack_bytes),
        (resource.RLIMIT_MSGQUEUE, 0),
        # What a server may do that was started with more rights than others.
        (resource.RLIMIT_NICE, 0),
        (resource.RLIMIT_RTPRIO, 0),
        (resource.RLIMIT_SIGPENDING, _WAITING_SIGNALS),
        # One second more than the host allows: the host counts all processes together and has the better words.
        (resource.RLIMIT_CPU, limits.cpu_time_ms // 1000 + 2),
    ]
    if stand_in:
        found += [
            (resource.RLIMIT_DATA, limits.memory_bytes + _RESERVED_BYTES),
            (resource.RLIMIT_NPROC, limits.processes + 2),
        ]
    return tuple(found)


def _set_size(descriptor: int, terminal: Terminal) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", terminal.rows, terminal.columns, 0, 0))


def _is_full(folder: int) -> bool:
    status = os.fstatvfs(folder)
    return status.f_bavail == 0 or status.f_ffree == 0


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(descriptor, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
