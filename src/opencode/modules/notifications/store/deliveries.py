"""Messages to webhooks: those that wait, and the history of the others."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import DeliveryId, WebhookId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.notifications.domain.webhooks import Delivery, DeliveryState
from opencode.modules.notifications.store.tables import deliveries


class DeliveryStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, new: Iterable[Delivery]) -> None:
        await self._connection.execute(insert(deliveries), [_row(delivery) for delivery in new])

    async def save(self, delivery: Delivery) -> None:
        await self._connection.execute(update(deliveries).where(deliveries.c.id == delivery.id).values(_row(delivery)))

    async def find(self, webhook_id: WebhookId, delivery_id: str) -> Delivery | None:
        query = select(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.webhook_id == webhook_id)
        row = (await self._connection.execute(query)).one_or_none()
        return _delivery(row) if row else None

    async def page(self, webhook_id: WebhookId, page: PageRequest) -> Page[Delivery]:
        """The history of a webhook, the newest first."""
        its_own = select(deliveries).where(deliveries.c.webhook_id == webhook_id)
        query = newest_first(its_own, deliveries.c.created_at, deliveries.c.id, page)
        found = [_delivery(row) for row in await self._connection.execute(query)]
        return Page.cut(found, page.limit, lambda delivery: time_keys(delivery.created_at, delivery.id))

    async def due(self, now: datetime, *, limit: int) -> list[WebhookId]:
        """The webhooks for which something is due, the longest due first."""
        oldest = func.min(deliveries.c.due_at)
        query = select(deliveries.c.webhook_id).where(deliveries.c.due_at <= now).group_by(deliveries.c.webhook_id)
        rows = await self._connection.execute(query.order_by(oldest).limit(limit))
        return [WebhookId(webhook_id) for webhook_id in rows.scalars()]

    async def claim(self, webhook_id: WebhookId, now: datetime, until: datetime) -> Delivery | None:
        """Take the next that is due for a webhook. Whoever takes it and dies leaves it due again at `until`."""
        its_own = deliveries.c.webhook_id == webhook_id, deliveries.c.due_at <= now
        due = select(deliveries).where(*its_own).order_by(deliveries.c.due_at, deliveries.c.id).limit(1)
        if self._connection.dialect.name != "sqlite":
            due = due.with_for_update(skip_locked=True)
        row = (await self._connection.execute(due)).one_or_none()
        if row is None:
            return None
        await self._connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(due_at=until))
        return _delivery(row)

    async def forget(self, delivery_id: DeliveryId) -> None:
        await self._connection.execute(delete(deliveries).where(deliveries.c.id == delivery_id))

    async def hold(self, webhook_id: WebhookId, reason: str) -> None:
        """Settle what waits for a webhook without sending it; it can be replayed."""
        waiting = deliveries.c.webhook_id == webhook_id, deliveries.c.due_at.is_not(None)
        held = {"due_at": None, "state": DeliveryState.FAILED, "error": reason}
        await self._connection.execute(update(deliveries).where(*waiting).values(held))

    async def trim(self, before: datetime, kept: int, *, limit: int) -> bool:
        """
        Delete settled messages that were made before that moment, and of each webhook all but the newest. Returns
        whether there were any.
        """
        place = func.row_number().over(
            partition_by=deliveries.c.webhook_id, order_by=(deliveries.c.created_at.desc(), deliveries.c.id.desc())
        )
        placed = select(deliveries.c.id, deliveries.c.created_at, place.label("place")).where(
            deliveries.c.due_at.is_(None)
        )
        ranked = placed.subquery()
        surplus = select(ranked.c.id).where((ranked.c.place > kept) | (ranked.c.created_at < before)).limit(limit)
        gone = await self._connection.execute(delete(deliveries).where(deliveries.c.id.in_(surplus.scalar_subquery())))
        return bool(gone.rowcount)


def _delivery(row: Any) -> Delivery:
    return Delivery(**{name: getattr(row, name) for name in Delivery.__dataclass_fields__})


def _row(delivery: Delivery) -> dict[str, Any]:
    return {name: getattr(delivery, name) for name in Delivery.__dataclass_fields__}
