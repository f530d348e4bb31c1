"""Reports, and the cases in which moderators decide about what was reported."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from opencode.kernel.errors import FieldProblem
from opencode.modules.marketplace.domain.project import ProjectStatus
from opencode.modules.marketplace.domain.text import Findings, text_problem

MAX_TEXT_BYTES = 4_000


class SubjectKind(StrEnum):
    """What people can report."""

    PROJECT = "project"
    REVIEW = "review"
    PROFILE = "profile"


class ReportReason(StrEnum):
    MALWARE = "malware"
    SPAM = "spam"
    IMPERSONATION = "impersonation"
    LICENCE = "licence"
    ABUSE = "abuse"
    OTHER = "other"


class CaseKind(StrEnum):
    """Why a case is open, or was last; a report outweighs a similar name, and an appeal both."""

    SIMILAR = "similar"
    """A new name resembles a well used project of somebody else."""
    REPORT = "report"
    APPEAL = "appeal"


class CaseState(StrEnum):
    OPEN = "open"
    DECIDED = "decided"


class Decision(StrEnum):
    """What a moderator decides."""

    DISMISS = "dismiss"
    """Everything stays as it is."""
    QUARANTINE = "quarantine"
    """It is out of sight for everybody but its owner, who may change it and appeal."""
    RESTORE = "restore"
    """It is what it was before."""
    REMOVE = "remove"
    """It is out of sight for good; its owner may delete it, and appeal."""


class Hold(StrEnum):
    """How something is kept out of everybody's sight but its owner's."""

    QUARANTINED = "quarantined"
    """Its owner may change it, and appeal."""
    REMOVED = "removed"
    """For good: its owner may only appeal."""


class StepKind(StrEnum):
    """What happened in a case."""

    OPENED = "opened"
    REOPENED = "reopened"
    APPEALED = "appealed"
    DECIDED = "decided"
    DELETED = "deleted"
    """The owner deleted the subject; the case stays."""


@dataclass(frozen=True, slots=True)
class Subject:
    """
    What a case is about.

    Attributes:
        name: what people know it by, such as a slug; it is kept when the subject is deleted.
        path: where it is shown, inside this server.
    """

    kind: SubjectKind
    id: str
    owner_id: str
    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    All that moderators have to do with one subject: there is one case for each.

    Attributes:
        opened_at: when it began to wait, or last did.
        decisions: how many there were; an appeal is against the last.
        appealed: has the owner appealed against the last decision?
    """

    id: str
    subject: Subject
    kind: CaseKind
    state: CaseState
    opened_at: datetime
    decisions: int = 0
    decision: Decision | None = None
    reason: str = ""
    decided_by: str | None = None
    decided_at: datetime | None = None
    appealed: bool = False

    @property
    def is_open(self) -> bool:
        return self.state is CaseState.OPEN

    @property
    def may_be_appealed(self) -> bool:
        """Once for each decision that keeps the subject out of sight."""
        return not self.is_open and not self.appealed and self.decision in _HIDING

    def waiting(self, kind: CaseKind, at: datetime) -> "Case":
        """The case, open for this reason. One that is open keeps its place in the queue, and the weightier reason."""
        if not self.is_open:
            return replace(self, state=CaseState.OPEN, kind=kind, opened_at=at)
        return replace(self, kind=max(self.kind, kind, key=list(CaseKind).index))

    def appeal(self, at: datetime) -> "Case":
        return replace(self.waiting(CaseKind.APPEAL, at), appealed=True)

    def decide(self, decision: Decision, reason: str, by_id: str, at: datetime) -> "Case":
        return replace(
            self,
            state=CaseState.DECIDED,
            decisions=self.decisions + 1,
            decision=decision,
            reason=reason,
            decided_by=by_id,
            decided_at=at,
            appealed=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody says is wrong. Only moderators learn who it was."""

    id: str
    case_id: str
    reporter_id: str
    reason: ReportReason
    text: str
    is_open: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    Something that happened in a case; steps are added, never changed.

    Attributes:
        actor_id: who did it; empty for the server itself.
        impartial: had the moderator who decided no part in it before (see `is_impartial`)?
    """

    id: str
    case_id: str
    kind: StepKind
    actor_id: str
    decision: Decision | None = None
    text: str = ""
    impartial: bool = True
    at: datetime


_HIDING = frozenset({Decision.QUARANTINE, Decision.REMOVE})

_EFFECTS: dict[Decision, ProjectStatus | None] = {
    Decision.DISMISS: None,
    Decision.QUARANTINE: ProjectStatus.QUARANTINED,
    Decision.RESTORE: None,
    Decision.REMOVE: ProjectStatus.REMOVED,
}


def status_after(decision: Decision, before: ProjectStatus, held_from: ProjectStatus | None) -> ProjectStatus:
    """
    What a decision makes of a project's status.

    Args:
        held_from: the status that it had before it was hidden; None for one that is not.
    """
    if decision is Decision.RESTORE:
        return held_from or before
    return _EFFECTS[decision] or before


HOLD_OF: dict[ProjectStatus, Hold] = {
    ProjectStatus.QUARANTINED: Hold.QUARANTINED,
    ProjectStatus.REMOVED: Hold.REMOVED,
}
"""Of a project, whose status tells it."""


def hold_after(decision: Decision, before: Hold | None) -> Hold | None:
    """What a decision makes of the hold of a review or a profile; None for what everybody sees."""
    match decision:
        case Decision.DISMISS:
            return before
        case Decision.QUARANTINE:
            return Hold.QUARANTINED
        case Decision.REMOVE:
            return Hold.REMOVED
        case Decision.RESTORE:
            return None


def is_impartial(case: Case, moderator_id: str, concerned: Collection[str]) -> bool:
    """
    Does somebody decide about what is not their own, what does not concern them, and no appeal against themself?

    Args:
        concerned: those who have reported it, and whoever owns the project that a review is of.
    """
    decided_before = case.appealed and case.decided_by == moderator_id
    return not (moderator_id == case.subject.owner_id or moderator_id in concerned or decided_before)


def report_problems(reason: ReportReason | None, text: str) -> list[FieldProblem]:
    """Args: reason: None where it was none of them."""
    findings = Findings()
    if findings.add("/text", text_problem(text, MAX_TEXT_BYTES)) and reason is ReportReason.OTHER and not text.strip():
        findings.add("/text", "must say what is wrong when the reason is other")
    return findings.problems


def reason_problems(at: str, text: str) -> list[FieldProblem]:
    """What is wrong with a text that must say something: the reason of a decision, an appeal."""
    findings = Findings()
    if findings.add(at, text_problem(text, MAX_TEXT_BYTES)) and not text.strip():
        findings.add(at, "must say something")
    return findings.problems
