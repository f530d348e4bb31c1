"""Joining with a code, and knowing where one stands."""

from dataclasses import dataclass

from opencode.infra.security import Rate
from opencode.kernel.addresses import network_of
from opencode.kernel.ids import ParticipantId, new_id
from opencode.kernel.principal import ANONYMOUS, Principal
from opencode.modules.interviews.domain.interview import Interview
from opencode.modules.interviews.domain.people import Part, Participant, Status, colour_for_candidate, distinct_name
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.domain.words import MAX_NAME, clean_line
from opencode.modules.interviews.errors import CodeNotKnown, JoinThrottled, ParticipantNotFound, WaitingRoomFull
from opencode.modules.interviews.policy import Action
from opencode.modules.interviews.service.base import MINUTE_S, UseCases, news_about

_FAILURES = "interviews:join:failures"
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Joined:
    """A person in the waiting room, and the secret that they show from now on."""

    participant: Participant
    token: str


class Joining(UseCases):
    async def join(self, code: str, name: str, *, address: str) -> Joined:
        """
        Come into the waiting room of the interview with this code.

        A guesser learns nothing: whether a code never was, has expired or belongs to an ended interview, one query
        finds nothing and one answer says so; and an attempt that is throttled never gets as far as the code.

        Raises:
            JoinThrottled: too many attempts from this address, or too many wrong codes from all of them.
            CodeNotKnown, WaitingRoomFull, TextRefused
        """
        name = clean_line(name, "/name", longest=MAX_NAME)
        await self._brake_guessing(address)
        interview = await self._find(code)
        if interview is None:
            await self.parts.limiter.attempt(_FAILURES, self._failure_rate)
            raise CodeNotKnown
        participant_id = ParticipantId(new_id("par"))
        credential = await self.identity.admit_guest(
            participant_id, name=name, audience=interview.id, lifetime_s=self.settings.guest_hours * _HOUR_S
        )
        try:
            participant = await self._enter_waiting_room(interview, participant_id, name)
        except BaseException:
            await self.identity.dismiss_guest(participant_id)
            raise
        return Joined(participant, credential.token)

    async def place_of(self, interview_id: str, by: Principal) -> tuple[Participant, Interview]:
        """Where somebody stands; also for those who wait, or are gone and want to know why."""
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.SEE_ONESELF)
        if case.me is None:
            raise ParticipantNotFound(by.id)
        return case.me, case.interview

    @property
    def _failure_rate(self) -> Rate:
        return Rate(self.settings.join_failures_per_minute, MINUTE_S)

    async def _brake_guessing(self, address: str) -> None:
        limiter = self.parts.limiter
        own = Rate(self.settings.join_attempts_per_minute, MINUTE_S)
        wait_s = await limiter.attempt(f"interviews:join:{network_of(address)}", own)
        wait_s = wait_s or await limiter.waiting(_FAILURES, self._failure_rate)
        if wait_s:
            await self.identity.record("interview.join_throttled", actor=ANONYMOUS, detail=f"from {address}")
            raise JoinThrottled(wait_s)

    async def _find(self, code: str) -> Interview | None:
        async with self.reading() as stores:
            return await stores.interviews.find_by_code(code, self.clock.now())

    async def _enter_waiting_room(self, found: Interview, participant_id: ParticipantId, name: str) -> Participant:
        now = self.clock.now()
        async with self.unit_of_work() as work:
            # Asked again under the lock: the interview may have ended in between.
            interview = await work.stores.interviews.find(found.id, to_change=True)
            if interview is None or interview.joinable_code(now) is None:
                raise CodeNotKnown
            present = await work.stores.people.present(interview.id)
            if sum(person.status is Status.WAITING for person in present) >= self.settings.waiting_people:
                raise WaitingRoomFull(self.settings.waiting_people)
            participant = Participant(
                id=participant_id,
                interview_id=interview.id,
                name=distinct_name(name, present, longest=MAX_NAME),
                role=Part.CANDIDATE,
                status=Status.WAITING,
                colour=colour_for_candidate(present),
                joined_at=now,
            )
            await work.stores.people.add(participant)
            await work.say(interview.id, now, news_about(EventType.PARTICIPANT_JOINED, participant))
        return participant
