"""Answers `collaboration`: may this person enter the interview's document, and may they write?"""

from opencode.contracts.collaboration import Entry
from opencode.kernel.ids import is_id
from opencode.kernel.principal import Principal
from opencode.modules.interviews import policy
from opencode.modules.interviews.domain.interview import Interview
from opencode.modules.interviews.domain.people import Part, Participant
from opencode.modules.interviews.errors import InterviewNotFound
from opencode.modules.interviews.policy import Action, Standing
from opencode.modules.interviews.service.base import UseCases


class Gate(UseCases):
    """The `DocumentGate` of interviews; an audience is an interview's id."""

    async def enter(self, principal: Principal, audience: str) -> Entry:
        policy.require_somebody(principal)
        interview, me = await self._find(audience, principal.id)
        standing = policy.standing_of(principal, interview, me)
        entry = _entry(standing, interview, me)
        # A token that may only read is kept out of the editor: the ticket would not carry that it may not write.
        policy.require_permission(Action.RUN, principal, standing)
        if not interview.is_over:
            # Whoever opens the room will run something in it.
            self.runner.expect(interview.language)
        return entry

    async def enter_again(self, peer_id: str, audience: str) -> Entry:
        interview, me = await self._find(audience, peer_id)
        if me is None:
            raise InterviewNotFound(audience)
        standing = Standing.OWNER if me.role is Part.INTERVIEWER else policy.STANDING_OF_STATUS[me.status]
        return _entry(standing, interview, me)

    async def _find(self, audience: str, peer_id: str) -> tuple[Interview, Participant | None]:
        async with self.reading() as stores:
            interview = await stores.interviews.find(audience) if is_id(audience, "int") else None
            if interview is None:
                raise InterviewNotFound(audience)
            return interview, await stores.people.find(interview.id, peer_id)


def _entry(standing: Standing, interview: Interview, me: Participant | None) -> Entry:
    role = policy.document_role(standing, interview)
    if me is None:
        raise InterviewNotFound(interview.id)
    return Entry(peer_id=me.id, name=me.name, kind=me.role.value, colour=me.colour, role=role)
