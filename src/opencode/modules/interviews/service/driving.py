"""Driving one run: from the engine's events to the stream of the interview and the row of the run."""

import asyncio
import codecs
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Protocol

import structlog

from opencode.contracts.execution import (
    CodeRunner,
    Compiled,
    Finished,
    Output,
    Queued,
    RunEvent,
    RunRequest,
    Stage,
    StageStarted,
    Stream,
    Verdict,
)
from opencode.infra.plugs import Parts
from opencode.kernel.errors import OpenCodeError
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.domain.run import STOPPED_BEFORE_START, Run
from opencode.modules.interviews.domain.views import CompileBrief
from opencode.modules.interviews.service.finishing import save_finished
from opencode.modules.interviews.store import InterviewsWork, News, tell_in_passing

log = structlog.get_logger(__name__)

FIRST_S = 0.003
"""The first output waits this long: most programs print, end, and are told of in one transaction."""
GATHER_S = 0.03
"""Output that comes within this time goes out together; people do not see the difference, and the database does."""
GATHER_CHARACTERS = 16 * 1024
PLACE_EVERY_S = 0.5
"""A place in the queue is told at once and then this often: with many short runs ahead it falls many times a second."""

_OUR_FAULT = "The server made a mistake while this ran. Its log says more."
_NO_VERDICT = "The sandbox ended without a verdict."


Source = tuple[Stage, Stream]


class Gatherer:
    """
    Gathers output until it is worth a transaction. The first of a run goes out almost at once, because that is what
    people wait for; what follows is gathered for 30 ms or 16 Ki characters.
    """

    def __init__(self) -> None:
        self.due_at: float | None = None
        self._printed: dict[Source, list[str]] = defaultdict(list)
        self._pending: list[tuple[Source, str]] = []
        self._pending_characters = 0
        self._spoke = False
        self._decoders = defaultdict[Source, codecs.IncrementalDecoder](_decoder)

    def add(self, source: Source, data: bytes, now: float, *, last: bool = False) -> None:
        """Take bytes as they came. A character cut in two waits for its other half; nonsense becomes U+FFFD."""
        text = self._decoders[source].decode(data, last)
        if not text:
            return
        self._printed[source].append(text)
        self._pending_characters += len(text)
        if self._pending and self._pending[-1][0] == source:
            text = self._pending.pop()[1] + text
        self._pending.append((source, text))
        if self._pending_characters >= GATHER_CHARACTERS:
            self.due_at = now
        else:
            self.wake_by(now + (GATHER_S if self._spoke else FIRST_S))

    def wake_by(self, moment: float) -> None:
        self.due_at = moment if self.due_at is None else min(self.due_at, moment)

    def end(self, stage: Stage) -> tuple[str, str]:
        """
        The programs of a stage are gone: halves of characters will not be completed.

        Returns:
            All that they printed, to stdout and to stderr.
        """
        for stream in ("stdout", "stderr"):
            self.add((stage, stream), b"", 0, last=True)
        return "".join(self._printed[stage, "stdout"]), "".join(self._printed[stage, "stderr"])

    def take(self) -> list[tuple[Source, str]]:
        """What is to go out now."""
        pending, self._pending = self._pending, []
        self._pending_characters = 0
        self._spoke = self._spoke or bool(pending)
        self.due_at = None
        return pending


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")("replace")


class Place:
    """A run's place in the queue: what was heard of it last, and when that is worth telling."""

    def __init__(self) -> None:
        self.due_at: float | None = None
        self._ahead = 0
        self._told_at = 0.0

    def moved(self, ahead: int, now: float) -> None:
        self._ahead = ahead
        self.due_at = self.due_at or max(now, self._told_at + PLACE_EVERY_S)

    def take(self, now: float) -> int:
        self.due_at, self._told_at = None, now
        return self._ahead

    def leave(self) -> None:
        """It is this run's turn."""
        self.due_at = None


class Watcher(Protocol):
    """Whoever looks at what a run prints at once, before anything is gathered or saved."""

    def stage_started(self, stage: Stage) -> None: ...

    def printed(self, stage: Stage, data: bytes) -> None: ...

    def finished(self, run: Run) -> None: ...


