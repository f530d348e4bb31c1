"""Participants."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import time_keys
from opencode.kernel.ids import InterviewId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.interviews.domain.people import PRESENT, Part, Participant, Status
from opencode.modules.interviews.store.pages import oldest_first
from opencode.modules.interviews.store.tables import participants


class PeopleStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, interview_id: InterviewId, participant_id: str) -> Participant | None:
        query = select(participants).where(
            participants.c.interview_id == interview_id, participants.c.id == participant_id
        )
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return Participant(**row) if row else None

    async def page(self, interview_id: InterviewId, wanted: PageRequest) -> Page[Participant]:
        """In the order in which they came."""
        query = select(participants).where(participants.c.interview_id == interview_id)
        query = oldest_first(query, participants.c.joined_at, participants.c.id, wanted)
        found = [Participant(**row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda person: time_keys(person.joined_at, person.id))

    async def all(self, interview_id: InterviewId) -> list[Participant]:
        """In the order in which they came."""
        query = select(participants).where(participants.c.interview_id == interview_id)
        query = query.order_by(participants.c.joined_at, participants.c.id)
        return [Participant(**row) for row in (await self._connection.execute(query)).mappings()]

    async def present(self, interview_id: InterviewId) -> list[Participant]:
        """Those who wait or are let in, the interviewer among them."""
        return [person for person in await self.all(interview_id) if person.status in PRESENT]

    async def admitted_candidates(self, interview_id: InterviewId) -> list[Participant]:
        present = await self.present(interview_id)
        return [person for person in present if person.role is Part.CANDIDATE and person.status is Status.ADMITTED]

    async def count_waiting(self, interview_id: InterviewId) -> int:
        query = select(func.count()).where(
            participants.c.interview_id == interview_id, participants.c.status == Status.WAITING
        )
        return (await self._connection.execute(query)).scalar_one()

    async def add(self, participant: Participant) -> None:
        await self._connection.execute(insert(participants).values(asdict(participant)))

    async def save(self, participant: Participant) -> None:
        row = (participants.c.interview_id == participant.interview_id, participants.c.id == participant.id)
        await self._connection.execute(update(participants).where(*row).values(asdict(participant)))

    async def close_at_end(self, interview_id: InterviewId, *, dismiss_at: datetime) -> None:
        """The interview is over: nobody is online, whoever waits is not let in, all credentials end soon."""
        here = participants.c.interview_id == interview_id
        await self._connection.execute(update(participants).where(here).values(online=False))
        waiting = (here, participants.c.status == Status.WAITING)
        await self._connection.execute(update(participants).where(*waiting).values(status=Status.DECLINED))
        candidates = (here, participants.c.role == Part.CANDIDATE, participants.c.status.in_(_HOLDING_CREDENTIALS))
        await self._connection.execute(update(participants).where(*candidates).values(dismiss_at=dismiss_at))

    async def to_dismiss(self, now: datetime, *, limit: int) -> list[Participant]:
        """Candidates whose credentials are to end."""
        query = select(participants).where(participants.c.dismiss_at <= now).order_by(participants.c.dismiss_at)
        rows = (await self._connection.execute(query.limit(limit))).mappings()
        return [Participant(**row) for row in rows]

    async def dismissed(self, participant: Participant) -> None:
        row = (participants.c.interview_id == participant.interview_id, participants.c.id == participant.id)
        await self._connection.execute(update(participants).where(*row).values(dismiss_at=None))


# Whoever was removed or left before keeps the moment that was set for them then, or is dismissed already.
_HOLDING_CREDENTIALS = (Status.ADMITTED, Status.DECLINED)
