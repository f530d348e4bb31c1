"""A `CodeRunner` that has its programs run by another server."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Coroutine, Generator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from opencode.contracts.execution import (
    CaseEvent,
    CaseFinished,
    CaseInput,
    ExecutionBusy,
    Finished,
    Language,
    LanguageUnknown,
    Output,
    RunEvent,
    RunRefused,
    RunRequest,
    SandboxUnavailable,
    Stage,
    Terminal,
    Verdict,
)
from opencode.kernel.errors import OpenCodeError
from opencode.modules.execution.adapters.piston.answers import Account, Message, NotPiston, decoded
from opencode.modules.execution.adapters.piston.asking import input_of, job_of, terminal_of
from opencode.modules.execution.adapters.piston.catalogue import Catalogue, Place
from opencode.modules.execution.adapters.piston.server import PistonServer
from opencode.modules.execution.adapters.piston.talk import Talk
from opencode.modules.execution.domain.programs import Runtime, check_request, narrow, signal_number
from opencode.modules.execution.errors import ServerUnreachable
from opencode.modules.execution.settings import MIB, ExecutionSettings

log = structlog.get_logger(__name__)

T = TypeVar("T")

FRESH_S = 60.0
"""For so long the languages of a server are not asked for again."""
PATIENCE_S = 15.0
"""An answer may come so long after the latest end of both stages: the server may have others to serve first."""
_BYTES_OF_ONE = 16
"""Of an answer for each byte printed: escaped to six in `stdout` and again in `output`, and twice in base64."""


class _Stopped(Exception):
    """The run was stopped from here."""


@dataclass(slots=True, eq=False)
class _UnderWay:
    """A run, or a batch with its `parts`."""

    stopped: bool = False
    talk: Talk | None = None
    parts: "set[str]" = field(default_factory=set[str])
    _task: "asyncio.Task[Any] | None" = None

    async def until_stopped(self, work: Coroutine[None, None, T]) -> T:
        """
        Raises:
            _Stopped
        """
        self._task = asyncio.create_task(work)
        if self.stopped:
            self._task.cancel()
        try:
            await asyncio.wait({self._task})
        finally:
            self._task.cancel()
        if self.stopped and self._task.cancelled():
            raise _Stopped
        return await self._task

    def stop(self) -> None:
        self.stopped = True
        if self._task:
            self._task.cancel()


@dataclass(slots=True)
class PistonRunner:
    """
    See `CodeRunner`. Piston has no word for the limit of processes, so that the other server's own holds; and none for
    the limit of output, which is kept here.

    Args:
        settings: what a run may ask for and how much it may print; and how many may be under way at once.
        own: our runtimes, for the names, file names and templates of languages that are known here.

    Attributes:
        trouble: why the server does not serve, in words; None when it does, as far as is known.
    """

    server: PistonServer
    settings: ExecutionSettings
    own: tuple[Runtime, ...]

    trouble: str | None = None
    _catalogue: Catalogue = field(default_factory=Catalogue)
    _fresh_until: float = 0.0
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _under_way: dict[str, _UnderWay] = field(default_factory=dict[str, _UnderWay])

    @property
    def name(self) -> str:
        return self.server.name

    # ---------------------------------------------------------------------------------------------------- CodeRunner

    async def languages(self) -> tuple[Language, ...]:
        """
        See `CodeRunner.languages`; asked for again after a minute.

        Raises:
            SandboxUnavailable, ExecutionBusy: the server does not tell.
        """
        return (await self._known()).languages

    async def run(self, request: RunRequest) -> AsyncGenerator[RunEvent, None]:
        """See `CodeRunner.run`."""
        with self._registered(request) as under_way:
            account, within_s = self._account(request)
            try:
                place = await under_way.until_stopped(self._place(request))
                work = self._talk if request.live or request.terminal else self._execute
                async with contextlib.aclosing(work(under_way, request, place, account, within_s)) as events:
                    async for event in events:
                        yield event
            except _Stopped:
                yield account.stopped()
            except ServerUnreachable as error:
                self._mark(error)
                raise

    async def batch(
        self, request: RunRequest, inputs: Sequence[CaseInput], *, parallel: int = 1
    ) -> AsyncGenerator[CaseEvent, None]:
        """See `CodeRunner.batch`. Each case is a run of its own, which an OpenCode on the other side compiles once."""
        with self._registered(replace(request, stdin=b"", args=()), is_batch=True) as under_way:
            cases: deque[asyncio.Task[list[RunEvent]]] = deque()
            upcoming = enumerate(inputs)
            try:
                for index in range(len(inputs)):
                    for number, given in islice(upcoming, max(parallel, 1) - len(cases)):
                        cases.append(asyncio.create_task(self._case(under_way, request, number, given)))
                    events = await cases.popleft()
                    finished = events[-1]
                    assert isinstance(finished, Finished), "a run ends with Finished"
                    if index == 0:
                        for event in _of_compile_stage(events):
                            yield event
                    if finished.stage == "compile":
                        return
                    yield CaseFinished(index, _printed(events, "stdout"), _printed(events, "stderr"), finished)
                    if finished.verdict is Verdict.STOPPED:
                        return
            finally:
                for case in cases:
                    case.cancel()
                await asyncio.gather(*cases, return_exceptions=True)

    async def stop(self, run_id: str) -> bool:
        """See `CodeRunner.stop`."""
        under_way = self._under_way.get(run_id)
        if under_way is None:
            return False
        under_way.stop()
        for part in under_way.parts:
            await self.stop(part)
        return True

    async def write(self, run_id: str, data: bytes) -> bool:
        """See `CodeRunner.write`. What is no UTF-8 is replaced: messages of a socket are text."""
        talk = self._talk_of(run_id)
        return talk is not None and await talk.write(data)

    async def end_input(self, run_id: str) -> bool:
        """See `CodeRunner.end_input`. `RunRefused` where the other server does not know it."""
        talk = self._talk_of(run_id)
        return talk is not None and await talk.end_input()

    async def signal(self, run_id: str, name: str) -> bool:
        """See `CodeRunner.signal`. Runs that are not live cannot be reached, and stock Piston sends none."""
        signal_number(name)
        talk = self._talk_of(run_id)
        return talk is not None and await talk.signal(name)

    async def resize(self, run_id: str, terminal: Terminal) -> bool:
        """See `CodeRunner.resize`."""
        talk = self._talk_of(run_id)
        return talk is not None and await talk.resize(terminal)

    def expect(self, language: str) -> None:
        """See `CodeRunner.expect`. There is no word for it."""

    # ------------------------------------------------------------------------------------------------ for the router

    async def check(self) -> None:
        """Ask for the languages now, and remember whether there was an answer: see `trouble`."""
        with contextlib.suppress(OpenCodeError):
            await self._look()

    def seen(self) -> tuple[Language, ...]:
        """The languages of the last answer."""
        return self._catalogue.languages

    def has(self, language: str, version: str | None) -> bool:
        """Whether the last answer had this."""
        return self._catalogue.find(language, version) is not None

    # -------------------------------------------------------------------------------------------------------- a run

    @contextlib.contextmanager
    def _registered(self, request: RunRequest, *, is_batch: bool = False) -> Generator[_UnderWay]:
        """
        A run that can be found by its id, once its request has been looked at.

        Args:
            is_batch: it takes no place of its own, its cases do.
        """
        check_request(request, self.settings)
        if request.run_id in self._under_way:
            raise RunRefused(f"A run {request.run_id} is under way already.", action="Give every run an id of its own.")
        most = self.settings.concurrency + self.settings.queue_length
        if len(self._under_way) >= most and not is_batch:
            raise ExecutionBusy(f"{most} runs are under way on {self.name} already.", action="Try again in a moment.")
        under_way = self._under_way[request.run_id] = _UnderWay()
        try:
            yield under_way
        finally:
            del self._under_way[request.run_id]

    def _account(self, request: RunRequest) -> tuple[Account, float]:
        """What will be told of the run, and the seconds after which nothing more is expected."""
        running = narrow(request.limits, self.settings.run, "limits")
        compiling = narrow(request.compile_limits, self.settings.compile, "compile_limits")
        most: dict[Stage, int] = {"compile": compiling.output_bytes, "run": running.output_bytes}
        within_s = (compiling.wall_time_ms + running.wall_time_ms) / 1000 + PATIENCE_S
        return Account(request.compile_limits, request.limits, most), within_s

    async def _place(self, request: RunRequest) -> Place:
        catalogue = await self._known()
        place = catalogue.find(request.language, request.version)
        if place:
            return place
        versions = ", ".join(catalogue.versions(request.language))
        wanted = f"{request.language:.50} {request.version or '':.50}".strip()
        raise LanguageUnknown(f"{wanted} is not on {self.name}.", action=f"It has {versions}." if versions else "")

    async def _execute(
        self, under_way: _UnderWay, request: RunRequest, place: Place, account: Account, within_s: float
    ) -> AsyncGenerator[RunEvent, None]:
        extensions = self.server.extensions
        job = job_of(request, place.language, place.version, extensions, self.name)
        job |= input_of(request.stdin, extensions, self.name)
        most_bytes = MIB + _BYTES_OF_ONE * sum(account.most.values())
        answer = await under_way.until_stopped(self.server.execute(job, within_s=within_s, most_bytes=most_bytes))
        try:
            for event in account.answer(answer):
                yield event
        except NotPiston as error:
            raise self.server.lost(str(error)) from None

    async def _talk(
        self, under_way: _UnderWay, request: RunRequest, place: Place, account: Account, within_s: float
    ) -> AsyncGenerator[RunEvent, None]:
        extensions = self.server.extensions
        job = job_of(request, place.language, place.version, extensions, self.name)
        talk = under_way.talk = Talk(request, extensions, self.name)
        gives_up_at = time.monotonic() + within_s
        async with contextlib.AsyncExitStack() as stack:
            socket = await under_way.until_stopped(stack.enter_async_context(self.server.socket()))
            stack.push_async_callback(talk.over)
            with contextlib.suppress(ConnectionClosed):  # the reason will be heard
                await socket.send(msgspec.json.encode({"type": "init", **job, **terminal_of(request)}).decode())
            while not account.is_over:
                message = await under_way.until_stopped(self._heard(socket, gives_up_at))
                if message.type == "stage" and message.stage == "run":
                    talk.begin(socket)
                for event in self._events(message, account):
                    yield event

    async def _heard(self, socket: ClientConnection, gives_up_at: float) -> Message:
        try:
            async with asyncio.timeout(gives_up_at - time.monotonic()):
                return decoded(await socket.recv(), Message)
        except TimeoutError:
            raise self.server.lost("it did not come to its end in time") from None
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            raise self.server.lost("it hung up" if code is None else f"it hung up with code {code}") from None
        except NotPiston as error:
            raise self.server.lost(str(error)) from None

    def _events(self, message: Message, account: Account) -> Generator[RunEvent]:
        match message.type:
            case "stage":
                yield account.begin(message.stage or "run")
            case "data":
                yield from account.printed(message.stream or "stdout", message.data.encode("utf-8", "replace"))
            case "exit":
                yield account.end(message.report())
            case "error":
                raise self.server.refused(message.message)
            case _:
                pass

    async def _case(self, batch: _UnderWay, request: RunRequest, number: int, given: CaseInput) -> list[RunEvent]:
        run_id = f"{request.run_id}.{number}"
        case = replace(request, run_id=run_id, stdin=given.stdin, args=given.args, live=False, terminal=None)
        batch.parts.add(run_id)
        try:
            if batch.stopped:
                account, _ = self._account(case)
                return [account.stopped()]
            async with contextlib.aclosing(self.run(case)) as events:
                return [event async for event in events]
        finally:
            batch.parts.discard(run_id)

    def _talk_of(self, run_id: str) -> Talk | None:
        under_way = self._under_way.get(run_id)
        return under_way.talk if under_way else None

    # --------------------------------------------------------------------------------------------------- the server

    async def _known(self) -> Catalogue:
        if time.monotonic() >= self._fresh_until:
            async with self._looking:
                if time.monotonic() >= self._fresh_until:
                    await self._look()
        return self._catalogue

    async def _look(self) -> None:
        try:
            listed = await self.server.runtimes()
        except ExecutionBusy:
            raise  # it is there, and says so
        except SandboxUnavailable as error:
            self._mark(error)
            raise
        self._catalogue = Catalogue(listed, self.own)
        self._fresh_until = time.monotonic() + FRESH_S
        if self.trouble is not None:
            log.info("a server for runs is back", server=self.name)
        self.trouble = None

    def _mark(self, error: SandboxUnavailable) -> None:
        if self.trouble is None:
            log.warning("a server for runs does not serve", server=self.name, reason=error.detail)
        self.trouble = error.detail


def _of_compile_stage(events: list[RunEvent]) -> list[RunEvent]:
    """Those before the run stage; all of them where there was none."""
    for index, event in enumerate(events):
        if getattr(event, "stage", None) == "run":
            return events[:index]
    return events


def _printed(events: list[RunEvent], stream: str) -> bytes:
    return b"".join(
        event.data for event in events if isinstance(event, Output) and event.stage == "run" and event.stream == stream
    )
