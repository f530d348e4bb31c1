"""Chat, signals, and the events of the stream."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import InterviewId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.interviews.domain.records import CHAINED, EventType, Message, Said, Signal
from opencode.modules.interviews.store.pages import oldest_first
from opencode.modules.interviews.store.tables import events, interviews, messages, signals


class RecordStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_message(self, message: Message) -> None:
        await self._connection.execute(insert(messages).values(asdict(message)))

    async def messages(self, interview_id: InterviewId, wanted: PageRequest) -> Page[Message]:
        """Oldest first."""
        query = select(messages).where(messages.c.interview_id == interview_id)
        query = oldest_first(query, messages.c.at, messages.c.id, wanted)
        found = [Message(**row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda message: time_keys(message.at, message.id))

    async def all_messages(self, interview_id: InterviewId) -> list[Message]:
        query = select(messages).where(messages.c.interview_id == interview_id).order_by(messages.c.at, messages.c.id)
        return [Message(**row) for row in (await self._connection.execute(query)).mappings()]

    async def add_signals(self, observed: Sequence[Signal]) -> None:
        await self._connection.execute(insert(signals), [asdict(signal) for signal in observed])

    async def signals(self, interview_id: InterviewId, wanted: PageRequest) -> Page[Signal]:
        """Newest first."""
        query = select(signals).where(signals.c.interview_id == interview_id)
        query = newest_first(query, signals.c.at, signals.c.id, wanted)
        found = [Signal(**row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda signal: time_keys(signal.at, signal.id))

    async def all_signals(self, interview_id: InterviewId) -> list[Signal]:
        query = select(signals).where(signals.c.interview_id == interview_id).order_by(signals.c.at, signals.c.id)
        return [Signal(**row) for row in (await self._connection.execute(query)).mappings()]

    async def number(self, interview_id: InterviewId, count: int) -> int | None:
        """
        Take the next `count` event numbers; the last of them, or None when there is no such interview. Until this
        transaction ends nobody else gets numbers, so that events become visible in the order of their numbers.
        """
        taken = (
            update(interviews)
            .where(interviews.c.id == interview_id)
            .values(last_seq=interviews.c.last_seq + count)
            .returning(interviews.c.last_seq)
        )
        return (await self._connection.execute(taken)).scalar_one_or_none()

    async def head(self, interview_id: InterviewId) -> str:
        """The hash of the last entry of the assistant's record; empty before the first."""
        query = select(interviews.c.assistant_head).where(interviews.c.id == interview_id)
        return (await self._connection.execute(query)).scalar_one_or_none() or ""

    async def set_head(self, interview_id: InterviewId, head: str) -> None:
        await self._connection.execute(
            update(interviews).where(interviews.c.id == interview_id).values(assistant_head=head)
        )

    async def entries(self, interview_id: InterviewId) -> list[str]:
        """The assistant's record: the data of its entries, in order."""
        query = select(events.c.data).where(events.c.interview_id == interview_id, events.c.type.in_(CHAINED))
        return list((await self._connection.execute(query.order_by(events.c.seq))).scalars())

    async def pieces_of(self, interview_id: InterviewId, about: str) -> list[tuple[int, str]]:
        """The pieces of an answer or a draft, in order: their numbers in the stream, and their data."""
        query = select(events.c.seq, events.c.data).where(
            events.c.interview_id == interview_id,
            events.c.about == about,
            events.c.type.in_((EventType.ASSISTANT_ANSWERED, EventType.SUMMARY_WRITTEN)),
        )
        return [(seq, data) for seq, data in await self._connection.execute(query.order_by(events.c.seq))]

    async def add_events(self, said: Sequence[Said]) -> None:
        await self._connection.execute(insert(events), [asdict(event) for event in said])

    async def events_after(self, interview_id: InterviewId, seq: int, *, limit: int) -> list[Said]:
        query = select(events).where(events.c.interview_id == interview_id, events.c.seq > seq)
        rows = (await self._connection.execute(query.order_by(events.c.seq).limit(limit))).mappings()
        return [Said(**row) for row in rows]

    async def last_seq(self, interview_id: InterviewId) -> int:
        query = select(interviews.c.last_seq).where(interviews.c.id == interview_id)
        return (await self._connection.execute(query)).scalar_one_or_none() or 0

    async def output_of(self, interview_id: InterviewId, run_id: str) -> list[str]:
        """The data of a run's output events, in order."""
        query = select(events.c.data).where(
            events.c.interview_id == interview_id, events.c.about == run_id, events.c.type == EventType.RUN_OUTPUT
        )
        return list((await self._connection.execute(query.order_by(events.c.seq))).scalars())
