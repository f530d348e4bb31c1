"""Delivering webhooks: at least once, later and later, for a day."""

import asyncio
import random
from datetime import timedelta

import msgspec
import structlog

from opencode import __version__
from opencode.contracts.execution import CodeRunner
from opencode.infra.fetching import Caller, CallFailed
from opencode.infra.observability import metrics
from opencode.infra.plugs import Parts
from opencode.modules.execution.domain.queue import RunQueue
from opencode.modules.execution.domain.runs import Run
from opencode.modules.execution.domain.views import NativeRunView
from opencode.modules.execution.domain.webhooks import GIVE_UP_AFTER, SIGNATURE_HEADER, delay_s, signature
from opencode.modules.execution.service.base import UseCases
from opencode.modules.execution.settings import ExecutionSettings
from opencode.modules.execution.store.webhooks import Delivery

log = structlog.get_logger(__name__)

AT_ONCE = 20
CLAIM = timedelta(minutes=1)
"""A server that dies while it delivers leaves the webhook due again after this time."""


class RunTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook gets: `type` is `run.finished`, `run` the whole run as `GET /api/v1/runs/{id}` shows it."""

    type: str
    run: NativeRunView


class Hooking(UseCases):
    def __init__(
        self, parts: Parts, settings: ExecutionSettings, runner: CodeRunner, queue: RunQueue, caller: Caller
    ) -> None:
        super().__init__(parts, settings, runner, queue)
        self._caller = caller

    async def deliver_due(self) -> None:
        """Deliver what is due now. Several servers may do it at once: each takes others."""
        while deliveries := await self._claim():
            await asyncio.gather(*(self._deliver(delivery) for delivery in deliveries))

    async def _claim(self) -> list[Delivery]:
        now = self.clock.now()
        # Nearly every look finds nothing, and a look must not take the one writer's place on SQLite.
        async with self.reading() as stores:
            soonest = await stores.webhooks.soonest()
        if soonest is None or soonest > now:
            return []
        async with self.unit_of_work() as work:
            return await work.stores.webhooks.claim(now, now + CLAIM, limit=AT_ONCE)

    async def _deliver(self, delivery: Delivery) -> None:
        async with self.reading() as stores:
            run = await stores.runs.find(delivery.run_id)
        if run is None:  # deleted meanwhile, and its webhook with it
            return
        try:
            await self._call(delivery, run)
        except CallFailed as failure:
            await self._try_later(delivery, str(failure))
            return
        metrics.WEBHOOKS.labels(outcome="delivered").inc()
        async with self.unit_of_work() as work:
            await work.stores.webhooks.delivered(delivery.run_id)

    async def _call(self, delivery: Delivery, run: Run) -> None:
        body = msgspec.json.encode(RunTold(type="run.finished", run=NativeRunView.of(run)))
        headers = {"Content-Type": "application/json", "User-Agent": f"OpenCode/{__version__}"}
        if delivery.webhook.secret:
            seconds = int(self.clock.timestamp())
            headers[SIGNATURE_HEADER] = signature(delivery.webhook.secret, seconds, body)
        await self._caller.post(delivery.webhook.url, body, headers)

    async def _try_later(self, delivery: Delivery, error: str) -> None:
        now, attempts = self.clock.now(), delivery.attempts + 1
        due_at = now + timedelta(seconds=delay_s(attempts, random.random()))  # noqa: S311, to spread calls
        gives_up = due_at > delivery.made_at + GIVE_UP_AFTER
        # Without its address, which may carry a token of the receiver's.
        log.info("webhook failed", run_id=delivery.run_id, attempts=attempts, given_up=gives_up, error=error)
        metrics.WEBHOOKS.labels(outcome="given_up" if gives_up else "failed").inc()
        async with self.unit_of_work() as work:
            await work.stores.webhooks.failed(
                delivery.run_id, due_at=None if gives_up else due_at, attempts=attempts, error=error[:500]
            )
