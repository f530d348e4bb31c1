"""
Runs without sandboxes: a language whose programs are lists of what is to happen.

    out <text>      print a line            err <text>     print a line to stderr
    bytes <hex>     print these bytes       cat            print stdin
    args            print the arguments     wait <word>    go on once the test says the word
    exit <number>   end                     break          the engine raises what nobody expected
    echo            print what is typed, until the end of input
    refuse <kind>   raise an error of the contract: busy, sandbox, refused

Before all that it may wait for its turn and be compiled:

    ahead <number>  so many runs come first
    compile <text>  the compiler prints a line, and is satisfied once another verb follows
    error <text>    the compiler prints a line and gives up
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator

from opencode.contracts.execution import (
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


def language(
    language_id: str, name: str, *, aliases: tuple[str, ...] = (), available: bool = True, ending: str = "txt"
) -> Language:
    return Language(
        id=language_id,
        name=name,
        aliases=aliases,
        version="1.0" if available else None,
        versions=("1.0",) if available else (),
        available=available,
        reason=None if available else f"{name} is not installed",
        file_name=f"main.{ending}",
        template=f"out hello from {language_id}\n",
    )


LANGUAGES = (
    language("javascript", "JavaScript", aliases=("js", "node"), ending="js"),
    language("python", "Python", aliases=("py", "python3"), ending="py"),
    language("haskell", "Haskell", aliases=("hs",), available=False, ending="hs"),
)


class ScriptedRunner:
    """`contracts.execution.CodeRunner` for the language above, under the names of real ones."""

    def __init__(self, languages: tuple[Language, ...] = LANGUAGES) -> None:
        self._languages = languages
        self._stops: dict[str, asyncio.Event] = {}
        self._typed: dict[str, asyncio.Queue[bytes | None]] = {}
        self.words: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.waiting: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.requests: list[RunRequest] = []
        self.told: list[tuple[str, str, object]] = []
        self.expected: list[str] = []

    async def languages(self) -> tuple[Language, ...]:
        return self._languages

    async def run(self, request: RunRequest) -> AsyncGenerator[RunEvent]:
        self.requests.append(request)
        if not any(known.id == request.language and known.available for known in self._languages):
            raise LanguageUnknown(f"{request.language} is not known.")
        stop = self._stops[request.run_id] = asyncio.Event()
        self._typed[request.run_id] = asyncio.Queue()
        try:
            async for event in self._perform(request, stop):
                yield event
        finally:
            del self._stops[request.run_id], self._typed[request.run_id]

    async def _perform(self, request: RunRequest, stop: asyncio.Event) -> AsyncGenerator[RunEvent]:
        lines = request.files[0].content.decode().splitlines()
        stage: Stage | None = None
        if not lines or not lines[0].startswith(("ahead", "compile", "error")):
            stage = "run"
            yield StageStarted(stage)
        for line in lines:
            verb, _, rest = line.partition(" ")
            for event in _until(stage, verb):
                yield event
                stage = event.stage if isinstance(event, StageStarted) else stage
            if verb == "exit":
                yield _finished(Verdict.OK if rest == "0" else Verdict.ERROR, int(rest))
                return
            if verb == "error":
                yield Output("compile", "stderr", rest.encode() + b"\n")
                yield _finished(Verdict.COMPILE_ERROR, 1, stage="compile")
                return
            if verb == "wait" and not await self._said(rest, stop):
                yield _finished(Verdict.STOPPED, None, signal="SIGKILL")
                return
            if verb == "echo":
                while typed := await self._typed[request.run_id].get():
                    yield Output("run", "stdout", typed)
            for event in _printed(verb, rest, request):
                yield event
        yield _finished(Verdict.STOPPED if stop.is_set() else Verdict.OK, 0)

    async def stop(self, run_id: str) -> bool:
        if run_id not in self._stops:
            return False
        self._stops[run_id].set()
        self._typed[run_id].put_nowait(None)
        return True

    async def write(self, run_id: str, data: bytes) -> bool:
        if run_id in self._typed:
            self._typed[run_id].put_nowait(data)
        return self._tell(run_id, "write", data)

    async def end_input(self, run_id: str) -> bool:
        if run_id in self._typed:
            self._typed[run_id].put_nowait(None)
        return self._tell(run_id, "end_input")

    async def signal(self, run_id: str, name: str) -> bool:
        if not name.startswith("SIG"):
            raise RunRefused(f"There is no signal {name}.")
        return self._tell(run_id, "signal", name)

    async def resize(self, run_id: str, terminal: Terminal) -> bool:
        return self._tell(run_id, "resize", terminal)

    def expect(self, language: str) -> None:
        self.expected.append(language)

    def _tell(self, run_id: str, what: str, value: object = None) -> bool:
        """Notes what a live run was told."""
        if run_id not in self._stops:
            return False
        self.told.append((run_id, what, value))
        return True

    def say(self, word: str) -> None:
        """Let programs that wait for this word go on."""
        self.words[word].set()

    async def reached(self, word: str) -> None:
        """Return once a program waits for this word."""
        await self.waiting[word].wait()

    async def _said(self, word: str, stop: asyncio.Event) -> bool:
        self.waiting[word].set()
        waits = [asyncio.ensure_future(event.wait()) for event in (self.words[word], stop)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return not stop.is_set()


def _printed(verb: str, rest: str, request: RunRequest) -> list[RunEvent]:
    match verb:
        case "ahead":
            return [Queued(int(rest))]
        case "compile":
            return [Output("compile", "stderr", rest.encode() + b"\n")]
        case "out":
            return [Output("run", "stdout", rest.encode() + b"\n")]
        case "err":
            return [Output("run", "stderr", rest.encode() + b"\n")]
        case "bytes":
            return [Output("run", "stdout", bytes.fromhex(rest))]
        case "cat":
            return [Output("run", "stdout", request.stdin)]
        case "args":
            return [Output("run", "stdout", " ".join(request.args).encode())]
        case "break":
            raise RuntimeError("the engine fell over")
        case "refuse":
            raise {
                "busy": ExecutionBusy("The queue is full.", action="Try again."),
                "sandbox": SandboxUnavailable("No sandbox can be made.", action="Ask the operator."),
                "refused": RunRefused("The program is too large.", action="Make it smaller."),
            }[rest]
        case _:
            return []


def _until(stage: Stage | None, verb: str) -> list[RunEvent]:
    """What comes between a stage and a verb of the next."""
    if verb in {"ahead", "wait"} or stage == "run":
        return []
    if verb in {"compile", "error"}:
        return [] if stage else [StageStarted("compile")]
    compiled: list[RunEvent] = [Compiled(cpu_time_ms=40, wall_time_ms=50, memory_bytes=7_000_000, cached=False)]
    return [*(compiled if stage else []), StageStarted("run")]


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
