"""The summary after an interview."""

from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.summary import Read
from opencode.modules.interviews.domain.views import SummaryView
from opencode.modules.interviews.schemas import SummaryAcceptance, SummaryChange, SummaryPlaceView, SummaryWish
from opencode.modules.interviews.service.summarising import Summarising


class SummaryController(Controller):
    path = "/api/v1/interviews/{interview_id:str}/summary"
    tags = ("Interviews",)

    @get("/", operation_id="get_summary", summary="Read the summary, and who could draft one")
    async def get_summary(
        self,
        interview_id: FromPath[str],
        principal: NamedDependency[Principal],
        summarising: NamedDependency[Summarising],
    ) -> SummaryPlaceView:
        place = await summarising.place(interview_id, principal)
        summary = SummaryView.of(place.summary) if place.summary else None
        return SummaryPlaceView(summary, place.may_change, place.models)

    @post("/", operation_id="draft_summary", status_code=202, summary="Have a summary drafted by a model")
    async def draft(
        self,
        interview_id: FromPath[str],
        data: JSONBody[SummaryWish],
        principal: NamedDependency[Principal],
        summarising: NamedDependency[Summarising],
    ) -> SummaryView:
        drafted = await summarising.draft(interview_id, principal, model=data.model, replaces=data.replaces)
        return SummaryView.of(drafted)

    @put("/", operation_id="change_summary", summary="Change the draft")
    async def change(
        self,
        interview_id: FromPath[str],
        data: JSONBody[SummaryChange],
        principal: NamedDependency[Principal],
        summarising: NamedDependency[Summarising],
    ) -> SummaryView:
        return SummaryView.of(
            await summarising.change(interview_id, principal, data.text, Read(data.id, data.revision))
        )

    @delete("/", operation_id="discard_summary", summary="Discard the draft")
    async def discard(
        self,
        interview_id: FromPath[str],
        principal: NamedDependency[Principal],
        summarising: NamedDependency[Summarising],
        summary_id: Annotated[
            str | None,
            QueryParameter(name="id", max_length=40, description="the draft; whichever it is when not given"),
        ] = None,
    ) -> None:
        await summarising.discard(interview_id, principal, summary_id)

    @post("/accept", operation_id="accept_summary", status_code=200, summary="Make the summary part of the record")
    async def accept(
        self,
        interview_id: FromPath[str],
        data: JSONBody[SummaryAcceptance],
        principal: NamedDependency[Principal],
        summarising: NamedDependency[Summarising],
    ) -> SummaryView:
        return SummaryView.of(await summarising.accept(interview_id, principal, Read(data.id, data.revision)))
