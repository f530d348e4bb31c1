"""Interviews, and the requests that made them."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import InterviewId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.interviews.domain.interview import Interview, InterviewState
from opencode.modules.interviews.errors import CodeTaken
from opencode.modules.interviews.store.tables import BELONGING, interviews

_SHOWN = [column for column in interviews.columns if column.name not in ("last_seq", "assistant_head")]


class InterviewStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, interview_id: str, *, to_change: bool = False) -> Interview | None:
        """
        Args:
            to_change: nobody else changes the interview until this transaction is over.
        """
        query = select(*_SHOWN).where(interviews.c.id == interview_id)
        if to_change:
            query = query.with_for_update()
        return _interview((await self._connection.execute(query)).mappings().one_or_none())

    async def hold(self, interview_id: InterviewId) -> None:
        """Nobody else changes the interview until this transaction is over."""
        # Whoever may write to SQLite holds the whole file.
        if self._connection.dialect.name != "sqlite":
            query = select(interviews.c.id).where(interviews.c.id == interview_id)
            await self._connection.execute(query.with_for_update())

    async def find_by_code(self, code: str, now: datetime) -> Interview | None:
        """The interview that can be joined with this code now."""
        query = select(*_SHOWN).where(interviews.c.open_code == code, interviews.c.code_expires_at > now)
        return _interview((await self._connection.execute(query)).mappings().one_or_none())

    async def find_by_kept_code(self, code: str) -> Interview | None:
        """The newest interview that ever had this code."""
        query = select(*_SHOWN).where(interviews.c.code == code).order_by(interviews.c.created_at.desc()).limit(1)
        return _interview((await self._connection.execute(query)).mappings().one_or_none())

    async def page_of(self, interviewer_id: str, wanted: PageRequest) -> Page[Interview]:
        """Newest first."""
        query = select(*_SHOWN).where(interviews.c.interviewer_id == interviewer_id)
        query = newest_first(query, interviews.c.created_at, interviews.c.id, wanted)
        found = [Interview(**row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda interview: time_keys(interview.created_at, interview.id))

    async def add(self, interview: Interview) -> None:
        """
        Raises:
            CodeTaken: people join another interview with this code.
        """
        try:
            await self._connection.execute(insert(interviews).values(asdict(interview)))
        except IntegrityError:
            raise CodeTaken from None

    async def save(self, interview: Interview) -> None:
        await self._connection.execute(
            update(interviews).where(interviews.c.id == interview.id).values(asdict(interview))
        )

    async def delete(self, interview_id: InterviewId) -> None:
        """Delete it with everything that belongs to it."""
        for table in BELONGING:
            await self._connection.execute(delete(table).where(table.c.interview_id == interview_id))
        await self._connection.execute(delete(interviews).where(interviews.c.id == interview_id))

    async def overdue(self, now: datetime) -> list[InterviewId]:
        """Live interviews whose time is up."""
        query = select(interviews.c.id).where(interviews.c.state == InterviewState.LIVE, interviews.c.ends_at <= now)
        return list((await self._connection.execute(query)).scalars())

    async def any_expired_code(self, now: datetime) -> bool:
        query = select(interviews.c.id).where(interviews.c.open_code.is_not(None), interviews.c.code_expires_at <= now)
        return (await self._connection.execute(query.limit(1))).first() is not None

    async def free_expired_codes(self, now: datetime) -> None:
        """Give codes back that nobody can join with any more."""
        expired = (interviews.c.open_code.is_not(None), interviews.c.code_expires_at <= now)
        await self._connection.execute(update(interviews).where(*expired).values(open_code=None))

    async def count_live(self) -> int:
        query = select(func.count()).where(interviews.c.state == InterviewState.LIVE)
        return (await self._connection.execute(query)).scalar_one()


def _interview(row: RowMapping | None) -> Interview | None:
    return Interview(**row) if row else None
