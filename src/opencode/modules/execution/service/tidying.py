"""What happens by itself while the server runs."""

from datetime import timedelta

from opencode.infra.observability import metrics
from opencode.modules.execution.service.base import UseCases

REMEMBER_KEYS = timedelta(hours=24)
LOOK_AT_ONCE = 1_000
DELETE_AT_ONCE = 100


class Tidying(UseCases):
    async def queue_again(self, *, starting: bool = False) -> None:
        """
        Put runs into the queue that it does not know: it was down when they were accepted, it forgot them, or the
        worker that had them is gone.

        Args:
            starting: nothing has run here yet. With the embedded database there is no other process, so that whatever
                is under way is lost.
        """
        now = self.clock.now()
        if starting and self.parts.database.is_sqlite:
            async with self.unit_of_work() as work:
                await work.stores.runs.free(now)
        async with self.reading() as stores:
            waiting = await stores.runs.unattended(now, limit=LOOK_AT_ONCE)
        for run in waiting:
            await self.queue.put(run.id, run.owner_id)
        metrics.QUEUED_RUNS.set(await self.queue.size())

    async def forget(self) -> None:
        """Delete runs that were finished long ago, and keys of yesterday."""
        now = self.clock.now()
        before = now - timedelta(days=self.settings.keep_runs_days)
        async with self.reading() as stores:
            old = await stores.runs.finished_before(before, limit=DELETE_AT_ONCE)
            stale = await stores.requests.any_before(now - REMEMBER_KEYS)
        while old:
            async with self.unit_of_work() as work:
                await work.stores.runs.delete(old)
            async with self.reading() as stores:
                old = await stores.runs.finished_before(before, limit=DELETE_AT_ONCE)
        # An embedded database has one writer at a time: whoever has nothing to write does not ask to.
        if stale:
            async with self.unit_of_work() as work:
                await work.stores.requests.forget_before(now - REMEMBER_KEYS)
