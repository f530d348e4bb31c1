"""What all use cases share: their neighbours, their transactions, and how they find out who is asking."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from opencode.contracts.ai import Assistants
from opencode.contracts.collaboration import Documents
from opencode.contracts.execution import CodeRunner
from opencode.contracts.identity import Identity
from opencode.infra.plugs import Parts
from opencode.infra.security import Rate
from opencode.kernel.ids import is_id
from opencode.kernel.principal import Principal
from opencode.modules.interviews import policy
from opencode.modules.interviews.domain.interview import Interview
from opencode.modules.interviews.domain.people import Participant
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.domain.run import LOST_AFTER, Run
from opencode.modules.interviews.domain.views import InterviewView, ParticipantView, PersonView
from opencode.modules.interviews.errors import InterviewNotFound, InterviewRunNotFound, TooFast
from opencode.modules.interviews.policy import Action, Standing
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.interviews.store import InterviewsWork, News, Stores, reading

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The modules that interviews speak to. Never inside a transaction: they have transactions of their own."""

    identity: Identity
    documents: Documents
    runner: CodeRunner
    assistants: Assistants


@dataclass(frozen=True, slots=True)
class Case:
    """An interview, and what the person who asks is to it."""

    interview: Interview
    standing: Standing
    me: Participant | None


class UseCases:
    """Base of the module's use cases."""

    def __init__(self, parts: Parts, settings: InterviewsSettings, neighbours: Neighbours) -> None:
        self.parts = parts
        self.clock = parts.clock
        self.settings = settings
        self.identity = neighbours.identity
        self.documents = neighbours.documents
        self.runner = neighbours.runner
        self.assistants = neighbours.assistants

    def unit_of_work(self) -> InterviewsWork:
        return InterviewsWork(self.parts)

    def reading(self) -> AbstractAsyncContextManager[Stores]:
        return reading(self.parts.database)

    def silent_since(self, *, starting: bool) -> datetime | None:
        """
        What no server has kept alive since then is lost; None means whatever is open.

        Args:
            starting: this server drives nothing yet. With the embedded database there is no other server, so that
                all that is open is lost; with a shared one only what nobody keeps alive is.
        """
        alone = starting and self.parts.database.is_sqlite
        return None if alone else self.clock.now() - LOST_AFTER

    async def case(
        self, stores: Stores, interview_id: str, by: Principal, action: Action, *, to_change: bool = False
    ) -> Case:
        """
        Find the interview and check that `by` may do `action` to it now.

        Args:
            to_change: nobody else changes the interview or its people until the transaction is over.

        Raises:
            Unauthenticated, and whatever `policy.require` and `policy.require_permission` raise.
        """
        policy.require_somebody(by)
        interview = None
        if is_id(interview_id, "int"):
            interview = await stores.interviews.find(interview_id, to_change=to_change)
        if interview is None:
            raise InterviewNotFound(interview_id)
        me = await stores.people.find(interview.id, by.id)
        standing = policy.standing_of(by, interview, me)
        policy.require(action, standing, interview)
        policy.require_permission(action, by, standing)
        return Case(interview, standing, me)

    async def case_of_run(self, stores: Stores, run_id: str, by: Principal, action: Action) -> tuple[Case, Run]:
        """
        The same for a run. A run of an interview that `by` may not know of reads like no run at all.

        Raises:
            InterviewRunNotFound, and the others that `case` raises.
        """
        policy.require_somebody(by)
        run = await stores.runs.find(run_id) if is_id(run_id, "run") else None
        if run is None:
            raise InterviewRunNotFound(run_id)
        try:
            return await self.case(stores, run.interview_id, by, action), run
        except InterviewNotFound:
            raise InterviewRunNotFound(run_id) from None

    @asynccontextmanager
    async def changing(
        self, interview_id: str, by: Principal, action: Action
    ) -> AsyncGenerator[tuple[InterviewsWork, Case]]:
        """A transaction around one interview that nobody else changes meanwhile."""
        policy.require_somebody(by)
        async with self.unit_of_work() as work:
            yield work, await self.case(work.stores, interview_id, by, action, to_change=True)

    async def brake(self, what: str, by: Principal, attempts: int) -> None:
        """
        Args:
            what: in words, for the error and the count.

        Raises:
            TooFast: this person did it `attempts` times within this minute already.
        """
        if wait_s := await self.parts.limiter.attempt(f"interviews:{what}:{by.id}", Rate(attempts, MINUTE_S)):
            raise TooFast(what, wait_s)

    def shown(self, interview: Interview) -> InterviewView:
        return InterviewView.of(interview, self.clock.now())

    def news_of(self, event_type: EventType, interview: Interview) -> News:
        """News that carries the interview, such as that it started."""
        return News(event_type, {"interview": self.shown(interview)})


def news_about(event_type: EventType, participant: Participant) -> News:
    """News that carries a participant, such as that they were let in."""
    return News(event_type, {"participant": ParticipantView.of(participant)}, about=participant.id)


def person(by: Principal) -> PersonView:
    return PersonView(by.id, by.name)
