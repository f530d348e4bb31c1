"""What `execution` offers: programs run in sandboxes, their output while it comes, and what became of them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

from opencode.contracts.events import Event
from opencode.kernel.errors import Busy, Invalid, NotFound, Unavailable
from opencode.kernel.ids import RunId
from opencode.kernel.principal import Principal


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a program: `name` relative to its folder, such as `main.py` or `lib/tree.py`."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What one stage of a run may use. None takes the server's own limit, which is also the ceiling.

    `memory_bytes` counts all processes and the files they wrote. `processes` counts threads, too.
    """

    wall_time_ms: int | None = None
    cpu_time_ms: int | None = None
    memory_bytes: int | None = None
    output_bytes: int | None = None
    processes: int | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """The size of a terminal in characters, from 1 to 1000 each way."""

    columns: int = 80
    rows: int = 24


@dataclass(frozen=True, slots=True)
class RunRequest:
    """
    A program to run once.

    Attributes:
        run_id: the caller's name for the run, `run_…`; `stop` takes it.
        language: an id or alias of `languages()`.
        files: the first is the main file; 1 MiB together at the most, 100 files at the most.
        stdin: what the program reads; its end is the end of input, unless the run is `live`. 1 MiB at the most.
        args: passed after the main file; no NUL. 1000 at the most, 64 KiB together.
        limits: of the run stage.
        version: a range as npm's semver reads it, such as `3`, `^3.10` or `*`; the highest version that matches is
            taken. None takes the language's own choice, the first of `Language.versions`.
        compile_limits: of the compile stage.
        live: input stays open: more comes with `write`, its end with `end_input`.
        terminal: the run stage gets a terminal of this size in place of pipes; what it prints comes as `stdout`.
        owner: whom the run is for, such as an account or an interview; turns go round among owners.
    """

    run_id: str
    language: str
    files: tuple[SourceFile, ...]
    stdin: bytes = b""
    args: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    version: str | None = None
    compile_limits: Limits = field(default_factory=Limits)
    live: bool = False
    terminal: Terminal | None = None
    owner: str = ""


class Verdict(StrEnum):
    """What became of a run."""

    OK = "ok"
    ERROR = "error"
    """The program ended with an exit code other than 0."""
    COMPILE_ERROR = "compile_error"
    SIGNAL = "signal"
    """The program was ended by a signal that was not ours."""
    WALL_TIME = "wall_time"
    CPU_TIME = "cpu_time"
    MEMORY = "memory"
    OUTPUT = "output"
    PROCESSES = "processes"
    DISK = "disk"
    """The program ended badly after it had filled its folders."""
    STOPPED = "stopped"
    """A person pressed Stop."""
    SANDBOX_FAULT = "sandbox_fault"
    """The fault is this server's, never the program's."""


Stage = Literal["compile", "run"]
Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True, slots=True)
class Queued:
    """All places are taken. `ahead`: runs that come before this one; told again as it falls."""

    ahead: int


@dataclass(frozen=True, slots=True)
class StageStarted:
    stage: Stage


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes in the order in which the program wrote them. A character may be split over two of these."""

    stage: Stage
    stream: Stream
    data: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """
    The end of a run, always the last event.

    Attributes:
        stage: the stage that it ended in. After a `compile` no `run` follows.
        message: the verdict in words, for people.
        exit_code: None when a signal ended the program.
        signal: such as `SIGSEGV`, or None.
        cpu_time_ms: user and system time of the stage, all its processes.
        memory_bytes: the peak of the stage; None where the kernel cannot tell.
        truncated: more was printed than the output limit lets through; what came before is kept.
        limits_held: which mechanisms held the limits, such as `cgroup-v1` or `rlimits`.
    """

    stage: Stage
    verdict: Verdict
    message: str
    exit_code: int | None
    signal: str | None
    cpu_time_ms: int
    wall_time_ms: int
    memory_bytes: int | None
    truncated: bool = False
    limits_held: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compile stage ended well, and the run stage follows. Meters as in `Finished`, of this stage alone."""

    cpu_time_ms: int
    wall_time_ms: int
    memory_bytes: int | None
    cached: bool = False
    """The compiler had seen the same sources before; nothing was compiled, and what it said then is said again."""


RunEvent = Queued | StageStarted | Output | Compiled | Finished


@dataclass(frozen=True, slots=True)
class CaseInput:
    """What one case of a batch feeds the program."""

    stdin: bytes = b""
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseFinished:
    """One case of a batch has ended, with all that it printed. `index` counts from 0 in the order of the inputs."""

    index: int
    stdout: bytes
    stderr: bytes
    finished: Finished


CaseEvent = RunEvent | CaseFinished


