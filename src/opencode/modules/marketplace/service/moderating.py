"""
The moderators' queue, and what they decide.

Whoever changes a subject and its case takes the subject first: so two such changes never wait for each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from opencode.contracts.notifications import NoticeKind
from opencode.kernel.ids import UserId
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.moderation import (
    Case,
    CaseKind,
    CaseState,
    Decision,
    Hold,
    Report,
    Step,
    StepKind,
    is_impartial,
    reason_problems,
)
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.errors import (
    AnotherModeratorDecides,
    CaseDecided,
    CaseNotFound,
    DecisionNotPossible,
)
from opencode.modules.marketplace.service.base import UseCases, require_good
from opencode.modules.marketplace.service.cases import step_of, tell
from opencode.modules.marketplace.service.subjects import Found, carry_out, find_subject
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
        present: the subject as it is now; None when it is deleted.
        people: handle and display name of everybody named in it, by id; those without a profile are left out.
        of_owner: cases about what its owner has or had, this one too.
    """

    case: Case
    people: dict[str, tuple[str, str]]
    open_reports: int
    present: Found | None = None
    reports: Sequence[Report] = ()
    steps: Sequence[Step] = ()
    of_owner: int = 0


class Moderating(UseCases):
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

    async def waiting(self, by: Principal) -> int:
        """
        How many cases are open.

        Raises:
            Unauthenticated, Forbidden: only moderators read it.
        """
        policy.require_moderator(by)
        async with self.reading() as stores:
            return await stores.moderation.count_open()

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
            found = await find_subject(stores, subject, to_change=True)
            case = await self._get(stores, case_id, to_change=True)
            if _is_same(case, by, decision, reason):
                return await self._shown(stores, case, by)
            _require_possible(case, found, decision)
            impartial = await self._impartial(stores, case, found, by, moderators)
            after = case.decide(decision, reason, by.id, self.clock.now())
            if found is not None:
                await carry_out(work, found, decision, self.clock.now())
            await self._tell_decided(work, case, after)
            await stores.moderation.save(after)
            await stores.moderation.close_reports(case.id)
            step = step_of(
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
        if found is not None and isinstance(found.thing, Project):
            await self.catalogue.catch_up([found.thing.id])
        await self.identity.record(f"moderation.{decision}", actor=by, subject_id=subject.id, detail=case_id)
        return shown

    async def _impartial(
        self, stores: Stores, case: Case, found: Found | None, by: Principal, moderators: frozenset[UserId]
    ) -> bool:
        """
        Raises:
            AnotherModeratorDecides: the caller has a part in the case, and there is a moderator who has none.
        """

        async def free_of_it(person: str) -> bool:
            reported = {person} if await stores.moderation.has_reported(case.id, person) else set[str]()
            return is_impartial(case, person, reported | (found.concerned if found else set()))

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
            tell(
                work,
                [UserId(subject.owner_id)],
                NoticeKind.MODERATION_DECIDED,
                key=f"{key}:owner",
                title=f"Moderators have decided about {subject.name}: {done}",
                body=after.reason,
                path=subject.path,
                at=self.clock.now(),
            )
        reporters = [UserId(person) for person in await work.stores.moderation.open_reporters(after.id)]
        tell(
            work,
            reporters,
            NoticeKind.MODERATION_DECIDED,
            key=key,
            title=f"Your report of {subject.name} was decided: {done}",
            body=after.reason,
            path=subject.path,
            at=self.clock.now(),
        )

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
            await find_subject(stores, case.subject),
            reports,
            steps,
            await stores.moderation.count_of_owner(case.subject.owner_id),
        )


def _is_same(case: Case, by: Principal, decision: Decision, reason: str) -> bool:
    return not case.is_open and (case.decided_by, case.decision, case.reason) == (by.id, decision, reason)


def _require_possible(case: Case, found: Found | None, decision: Decision) -> None:
    """
    Raises:
        CaseDecided, DecisionNotPossible
    """
    hold = found.hold if found else None
    goes_on = (decision is Decision.RESTORE and hold is not None) or (
        decision is Decision.REMOVE and hold is Hold.QUARANTINED
    )
    if not case.is_open and not goes_on:
        raise CaseDecided(case.id)
    if decision is Decision.DISMISS:
        return
    if found is None:
        raise DecisionNotPossible(decision, "it is deleted")
    if decision is Decision.RESTORE and hold is None:
        raise DecisionNotPossible(decision, "it is not held")


def _named_in(case: Case) -> set[str]:
    return {case.subject.owner_id, *([case.decided_by] if case.decided_by else [])}