class Driver:
    """Drives one run on this server."""

    def __init__(
        self, run: Run, request: RunRequest, runner: CodeRunner, parts: Parts, watcher: Watcher | None = None
    ) -> None:
        self._run = run
        self._request = request
        self._runner = runner
        self._parts = parts
        self._clock = parts.clock
        self._watcher = watcher
        self._output = Gatherer()
        self._place = Place()
        self._stages: list[News] = []
        self._telling: asyncio.Task[None] | None = None
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
        if self._watcher:
            self._watcher.finished(self._run)

    async def _follow(self) -> Finished | None:
        """Read the engine's events until the last one; None when there is none, or when the run was cut off."""
        events = self._runner.run(self._request)
        cut = asyncio.ensure_future(self._cut.wait())
        coming: asyncio.Future[RunEvent | None] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(_next(events))
                # Told while the next event is awaited: what a terminal prints does not wait for a database.
                awaited = {coming, cut, self._telling} if self._telling else {coming, cut}
                await asyncio.wait(awaited, timeout=self._patience(), return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    event, coming = coming.result(), None
                    if event is None or isinstance(event, Finished):
                        await self._told()
                        return event
                    self._take(event)
                elif cut.done():
                    return None
                await self._tell_what_is_due()
        finally:
            cut.cancel()
            await _leave(events, coming)
            await asyncio.gather(*([self._telling] if self._telling else []), return_exceptions=True)

    def _take(self, event: RunEvent) -> None:
        now = asyncio.get_running_loop().time()
        match event:
            case Output(stage, stream, data):
                if self._watcher:
                    self._watcher.printed(stage, data)
                self._output.add((stage, stream), data, now)
            case StageStarted(stage):
                self._place.leave()
                self._run = self._run.running(stage, self._clock.now())
                self._stages.append(self._news_of_stage())
                # Not worth a transaction of its own: a quick program is finished before anybody could read it.
                self._output.wake_by(now + GATHER_S)
                if self._watcher:
                    self._watcher.stage_started(stage)
            case Compiled():
                stdout, stderr = self._output.end("compile")
                self._run = self._run.compiled(event, stdout=stdout, stderr=stderr)
            case Queued(ahead):
                self._place.moved(ahead, now)
            case Finished():
                raise ValueError("the last event ends the listening")

    def _patience(self) -> float | None:
        # While something is being told, its end is what is waited for.
        moments = (self._place.due_at, None if self._telling else self._output.due_at)
        due = [moment for moment in moments if moment is not None]
        return max(0.0, min(due) - asyncio.get_running_loop().time()) if due else None

    async def _tell_what_is_due(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._place.due_at is not None and now >= self._place.due_at:
            await self._tell_place(self._place.take(now))
        if self._telling and self._telling.done():
            await self._told()
        if self._telling is None and self._output.due_at is not None and now >= self._output.due_at:
            self._telling = asyncio.create_task(self._tell())

    async def _told(self) -> None:
        """Wait until what is being told is told. Raises what kept it from being told."""
        telling, self._telling = self._telling, None
        if telling:
            await telling

    async def _tell_place(self, ahead: int) -> None:
        news = News(EventType.RUN_QUEUED, {"run_id": self._run.id, "ahead": ahead}, about=self._run.id)
        try:
            await tell_in_passing(self._parts.pubsub, self._run.interview_id, self._clock.now(), news)
        except Exception:
            # A place in the queue is a courtesy; the run goes on without it.
            log.exception("a place in the queue could not be told", run_id=self._run.id)

    async def _tell(self) -> None:
        run, news = self._run, self._news()
        async with InterviewsWork(self._parts) as work:
            await work.stores.interviews.hold(run.interview_id)
            if not await work.stores.runs.save(run):
                # Finished by somebody else: the interview ended, or was deleted.
                self._cut.set()
            elif news:
                await work.say(run.interview_id, self._clock.now(), *news)

    async def _finish(self, finished: Finished | None) -> None:
        stdout, stderr = self._output.end(finished.stage if finished else self._run.stage or "run")
        at = self._clock.now()
        if finished:
            self._run = self._run.finish(finished, stdout=stdout, stderr=stderr, at=at)
        else:
            verdict, message = self._cut_verdict
            self._run = self._run.give_up(verdict, message, stdout=stdout, stderr=stderr, at=at)
        async with InterviewsWork(self._parts) as work:
            await save_finished(work, self._run, *self._news())

    def _news_of_stage(self) -> News:
        run = self._run
        compilation = CompileBrief.of(run.compilation) if run.compilation else None
        return News(EventType.RUN_STAGE, {"run_id": run.id, "stage": run.stage, "compile": compilation}, about=run.id)

    def _news(self) -> list[News]:
        """What is to be told now: stages that began, then what was printed, which names its stage."""
        run_id = self._run.id
        stages, self._stages = self._stages, []
        output = [
            News(EventType.RUN_OUTPUT, {"run_id": run_id, "stage": stage, "stream": stream, "text": text}, about=run_id)
            for (stage, stream), text in self._output.take()
        ]
        return [*stages, *output]


async def _next(events: AsyncIterator[RunEvent]) -> RunEvent | None:
    return await anext(events, None)


async def _leave(events: AsyncIterator[RunEvent], coming: "asyncio.Future[RunEvent | None] | None") -> None:
    """Stop reading; the engine takes that as the end of the run if it still runs."""
    if coming:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
    if isinstance(events, AsyncGenerator):
        await events.aclose()