@dataclass(frozen=True, slots=True)
class Language:
    """
    A language that this server knows.

    Attributes:
        id: also the name of its text in a document, such as `python`.
        version: of the toolchain found, such as `3.11.2`; None when it is not installed.
        versions: all that are installed, the one taken by default first.
        package: names the toolchain when it serves several languages, such as `gcc`; what Piston calls `runtime`.
        reason: why it is not available, and what to do; None when it is.
        file_name: what the main file is called, such as `main.py`.
        template: what a new buffer starts with; lines end in LF.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    version: str | None
    available: bool
    reason: str | None
    file_name: str
    template: str
    versions: tuple[str, ...] = ()
    package: str | None = None


class CodeRunner(Protocol):
    """Runs programs."""

    async def languages(self) -> tuple[Language, ...]:
        """All languages that this server knows, the available ones first, then by name. Cheap: looked up once."""
        ...

    def run(self, request: RunRequest) -> AsyncGenerator[RunEvent, None]:
        """
        Run a program in a fresh sandbox and stream what it prints. Leaving the iteration early (`aclose`) ends it; a
        plain `async for` does not close what it leaves, so listen inside `contextlib.aclosing`.

        Yields:
            `StageStarted` and `Output` events, then exactly one `Finished`.

        Raises:
            LanguageUnknown: no such language or version, or not installed here.
            RunRefused: the request breaks a limit.
            SandboxUnavailable: no sandbox can be made on this machine; nothing was run.
            ExecutionBusy: the queue is full.
        """
        ...

    def batch(
        self, request: RunRequest, inputs: Sequence[CaseInput], *, parallel: int = 1
    ) -> AsyncGenerator[CaseEvent, None]:
        """
        Compile a program once and run it with each input, every time in a fresh sandbox. `stdin` and `args` of the
        request do not count. Leaving the iteration early (`aclose`) ends what runs and starts nothing more.

        Args:
            parallel: cases that may run at once, where there are places.

        Yields:
            Events of the compile stage, then a `CaseFinished` for each input in their order; a case's place is free
            by then, so that whoever listens may run a program that looks at the answer. Where the program does not
            compile, the `Finished` of that stage comes in their place. After a case that was `stopped` none follows.

        Raises:
            What `run` raises.
        """
        ...

    async def stop(self, run_id: str) -> bool:
        """End a run: its verdict is `stopped`. False when no such run is under way here."""
        ...

    async def write(self, run_id: str, data: bytes) -> bool:
        """
        Type into a `live` run, or its terminal. Waits while the program has more unread input than a pipe holds, so
        whoever types too much is slowed down. False when no such run takes input any more.
        """
        ...

    async def end_input(self, run_id: str) -> bool:
        """The end of a live run's input; on a terminal, what Ctrl-D does. False when it takes none any more."""
        ...

    async def signal(self, run_id: str, name: str) -> bool:
        """
        Send a signal such as `SIGINT` to the main program of a run, on a terminal to its foreground group. False when
        none runs.

        Raises:
            RunRefused: there is no such signal.
        """
        ...

    async def resize(self, run_id: str, terminal: Terminal) -> bool:
        """Change the size of a run's terminal. False when it has none."""
        ...

    def expect(self, language: str) -> None:
        """Say that somebody is about to run this language: a sandbox is made ready. Costs nothing when it is there."""
        ...


class Installer(Protocol):
    """Puts toolchains on this machine, and takes them away."""

    async def install(self, language: str, version: str) -> str:
        """
        Args:
            language: an id of `CodeRunner.languages()`.
            version: a range, as in `RunRequest`.

        Returns:
            The version that is installed now.

        Raises:
            LanguageUnknown: there is no such version to be had.
            InstallFailed: it is installed already, or could not be.
        """
        ...

    async def uninstall(self, language: str, version: str) -> str:
        """
        Returns:
            The version that is gone now.

        Raises:
            LanguageUnknown: there is no such version.
            InstallFailed: it is not installed, or could not be taken away.
        """
        ...


class LanguageUnknown(NotFound):
    """No such language, or its toolchain is not installed on this server."""

    title = "The language is not available"


class RunRefused(Invalid):
    """The request breaks a limit of this server."""

    title = "The run was refused"


class SandboxUnavailable(Unavailable):
    """No sandbox can be made on this machine. Programs never run without one."""

    title = "No sandbox"


class InstallFailed(Unavailable):
    """A toolchain could not be installed or taken away."""

    title = "Not installed"


class ExecutionBusy(Busy):
    """The queue of runs is full."""

    title = "Too many runs"


class RunFinished(Event, frozen=True, tag="execution.run_finished.v1"):
    """A run that `POST /api/v1/runs` accepted has its end. Said once for each run, whatever died meanwhile."""

    run_id: RunId
    owner_id: str
    status: Verdict
    finished_at: datetime


class RunsElsewhere(Protocol):
    """
    Answers for runs that another module keeps and that share the addresses `/api/v1/runs/{run_id}`. Both calls answer
    with what goes out as JSON.
    """

    async def find(self, run_id: str, principal: Principal) -> Any:
        """
        Raises:
            NotFound: no such run, or none that this principal may know of.
        """
        ...

    async def stop(self, run_id: str, principal: Principal) -> Any:
        """
        Ask for the end of a run; one that is finished stays as it is.

        Raises:
            NotFound: no such run, or none that this principal may know of.
        """
        ...
