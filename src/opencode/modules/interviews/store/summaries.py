"""Summaries of interviews, and their drafts."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.kernel.ids import InterviewId, SummaryId
from opencode.modules.interviews.domain.summary import Summary, SummaryState
from opencode.modules.interviews.store.tables import summaries


class SummaryStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, interview_id: InterviewId) -> Summary | None:
        query = select(summaries).where(summaries.c.interview_id == interview_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return Summary(**row) if row else None

    async def put(self, summary: Summary) -> None:
        """The interview's summary from now on, in place of any other."""
        await self.remove(summary.interview_id)
        await self._connection.execute(insert(summaries).values(asdict(summary)))

    async def remove(self, interview_id: InterviewId) -> None:
        await self._connection.execute(delete(summaries).where(summaries.c.interview_id == interview_id))

    async def is_open(self, summary_id: SummaryId) -> bool:
        query = select(summaries.c.id).where(summaries.c.id == summary_id, summaries.c.state == SummaryState.WRITING)
        return (await self._connection.execute(query)).first() is not None

    async def finish(self, summary: Summary) -> bool:
        """Save the end of a draft unless it has one already, which is final. Says whether it was saved."""
        row = (summaries.c.id == summary.id, summaries.c.state == SummaryState.WRITING)
        return (await self._connection.execute(update(summaries).where(*row).values(asdict(summary)))).rowcount == 1

    async def lost(self, silent_since: datetime | None) -> list[Summary]:
        """
        Drafts for which nobody waits any more.

        Args:
            silent_since: those not heard of since then; None for all that are open.
        """
        query = select(summaries).where(summaries.c.state == SummaryState.WRITING)
        if silent_since is not None:
            query = query.where(summaries.c.alive_at < silent_since)
        return [Summary(**row) for row in (await self._connection.execute(query)).mappings()]

    async def still_written(self, summary_ids: Collection[SummaryId], at: datetime) -> None:
        await self._connection.execute(update(summaries).where(summaries.c.id.in_(summary_ids)).values(alive_at=at))
