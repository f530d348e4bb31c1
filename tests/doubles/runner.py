"""
Runs without sandboxes: a language whose programs are lists of what is to happen.

    out <text>      print a line            err <text>     print a line to stderr
    bytes <hex>     print these bytes       errbytes <hex> print them to stderr
    much <n>        print n bytes           errmuch <n>    print them to stderr
    cat             print stdin             args           print the arguments
    ask             print a line that is typed while it runs, or `end of input`
    listen          print the number of bytes that are typed until the end of input
    trap            print the next signal   size           print the next size of the terminal
    tty             print the size that the terminal has, or `no terminal`
    wait <word>     go on once the test says the word
    exit <number>   end                     die <signal>   be ended by a signal
    end <verdict>   end with that verdict   break          the engine raises what nobody expected
    compiles <text> have a compile stage that prints this
    garbles <text>  have one that prints this to stderr and fails
    ahead <n>       wait while so many come before; only before all others
    compile <text>  print to stderr while compiling   error <text>  the same, and fail; only before all others
    echo            print what is typed, until the end of input
    refuse <kind>   raise an error of the contract: busy, sandbox, refused
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from opencode.contracts.execution import (
    CaseEvent,
    CaseInput,
    Compiled,
    ExecutionBusy,
    Finished,
    Language,
    LanguageUnknown,
    Output,
    Queued,
    RunEvent,
    RunRefused,
    RunRequest,
    SandboxUnavailable,
    Stage,
    StageStarted,
    Terminal,
    Verdict,
)
from opencode.kernel.errors import FieldProblem, OpenCodeError

from .batches import one_by_one

_BEFORE_RUNNING = frozenset({"ahead", "compile", "error"})
PIPE_BYTES = 64 * 1024
"""What a program may have unread before whoever types has to wait."""


def language(
    language_id: str,
    name: str,
    *,
    aliases: tuple[str, ...] = (),
    available: bool = True,
    ending: str = "txt",
    versions: tuple[str, ...] = ("1.0",),
    package: str | None = None,
) -> Language:
    return Language(
        id=language_id,
        name=name,
        aliases=aliases,
        version=versions[0] if available else None,
        versions=versions if available else (),
        available=available,
        reason=None if available else f"{name} is not installed",
        file_name=f"main.{ending}",
        template=f"out hello from {language_id}\n",
        package=package,
    )


LANGUAGES = (
    language("javascript", "JavaScript", aliases=("js", "node"), ending="js"),
    language("python", "Python", aliases=("py", "python3"), ending="py"),
    language("haskell", "Haskell", aliases=("hs",), available=False, ending="hs"),
)


@dataclass(slots=True)
class _Run:
    """A run under way, and what it was told."""

    terminal: Terminal | None
    takes_input: bool
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    typed: bytearray = field(default_factory=bytearray)
    drunk: int = 0
    signals: list[str] = field(default_factory=list[str])
    sizes: list[Terminal] = field(default_factory=list[Terminal])

    async def until(self, condition: Callable[[], bool]) -> bool:
        """Whether it came true before the run was stopped."""
        while not condition() and not self.stopped.is_set():
            self.news.clear()
            await self.news.wait()
        return not self.stopped.is_set()

    def tell(self) -> None:
        self.news.set()

    async def next_typed(self) -> bytes:
        """What is typed next, as soon as there is anything; nothing at the end of input."""
        await self.until(lambda: bool(self.typed) or not self.takes_input)
        typed = bytes(self.typed)
        self.typed.clear()
        self.tell()
        return typed

    def drink(self) -> bool:
        """Read what there is, so that whoever types can go on; whether that was all."""
        self.drunk += len(self.typed)
        self.typed.clear()
        self.tell()
        return not self.takes_input

    def answer(self, verb: str) -> bytes:
        """What the program prints of what it was told."""
        match verb:
            case "ask":
                line, found, rest = self.typed.partition(b"\n")
                self.typed[:] = rest
                return bytes(line) if found or line else b"end of input"
            case "listen":
                return str(self.drunk).encode()
            case "trap":
                return self.signals.pop(0).encode()
            case _:
                size = self.sizes.pop(0) if verb == "size" else self.terminal
                return f"{size.columns}x{size.rows}".encode() if size else b"no terminal"


class ScriptedRunner:
    """`contracts.execution.CodeRunner` for the language above, under the names of real ones."""

    def __init__(self, languages: tuple[Language, ...] = LANGUAGES) -> None:
        self.known = languages
        self._runs: dict[str, _Run] = {}
        self.words: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.waiting: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.requests: list[RunRequest] = []
        self.told: list[tuple[str, str, object]] = []
        self.expected: list[str] = []
        self.quiet = asyncio.Event()
        self.quiet.set()
        """Set while nothing runs."""

    async def languages(self) -> tuple[Language, ...]:
        return self.known

    async def run(self, request: RunRequest) -> AsyncGenerator[RunEvent, None]:
        self.requests.append(request)
        self._require(request.language)
        run = self._runs[request.run_id] = _Run(request.terminal, request.live)
        self.quiet.clear()
        try:
            lines = [line.partition(" ") for line in request.files[0].content.decode().splitlines()]
            compiling = _compiling([(verb, rest) for verb, _, rest in lines])
            for event in compiling:
                yield event
            if compiling and isinstance(compiling[-1], Finished):
                return
            stage: Stage | None = None if lines and lines[0][0] in _BEFORE_RUNNING else "run"
            if stage:
                yield StageStarted(stage)
            for verb, _, rest in lines:
                for event in _until(stage, verb):
                    yield event
                    stage = event.stage if isinstance(event, StageStarted) else stage
                while verb == "echo" and (typed := await run.next_typed()):
                    yield Output("run", "stdout", typed)
                for event in await self._events(run, verb, rest, request):
                    yield event
                    if isinstance(event, Finished):
                        return
            yield _finished(Verdict.STOPPED if run.stopped.is_set() else Verdict.OK, 0)
        finally:
            del self._runs[request.run_id]
            if not self._runs:
                self.quiet.set()

    def _require(self, language: str) -> None:
        if not any(known.id == language and known.available for known in self.known):
            raise LanguageUnknown(f"{language} is not known.")

    def batch(
        self, request: RunRequest, inputs: Sequence[CaseInput], *, parallel: int = 1
    ) -> AsyncGenerator[CaseEvent, None]:
        return one_by_one(self.run, request, inputs)

    async def stop(self, run_id: str) -> bool:
        run = self._runs.get(run_id)
        if run is None:
            return False
        run.stopped.set()
        run.tell()
        return True

    async def write(self, run_id: str, data: bytes) -> bool:
        run = self._note(run_id, "write", data)
        if run is None or not run.takes_input or not await run.until(lambda: len(run.typed) < PIPE_BYTES):
            return False
        run.typed += data
        run.tell()
        return True

    async def end_input(self, run_id: str) -> bool:
        run = self._note(run_id, "end_input")
        if run is None or not run.takes_input:
            return False
        run.takes_input = False
        run.tell()
        return True

    async def signal(self, run_id: str, name: str) -> bool:
        if not name.startswith("SIG"):
            raise RunRefused(f"There is no signal {name}.")
        run = self._note(run_id, "signal", name)
        if run:
            run.signals.append(name)
            run.tell()
        return run is not None

    async def resize(self, run_id: str, terminal: Terminal) -> bool:
        run = self._note(run_id, "resize", terminal)
        if run is None or run.terminal is None:
            return False
        run.terminal = terminal
        run.sizes.append(terminal)
        run.tell()
        return True

    def expect(self, language: str) -> None:
        self.expected.append(language)

    def say(self, word: str) -> None:
        """Let programs that wait for this word go on."""
        self.words[word].set()

    async def reached(self, word: str) -> None:
        """Return once a program waits for this word."""
        await self.waiting[word].wait()

    def _note(self, run_id: str, what: str, value: object = None) -> _Run | None:
        run = self._runs.get(run_id)
        if run:
            self.told.append((run_id, what, value))
        return run

    async def _events(self, run: _Run, verb: str, rest: str, request: RunRequest) -> list[RunEvent]:
        match verb:
            case "wait":
                on = await self._said(rest, run.stopped)
            case "ask":
                on = await run.until(lambda: b"\n" in run.typed or not run.takes_input)
            case "listen":
                on = await self._said("listen", run.stopped) and await run.until(run.drink)
            case "trap":
                on = await run.until(lambda: bool(run.signals))
            case "size":
                on = await run.until(lambda: bool(run.sizes))
            case _:
                on = True
        return _printed(run, verb, rest, request) if on else [_finished(Verdict.STOPPED, None, signal="SIGKILL")]

    async def _said(self, word: str, stop: asyncio.Event) -> bool:
        self.waiting[word].set()
        waits = [asyncio.ensure_future(event.wait()) for event in (self.words[word], stop)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return not stop.is_set()


def _compiling(lines: list[tuple[str, str]]) -> list[RunEvent]:
    """The compile stage, when the program asks for one."""
    events: list[RunEvent] = []
    for verb, rest in lines:
        if verb == "compiles":
            printed = [Output("compile", "stdout", rest.encode() + b"\n")] if rest else []
            events = [StageStarted("compile"), *printed, Compiled(20, 30, 1_000_000)]
        elif verb == "garbles":
            printed = [Output("compile", "stderr", rest.encode() + b"\n")]
            events = [StageStarted("compile"), *printed, _finished(Verdict.COMPILE_ERROR, 1, stage="compile")]
    return events


def _until(stage: Stage | None, verb: str) -> list[RunEvent]:
    """What comes between a stage and a verb of the next."""
    if verb in {"ahead", "wait"} or stage == "run":
        return []
    if verb in {"compile", "error"}:
        return [] if stage else [StageStarted("compile")]
    compiled: list[RunEvent] = [Compiled(cpu_time_ms=40, wall_time_ms=50, memory_bytes=7_000_000, cached=False)]
    return [*(compiled if stage else []), StageStarted("run")]


def _printed(run: _Run, verb: str, rest: str, request: RunRequest) -> list[RunEvent]:
    if verb in {"ask", "listen", "trap", "size", "tty"}:
        return [Output("run", "stdout", run.answer(verb) + b"\n")]
    if verb in {"exit", "die", "end"}:
        return [_ended(verb, rest)]
    if verb == "refuse":
        raise _refusal(rest)
    if verb == "ahead":
        return [Queued(int(rest))]
    if verb in {"compile", "error"}:
        said = Output("compile", "stderr", rest.encode() + b"\n")
        return [said, *([_finished(Verdict.COMPILE_ERROR, 1, stage="compile")] if verb == "error" else [])]
    if verb == "break":
        raise RuntimeError("the engine fell over")
    output = _output(verb, rest, request)
    return [output] if output else []


def _output(verb: str, rest: str, request: RunRequest) -> Output | None:
    match verb:
        case "out" | "err":
            data = rest.encode() + b"\n"
        case "bytes" | "errbytes":
            data = bytes.fromhex(rest)
        case "much" | "errmuch":
            data = b"x" * int(rest)
        case "cat":
            data = request.stdin
        case "args":
            data = " ".join(request.args).encode()
        case _:
            return None
    return Output("run", "stderr" if verb.startswith("err") else "stdout", data)


def _ended(verb: str, rest: str) -> Finished:
    match verb:
        case "exit":
            return _finished(Verdict.OK if rest == "0" else Verdict.ERROR, int(rest))
        case "die":
            return _finished(Verdict.SIGNAL, None, signal=rest)
        case _:
            return _finished(Verdict(rest), None)


def _refusal(kind: str) -> OpenCodeError:
    too_large = FieldProblem("/files", "has 2000000 bytes; 1048576 are allowed")
    return {
        "busy": ExecutionBusy("The queue is full.", action="Try again.", retry_after_s=7),
        "sandbox": SandboxUnavailable("No sandbox can be made.", action="Ask the operator."),
        "refused": RunRefused("The program is too large.", action="Make it smaller.", problems=(too_large,)),
    }[kind]


def _finished(verdict: Verdict, exit_code: int | None, *, signal: str | None = None, stage: Stage = "run") -> Finished:
    return Finished(
        stage=stage,
        verdict=verdict,
        message=f"It ended: {verdict}.",
        exit_code=exit_code,
        signal=signal,
        cpu_time_ms=3,
        wall_time_ms=5,
        memory_bytes=3_000_000_000,
    )
