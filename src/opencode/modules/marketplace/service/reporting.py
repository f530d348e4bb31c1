"""
What people tell moderators: that something is wrong with what others publish, and that a decision about their own is.

Only moderators learn who reported something, and not even they when it is about what they own themselves.
"""

from opencode.contracts.notifications import NoticeKind
from opencode.infra.security import Rate
from opencode.kernel.ids import UserId, is_id, new_id
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.moderation import (
    Case,
    CaseKind,
    Report,
    ReportReason,
    StepKind,
    Subject,
    reason_problems,
    report_problems,
)
from opencode.modules.marketplace.domain.review import Review
from opencode.modules.marketplace.errors import AppealedAlready, ReportedAlready, ReportsTooFast, ReviewNotFound
from opencode.modules.marketplace.policy import Action, WordsAction
from opencode.modules.marketplace.service.base import UseCases, require_good, subject_of
from opencode.modules.marketplace.service.cases import open_case, step_of, tell
from opencode.modules.marketplace.service.subjects import profile_subject, review_subject
from opencode.modules.marketplace.store import MarketplaceWork, Stores

_HOUR_S = 3600


class Reporting(UseCases):
    async def report_project(self, slug: str, by: Principal, reason: ReportReason, text: str) -> Report:
        """
        Tell moderators that something is wrong with a project.

        Raises:
            ProjectNotFound, Unauthenticated, OwnReport, ReportedAlready, ReportsTooFast, ProjectRefused
        """
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
        policy.require(Action.REPORT, by, project)
        return await self._report(subject_of(project), by, reason, text)

    async def report_review(self, review_id: str, by: Principal, reason: ReportReason, text: str) -> Report:
        """
        Raises:
            ReviewNotFound, Unauthenticated, OwnReport, ReportedAlready, ReportsTooFast, ProjectRefused
        """
        policy.require_account(by)
        async with self.reading() as stores:
            review, subject = await self._review(stores, review_id, by)
        policy.require_with_words(WordsAction.REPORT, by, review.author_id, review.hold, subject.name)
        return await self._report(subject, by, reason, text)

    async def report_profile(self, handle: str, by: Principal, reason: ReportReason, text: str) -> Report:
        """
        Raises:
            ProfileNotFound, Unauthenticated, OwnReport, WordsHeld, ReportedAlready, ReportsTooFast, ProjectRefused
        """
        async with self.reading() as stores:
            profile = await self.person(stores, handle)
        subject = profile_subject(profile)
        policy.require_with_words(WordsAction.REPORT, by, profile.user_id, profile.hold, subject.name)
        return await self._report(subject, by, reason, text)

    async def _report(self, subject: Subject, by: Principal, reason: ReportReason, text: str) -> Report:
        """
        The same report again is the one before.

        Raises:
            ReportedAlready, ReportsTooFast, ProjectRefused
        """
        require_good(report_problems(reason, text))
        await self._brake(by)
        moderators = await self._moderators()
        async with self.unit_of_work() as work:
            case = await open_case(work, subject, CaseKind.REPORT, "", self.clock.now())
            if earlier := await work.stores.moderation.open_report_of(case.id, by.id):
                if (earlier.reason, earlier.text) != (reason, text):
                    raise ReportedAlready(subject.name)
                return earlier
            now = self.clock.now()
            new = Report(
                id=new_id("rpt"), case_id=case.id, reporter_id=by.id, reason=reason, text=text, is_open=True, at=now
            )
            await work.stores.moderation.add_report(new)
            # The owner may be a moderator; who reported may not be told what everybody else is told.
            tell(
                work,
                sorted(moderators - {UserId(subject.owner_id), UserId(by.id)}),
                NoticeKind.REPORT_FILED,
                key=f"{case.id}:filed:{case.decisions}",
                title=f"{subject.name} was reported",
                path=f"/moderation/{case.id}",
                at=now,
            )
        return new

    async def appeal_for_project(self, slug: str, by: Principal, text: str) -> Case:
        """
        Ask for another decision about one's own project; once for each.

        Raises:
            ProjectNotFound, NotYourProject, NotHeld, AppealedAlready, ProjectRefused, ReportsTooFast
        """
        policy.require_account(by)
        await self._brake(by)
        moderators = await self._moderators()
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.APPEAL, by, project)
            return await self._appeal(work, subject_of(project), by, text, moderators)

    async def appeal_for_review(self, review_id: str, by: Principal, text: str) -> Case:
        """
        Raises:
            ReviewNotFound, NotYourWords, NotHeld, AppealedAlready, ProjectRefused, ReportsTooFast
        """
        policy.require_account(by)
        await self._brake(by)
        moderators = await self._moderators()
        async with self.unit_of_work() as work:
            review, subject = await self._review(work.stores, review_id, by, to_change=True)
            policy.require_with_words(WordsAction.APPEAL, by, review.author_id, review.hold, subject.name)
            return await self._appeal(work, subject, by, text, moderators)

    async def appeal_for_profile(self, handle: str, by: Principal, text: str) -> Case:
        """
        Raises:
            ProfileNotFound, NotYourWords, NotHeld, AppealedAlready, ProjectRefused, ReportsTooFast
        """
        policy.require_account(by)
        await self._brake(by)
        moderators = await self._moderators()
        async with self.unit_of_work() as work:
            profile = await self.person(work.stores, handle, to_change=True)
            subject = profile_subject(profile)
            policy.require_with_words(WordsAction.APPEAL, by, profile.user_id, profile.hold, subject.name)
            return await self._appeal(work, subject, by, text, moderators)

    async def _appeal(
        self, work: MarketplaceWork, subject: Subject, by: Principal, text: str, moderators: frozenset[UserId]
    ) -> Case:
        require_good(reason_problems("/text", text))
        case = await work.stores.moderation.of_subject(subject, to_change=True)
        if case is None or not case.may_be_appealed:
            raise AppealedAlready(subject.name)
        now = self.clock.now()
        after = case.appeal(now)
        await work.stores.moderation.save(after)
        await work.stores.moderation.add_step(step_of(after, StepKind.APPEALED, by.id, text=text, at=now))
        tell(
            work,
            sorted(moderators - {UserId(by.id)}),
            NoticeKind.REPORT_FILED,
            key=f"{case.id}:appealed:{case.decisions}",
            title=f"There is an appeal for {subject.name}",
            path=f"/moderation/{case.id}",
            at=now,
        )
        return after

    async def _review(
        self, stores: Stores, review_id: str, by: Principal, *, to_change: bool = False
    ) -> tuple[Review, Subject]:
        """
        Raises:
            ReviewNotFound: there is none, or none that the caller sees.
        """
        review = await stores.reviews.get(review_id, to_change=to_change) if is_id(review_id, "rev") else None
        shown = await stores.projects.get(review.project_id) if review else None
        author = await stores.profiles.of(review.author_id) if review else None
        if review is None or shown is None or author is None:
            raise ReviewNotFound(review_id)
        policy.require(Action.SEE, by, shown.project)
        if not policy.may_see_words(by, review.author_id, review.hold):
            raise ReviewNotFound(review_id)
        return review, review_subject(review, author.handle, shown.project.slug)

    async def _moderators(self) -> frozenset[UserId]:
        return await self.identity.holders_of(policy.TO_MODERATE)

    async def _brake(self, by: Principal) -> None:
        rate = Rate(self.settings.reports_per_hour, _HOUR_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:report:{by.id}", rate):
            raise ReportsTooFast(wait_s)
