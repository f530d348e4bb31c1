"""Inboxes and the notices in them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.kernel.ids import UserId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.notifications.domain.notices import Notice, NoticeState
from opencode.modules.notifications.store.tables import inboxes, notices

_IN_THE_INBOX = notices.c.state == NoticeState.KEPT


@dataclass(frozen=True, slots=True)
class Standing:
    """How an inbox stands: the number of its latest notice, and how many are unread."""

    last_seq: int
    unread: int


class NoticeStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, user_ids: Collection[UserId]) -> None:
        """Until the transaction ends nobody else gives any of these people a notice, or changes what they chose."""
        ordered = sorted(user_ids)
        inserted = sqlite.insert(inboxes) if self._connection.dialect.name == "sqlite" else postgresql.insert(inboxes)
        rows = [{"user_id": user_id, "last_seq": 0} for user_id in ordered]
        await self._connection.execute(inserted.on_conflict_do_nothing(), rows)
        # Locked in one order, whoever asks: two events for the same people must not wait for each other.
        mine = select(inboxes.c.user_id).where(inboxes.c.user_id.in_(ordered)).order_by(inboxes.c.user_id)
        await self._connection.execute(mine.with_for_update())

    async def without(self, key: str, user_ids: Collection[UserId]) -> list[UserId]:
        """
        Those of these people, whose inboxes are locked, who have no notice with this key yet: of two processes that
        were handed one event, the second sees what the first has done.
        """
        told = select(notices.c.user_id).where(notices.c.key == key, notices.c.user_id.in_(user_ids))
        have = set((await self._connection.execute(told)).scalars())
        return [user_id for user_id in sorted(user_ids) if user_id not in have]

    async def next_numbers(self, user_ids: Collection[UserId]) -> dict[UserId, int]:
        """Count one more notice for each; their inboxes are locked."""
        counted = update(inboxes).where(inboxes.c.user_id.in_(user_ids)).values(last_seq=inboxes.c.last_seq + 1)
        rows = await self._connection.execute(counted.returning(inboxes.c.user_id, inboxes.c.last_seq))
        return {UserId(row.user_id): row.last_seq for row in rows}

    async def add(self, key: str, new: Iterable[Notice], made_at: datetime) -> None:
        rows = [{**_row(notice), "key": key, "made_at": made_at} for notice in new]
        await self._connection.execute(insert(notices), rows)

    async def page(self, user_id: str, page: PageRequest, *, unread: bool | None) -> Page[Notice]:
        """What is in somebody's inbox, the latest first. Args: unread: only those that are, or that are not."""
        query = select(notices).where(notices.c.user_id == user_id, _IN_THE_INBOX)
        if unread is not None:
            query = query.where(notices.c.read_at.is_(None) if unread else notices.c.read_at.is_not(None))
        if position := page.position(int):
            query = query.where(notices.c.seq < position[0])
        query = query.order_by(notices.c.seq.desc()).limit(page.limit + 1)
        found = [_notice(row) for row in await self._connection.execute(query)]
        return Page.cut(found, page.limit, lambda notice: (notice.seq,))

    async def after(self, user_id: str, seq: int, *, limit: int) -> list[Notice]:
        """What came into somebody's inbox after that number, in order."""
        query = select(notices).where(notices.c.user_id == user_id, _IN_THE_INBOX, notices.c.seq > seq)
        rows = await self._connection.execute(query.order_by(notices.c.seq).limit(limit))
        return [_notice(row) for row in rows]

    async def find(self, user_id: str, notice_id: str) -> Notice | None:
        """What is in somebody's inbox under this id."""
        query = select(notices).where(notices.c.id == notice_id, notices.c.user_id == user_id, _IN_THE_INBOX)
        row = (await self._connection.execute(query)).one_or_none()
        return _notice(row) if row else None

    async def of_mail(self, mail_id: str) -> list[Notice]:
        """What a mail is to tell, in order."""
        query = select(notices).where(notices.c.mail_id == mail_id, notices.c.state != NoticeState.DELETED)
        return [_notice(row) for row in await self._connection.execute(query.order_by(notices.c.seq))]

    async def standing(self, user_id: str) -> Standing:
        last = select(inboxes.c.last_seq).where(inboxes.c.user_id == user_id)
        last_seq = (await self._connection.execute(last)).scalar_one_or_none()
        if not last_seq:
            return Standing(0, 0)
        unread = select(func.count()).where(notices.c.user_id == user_id, _IN_THE_INBOX, notices.c.read_at.is_(None))
        return Standing(last_seq, (await self._connection.execute(unread)).scalar_one())

    async def mark_read(self, user_id: str, notice_ids: Sequence[str], now: datetime) -> bool:
        """Whether any of them was unread."""
        return await self._mark(user_id, now, notices.c.id.in_(notice_ids))

    async def mark_all_read(self, user_id: str, now: datetime, *, up_to: int | None) -> bool:
        """Args: up_to: the last number that counts. Returns whether any was unread."""
        return await self._mark(user_id, now, *([] if up_to is None else [notices.c.seq <= up_to]))

    async def delete(self, user_id: str, notice_id: str) -> bool:
        """Take a notice out of the inbox; its words go, its key stays."""
        gone = {"state": NoticeState.DELETED, "title": "", "body": "", "path": "/"}
        mine = notices.c.id == notice_id, notices.c.user_id == user_id, _IN_THE_INBOX
        return bool((await self._connection.execute(update(notices).where(*mine).values(gone))).rowcount)

    async def forget_before(self, moment: datetime, *, limit: int) -> bool:
        """Delete notices that were made before that moment. Returns whether there were any."""
        old = select(notices.c.id).where(notices.c.made_at < moment).limit(limit).scalar_subquery()
        return bool((await self._connection.execute(delete(notices).where(notices.c.id.in_(old)))).rowcount)

    async def _mark(self, user_id: str, now: datetime, *which: ColumnElement[bool]) -> bool:
        unread = notices.c.user_id == user_id, _IN_THE_INBOX, notices.c.read_at.is_(None), *which
        return bool((await self._connection.execute(update(notices).where(*unread).values(read_at=now))).rowcount)


def _notice(row: Any) -> Notice:
    return Notice(**{name: getattr(row, name) for name in Notice.__dataclass_fields__})


def _row(notice: Notice) -> dict[str, Any]:
    return {name: getattr(notice, name) for name in Notice.__dataclass_fields__}
