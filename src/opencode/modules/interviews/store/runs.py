"""Runs."""

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import InterviewId, RunId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.interviews.domain.run import Run, RunState
from opencode.modules.interviews.store.tables import runs


class RunStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, run_id: str) -> Run | None:
        row = (await self._connection.execute(select(runs).where(runs.c.id == run_id))).mappings().one_or_none()
        return Run(**row) if row else None

    async def page(self, interview_id: InterviewId, wanted: PageRequest) -> Page[Run]:
        """Newest first."""
        query = select(runs).where(runs.c.interview_id == interview_id)
        query = newest_first(query, runs.c.created_at, runs.c.id, wanted)
        found = [Run(**row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda run: time_keys(run.created_at, run.id))

    async def all(self, interview_id: InterviewId) -> list[Run]:
        """Oldest first."""
        query = select(runs).where(runs.c.interview_id == interview_id).order_by(runs.c.created_at, runs.c.id)
        return [Run(**row) for row in (await self._connection.execute(query)).mappings()]

    async def under_way(self, interview_id: InterviewId) -> list[Run]:
        query = select(runs).where(runs.c.interview_id == interview_id, runs.c.state != RunState.FINISHED)
        return [Run(**row) for row in (await self._connection.execute(query)).mappings()]

    async def count_under_way(self, interview_id: InterviewId) -> int:
        query = select(func.count()).where(runs.c.interview_id == interview_id, runs.c.state != RunState.FINISHED)
        return (await self._connection.execute(query)).scalar_one()

    async def lost(self, silent_since: datetime | None) -> list[Run]:
        """
        Runs that nobody drives any more.

        Args:
            silent_since: those not heard of since then; None for all that are not finished.
        """
        query = select(runs).where(runs.c.state.in_([RunState.QUEUED, RunState.RUNNING]))
        if silent_since is not None:
            query = query.where(runs.c.alive_at < silent_since)
        return [Run(**row) for row in (await self._connection.execute(query)).mappings()]

    async def add(self, run: Run) -> None:
        await self._connection.execute(insert(runs).values(_row(run)))

    async def save(self, run: Run) -> bool:
        """Save a run unless it is finished already, which is final. Says whether it was saved."""
        row = (runs.c.id == run.id, runs.c.state != RunState.FINISHED)
        values = _row(run)
        # What a run was made of never changes, and may be large.
        for name in ("id", "interview_id", "source", "stdin", "args", "terminal", "created_at", "alive_at"):
            del values[name]
        return (await self._connection.execute(update(runs).where(*row).values(values))).rowcount == 1

    async def still_driven(self, run_ids: Collection[RunId], at: datetime) -> None:
        await self._connection.execute(update(runs).where(runs.c.id.in_(run_ids)).values(alive_at=at))


def _row(run: Run) -> dict[str, Any]:
    return {field.name: getattr(run, field.name) for field in fields(run)}
