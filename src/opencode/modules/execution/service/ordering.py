"""Asking for runs, looking at them, stopping and deleting them."""

import structlog

from opencode.contracts.execution import CodeRunner, RunsElsewhere, Verdict
from opencode.infra.db import fingerprint
from opencode.infra.plugs import Parts
from opencode.kernel.errors import Unavailable
from opencode.kernel.ids import RunId, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.execution.domain.queue import RunQueue
from opencode.modules.execution.domain.runs import STOPPED_WHILE_QUEUED, Details, Outline, Result, Run, RunProgress
from opencode.modules.execution.domain.views import NativeRunView
from opencode.modules.execution.domain.wishes import House, Wish, order_of
from opencode.modules.execution.errors import QueueFull, RunKeyReused, RunNotFound, RunUnderWay
from opencode.modules.execution.service.base import TO_RUN, UseCases
from opencode.modules.execution.service.control import Control, StopRun
from opencode.modules.execution.service.finishing import save_finished
from opencode.modules.execution.settings import ExecutionSettings
from opencode.modules.execution.store import ExecutionWork

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5


class Ordering(UseCases):
    def __init__(
        self, parts: Parts, settings: ExecutionSettings, runner: CodeRunner, queue: RunQueue, control: Control
    ) -> None:
        super().__init__(parts, settings, runner, queue)
        self._control = control
        self.elsewhere: RunsElsewhere | None = None

    async def create(self, by: Principal, wish: Wish, *, key: str | None = None) -> NativeRunView:
        """
        Accept a run, and answer without waiting for it. From then on it ends exactly once, whatever dies.

        Args:
            key: the caller's `Idempotency-Key`; the same wish with the same key makes nothing new for a day.

        Raises:
            RunRefused: with every wrong field.
            QueueFull, RunKeyReused
        """
        by.require(TO_RUN)
        print_of_request = fingerprint(wish)
        if key and (earlier := await self._made_before(by, key, print_of_request)):
            return await self._shown(earlier)
        run = await self._arrange(by, wish)
        try:
            async with self.unit_of_work() as work:
                if key:
                    await work.stores.requests.add(by.id, key, print_of_request, run.id, run.created_at)
                await self._require_room(work, by)
                await work.stores.runs.add(run)
        except RunKeyReused:
            # The same request came twice at the same moment, perhaps; then this is no error.
            if key and (earlier := await self._made_before(by, key, print_of_request)):
                return await self._shown(earlier)
            raise
        await self._let_wait(run)
        return await self._shown(run)

    async def get(self, run_id: str, by: Principal) -> object:
        """A run of one's own, or one that another module keeps, as it is shown."""
        async with self.reading() as stores:
            run = await self.own(stores, run_id, by)
        if run is not None:
            return await self._shown(run)
        if self.elsewhere is None:
            raise RunNotFound(run_id)
        return await self.elsewhere.find(run_id, by)

    async def list(self, by: Principal, wanted: PageRequest) -> Page[Outline]:
        """One's own runs, newest first."""
        by.require(TO_RUN)
        async with self.reading() as stores:
            return await stores.runs.page_of(by.id, wanted)

    async def stop(self, run_id: str, by: Principal) -> object:
        """
        Ask for the end of a run, wherever it is. One that waits ends here and now; one that is finished stays as it
        is.
        """
        async with self.reading() as stores:
            run = await self.own(stores, run_id, by)
        if run is None:
            if self.elsewhere is None:
                raise RunNotFound(run_id)
            return await self.elsewhere.stop(run_id, by)
        if run.state is RunProgress.QUEUED and (stopped := await self._stop_waiting(run)):
            await self.queue.drop(run.id)
            return NativeRunView.of(stopped)
        if not run.is_finished:
            async with self.unit_of_work() as work:
                await work.stores.runs.ask_to_stop(run.id)
            await self._control.say(StopRun(run.id))
        return await self._shown(run)

    async def delete(self, run_id: str, by: Principal) -> None:
        """
        Raises:
            RunUnderWay: it is not finished.
        """
        async with self.unit_of_work() as work:
            run = await self.own(work.stores, run_id, by)
            if run is None:
                raise RunNotFound(run_id)
            if not run.is_finished:
                raise RunUnderWay(run.id, run.state)
            await work.stores.runs.delete([run.id])

    async def _arrange(self, by: Principal, wish: Wish) -> Run:
        house = House(await self.runner.languages(), self.settings, elsewhere=not self.settings.execution_worker)
        run_id = RunId(new_id("run"))
        order = order_of(wish, house, run_id=run_id, owner=by.id)
        return Run(
            id=run_id,
            owner_id=by.id,
            request=order.request,
            plan=order.plan,
            webhook=order.webhook,
            created_at=self.clock.now(),
        )

    async def _require_room(self, work: ExecutionWork, by: Principal) -> None:
        if await work.stores.runs.count_under_way() >= self.settings.queued_runs:
            raise QueueFull("", self.settings.queued_runs, RETRY_AFTER_S)
        if await work.stores.runs.count_under_way(by.id) >= self.settings.queued_runs_of_one:
            raise QueueFull(" of yours", self.settings.queued_runs_of_one, RETRY_AFTER_S)

    async def _let_wait(self, run: Run) -> None:
        if self.settings.execution_worker:
            self.runner.expect(run.request.language)
        try:
            await self.queue.put(run.id, run.owner_id)
        except (OSError, Unavailable) as error:
            # It is accepted: whoever next looks for runs that nobody has puts it into the queue.
            log.warning("the queue does not answer, the run waits for it", run_id=run.id, error=str(error))

    async def _stop_waiting(self, run: Run) -> Run | None:
        """The run, ended before it began; None when a worker was quicker."""
        stopped = run.finish(Result(Verdict.STOPPED, STOPPED_WHILE_QUEUED), Details(), self.clock.now())
        async with self.unit_of_work() as work:
            return stopped if await save_finished(work, run, stopped) else None

    async def _shown(self, run: Run) -> NativeRunView:
        waits = run.state is RunProgress.QUEUED
        return NativeRunView.of(run, await self._position(run.id) if waits else None)

    async def _position(self, run_id: RunId) -> int | None:
        try:
            return await self.queue.ahead(run_id)
        except (OSError, Unavailable):
            return None  # where the queue does not answer, nobody knows

    async def _made_before(self, by: Principal, key: str, print_of_request: str) -> Run | None:
        async with self.reading() as stores:
            if (made := await stores.requests.find(by.id, key)) is None:
                return None
            if made[0] != print_of_request:
                raise RunKeyReused
            return await stores.runs.find(made[1])
