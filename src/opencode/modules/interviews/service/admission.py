"""Letting people in, sending them away, and their leaving by themselves."""

from dataclasses import replace
from datetime import timedelta

from opencode.contracts.collaboration import CloseReason
from opencode.contracts.interviews import ParticipantAdmitted
from opencode.infra.plugs import Parts
from opencode.kernel.ids import ParticipantId
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.interview import Interview
from opencode.modules.interviews.domain.people import Part, Participant, Status
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.errors import NotYours, ParticipantNotFound
from opencode.modules.interviews.policy import Action, Standing
from opencode.modules.interviews.service.base import Neighbours, UseCases, news_about
from opencode.modules.interviews.service.starting import go_live
from opencode.modules.interviews.service.steering import Steering
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.interviews.store import InterviewsWork

_NEWS = {
    Status.ADMITTED: EventType.PARTICIPANT_ADMITTED,
    Status.DECLINED: EventType.PARTICIPANT_DECLINED,
    Status.REMOVED: EventType.PARTICIPANT_REMOVED,
    Status.LEFT: EventType.PARTICIPANT_LEFT,
}


class Admission(UseCases):
    def __init__(self, parts: Parts, settings: InterviewsSettings, neighbours: Neighbours, steering: Steering) -> None:
        super().__init__(parts, settings, neighbours)
        self._steering = steering

    async def people(self, interview_id: str, by: Principal, wanted: PageRequest) -> Page[Participant]:
        """Everybody who joined, the interviewer first, in the order in which they came."""
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.SEE)
            return await stores.people.page(case.interview.id, wanted)

    async def admit(self, interview_id: str, participant_id: str, by: Principal) -> Participant:
        """Let somebody in who waits. The first admission starts an interview that has not started."""
        return await self._decide(interview_id, participant_id, by, Status.ADMITTED)

    async def decline(self, interview_id: str, participant_id: str, by: Principal) -> Participant:
        """Send somebody away who waits."""
        return await self._decide(interview_id, participant_id, by, Status.DECLINED)

    async def remove(self, interview_id: str, participant_id: str, by: Principal) -> Participant:
        """Send somebody away who was let in: their sockets are cut and their tickets dead when this returns."""
        return await self._decide(interview_id, participant_id, by, Status.REMOVED)

    async def leave(self, interview_id: str, by: Principal) -> Participant:
        """Go. Whoever is gone already, or sees the interview end, stays as they are."""
        async with self.changing(interview_id, by, Action.LEAVE) as (work, case):
            if case.me is None:
                raise ParticipantNotFound(by.id)
            if case.interview.is_over or case.standing is Standing.GONE:
                return case.me
            left = await self._move(work, case.interview, case.me, Status.LEFT)
        await self._after_move(case.interview, case.me, left, by)
        return left

    async def _decide(self, interview_id: str, participant_id: str, by: Principal, status: Status) -> Participant:
        async with self.changing(interview_id, by, Action.DECIDE) as (work, case):
            interview = case.interview
            before = await work.stores.people.find(interview.id, participant_id) if _usual(participant_id) else None
            if before is None:
                raise ParticipantNotFound(participant_id[:40])
            if before.role is Part.INTERVIEWER:
                raise NotYours("change the interviewer's own part", case.standing)
            if status is Status.ADMITTED:
                interview = await go_live(self, work, interview)
            after = await self._move(work, interview, before, status)
        await self._after_move(interview, before, after, by)
        return after

    async def _move(
        self, work: InterviewsWork, interview: Interview, before: Participant, status: Status
    ) -> Participant:
        at = self.clock.now()
        after = before.become(status, at)
        if after == before:
            return before
        if not after.is_present:
            after = replace(after, dismiss_at=at + timedelta(minutes=self.settings.goodbye_minutes))
        await work.stores.people.save(after)
        await work.say(interview.id, at, news_about(_NEWS[status], after))
        if status is Status.ADMITTED:
            participant_id = ParticipantId(after.id)
            work.publish(ParticipantAdmitted(interview_id=interview.id, participant_id=participant_id, admitted_at=at))
        return after

    async def _after_move(self, interview: Interview, before: Participant, after: Participant, by: Principal) -> None:
        if after.status is Status.ADMITTED:
            # Between their admission and this line somebody may have frozen the editor.
            await self._steering.apply_roles(interview)
        elif before.status is Status.ADMITTED or after == before:
            await self.documents.disconnect(interview.document_id, CloseReason.REVOKED, peer_id=after.id)
        if after != before:
            await self.identity.record(f"interview.participant_{after.status}", actor=by, subject_id=after.id)


def _usual(participant_id: str) -> bool:
    return participant_id.isascii() and participant_id.isprintable()
