"""Delivering to webhooks: at least once, each webhook in a line of its own, so that a slow one delays nobody else."""

import asyncio
import random
import time
from dataclasses import replace
from datetime import timedelta

import structlog

from opencode import __version__
from opencode.contracts.identity import Identity
from opencode.contracts.notifications import NoticeGiven, NoticeKind
from opencode.infra.fetching import Called, Caller, CallFailed
from opencode.infra.observability import metrics
from opencode.infra.plugs import Parts
from opencode.kernel.ids import WebhookId
from opencode.modules.notifications.domain.webhooks import (
    TEST,
    Delivery,
    DeliveryState,
    Webhook,
    excerpt_of,
    signature_headers,
)
from opencode.modules.notifications.service.base import UseCases
from opencode.modules.notifications.service.hooking import SWITCHED_OFF, key_of_webhook
from opencode.modules.notifications.settings import NotificationsSettings
from opencode.modules.notifications.store import NotificationsWork

log = structlog.get_logger(__name__)

LINES = 200
"""Webhooks that a server calls at the same time."""
CLAIM = timedelta(minutes=1)
"""A server that dies while it calls leaves the message due again after this time."""
GONE = 410
"""The receiver wants no more (Standard Webhooks, "HTTP responses")."""


class Delivering(UseCases):
    def __init__(self, parts: Parts, settings: NotificationsSettings, identity: Identity, caller: Caller) -> None:
        super().__init__(parts, settings, identity)
        self._caller = caller
        self._lines: dict[WebhookId, asyncio.Task[None]] = {}

    async def deliver_due(self) -> None:
        """See that there is a line for each webhook with something due; does not wait for any of them."""
        async with self.reading() as stores:
            due = await stores.deliveries.due(self.clock.now(), limit=LINES + len(self._lines))
        for webhook_id in due:
            if webhook_id not in self._lines and len(self._lines) < LINES:
                line = self._lines[webhook_id] = asyncio.create_task(self._work_off(webhook_id))
                line.add_done_callback(lambda _, done=webhook_id: self._lines.pop(done, None))

    async def settled(self) -> None:
        """Wait until every line has come to its end."""
        while self._lines:
            await asyncio.gather(*self._lines.values())

    async def close(self) -> None:
        """Cut all lines; what was under way is due again elsewhere in a minute."""
        lines = list(self._lines.values())
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    async def _work_off(self, webhook_id: WebhookId) -> None:
        try:
            while delivery := await self._claim(webhook_id):
                await self._deliver(delivery)
        except Exception:
            # What was claimed is due again when its claim ends, and then has a line again.
            log.exception("webhook line broke", webhook_id=webhook_id)

    async def _claim(self, webhook_id: WebhookId) -> Delivery | None:
        now = self.clock.now()
        async with self.unit_of_work() as work:
            return await work.stores.deliveries.claim(webhook_id, now, now + CLAIM)

    async def _deliver(self, delivery: Delivery) -> None:
        async with self.reading() as stores:
            webhook = await stores.webhooks.get(delivery.webhook_id)
        if webhook is None:
            # Deleted at the very moment at which this was made for it.
            async with self.unit_of_work() as work:
                await work.stores.deliveries.forget(delivery.id)
            return
        started = time.perf_counter()
        answer: Called | None = None
        error = ""
        if webhook.active or delivery.kind == TEST:
            try:
                answer = await self._call(webhook, delivery)
            except CallFailed as failure:
                answer, error = failure.answer, str(failure)
        else:
            error = SWITCHED_OFF
        tried = replace(
            delivery,
            attempts=delivery.attempts + 1,
            status=answer.status if answer else None,
            excerpt=excerpt_of(answer.excerpt) if answer else "",
            error=error[:500],
            duration_ms=round((time.perf_counter() - started) * 1000),
            tried_at=self.clock.now(),
        )
        async with self.unit_of_work() as work:
            await self._settle(work, tried)

    async def _call(self, webhook: Webhook, delivery: Delivery) -> Called:
        now, body = self.clock.now(), delivery.payload.encode()
        keys = [key_of_webhook(self.parts.signer, webhook.id, salt) for salt in webhook.salts(now)]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"OpenCode/{__version__}",
            **signature_headers(keys, delivery.event_id, now, body),
        }
        return await self._caller.post(webhook.url, body, headers)

    async def _settle(self, work: NotificationsWork, tried: Delivery) -> None:
        # Looked at again, and locked: its owner may have changed or deleted it during the call.
        webhook = await work.stores.webhooks.get(tried.webhook_id, locked=True)
        if webhook is None:
            return
        if not tried.error:
            metrics.WEBHOOKS.labels(outcome="delivered").inc()
            done = replace(tried, state=DeliveryState.DELIVERED, due_at=None, tries=tried.tries + 1)
            await work.stores.deliveries.save(done)
            if webhook.failures:
                await work.stores.webhooks.save_standing(replace(webhook, failures=0))
            return
        await self._settle_failure(work, webhook, tried)

    async def _settle_failure(self, work: NotificationsWork, webhook: Webhook, tried: Delivery) -> None:
        now = self.clock.now()
        due_at = tried.retry_at(now, random.random()) if webhook.active else None  # noqa: S311, to spread calls
        state = DeliveryState.WAITING if due_at else DeliveryState.FAILED
        metrics.WEBHOOKS.labels(outcome="failed" if due_at else "given_up").inc()
        # Without its address, which may carry a token of the receiver's.
        log.info("webhook failed", webhook_id=webhook.id, attempts=tried.attempts, error=tried.error)
        await work.stores.deliveries.save(replace(tried, state=state, due_at=due_at, tries=tried.tries + 1))
        if tried.kind == TEST or not webhook.active:
            return
        failing = replace(webhook, failures=webhook.failures + 1)
        if failing.failures < self.settings.webhook_failures and tried.status != GONE:
            await work.stores.webhooks.save_standing(failing)
            return
        await work.stores.webhooks.save_standing(replace(failing, active=False, switched_off_at=now))
        await work.stores.deliveries.hold(webhook.id, SWITCHED_OFF)
        work.publish(self._told_of(failing, tried))

    def _told_of(self, webhook: Webhook, tried: Delivery) -> NoticeGiven:
        calls = "One call" if webhook.failures == 1 else f"{webhook.failures} calls in a row"
        return NoticeGiven(
            kind=NoticeKind.WEBHOOK_DISABLED,
            key=f"{webhook.id}:off:{tried.id}:{tried.attempts}",
            recipient_ids=(webhook.owner_id,),
            title="Your webhook was switched off",
            body=f"{calls} of {webhook.url} failed, the last one because: {tried.error}. Switch it on again once it "
            "answers; what was not delivered can be replayed.",
            path=f"/settings/webhooks/{webhook.id}",
            at=self.clock.now(),
        )
