"""
What people tell moderators: that something is wrong with what others publish, and that a decision about their own is.

Only moderators learn who reported something, and not even they when it is about what they own themselves.
"""

from dataclasses import dataclass

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
    SubjectKind,
    reason_problems,
    report_problems,
)
from opencode.modules.marketplace.domain.profile import Profile
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.review import Review
from opencode.modules.marketplace.errors import AppealedAlready, ReportedAlready, ReportsTooFast, ReviewNotFound
from opencode.modules.marketplace.policy import Action, WordsAction
from opencode.modules.marketplace.service.base import UseCases, require_good, subject_of
from opencode.modules.marketplace.service.cases import open_case, step_of, tell
from opencode.modules.marketplace.service.subjects import profile_subject, review_subject
from opencode.modules.marketplace.store import MarketplaceWork, Stores

_HOUR_S = 3600


_OF_PROJECT = {WordsAction.REPORT: Action.REPORT, WordsAction.APPEAL: Action.APPEAL}


@dataclass(frozen=True, slots=True)
class _Named:
    """What somebody names, as it is now."""

    subject: Subject
    thing: Project | Review | Profile

    def require(self, action: WordsAction, by: Principal) -> None:
        """May this be done with it?"""
        match self.thing:
            case Project() as project:
                policy.require(_OF_PROJECT[action], by, project)
            case Review(hold=hold) | Profile(hold=hold):
                policy.require_with_words(action, by, self.subject.owner_id, hold, self.subject.name)


class Reporting(UseCases):
    async def report(self, kind: SubjectKind, name: str, by: Principal, reason: ReportReason, text: str) -> Report:
        """
        Tell moderators that something is wrong with what others publish. The same report again is the one before.

        Args:
            name: a project's slug, a review's id, or the handle of whose profile it is.

        Raises:
            ProjectNotFound, ReviewNotFound, ProfileNotFound, Unauthenticated, OwnReport, WordsHeld, ReportedAlready,
            ReportsTooFast, ProjectRefused
        """
        async with self.reading() as stores:
            named = await self._named(stores, kind, name, by)
        named.require(WordsAction.REPORT, by)
        return await self._report(named.subject, by, reason, text)

    async def appeal(self, kind: SubjectKind, name: str, by: Principal, text: str) -> Case:
        """
        Ask for another decision about what is one's own; once for each.

        Args:
            name: as in `report`.

        Raises:
            ProjectNotFound, ReviewNotFound, ProfileNotFound, NotYourProject, NotYourWords, NotHeld, AppealedAlready,
            ProjectRefused, ReportsTooFast
        """
        policy.require_account(by)
        await self._brake(by)
        moderators = await self._moderators()
        async with self.unit_of_work() as work:
            named = await self._named(work.stores, kind, name, by, to_change=True)
            named.require(WordsAction.APPEAL, by)
            return await self._appeal(work, named.subject, by, text, moderators)

    async def _named(
        self, stores: Stores, kind: SubjectKind, name: str, by: Principal, *, to_change: bool = False
    ) -> _Named:
        match kind:
            case SubjectKind.PROJECT:
                project = (await self.find(stores, name, to_change=to_change)).project
                return _Named(subject_of(project), project)
            case SubjectKind.REVIEW:
                return await self._review(stores, name, by, to_change=to_change)
            case SubjectKind.PROFILE:
                profile = await self.person(stores, name, to_change=to_change)
                return _Named(profile_subject(profile), profile)

    async def _report(self, subject: Subject, by: Principal, reason: ReportReason, text: str) -> Report:
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

    async def _review(self, stores: Stores, review_id: str, by: Principal, *, to_change: bool) -> _Named:
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
        return _Named(review_subject(review, author.handle, shown.project.slug), review)

    async def _moderators(self) -> frozenset[UserId]:
        return await self.identity.holders_of(policy.TO_MODERATE)

    async def _brake(self, by: Principal) -> None:
        rate = Rate(self.settings.reports_per_hour, _HOUR_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:report:{by.id}", rate):
            raise ReportsTooFast(wait_s)
