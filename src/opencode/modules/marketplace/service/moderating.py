"""
Reports, and what moderators decide about them.

Only moderators learn who reported something, and not even they when it is about what they own themselves. Whoever
changes a project and its case takes the project first: so two such changes never wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opencode.contracts.notifications import MAX_RECIPIENTS, NoticeGiven, NoticeKind
from opencode.infra.security import Rate
from opencode.kernel.ids import UserId, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import SYSTEM, Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.moderation import (
    Case,
    CaseKind,
    CaseState,
    Decision,
    Report,
    ReportReason,
    Step,
    StepKind,
    Subject,
    SubjectKind,
    is_impartial,
    reason_problems,
    report_problems,
    status_after,
)
from opencode.modules.marketplace.domain.project import HELD, Project, ProjectStatus
from opencode.modules.marketplace.errors import (
    AnotherModeratorDecides,
    AppealedAlready,
    CaseDecided,
    CaseNotFound,
    DecisionNotPossible,
    ReportedAlready,
    ReportsTooFast,
)
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import UseCases, listing_events, require_good, subject_of
from opencode.modules.marketplace.store import MarketplaceWork, Stores

_HOUR_S = 3600
_DONE = {
    Decision.DISMISS: "it stays as it is",
    Decision.QUARANTINE: "it is out of sight until its owner has put it right",
    Decision.RESTORE: "it is to be seen again",
    Decision.REMOVE: "it was removed",
}


@dataclass(frozen=True, slots=True)
class CaseShown:
    """
    A case as moderators see it.

    Attributes:
        people: handle and display name of everybody named in it, by id; those without a profile are left out.
        of_owner: cases about what its owner has or had, this one too.
    """

    case: Case
    people: dict[str, tuple[str, str]]
    open_reports: int
    reports: Sequence[Report] = ()
    steps: Sequence[Step] = ()
    of_owner: int = 0


class Moderating(UseCases):
    async def report_project(self, slug: str, by: Principal, reason: ReportReason, text: str) -> Report:
        """
        Tell moderators that something is wrong with a project.

        Raises:
            ProjectNotFound, Unauthenticated, OwnReport, ReportedAlready, ReportsTooFast, ProjectRefused
        """
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
        policy.require(Action.REPORT, by, project)
        return await self.report(subject_of(project), by, reason, text)

    async def report(self, subject: Subject, by: Principal, reason: ReportReason, text: str) -> Report:
        """
        Tell moderators that something is wrong with what the caller may see. The same report again is the one before.

        Raises:
            Unauthenticated, ReportedAlready, ReportsTooFast, ProjectRefused
        """
        policy.require_account(by)
        require_good(report_problems(reason, text))
        await self._brake_reports(by)
        moderators = await self.identity.holders_of(policy.TO_MODERATE)
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
            recipients = sorted(moderators - {UserId(subject.owner_id), UserId(by.id)})
            self._tell(
                work,
                recipients,
                NoticeKind.REPORT_FILED,
                key=f"{case.id}:filed:{case.decisions}",
                title=f"{subject.name} was reported",
                path=f"/moderation/{case.id}",
            )
        return new

    async def appeal(self, slug: str, by: Principal, text: str) -> Case:
        """
        Ask for another decision about one's own project; once for each.

        Raises:
            ProjectNotFound, NotYourProject, ProjectNotHeld, AppealedAlready, ProjectRefused, ReportsTooFast
        """
        policy.require_account(by)
        await self._brake_reports(by)
        moderators = await self.identity.holders_of(policy.TO_MODERATE)
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.APPEAL, by, project)
            require_good(reason_problems("/text", text))
            case = await work.stores.moderation.of_subject(subject_of(project), to_change=True)
            if case is None or not case.may_be_appealed:
                raise AppealedAlready(project.slug)
            now = self.clock.now()
            after = case.appeal(now)
            await work.stores.moderation.save(after)
            await work.stores.moderation.add_step(_step(after, StepKind.APPEALED, by.id, text=text, at=now))
            self._tell(
                work,
                sorted(moderators - {UserId(by.id)}),
                NoticeKind.REPORT_FILED,
                key=f"{case.id}:appealed:{case.decisions}",
                title=f"The owner of {project.slug} appeals",
                path=f"/moderation/{case.id}",
            )
        return after

    async def page(
        self, by: Principal, wanted: PageRequest, *, state: CaseState | None = None, kind: CaseKind | None = None
    ) -> Page[CaseShown]:
        """
        The queue, what was opened last first.

        Raises:
            Unauthenticated, Forbidden: only moderators read it.
        """
        policy.require_moderator(by)
        async with self.reading() as stores:
            found = await stores.moderation.page(wanted, state=state, kind=kind)
            reported = await stores.moderation.open_reports_in([case.id for case in found.items])
            people = await stores.profiles.named({person for case in found.items for person in _named_in(case)})
        shown = [CaseShown(case, people, reported.get(case.id, 0)) for case in found.items]
        return Page(shown, found.next_cursor)

    async def look(self, case_id: str, by: Principal) -> CaseShown:
        """
        A case with its latest reports and all that happened in it.

        Raises:
            Unauthenticated, Forbidden, CaseNotFound
        """
        policy.require_moderator(by)
        async with self.reading() as stores:
            return await self._shown(stores, await self._get(stores, case_id), by)

    async def decide(self, case_id: str, by: Principal, decision: Decision, reason: str) -> CaseShown:
        """
        Decide a case. The same decision again by the same moderator is the one before.

        Args:
            reason: the owner and those who reported read it.

        Raises:
            Unauthenticated, Forbidden, CaseNotFound, CaseDecided, DecisionNotPossible, AnotherModeratorDecides,
            ProjectRefused
        """
        policy.require_moderator(by)
        require_good(reason_problems("/reason", reason))
        moderators = await self.identity.holders_of(policy.TO_MODERATE)
        async with self.unit_of_work() as work:
            stores = work.stores
            subject = (await self._get(stores, case_id)).subject
            project = await _project_of(stores, subject)
            case = await self._get(stores, case_id, to_change=True)
            if _is_same(case, by, decision, reason):
                return await self._shown(stores, case, by)
            _require_possible(case, project, decision)
            impartial = await self._impartial(stores, case, by, moderators)
            after = case.decide(decision, reason, by.id, self.clock.now())
            if project is not None:
                await self._apply(work, project, decision)
            await self._tell_decided(work, case, after)
            await stores.moderation.save(after)
            await stores.moderation.close_reports(case.id)
            step = _step(
                after,
                StepKind.DECIDED,
                by.id,
                decision=decision,
                text=reason,
                impartial=impartial,
                at=self.clock.now(),
            )
            await stores.moderation.add_step(step)
            shown = await self._shown(stores, after, by)
        if project is not None:
            await self.catalogue.catch_up([project.id])
        await self.identity.record(f"moderation.{decision}", actor=by, subject_id=subject.id, detail=case_id)
        return shown

    async def _apply(self, work: MarketplaceWork, project: Project, decision: Decision) -> None:
        after = project.held(status_after(decision, project.status, project.held_from))
        if after is project:
            return
        await work.stores.projects.save(after)
        for event in listing_events(project, after, self.clock.now()):
            work.publish(event)

    async def _impartial(self, stores: Stores, case: Case, by: Principal, moderators: frozenset[UserId]) -> bool:
        """
        Raises:
            AnotherModeratorDecides: the caller has a part in the case, and there is a moderator who has none.
        """

        async def free_of_it(person: str) -> bool:
            reported = {person} if await stores.moderation.has_reported(case.id, person) else set[str]()
            return is_impartial(case, person, reported)

        if await free_of_it(by.id):
            return True
        for other in sorted(moderators - {UserId(by.id)}):
            if await free_of_it(other):
                raise AnotherModeratorDecides(case.id)
        return False

    async def _tell_decided(self, work: MarketplaceWork, before: Case, after: Case) -> None:
        """The owner hears of what concerns them: of a report that changes nothing they never knew."""
        assert after.decision
        done = _DONE[after.decision]
        subject, key = after.subject, f"{after.id}:decided:{after.decisions}"
        if after.decision is not Decision.DISMISS or before.appealed:
            self._tell(
                work,
                [UserId(subject.owner_id)],
                NoticeKind.MODERATION_DECIDED,
                key=f"{key}:owner",
                title=f"Moderators have decided about {subject.name}: {done}",
                body=after.reason,
                path=subject.path,
            )
        reporters = [UserId(person) for person in await work.stores.moderation.open_reporters(after.id)]
        self._tell(
            work,
            reporters,
            NoticeKind.MODERATION_DECIDED,
            key=key,
            title=f"Your report of {subject.name} was decided: {done}",
            body=after.reason,
            path=subject.path,
        )

    def _tell(
        self,
        work: MarketplaceWork,
        recipients: Sequence[UserId],
        kind: NoticeKind,
        *,
        key: str,
        title: str,
        path: str,
        body: str = "",
    ) -> None:
        now = self.clock.now()
        for first in range(0, len(recipients), MAX_RECIPIENTS):
            some = tuple(recipients[first : first + MAX_RECIPIENTS])
            work.publish(NoticeGiven(kind=kind, key=key, recipient_ids=some, title=title, body=body, path=path, at=now))

    async def _get(self, stores: Stores, case_id: str, *, to_change: bool = False) -> Case:
        found = await stores.moderation.get(case_id, to_change=to_change)
        if found is None:
            raise CaseNotFound(case_id)
        return found

    async def _shown(self, stores: Stores, case: Case, by: Principal) -> CaseShown:
        reports = await stores.moderation.latest_reports(case.id)
        if by.id == case.subject.owner_id:
            reports = [replace(report, reporter_id="") for report in reports]
        steps = await stores.moderation.latest_steps(case.id)
        named = {*_named_in(case), *(report.reporter_id for report in reports), *(step.actor_id for step in steps)}
        return CaseShown(
            case,
            await stores.profiles.named(named),
            (await stores.moderation.open_reports_in([case.id])).get(case.id, 0),
            reports,
            steps,
            await stores.moderation.count_of_owner(case.subject.owner_id),
        )

    async def _brake_reports(self, by: Principal) -> None:
        rate = Rate(self.settings.reports_per_hour, _HOUR_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:report:{by.id}", rate):
            raise ReportsTooFast(wait_s)


async def open_case(work: MarketplaceWork, subject: Subject, kind: CaseKind, text: str, at: datetime) -> Case:
    """The case about a subject, open for this reason; nobody else changes it until the transaction is over."""
    store = work.stores.moderation
    case = await store.of_subject(subject, to_change=True)
    if case is None:
        new = Case(id=new_id("cas"), subject=subject, kind=kind, state=CaseState.OPEN, opened_at=at)
        if await store.add(new):
            await store.add_step(_step(new, StepKind.OPENED, SYSTEM.id, text=text, at=at))
            return new
        case = await store.of_subject(subject, to_change=True)
        assert case
    after = replace(case.waiting(kind, at), subject=subject)
    if after != case:
        await store.save(after)
    if not case.is_open:
        await store.add_step(_step(after, StepKind.REOPENED, SYSTEM.id, text=text, at=at))
    return after


async def note_deleted(work: MarketplaceWork, subject: Subject, by_id: str, at: datetime) -> None:
    """If there is a case about what is being deleted, it says so from now on."""
    if case := await work.stores.moderation.of_subject(subject, to_change=True):
        await work.stores.moderation.add_step(_step(case, StepKind.DELETED, by_id, at=at))


async def _project_of(stores: Stores, subject: Subject) -> Project | None:
    if subject.kind is not SubjectKind.PROJECT:
        return None
    found = await stores.projects.get(subject.id, to_change=True)
    return found.project if found else None


def _is_same(case: Case, by: Principal, decision: Decision, reason: str) -> bool:
    return not case.is_open and (case.decided_by, case.decision, case.reason) == (by.id, decision, reason)


def _require_possible(case: Case, project: Project | None, decision: Decision) -> None:
    """
    Raises:
        CaseDecided, DecisionNotPossible
    """
    status = project.status if project else None
    goes_on = (decision is Decision.RESTORE and status in HELD) or (
        decision is Decision.REMOVE and status is ProjectStatus.QUARANTINED
    )
    if not case.is_open and not goes_on:
        raise CaseDecided(case.id)
    if decision is Decision.DISMISS:
        return
    if project is None:
        is_project = case.subject.kind is SubjectKind.PROJECT
        raise DecisionNotPossible(decision, "it is deleted" if is_project else "only projects can be held")
    if decision is Decision.RESTORE and status not in HELD:
        raise DecisionNotPossible(decision, "it is not held")


def _named_in(case: Case) -> set[str]:
    return {case.subject.owner_id, *([case.decided_by] if case.decided_by else [])}


def _step(
    case: Case,
    kind: StepKind,
    actor_id: str,
    *,
    at: datetime,
    decision: Decision | None = None,
    text: str = "",
    impartial: bool = True,
) -> Step:
    return Step(
        id=new_id("stp"),
        case_id=case.id,
        kind=kind,
        actor_id=actor_id,
        decision=decision,
        text=text,
        impartial=impartial,
        at=at,
    )
