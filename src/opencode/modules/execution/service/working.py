"""A worker: takes runs from the queue, drives them, and says that it lives."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from opencode.contracts.execution import CodeRunner, ExecutionBusy, Verdict
from opencode.infra.observability import metrics
from opencode.infra.plugs import Parts
from opencode.kernel.errors import OpenCodeError, Unavailable
from opencode.kernel.ids import RunId, new_id
from opencode.modules.execution.domain.queue import RunQueue, Ticket
from opencode.modules.execution.domain.runs import (
    OUR_FAULT,
    STOPPED_WHILE_QUEUED,
    WORKERS_LOST,
    Details,
    Result,
    Run,
    RunEventType,
    is_worn_out,
    lease,
)
from opencode.modules.execution.errors import OurFault
from opencode.modules.execution.service.base import UseCases
from opencode.modules.execution.service.driving import Driver, Ending
from opencode.modules.execution.service.finishing import save_finished
from opencode.modules.execution.settings import ExecutionSettings
from opencode.modules.execution.store import News

log = structlog.get_logger(__name__)

INSIST_S = 0.1
"""How long a hand that was told to stop may take before it is told again."""
RETRY_S = 1.0
"""How long a worker rests after the queue, the database or its own line of runs turned it away."""
_WENT_DOWN = "The worker went down."


@dataclass(frozen=True, slots=True)
class _Hold:
    """A run that this worker drives, and the task that does it."""

    ticket: Ticket
    driver: Driver
    task: asyncio.Task[None]

    @property
    def attempt(self) -> tuple[RunId, int]:
        return self.driver.run.id, self.driver.run.attempt


class Worker(UseCases):
    """
    Drives so many runs at once. Everything it writes about a run carries the attempt that it was given: when it was
    taken for dead meanwhile, and somebody else began the run anew, nothing of it is heard any more.
    """

    def __init__(
        self, parts: Parts, settings: ExecutionSettings, runner: CodeRunner, queue: RunQueue, *, concurrency: int
    ) -> None:
        super().__init__(parts, settings, runner, queue)
        self.id = new_id("wrk")
        self._concurrency = concurrency
        self._hands: list[asyncio.Task[None]] = []
        self._holds: dict[RunId, _Hold] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def start(self) -> None:
        self._hands = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]

    async def close(self) -> None:
        """Take no more, and give back what is under way: somebody else begins it anew, which counts as no fault."""
        self._closing = True
        # Programs are cut short, not what is being written of them: a cancellation that comes while a transaction
        # commits leaves unknown whose the run is, and on PostgreSQL was seen to get lost.
        for hold in list(self._holds.values()):
            hold.task.cancel()
        # Again and again: a cancellation that comes while a hand listens to Redis was seen to get lost on its way.
        while waiting := [hand for hand in self._hands if not hand.done()]:
            for hand in waiting:
                hand.cancel()
            await asyncio.wait(waiting, timeout=INSIST_S)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop_here(self, run_id: str) -> None:
        """Stop a run that this worker drives; others are none of its business."""
        if hold := self._holds.get(RunId(run_id)):
            await hold.driver.stop()

    async def beat(self) -> None:
        """Say that this worker lives. It lets go of runs that it lost, and stops those whose owner wants it."""
        if not self._holds:
            return
        holds = list(self._holds.values())
        until = lease(self.clock.now(), self.settings.run_lease_s)
        async with self.unit_of_work() as work:
            found = await work.stores.runs.still_held(self.id, [hold.driver.run.id for hold in holds], until)
        ours = {(each.id, each.attempt): each for each in found}
        for hold in holds:
            still = ours.get(hold.attempt)
            if still is None:
                hold.task.cancel()
            elif still.stop_asked:
                await hold.driver.stop()
        await self.queue.beat(self.id, [hold.ticket for hold in holds if hold.attempt in ours])

    async def _work(self) -> None:
        while True:
            try:
                ticket = await self.queue.take(self.id)
                task = asyncio.create_task(self._see_through(ticket))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                # In a task of its own, which can be cut short without the hand that waits for it.
                await asyncio.wait({task})
                if not task.cancelled() and (error := task.exception()):
                    raise error
            except Unavailable as error:
                log.warning("a worker waits for what it needs", worker_id=self.id, error=error.detail, retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)
            except Exception:
                log.exception("a worker stumbled, going on", worker_id=self.id, retry_s=RETRY_S)
                await asyncio.sleep(RETRY_S)

    async def _see_through(self, ticket: Ticket) -> None:
        run = None
        try:
            if run := await self._begin(ticket):
                await self._drive(ticket, run)
            else:
                await self.queue.done(ticket)
        except asyncio.CancelledError:
            if self._closing and run:
                await self._put_back(ticket, run, fault=False, message=_WENT_DOWN)
            else:
                await self.queue.done(ticket)
            raise
        except Exception:
            # The row tells how far it came. When its lease ends, whoever looks for such runs lets it wait again.
            await self.queue.done(ticket)
            raise

    async def _begin(self, ticket: Ticket) -> Run | None:
        """The run as this worker has it now; None when there is nothing to do for it any more."""
        now = self.clock.now()
        async with self.unit_of_work() as work:
            run = await work.stores.runs.find(ticket.run_id)
            if run is None or not run.is_free(now):
                return None
            begun = run.begun(self.id, now, lease(now, self.settings.run_lease_s))
            if is_worn_out(begun.faults):
                await save_finished(work, run, run.finish(Result(Verdict.SANDBOX_FAULT, WORKERS_LOST), Details(), now))
                return None
            if run.stop_asked:
                await save_finished(
                    work, run, run.finish(Result(Verdict.STOPPED, STOPPED_WHILE_QUEUED), Details(), now)
                )
                return None
            started = News(RunEventType.RUN_STARTED, {"attempt": begun.attempt})
            if not await work.change(run, begun, [started]):
                return None
        if begun.attempt > 1:
            metrics.RUN_RETRIES.inc()
        else:
            metrics.RUN_WAIT.observe((now - run.created_at).total_seconds())
        return begun

    async def _drive(self, ticket: Ticket, run: Run) -> None:
        if self._closing:
            await self._put_back(ticket, run, fault=False, message=_WENT_DOWN)
            return
        try:
            ending = await self._attempt(ticket, run)
        except OurFault as fault:
            await self._put_back(ticket, run, fault=True, message=str(fault))
        except ExecutionBusy:
            await asyncio.sleep(RETRY_S)
            await self._put_back(ticket, run, fault=False, message="This worker is busy.")
        except OpenCodeError as refusal:
            await self._put_back(ticket, run, fault=True, message=f"{refusal.detail} {refusal.action}".strip())
        except Exception:
            log.exception("run failed", run_id=run.id, language=run.request.language)
            await self._put_back(ticket, run, fault=True, message=OUR_FAULT)
        else:
            await self._finish(run, ending)
            await self.queue.done(ticket)

    async def _attempt(self, ticket: Ticket, run: Run) -> Ending:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a run is driven in a task")
        driver = Driver(
            run,
            self.runner,
            lambda news: self._tell(run, news),
            kept_bytes=self.settings.run_output_kept_bytes,
            # It is somebody else's now, or over: what is left of it here ends unheard.
            on_refused=task.cancel,
        )
        hold = self._holds[run.id] = _Hold(ticket, driver, task)
        try:
            return await driver.drive()
        finally:
            # Where it was taken for lost and begun anew here, the newer attempt stands in this place.
            if self._holds.get(run.id) is hold:
                del self._holds[run.id]

    async def _finish(self, run: Run, ending: Ending) -> None:
        finished = run.finish(ending.result, ending.details, self.clock.now())
        async with self.unit_of_work() as work:
            await save_finished(work, run, finished, ending.news)

    async def _put_back(self, ticket: Ticket, run: Run, *, fault: bool, message: str) -> None:
        """Let the run wait for its next attempt; one that met too many faults of ours ends with the last one."""
        again = run.queue_again(fault=fault)
        async with self.unit_of_work() as work:
            if is_worn_out(again.faults):
                finished = run.finish(Result(Verdict.SANDBOX_FAULT, message), Details(), self.clock.now())
                await save_finished(work, run, finished)
                waits = False
            else:
                waiting = News(RunEventType.RUN_QUEUED, {"position": None, "message": message})
                waits = await work.change(run, again, [waiting])
        await (self.queue.give_back(ticket) if waits else self.queue.done(ticket))

    async def _tell(self, run: Run, news: Sequence[News]) -> bool:
        async with self.unit_of_work() as work:
            return await work.tell(run, news)
