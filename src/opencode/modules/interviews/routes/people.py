"""The people of an interview."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.views import ParticipantView
from opencode.modules.interviews.schemas import JoinedView, JoinRequest, OwnPlaceView
from opencode.modules.interviews.service.admission import Admission
from opencode.modules.interviews.service.joining import Joining


@post("/api/v1/join", operation_id="join_interview", summary="Come into the waiting room", tags=["Interviews"])
async def join_interview(
    data: JSONBody[JoinRequest], address: NamedDependency[str], joining: NamedDependency[Joining]
) -> JoinedView:
    joined = await joining.join(data.code, data.name, address=address)
    participant = ParticipantView.of(joined.participant)
    return JoinedView(joined.participant.interview_id, participant, joined.token)


class PeopleController(Controller):
    path = "/api/v1/interviews/{interview_id:str}"
    tags = ("Interviews",)

    @get("/me", operation_id="get_own_place", summary="Where one stands, also while waiting and afterwards")
    async def own_place(
        self, interview_id: FromPath[str], principal: NamedDependency[Principal], joining: NamedDependency[Joining]
    ) -> OwnPlaceView:
        return OwnPlaceView.of(*await joining.place_of(interview_id, principal))

    @post("/leave", operation_id="leave_interview", status_code=200, summary="Leave as a candidate")
    async def leave(
        self, interview_id: FromPath[str], principal: NamedDependency[Principal], admission: NamedDependency[Admission]
    ) -> ParticipantView:
        return ParticipantView.of(await admission.leave(interview_id, principal))

    @get("/participants", operation_id="list_participants", summary="List who joined, the interviewer first")
    async def list_participants(
        self,
        interview_id: FromPath[str],
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        admission: NamedDependency[Admission],
    ) -> PageView[ParticipantView]:
        found = await admission.people(interview_id, principal, page)
        return PageView([ParticipantView.of(person) for person in found.items], found.next_cursor)

    @post(
        "/participants/{participant_id:str}/admit",
        operation_id="admit_participant",
        status_code=200,
        summary="Let somebody in; the first admission starts the interview",
    )
    async def admit(
        self,
        interview_id: FromPath[str],
        participant_id: FromPath[str],
        principal: NamedDependency[Principal],
        admission: NamedDependency[Admission],
    ) -> ParticipantView:
        return ParticipantView.of(await admission.admit(interview_id, participant_id, principal))

    @post(
        "/participants/{participant_id:str}/decline",
        operation_id="decline_participant",
        status_code=200,
        summary="Send somebody away who waits",
    )
    async def decline(
        self,
        interview_id: FromPath[str],
        participant_id: FromPath[str],
        principal: NamedDependency[Principal],
        admission: NamedDependency[Admission],
    ) -> ParticipantView:
        return ParticipantView.of(await admission.decline(interview_id, participant_id, principal))

    @post(
        "/participants/{participant_id:str}/remove",
        operation_id="remove_participant",
        status_code=200,
        summary="Send somebody away who was let in, at once",
    )
    async def remove(
        self,
        interview_id: FromPath[str],
        participant_id: FromPath[str],
        principal: NamedDependency[Principal],
        admission: NamedDependency[Admission],
    ) -> ParticipantView:
        return ParticipantView.of(await admission.remove(interview_id, participant_id, principal))
