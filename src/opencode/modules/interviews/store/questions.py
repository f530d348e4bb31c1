"""Questions to the assistant."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import time_keys
from opencode.kernel.ids import InterviewId, QuestionId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.interviews.domain.assistant import Question, QuestionState
from opencode.modules.interviews.domain.people import Part
from opencode.modules.interviews.store.pages import oldest_first
from opencode.modules.interviews.store.tables import questions


class QuestionStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, interview_id: InterviewId, question_id: str) -> Question | None:
        query = select(questions).where(questions.c.interview_id == interview_id, questions.c.id == question_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return Question(**row) if row else None

    async def page(self, interview_id: InterviewId, wanted: PageRequest) -> Page[Question]:
        """Oldest first."""
        query = select(questions).where(questions.c.interview_id == interview_id)
        query = oldest_first(query, questions.c.asked_at, questions.c.id, wanted)
        found = [Question(**row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda question: time_keys(question.asked_at, question.id))

    async def last_answered(self, interview_id: InterviewId, count: int) -> list[Question]:
        """The last ones that were answered, oldest first."""
        query = select(questions).where(
            questions.c.interview_id == interview_id, questions.c.state == QuestionState.ANSWERED
        )
        query = query.order_by(questions.c.asked_at.desc(), questions.c.id.desc()).limit(count)
        return [Question(**row) for row in (await self._connection.execute(query)).mappings()][::-1]

    async def open(self, interview_id: InterviewId) -> list[Question]:
        """Those that are being answered."""
        query = select(questions).where(
            questions.c.interview_id == interview_id, questions.c.state == QuestionState.ANSWERING
        )
        return [Question(**row) for row in (await self._connection.execute(query)).mappings()]

    async def asked(self, interview_id: InterviewId) -> tuple[int, int]:
        """How many there are, and what their answers cost together, in billionths of a US dollar."""
        query = select(func.count(), func.coalesce(func.sum(questions.c.cost_nano), 0))
        row = (await self._connection.execute(query.where(questions.c.interview_id == interview_id))).one()
        return row[0], int(row[1])

    async def moments(self, interview_id: InterviewId) -> list[tuple[datetime, Part]]:
        """When something was asked, and by whose side; oldest first."""
        query = select(questions.c.asked_at, questions.c.asked_by_role).where(questions.c.interview_id == interview_id)
        rows = await self._connection.execute(query.order_by(questions.c.asked_at, questions.c.id))
        return [(asked_at, role) for asked_at, role in rows]

    async def lost(self, silent_since: datetime | None) -> list[Question]:
        """
        Questions for whose answers nobody waits any more.

        Args:
            silent_since: those not heard of since then; None for all that are open.
        """
        query = select(questions).where(questions.c.state == QuestionState.ANSWERING)
        if silent_since is not None:
            query = query.where(questions.c.alive_at < silent_since)
        return [Question(**row) for row in (await self._connection.execute(query)).mappings()]

    async def add(self, question: Question) -> None:
        await self._connection.execute(insert(questions).values(asdict(question)))

    async def is_open(self, question_id: QuestionId) -> bool:
        query = select(questions.c.id).where(
            questions.c.id == question_id, questions.c.state == QuestionState.ANSWERING
        )
        return (await self._connection.execute(query)).first() is not None

    async def finish(self, question: Question) -> bool:
        """Save the end of a question unless it has one already, which is final. Says whether it was saved."""
        values = asdict(question)
        ended = ("state", "answer", "cut", "failure", "answered_by", "input_tokens", "output_tokens", "cost_nano")
        row = (questions.c.id == question.id, questions.c.state == QuestionState.ANSWERING)
        changed = {name: values[name] for name in (*ended, "finished_at")}
        return (await self._connection.execute(update(questions).where(*row).values(changed))).rowcount == 1

    async def still_answered(self, question_ids: Collection[QuestionId], at: datetime) -> None:
        await self._connection.execute(update(questions).where(questions.c.id.in_(question_ids)).values(alive_at=at))
