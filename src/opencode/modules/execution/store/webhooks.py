"""Webhooks that are to be delivered."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.kernel.ids import RunId
from opencode.modules.execution.domain.runs import Webhook
from opencode.modules.execution.store.tables import webhooks


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that is due. `attempts`: those that failed."""

    run_id: RunId
    webhook: Webhook
    made_at: datetime
    attempts: int


class WebhookStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, run_id: RunId, webhook: Webhook, at: datetime) -> None:
        await self._connection.execute(
            insert(webhooks).values(
                run_id=run_id, url=webhook.url, secret=webhook.secret, made_at=at, due_at=at, attempts=0
            )
        )

    async def soonest(self) -> datetime | None:
        """When the next one is due."""
        query = select(func.min(webhooks.c.due_at)).where(webhooks.c.due_at.is_not(None))
        return (await self._connection.execute(query)).scalar()

    async def claim(self, now: datetime, until: datetime, *, limit: int) -> list[Delivery]:
        """Take what is due. Whoever takes it and dies leaves it due again at `until`."""
        due = select(webhooks).where(webhooks.c.due_at <= now).order_by(webhooks.c.due_at).limit(limit)
        if self._connection.dialect.name != "sqlite":
            due = due.with_for_update(skip_locked=True)
        rows = list(await self._connection.execute(due))
        claimed = webhooks.c.run_id.in_([row.run_id for row in rows])
        await self._connection.execute(update(webhooks).where(claimed).values(due_at=until))
        return [Delivery(row.run_id, Webhook(row.url, row.secret), row.made_at, row.attempts) for row in rows]

    async def delivered(self, run_id: RunId) -> None:
        await self._connection.execute(delete(webhooks).where(webhooks.c.run_id == run_id))

    async def failed(self, run_id: RunId, *, due_at: datetime | None, attempts: int, error: str) -> None:
        """Args: due_at: when to try again; None gives it up, and keeps the row with its error for the operator."""
        values = {"due_at": due_at, "attempts": attempts, "last_error": error}
        await self._connection.execute(update(webhooks).where(webhooks.c.run_id == run_id).values(**values))
