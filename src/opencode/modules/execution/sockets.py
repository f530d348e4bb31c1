"""
Sockets of the Piston API: a job that is typed to and listened to while it runs.

A client that goes away ends its job. One that types faster than its program reads is read no further until the program
has caught up; one that does not read what its program prints is let go.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, cast

import msgspec
import structlog

from opencode.contracts.execution import (
    CodeRunner,
    Compiled,
    Finished,
    Output,
    RunEvent,
    Stage,
    StageStarted,
    Stream,
)
from opencode.infra.http import credentials_of
from opencode.infra.http.requests import parse_json
from opencode.infra.websocket import Admission, Refusal, Socket, SocketRoute, UpgradeRequest, text_frame
from opencode.kernel.errors import FieldProblem, Invalid, NotFound, OpenCodeError
from opencode.kernel.ids import new_id
from opencode.modules.execution.errors import JobRefused
from opencode.modules.execution.policy import Door, Visitor
from opencode.modules.execution.schemas import messages
from opencode.modules.execution.schemas.catalogue import CurrentCatalogue
from opencode.modules.execution.schemas.refusals import answer_to, refused
from opencode.modules.execution.schemas.requests import Allowance, Json, read_job, read_terminal
from opencode.modules.execution.schemas.results import Ending, StreamDecoders, ending_of

log = structlog.get_logger(__name__)

PATHS = ("/api/v2/connect", "/api/v2/piston/connect")
MAX_MESSAGE_BYTES = 2 * 1024 * 1024
INIT_S = 1.0
"""Piston gives a client so long to say what it wants."""
SLOW_READER_S = 10.0
"""A client that is congested gets so long to catch up."""
MOST_OWED_BYTES = 256 * 1024
"""What a client may have typed that its program has not read, before the client is read no further."""
_ASIDE_BYTES = 1024
"""A signal or a new size of the terminal counts as so much."""

_encoder = msgspec.json.Encoder()


class PistonSockets:
    """Lets sockets in, and ends their jobs when the server stops."""

    def __init__(self, runner: CodeRunner, catalogue: CurrentCatalogue, allowance: Allowance, door: Door) -> None:
        self.runner = runner
        self.catalogue = catalogue
        self.allowance = allowance
        self._door = door
        self._jobs: set[asyncio.Task[None]] = set()

    @property
    def routes(self) -> tuple[SocketRoute, ...]:
        return tuple(
            SocketRoute(path, self.admit, MAX_MESSAGE_BYTES, takes_text=True, refuse=_refusal) for path in PATHS
        )

    async def admit(self, request: UpgradeRequest) -> Admission:
        """Raises what `Door.admit_run` raises, and `NotFound` for a path that only begins like ours."""
        if request.path.rstrip("/") not in PATHS:
            raise NotFound("Not Found")
        visitor = Visitor(request.address, lambda: credentials_of(request.headers.get, writes=True))
        return Admission(JobSocket(self, await self._door.admit_run(visitor)), None)

    def begin(self, job: "JobSocket", said: Json) -> asyncio.Task[None]:
        """Live through a job, in a task that is kept here: its client may go before the run is taken down."""
        task = asyncio.get_running_loop().create_task(job.live(said))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        return task

    async def stop(self) -> None:
        """End every job, and wait until it is gone."""
        for task in self._jobs:
            task.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)


class JobSocket:
    """One connection, which is good for one job; see `infra.websocket.SocketHandler`."""

    def __init__(self, sockets: PistonSockets, owner: str) -> None:
        self._sockets = sockets
        self._runner = sockets.runner
        self._owner = owner
        self._run_id = new_id("run")
        self._socket: Socket | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._typing = _Line(self._settle, self._fail)
        self._asides = _Line(self._settle, self._fail)
        self._asides.open()
        self._owed = 0
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._decoders = StreamDecoders()
        self._printed: dict[Stream, int] = {"stdout": 0, "stderr": 0}

    # ------------------------------------------------------------------------------------ what the transport calls

    def opened(self, socket: Socket) -> None:
        self._socket = socket
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(INIT_S, lambda: self._close(messages.INITIALIZATION_TIMEOUT))

    def received(self, message: bytes) -> None:
        try:
            said = parse_json(message)
            if not isinstance(said, dict):
                raise Invalid("A message must be a JSON object.")
            self._hear(cast("Json", said))
        except OpenCodeError as error:
            self._fail(error)

    def congested(self) -> None:
        self._may_write.clear()

    def writable(self) -> None:
        self._may_write.set()

    def closed(self) -> None:
        self._let_go()
        if self._task:
            self._task.cancel()

    # -------------------------------------------------------------------------------------------- what clients say

    def _hear(self, said: Json) -> None:
        kind = said.get("type")
        if kind == "init":
            self._begin(said)
        elif kind in ("data", "signal", "eof", "resize") and self._task is None:
            self._close(messages.NOT_YET_INITIALIZED)
        elif kind == "data":
            self._type(said)
        elif kind == "signal":
            self._signal(said.get("signal"))
        elif kind == "eof":
            self._give(self._typing, 0, lambda: self._runner.end_input(self._run_id))
        elif kind == "resize":
            self._resize(said)

    def _begin(self, said: Json) -> None:
        if self._task:
            self._close(messages.ALREADY_INITIALIZED)
            return
        if self._patience:
            self._patience.cancel()
        self._task = self._sockets.begin(self, said)

    def _type(self, said: Json) -> None:
        if said.get("stream") != "stdin":
            self._close(messages.ONLY_STDIN)
            return
        text = said.get("data")
        if not isinstance(text, str):
            raise Invalid("data must be a string", problems=(FieldProblem("/data", "data must be a string"),))
        data = text.encode()
        self._give(self._typing, len(data), lambda: self._runner.write(self._run_id, data))

    def _signal(self, name: Any) -> None:
        if not isinstance(name, str) or name not in messages.SIGNALS:
            self._close(messages.INVALID_SIGNAL)
            return
        known = messages.SIGNALS[name]
        self._give(self._asides, _ASIDE_BYTES, lambda: self._runner.signal(self._run_id, known))

    def _resize(self, said: Json) -> None:
        problems: list[FieldProblem] = []
        terminal = read_terminal(said, problems)
        if problems:
            raise JobRefused(tuple(problems))
        self._give(self._asides, _ASIDE_BYTES, lambda: self._runner.resize(self._run_id, terminal))

    def _give(self, line: "_Line", size: int, work: Callable[[], Awaitable[object]]) -> None:
        self._owed += size
        if self._owed > MOST_OWED_BYTES and self._socket:
            self._socket.hold()
        line.add(size, work)

    def _settle(self, size: int) -> None:
        self._owed -= size
        if self._owed <= MOST_OWED_BYTES // 2 and self._socket:
            self._socket.go_on()

    # ----------------------------------------------------------------------------------------------------- the job

    async def live(self, said: Json) -> None:
        """From the request to the goodbye. Cancelling it ends the run."""
        try:
            catalogue = await self._sockets.catalogue()
            job = read_job(said, catalogue, self._sockets.allowance, live=True)
            self._send(messages.RuntimeMessage(job.runtime.language.id, job.runtime.version))
            async with aclosing(self._runner.run(job.live(self._run_id, self._owner))) as events:
                async for event in events:
                    if not self._may_write.is_set() and not await self._caught_up():
                        self._close(messages.TOO_SLOW)
                        return
                    self._pass_on(event)
        except OpenCodeError as error:
            self._fail(error)
        except Exception:
            log.exception("job failed", run_id=self._run_id)
            self._fail(_fault())
        else:
            self._close(messages.JOB_COMPLETED)

    async def _caught_up(self) -> bool:
        try:
            async with asyncio.timeout(SLOW_READER_S):
                return await self._may_write.wait()
        except TimeoutError:
            return False

    def _pass_on(self, event: RunEvent) -> None:
        match event:
            case StageStarted():
                self._send(messages.StageMessage(event.stage))
                if event.stage == "run":
                    self._typing.open()
            case Output():
                self._printed[event.stream] += len(event.data)
                self._print(event.stream, self._decoders.decode(event.stream, event.data))
            case Compiled():
                self._exit("compile", Ending(code=0), event)
            case Finished():
                is_stderr = self._printed["stderr"] > self._printed["stdout"]
                self._exit(event.stage, ending_of(event, mostly_stderr=is_stderr), event)
            case _:
                pass

    def _print(self, stream: Stream, text: str) -> None:
        if text:
            self._send(messages.DataMessage(stream, text))

    def _exit(self, stage: Stage, ending: Ending, meters: Compiled | Finished) -> None:
        for stream, text in self._decoders.rest():
            self._print(stream, text)
        self._decoders = StreamDecoders()
        self._printed = {"stdout": 0, "stderr": 0}
        self._send(
            messages.ExitMessage(
                stage=stage,
                code=ending.code,
                signal=ending.signal,
                status=ending.status,
                cpu_time=meters.cpu_time_ms,
                wall_time=meters.wall_time_ms,
                memory=meters.memory_bytes,
                verdict=ending.verdict,
            )
        )

    # ------------------------------------------------------------------------------------------------- to the client

    def _send(self, message: messages.ServerMessage) -> None:
        if self._socket:
            self._socket.write(text_frame(_encoder.encode(message)))

    def _fail(self, error: OpenCodeError) -> None:
        answer = answer_to(error)
        self._send(messages.ErrorMessage(answer.message, answer.errors, answer.nearest))
        self._close(messages.NOTIFIED_ERROR)

    def _close(self, goodbye: tuple[int, str]) -> None:
        if self._socket:
            self._socket.close(*goodbye)
        self._let_go()
        if self._task and self._task is not asyncio.current_task():
            self._task.cancel()

    def _let_go(self) -> None:
        """Nothing more is heard of the client, and nothing told."""
        self._socket = None
        if self._patience:
            self._patience.cancel()
        self._typing.close()
        self._asides.close()


class _Line:
    """
    Things to be done one after the other, in a task that is there while something is left to do.

    Args:
        done: told the size of each thing that is done.
        failed: told why one was not; the line ends with it.
    """

    def __init__(self, done: Callable[[int], None], failed: Callable[[OpenCodeError], None]) -> None:
        self._done = done
        self._failed = failed
        self._waiting: deque[tuple[int, Callable[[], Awaitable[object]]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._is_open = False

    def open(self) -> None:
        """From now on things are done; until then they wait."""
        self._is_open = True
        self._go_on()

    def add(self, size: int, work: Callable[[], Awaitable[object]]) -> None:
        self._waiting.append((size, work))
        self._go_on()

    def close(self) -> None:
        """Give up what is left."""
        self._is_open = False
        self._waiting.clear()
        if self._task:
            self._task.cancel()

    def _go_on(self) -> None:
        if self._is_open and self._waiting and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                size, work = self._waiting.popleft()
                await work()
                self._done(size)
        except OpenCodeError as error:
            self._failed(error)
        except Exception:
            log.exception("a run could not be told what its client said")
            self._failed(_fault())
        finally:
            self._task = None


def _fault() -> OpenCodeError:
    return OpenCodeError("The server made a mistake.", action="Try again; if it stays, tell the operator.")


def _refusal(error: OpenCodeError) -> Refusal:
    refusal = refused(error)
    return Refusal(refusal.status, error.title, "application/json", refusal.body, refusal.retry_after_s)
