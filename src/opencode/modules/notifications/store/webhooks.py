"""Webhooks of people."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.contracts.notifications import NoticeKind
from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import UserId, WebhookId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.notifications.domain.webhooks import Webhook
from opencode.modules.notifications.store.tables import deliveries, webhook_kinds, webhooks


class WebhookStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, webhook: Webhook) -> None:
        await self._connection.execute(insert(webhooks).values(_row(webhook)))
        await self._add_kinds(webhook)

    async def save(self, webhook: Webhook) -> None:
        await self._connection.execute(update(webhooks).where(webhooks.c.id == webhook.id).values(_row(webhook)))
        await self._connection.execute(delete(webhook_kinds).where(webhook_kinds.c.webhook_id == webhook.id))
        await self._add_kinds(webhook)

    async def save_standing(self, webhook: Webhook) -> None:
        """Save all but the kinds."""
        await self._connection.execute(update(webhooks).where(webhooks.c.id == webhook.id).values(_row(webhook)))

    async def get(self, webhook_id: str, *, locked: bool = False) -> Webhook | None:
        """Args: locked: nobody else changes it until the transaction ends."""
        query = select(webhooks).where(webhooks.c.id == webhook_id)
        rows = list(await self._connection.execute(query.with_for_update() if locked else query))
        return (await self._with_kinds(rows))[0] if rows else None

    async def page(self, owner_id: str, page: PageRequest) -> Page[Webhook]:
        """Somebody's webhooks, the newest first."""
        mine = select(webhooks).where(webhooks.c.owner_id == owner_id)
        rows = list(await self._connection.execute(newest_first(mine, webhooks.c.created_at, webhooks.c.id, page)))
        found = await self._with_kinds(rows)
        return Page.cut(found, page.limit, lambda webhook: time_keys(webhook.created_at, webhook.id))

    async def count(self, owner_id: str) -> int:
        query = select(func.count()).where(webhooks.c.owner_id == owner_id)
        return (await self._connection.execute(query)).scalar_one()

    async def subscribed(self, owner_ids: Collection[UserId], kind: NoticeKind) -> list[tuple[WebhookId, UserId]]:
        """The webhooks of these people that are to be told of that kind, each with its owner."""
        query = (
            select(webhooks.c.id, webhooks.c.owner_id)
            .join(webhook_kinds, webhook_kinds.c.webhook_id == webhooks.c.id)
            .where(webhooks.c.owner_id.in_(owner_ids), webhooks.c.active.is_(True), webhook_kinds.c.kind == kind)
        )
        return [(WebhookId(row.id), UserId(row.owner_id)) for row in await self._connection.execute(query)]

    async def delete(self, webhook_id: WebhookId) -> None:
        """With its whole history."""
        await self._connection.execute(delete(deliveries).where(deliveries.c.webhook_id == webhook_id))
        await self._connection.execute(delete(webhook_kinds).where(webhook_kinds.c.webhook_id == webhook_id))
        await self._connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id))

    async def _add_kinds(self, webhook: Webhook) -> None:
        rows = [{"webhook_id": webhook.id, "kind": kind} for kind in webhook.kinds]
        await self._connection.execute(insert(webhook_kinds), rows)

    async def _with_kinds(self, rows: Sequence[Any]) -> list[Webhook]:
        ids = [row.id for row in rows]
        query = select(webhook_kinds).where(webhook_kinds.c.webhook_id.in_(ids))
        kinds: dict[str, set[NoticeKind]] = {}
        for row in await self._connection.execute(query):
            kinds.setdefault(row.webhook_id, set()).add(row.kind)
        return [_webhook(row, kinds.get(row.id, ())) for row in rows]


def _webhook(row: Any, kinds: Iterable[NoticeKind]) -> Webhook:
    there = set(kinds)
    values = {name: getattr(row, name) for name in Webhook.__dataclass_fields__ if name != "kinds"}
    return Webhook(**values, kinds=tuple(kind for kind in NoticeKind if kind in there))


def _row(webhook: Webhook) -> dict[str, Any]:
    return {name: getattr(webhook, name) for name in Webhook.__dataclass_fields__ if name != "kinds"}
