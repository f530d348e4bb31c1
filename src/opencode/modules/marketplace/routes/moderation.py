"""Reports, appeals, and the moderators' queue."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.moderation import CaseKind, CaseState, SubjectKind
from opencode.modules.marketplace.schemas.moderation import (
    AppealBody,
    AppealView,
    CaseCardView,
    CaseView,
    DecisionBody,
    ReportBody,
    ReportView,
    WaitingView,
)
from opencode.modules.marketplace.service.moderating import Moderating
from opencode.modules.marketplace.service.reporting import Reporting


class ReportsController(Controller):
    path = "/api/v1"
    tags = ("Marketplace",)

    @post(
        "/projects/{slug:str}/reports",
        operation_id="report_project",
        summary="Tell moderators that something is wrong with a project",
    )
    async def report_project(
        self,
        slug: FromPath[str],
        data: JSONBody[ReportBody],
        principal: NamedDependency[Principal],
        reporting: NamedDependency[Reporting],
    ) -> ReportView:
        """One open report for each person and project. The owner never learns who it was."""
        return ReportView.of(await reporting.report(SubjectKind.PROJECT, slug, principal, data.reason, data.text))

    @post(
        "/reviews/{review_id:str}/reports",
        operation_id="report_review",
        summary="Tell moderators that something is wrong with a review",
    )
    async def report_review(
        self,
        review_id: FromPath[str],
        data: JSONBody[ReportBody],
        principal: NamedDependency[Principal],
        reporting: NamedDependency[Reporting],
    ) -> ReportView:
        """One open report for each person and review. Its author never learns who it was."""
        return ReportView.of(await reporting.report(SubjectKind.REVIEW, review_id, principal, data.reason, data.text))

    @post(
        "/users/{handle:str}/reports",
        operation_id="report_profile",
        summary="Tell moderators that something is wrong with a profile",
    )
    async def report_profile(
        self,
        handle: FromPath[str],
        data: JSONBody[ReportBody],
        principal: NamedDependency[Principal],
        reporting: NamedDependency[Reporting],
    ) -> ReportView:
        """One open report for each person and profile. Whose it is never learns who it was."""
        return ReportView.of(await reporting.report(SubjectKind.PROFILE, handle, principal, data.reason, data.text))

    @post(
        "/projects/{slug:str}/appeal",
        operation_id="appeal_for_project",
        summary="Ask for another decision about one's own project",
    )
    async def appeal_for_project(
        self,
        slug: FromPath[str],
        data: JSONBody[AppealBody],
        principal: NamedDependency[Principal],
        reporting: NamedDependency[Reporting],
    ) -> AppealView:
        """Once for each decision that keeps it out of sight."""
        case = await reporting.appeal(SubjectKind.PROJECT, slug, principal, data.text)
        return AppealView(data.text, case.opened_at)

    @post(
        "/reviews/{review_id:str}/appeal",
        operation_id="appeal_for_review",
        summary="Ask for another decision about one's own review",
    )
    async def appeal_for_review(
        self,
        review_id: FromPath[str],
        data: JSONBody[AppealBody],
        principal: NamedDependency[Principal],
        reporting: NamedDependency[Reporting],
    ) -> AppealView:
        """Once for each decision that keeps it out of sight."""
        case = await reporting.appeal(SubjectKind.REVIEW, review_id, principal, data.text)
        return AppealView(data.text, case.opened_at)

    @post(
        "/users/{handle:str}/appeal",
        operation_id="appeal_for_profile",
        summary="Ask for another decision about one's own profile",
    )
    async def appeal_for_profile(
        self,
        handle: FromPath[str],
        data: JSONBody[AppealBody],
        principal: NamedDependency[Principal],
        reporting: NamedDependency[Reporting],
    ) -> AppealView:
        """Once for each decision that keeps it out of sight."""
        case = await reporting.appeal(SubjectKind.PROFILE, handle, principal, data.text)
        return AppealView(data.text, case.opened_at)


@get(
    "/api/v1/moderation/waiting",
    operation_id="count_waiting_cases",
    summary="How many cases wait for a decision",
    tags=["Moderation"],
)
async def count_waiting_cases(
    principal: NamedDependency[Principal], moderating: NamedDependency[Moderating]
) -> WaitingView:
    return WaitingView(await moderating.waiting(principal))


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
