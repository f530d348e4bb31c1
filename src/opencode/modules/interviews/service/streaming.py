"""The event stream of an interview: what was said, then what is being said, to whoever may hear it."""

from collections.abc import AsyncGenerator

from opencode.infra.plugs import Parts
from opencode.infra.pubsub import Listener, Listeners
from opencode.kernel.ids import InterviewId
from opencode.kernel.principal import Principal
from opencode.modules.interviews import policy
from opencode.modules.interviews.domain.records import ENDS_OF_DRAFT, PASSING, Said
from opencode.modules.interviews.domain.summary import Summary
from opencode.modules.interviews.errors import InterviewNotFound, TooManyStreams
from opencode.modules.interviews.policy import Action, Standing
from opencode.modules.interviews.service.base import Case, Neighbours, UseCases
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.interviews.store import topic_of

PAGE = 200
STREAMS_OF_ONE_PERSON = 20
LOOK_AGAIN_S = 15.0
"""Pub/sub delivers at most once. What it lost without noticing, the table tells within this time."""


class Streaming(UseCases):
    def __init__(self, parts: Parts, settings: InterviewsSettings, neighbours: Neighbours) -> None:
        super().__init__(parts, settings, neighbours)
        self._listeners = Listeners(Said)

    async def open(self, interview_id: str, by: Principal, *, after: int) -> AsyncGenerator[Said] | None:
        """
        Follow an interview's events from the one after number `after`, without a gap and without repeating.

        The stream ends after the last event that this person gets: the end of the interview, or of their part in it.
        None when they have that one already: there is nothing to come back for. After the interview, interviewers get
        what became of its summary, and follow a draft until its end while one is being written.

        Raises:
            Unauthenticated, InterviewNotFound, TooManyStreams
        """
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.WATCH)
            summary = await stores.summaries.find(case.interview.id)
        writing = summary is not None and summary.is_open and policy.hears_of_summary(case.standing)
        if (case.interview.is_over and not writing) or case.standing is Standing.GONE:
            rest = [said async for said in self._rest(case, by, after)]
            return _replay(rest) if rest else None
        if self._listeners.count(by.id) >= STREAMS_OF_ONE_PERSON:
            raise TooManyStreams(STREAMS_OF_ONE_PERSON)
        if summary and writing:
            return self._follow_draft(case, by, after, summary)
        return self._follow(case, by, after)

    def end_here(self, principal_id: str) -> None:
        """End the streams that this person holds open on this server; a page that may comes back by itself."""
        self._listeners.end_here(principal_id)

    def close(self) -> None:
        """End all streams: the server goes down, and pages go on elsewhere, after the event they have."""
        self._listeners.close()

    async def _rest(self, case: Case, by: Principal, after: int) -> AsyncGenerator[Said]:
        """What is left to tell when nothing new can come."""
        while page := await self._read(case.interview.id, after):
            for said in page:
                if policy.sees(case.standing, by.id, said, over=case.interview.is_over):
                    yield policy.event_seen(case.standing, said)
                if policy.is_last(said, by.id) and not policy.hears_of_summary(case.standing):
                    return
            after = page[-1].seq

    async def _follow(self, case: Case, by: Principal, after: int) -> AsyncGenerator[Said]:
        async with self.parts.pubsub.subscribe(topic_of(case.interview.id)) as subscription:
            with self._listeners.listening(by.id, subscription) as listener:
                async for said in self._all(case.interview.id, after, listener):
                    over = case.interview.is_over
                    seen = policy.sees(case.standing, by.id, said, over=over)
                    if policy.turns(said, by.id):
                        case = await self._look_again(case, by)
                        seen = seen or policy.sees(case.standing, by.id, said, over=over)
                    if seen:
                        yield policy.event_seen(case.standing, said)
                    if policy.is_last(said, by.id):
                        return

    async def _follow_draft(self, case: Case, by: Principal, after: int, draft: Summary) -> AsyncGenerator[Said]:
        async with self.parts.pubsub.subscribe(topic_of(case.interview.id)) as subscription:
            with self._listeners.listening(by.id, subscription) as listener:
                async for said in self._all(case.interview.id, after, listener):
                    yield said
                    if said.seq > draft.follows_seq and said.type in ENDS_OF_DRAFT:
                        return

    async def _all(self, interview_id: InterviewId, after: int, listener: Listener[Said]) -> AsyncGenerator[Said]:
        """
        Every event in the order of the numbers. The subscription is there before the table is read, so nothing falls
        between the two; a number that is missing means that the table knows more.
        """
        while not listener.ended:
            page = await self._read(interview_id, after)
            for said in page:
                after = said.seq
                yield said
            if len(page) == PAGE:
                continue
            while (said := await listener.hear(LOOK_AGAIN_S)) and said.seq <= after + 1:
                if said.seq == after + 1:
                    after = said.seq
                    yield said
                elif said.seq == PASSING:
                    yield said

    async def _read(self, interview_id: InterviewId, after: int) -> list[Said]:
        async with self.reading() as stores:
            return await stores.records.events_after(interview_id, after, limit=PAGE)

    async def _look_again(self, case: Case, by: Principal) -> Case:
        try:
            async with self.reading() as stores:
                return await self.case(stores, case.interview.id, by, Action.WATCH)
        except InterviewNotFound:
            return Case(case.interview, Standing.GONE, case.me)


async def _replay(rest: list[Said]) -> AsyncGenerator[Said]:
    for said in rest:
        yield said
