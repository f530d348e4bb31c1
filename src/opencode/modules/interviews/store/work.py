"""One transaction of this module: its stores, and what is said on the event stream of an interview."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import Database, RequestStore, UnitOfWork
from opencode.infra.plugs import Parts
from opencode.infra.pubsub import PubSub
from opencode.kernel.ids import InterviewId
from opencode.modules.interviews.domain.chain import HASH, link
from opencode.modules.interviews.domain.records import CHAINED, PASSING, Audience, EventType, Said
from opencode.modules.interviews.errors import KeyReused
from opencode.modules.interviews.store.interviews import InterviewStore
from opencode.modules.interviews.store.people import PeopleStore
from opencode.modules.interviews.store.questions import QuestionStore
from opencode.modules.interviews.store.records import RecordStore
from opencode.modules.interviews.store.runs import RunStore
from opencode.modules.interviews.store.summaries import SummaryStore
from opencode.modules.interviews.store.tables import requests

log = structlog.get_logger(__name__)


class Stores:
    """All stores of the module on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.interviews = InterviewStore(connection)
        self.requests = RequestStore(connection, requests, KeyReused)
        self.people = PeopleStore(connection)
        self.runs = RunStore(connection)
        self.questions = QuestionStore(connection)
        self.summaries = SummaryStore(connection)
        self.records = RecordStore(connection)


@asynccontextmanager
async def reading(database: Database) -> AsyncGenerator[Stores]:
    """Stores for looking only; nothing is locked."""
    async with database.read() as connection:
        yield Stores(connection)


@dataclass(frozen=True, slots=True)
class News:
    """
    Something to say on the stream: what it is, and the JSON object that it adds to `type` and `at`.

    Attributes:
        about: the participant, run, question or summary that it concerns.
    """

    type: EventType
    adds: dict[str, object]
    about: str = ""
    audience: Audience = Audience.ALL


class InterviewsWork(UnitOfWork):
    """A unit of work with this module's stores; what was said in it reaches open streams once it is committed."""

    stores: Stores

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.database, parts.clock, wake=parts.wake_relay)
        self._pubsub = parts.pubsub
        self._said: list[Said] = []

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.stores = Stores(self.connection)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        if kind is None:
            await self._tell_open_streams()

    async def say(self, interview_id: InterviewId, at: datetime, *news: News) -> bool:
        """Add events to the interview's stream. False when there is no such interview (any more)."""
        last = await self.stores.records.number(interview_id, len(news))
        if last is None:
            return False
        first = last - len(news) + 1
        said = [_said(interview_id, seq, at, item) for seq, item in enumerate(news, start=first)]
        if any(item.type in CHAINED for item in news):
            said = await self._chained(interview_id, said)
        await self.stores.records.add_events(said)
        self._said += said
        return True

    async def _chained(self, interview_id: InterviewId, said: list[Said]) -> list[Said]:
        """Entries of the assistant's record carry the hash of the one before; whoever has the numbers has the head."""
        head = await self.stores.records.head(interview_id)
        chained: list[Said] = []
        for each in said:
            if each.type in CHAINED:
                entry = link(msgspec.json.decode(each.data, type=dict[str, Any]), head)
                head = str(entry[HASH])
                each = replace(each, data=msgspec.json.encode(entry).decode())
            chained.append(each)
        await self.stores.records.set_head(interview_id, head)
        return chained

    async def _tell_open_streams(self) -> None:
        for said in self._said:
            try:
                await self._pubsub.publish(topic_of(said.interview_id), msgspec.msgpack.encode(said))
            except Exception:
                # The events are saved. Streams find them when they next look at the table, so this is no failure
                # of what the person did.
                log.exception("event could not be published", interview_id=said.interview_id, seq=said.seq)
                return


async def tell_in_passing(pubsub: PubSub, interview_id: InterviewId, at: datetime, news: News) -> None:
    """Say something to those who listen now; nobody who comes later needs it, so it is not stored."""
    said = _said(interview_id, PASSING, at, news)
    await pubsub.publish(topic_of(interview_id), msgspec.msgpack.encode(said))


def _said(interview_id: InterviewId, seq: int, at: datetime, news: News) -> Said:
    return Said(
        interview_id=interview_id,
        seq=seq,
        at=at,
        type=news.type,
        audience=news.audience,
        about=news.about,
        data=msgspec.json.encode({"type": news.type, "at": at, **news.adds}).decode(),
    )


def topic_of(interview_id: str) -> str:
    """Where the events of an interview are published."""
    return f"interviews.events.{interview_id}"
