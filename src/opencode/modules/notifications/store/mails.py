"""Mails that are to be sent, and what became of them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.kernel.ids import MailId, UserId
from opencode.modules.notifications.domain.mails import Mail, MailState
from opencode.modules.notifications.store.tables import mails


class MailStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, new: Iterable[Mail]) -> None:
        rows = [{**_row(mail), "state": MailState.WAITING, "last_error": ""} for mail in new]
        await self._connection.execute(insert(mails), rows)

    async def digests(self, user_ids: Collection[UserId], digest_at: datetime) -> dict[UserId, MailId]:
        """The daily mails of these people that leave at that moment."""
        query = select(mails.c.user_id, mails.c.id).where(mails.c.digest_at == digest_at, mails.c.user_id.in_(user_ids))
        return {UserId(row.user_id): MailId(row.id) for row in await self._connection.execute(query)}

    async def soonest(self) -> datetime | None:
        """When the next one is due."""
        query = select(func.min(mails.c.due_at)).where(mails.c.due_at.is_not(None))
        return (await self._connection.execute(query)).scalar()

    async def claim(self, now: datetime, until: datetime, *, limit: int) -> list[Mail]:
        """Take what is due. Whoever takes it and dies leaves it due again at `until`."""
        due = select(mails).where(mails.c.due_at <= now).order_by(mails.c.due_at).limit(limit)
        if self._connection.dialect.name != "sqlite":
            due = due.with_for_update(skip_locked=True)
        rows = list(await self._connection.execute(due))
        claimed = mails.c.id.in_([row.id for row in rows])
        await self._connection.execute(update(mails).where(claimed).values(due_at=until))
        return [Mail(**{name: getattr(row, name) for name in Mail.__dataclass_fields__}) for row in rows]

    async def settle(self, mail_id: MailId, state: MailState, *, error: str = "") -> None:
        await self._set(mail_id, state=state, due_at=None, last_error=error)

    async def failed(self, mail_id: MailId, *, due_at: datetime, attempts: int, error: str) -> None:
        await self._set(mail_id, due_at=due_at, attempts=attempts, last_error=error)

    async def forget_before(self, moment: datetime, *, limit: int) -> bool:
        """Delete settled mails that were made before that moment. Returns whether there were any."""
        old = select(mails.c.id).where(mails.c.made_at < moment, mails.c.due_at.is_(None)).limit(limit)
        gone = await self._connection.execute(delete(mails).where(mails.c.id.in_(old.scalar_subquery())))
        return bool(gone.rowcount)

    async def _set(self, mail_id: MailId, **values: Any) -> None:
        await self._connection.execute(update(mails).where(mails.c.id == mail_id).values(values))


def _row(mail: Mail) -> dict[str, Any]:
    return {name: getattr(mail, name) for name in Mail.__dataclass_fields__}
