"""Reports, appeals, and the moderators' queue."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.moderation import CaseKind, CaseState
from opencode.modules.marketplace.schemas.moderation import (
    AppealBody,
    AppealView,
    CaseCardView,
    CaseView,
    DecisionBody,
    ReportBody,
    ReportView,
)
from opencode.modules.marketplace.service.moderating import Moderating


@post(
    "/api/v1/projects/{slug:str}/reports",
    operation_id="report_project",
    summary="Tell moderators that something is wrong with a project",
    tags=["Marketplace"],
)
async def report_project(
    slug: FromPath[str],
    data: JSONBody[ReportBody],
    principal: NamedDependency[Principal],
    moderating: NamedDependency[Moderating],
) -> ReportView:
    """One open report for each person and project. The owner never learns who it was."""
    return ReportView.of(await moderating.report_project(slug, principal, data.reason, data.text))


@post(
    "/api/v1/projects/{slug:str}/appeal",
    operation_id="appeal_for_project",
    summary="Ask for another decision about one's own project",
    tags=["Marketplace"],
)
async def appeal_for_project(
    slug: FromPath[str],
    data: JSONBody[AppealBody],
    principal: NamedDependency[Principal],
    moderating: NamedDependency[Moderating],
) -> AppealView:
    """Once for each decision that keeps it out of sight."""
    case = await moderating.appeal(slug, principal, data.text)
    return AppealView(data.text, case.opened_at)


class CasesController(Controller):
    path = "/api/v1/moderation/cases"
    tags = ("Moderation",)

    @get("/", operation_id="list_cases", summary="The moderators' queue, opened last first")
    async def list_all(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        moderating: NamedDependency[Moderating],
        having: Annotated[
            CaseState | None, QueryParameter(name="state", description="those that wait, or those decided")
        ] = None,
        kind: Annotated[CaseKind | None, QueryParameter(description="why it was opened last")] = None,
    ) -> PageView[CaseCardView]:
        found = await moderating.page(principal, page, state=having, kind=kind)
        return PageView([CaseCardView.of(shown) for shown in found.items], found.next_cursor)

    @get("/{case_id:str}", operation_id="get_case", summary="A case with its reports and its history")
    async def get_one(
        self, case_id: FromPath[str], principal: NamedDependency[Principal], moderating: NamedDependency[Moderating]
    ) -> CaseView:
        return CaseView.of(await moderating.look(case_id, principal))

    @post("/{case_id:str}/decide", operation_id="decide_case", summary="Decide a case", status_code=200)
    async def decide(
        self,
        case_id: FromPath[str],
        data: JSONBody[DecisionBody],
        principal: NamedDependency[Principal],
        moderating: NamedDependency[Moderating],
    ) -> CaseView:
        """
        `restore`, and `remove` after `quarantine`, are possible later, too. Who owns or reported the subject, or has
        decided what an appeal is against, leaves it to another moderator, if there is one.
        """
        return CaseView.of(await moderating.decide(case_id, principal, data.decision, data.reason))
