"""Driving one run: from the engine's events to the stream of the interview and the row of the run."""

import asyncio
import codecs
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import structlog

from opencode.contracts.execution import (
    CodeRunner,
    Finished,
    Output,
    RunEvent,
    RunRequest,
    StageStarted,
    Stream,
    Verdict,
)
from opencode.kernel.clock import Clock
from opencode.kernel.errors import OpenCodeError
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.domain.run import STOPPED_BEFORE_START, Run
from opencode.modules.interviews.service.finishing import save_finished
from opencode.modules.interviews.store import InterviewsWork, News

log = structlog.get_logger(__name__)

FIRST_S = 0.003
"""The first output waits this long: most programs print, end, and are told of in one transaction."""
GATHER_S = 0.03
"""Output that comes within this time goes out together; people do not see the difference, and the database does."""
GATHER_CHARACTERS = 16 * 1024

_OUR_FAULT = "The server made a mistake while this ran. Its log says more."
_NO_VERDICT = "The sandbox ended without a verdict."


class Gatherer:
    """
    Gathers output until it is worth a transaction. The first of a run goes out almost at once, because that is what
    people wait for; what follows is gathered for 30 ms or 16 Ki characters.
    """

    def __init__(self) -> None:
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self.due_at: float | None = None
        self._pending: list[tuple[Stream, str]] = []
        self._pending_characters = 0
        self._spoke = False
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {"stdout": decoder("replace"), "stderr": decoder("replace")}

    def add(self, stream: Stream, data: bytes, now: float, *, last: bool = False) -> None:
        """Take bytes as they came. A character cut in two waits for its other half; nonsense becomes U+FFFD."""
        text = self._decoders[stream].decode(data, last)
        if not text:
            return
        (self.stdout if stream == "stdout" else self.stderr).append(text)
        self._pending_characters += len(text)
        if self._pending and self._pending[-1][0] == stream:
            text = self._pending.pop()[1] + text
        self._pending.append((stream, text))
        if self._pending_characters >= GATHER_CHARACTERS:
            self.due_at = now
        else:
            self.wake_by(now + (GATHER_S if self._spoke else FIRST_S))

    def wake_by(self, moment: float) -> None:
        self.due_at = moment if self.due_at is None else min(self.due_at, moment)

    def finish(self) -> None:
        """The programs are gone: halves of characters will not be completed."""
        self.add("stdout", b"", 0, last=True)
        self.add("stderr", b"", 0, last=True)

    def take(self) -> list[tuple[Stream, str]]:
        """What is to go out now."""
        pending, self._pending = self._pending, []
        self._pending_characters = 0
        self._spoke = self._spoke or bool(pending)
        self.due_at = None
        return pending


class Driver:
    """Drives one run on this server."""

    def __init__(
        self,
        run: Run,
        request: RunRequest,
        runner: CodeRunner,
        clock: Clock,
        unit_of_work: Callable[[], InterviewsWork],
    ) -> None:
        self._run = run
        self._request = request
        self._runner = runner
        self._clock = clock
        self._unit_of_work = unit_of_work
        self._output = Gatherer()
        self._cut = asyncio.Event()
        self._cut_verdict = (Verdict.SANDBOX_FAULT, _NO_VERDICT)
        self._task: asyncio.Task[None] | None = None

    def start(self, *, when_done: Callable[[], object]) -> None:
        self._task = asyncio.create_task(self._drive())
        self._task.add_done_callback(lambda _task: when_done())

    async def stop(self) -> None:
        """End the run with the verdict `stopped`: said by the engine when it has begun, else here."""
        if not await self._runner.stop(self._run.id):
            self._cut_off(Verdict.STOPPED, STOPPED_BEFORE_START)

    async def close(self, message: str) -> None:
        """End the run as the server's own fault, and wait until that is saved."""
        self._cut_off(Verdict.SANDBOX_FAULT, message)
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)

    def _cut_off(self, verdict: Verdict, message: str) -> None:
        self._cut_verdict = (verdict, message)
        self._cut.set()

    async def _drive(self) -> None:
        try:
            finished = await self._follow()
        except OpenCodeError as refusal:
            finished = None
            self._cut_verdict = (Verdict.SANDBOX_FAULT, f"{refusal.detail} {refusal.action}".strip())
        except Exception:
            log.exception("run failed", run_id=self._run.id, language=self._run.language)
            finished = None
            self._cut_verdict = (Verdict.SANDBOX_FAULT, _OUR_FAULT)
        try:
            await self._finish(finished)
        except Exception:
            # The row stays unfinished and nobody keeps it alive: some server gives it up before long.
            log.exception("the end of a run could not be saved", run_id=self._run.id)

    async def _follow(self) -> Finished | None:
        """Read the engine's events until the last one; None when there is none, or when the run was cut off."""
        events = self._runner.run(self._request)
        cut = asyncio.ensure_future(self._cut.wait())
        coming: asyncio.Future[RunEvent | None] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(_next(events))
                await asyncio.wait({coming, cut}, timeout=self._patience(), return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    event, coming = coming.result(), None
                    if event is None or isinstance(event, Finished):
                        return event
                    self._take(event)
                elif cut.done():
                    return None
                if self._is_due():
                    await self._tell()
        finally:
            cut.cancel()
            await _leave(events, coming)

    def _take(self, event: RunEvent) -> None:
        now = asyncio.get_running_loop().time()
        if isinstance(event, Output):
            self._output.add(event.stream, event.data, now)
        elif isinstance(event, StageStarted):
            self._run = self._run.running(event.stage, self._clock.now())
            # Not worth a transaction of its own: a quick program is finished before anybody could read that it runs.
            self._output.wake_by(now + GATHER_S)

    def _patience(self) -> float | None:
        due_at = self._output.due_at
        return None if due_at is None else max(0.0, due_at - asyncio.get_running_loop().time())

    def _is_due(self) -> bool:
        due_at = self._output.due_at
        return due_at is not None and asyncio.get_running_loop().time() >= due_at

    async def _tell(self) -> None:
        news = self._news_of_output()
        async with self._unit_of_work() as work:
            await work.stores.interviews.hold(self._run.interview_id)
            if not await work.stores.runs.save(self._run):
                # Finished by somebody else: the interview ended, or was deleted.
                self._cut.set()
            elif news:
                await work.say(self._run.interview_id, self._clock.now(), *news)

    async def _finish(self, finished: Finished | None) -> None:
        self._output.finish()
        stdout, stderr = "".join(self._output.stdout), "".join(self._output.stderr)
        at = self._clock.now()
        if finished:
            run = self._run.finish(finished, stdout=stdout, stderr=stderr, at=at)
        else:
            verdict, message = self._cut_verdict
            run = self._run.give_up(verdict, message, stdout=stdout, stderr=stderr, at=at)
        async with self._unit_of_work() as work:
            await save_finished(work, run, *self._news_of_output())

    def _news_of_output(self) -> list[News]:
        run_id = self._run.id
        return [
            News(EventType.RUN_OUTPUT, {"run_id": run_id, "stream": stream, "text": text}, about=run_id)
            for stream, text in self._output.take()
        ]


async def _next(events: AsyncIterator[RunEvent]) -> RunEvent | None:
    return await anext(events, None)


async def _leave(events: AsyncIterator[RunEvent], coming: "asyncio.Future[RunEvent | None] | None") -> None:
    """Stop reading; the engine takes that as the end of the run if it still runs."""
    if coming:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
    if isinstance(events, AsyncGenerator):
        await events.aclose()
