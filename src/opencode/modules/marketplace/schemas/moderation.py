"""Reports, cases and appeals."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from opencode.infra.http import Body
from opencode.kernel.errors import FieldProblem
from opencode.modules.marketplace.domain.moderation import (
    CaseKind,
    CaseState,
    Decision,
    Hold,
    Report,
    ReportReason,
    Step,
    StepKind,
    SubjectKind,
    reason_problems,
    report_problems,
)
from opencode.modules.marketplace.schemas.fields import OwnerView
from opencode.modules.marketplace.service.moderating import CaseShown
from opencode.modules.marketplace.service.subjects import Found


class ReportBody(Body):
    """What is wrong; `other` needs a `text`."""

    reason: ReportReason
    text: str = ""

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return report_problems(fields.get("reason"), fields.get("text", ""))


class AppealBody(Body):
    """Why the decision should be another one."""

    text: str

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return reason_problems("/text", fields["text"]) if "text" in fields else ()


class DecisionBody(Body):
    """A moderator's decision. The owner and those who reported read the `reason`."""

    decision: Decision
    reason: str

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return reason_problems("/reason", fields["reason"]) if "reason" in fields else ()


class ReportView(msgspec.Struct, frozen=True, kw_only=True):
    """One's own report."""

    id: str
    reason: ReportReason
    text: str
    is_open: bool
    at: datetime

    @classmethod
    def of(cls, report: Report) -> "ReportView":
        return cls(id=report.id, reason=report.reason, text=report.text, is_open=report.is_open, at=report.at)


class AppealView(msgspec.Struct, frozen=True):
    """An appeal that waits."""

    text: str
    at: datetime


class SubjectView(msgspec.Struct, frozen=True, kw_only=True):
    """What a case is about. `owner` is null for somebody without a profile."""

    kind: SubjectKind
    id: str
    name: str
    path: str
    owner: OwnerView | None


class CaseCardView(msgspec.Struct, frozen=True, kw_only=True):
    """A case in the queue. `kind`: why it was opened last."""

    id: str
    kind: CaseKind
    state: CaseState
    subject: SubjectView
    open_reports: int
    opened_at: datetime
    decision: Decision | None
    reason: str
    decided_by: OwnerView | None
    decided_at: datetime | None

    @classmethod
    def of(cls, shown: CaseShown) -> "CaseCardView":
        return cls(**_case_fields(shown))


class FiledReportView(msgspec.Struct, frozen=True, kw_only=True):
    """A report as moderators see it. `reporter` is null in a case about what is the caller's own."""

    id: str
    reporter: OwnerView | None
    reason: ReportReason
    text: str
    is_open: bool
    at: datetime

    @classmethod
    def of(cls, report: Report, shown: CaseShown) -> "FiledReportView":
        return cls(
            id=report.id,
            reporter=_person(shown, report.reporter_id),
            reason=report.reason,
            text=report.text,
            is_open=report.is_open,
            at=report.at,
        )


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """
    Something that happened in a case. `actor` is null for the server. `impartial` is false where a moderator decided
    who had a part in it, because there was no other.
    """

    kind: StepKind
    actor: OwnerView | None
    decision: Decision | None
    text: str
    impartial: bool
    at: datetime

    @classmethod
    def of(cls, step: Step, shown: CaseShown) -> "StepView":
        return cls(
            kind=step.kind,
            actor=_person(shown, step.actor_id),
            decision=step.decision,
            text=step.text,
            impartial=step.impartial,
            at=step.at,
        )


class PresentView(msgspec.Struct, frozen=True):
    """What the subject says now, in plain text, and how it is held; null: everybody sees it."""

    hold: Hold | None
    title: str
    text: str

    @classmethod
    def of(cls, found: Found | None) -> "PresentView | None":
        return cls(found.hold, *found.words) if found else None


class WaitingView(msgspec.Struct, frozen=True):
    """How many cases wait for a decision."""

    waiting: int


class CaseView(CaseCardView, frozen=True, kw_only=True):
    """
    A case with its latest 200 reports, the newest first, and what happened in it, in order. `cases_of_owner`: how many
    cases there are about what the same person has or had. `present` is null when the subject is deleted. `appealed`:
    the owner asks for another decision than the last.
    """

    present: PresentView | None
    appealed: bool
    reports: list[FiledReportView]
    history: list[StepView]
    cases_of_owner: int

    @classmethod
    def of(cls, shown: CaseShown) -> "CaseView":
        return cls(
            **_case_fields(shown),
            present=PresentView.of(shown.present),
            appealed=shown.case.appealed,
            reports=[FiledReportView.of(report, shown) for report in shown.reports],
            history=[StepView.of(step, shown) for step in shown.steps],
            cases_of_owner=shown.of_owner,
        )


def _case_fields(shown: CaseShown) -> dict[str, Any]:
    case = shown.case
    subject = case.subject
    return {
        "id": case.id,
        "kind": case.kind,
        "state": case.state,
        "subject": SubjectView(
            kind=subject.kind,
            id=subject.id,
            name=subject.name,
            path=subject.path,
            owner=_person(shown, subject.owner_id),
        ),
        "open_reports": shown.open_reports,
        "opened_at": case.opened_at,
        "decision": case.decision,
        "reason": case.reason,
        "decided_by": _person(shown, case.decided_by),
        "decided_at": case.decided_at,
    }


def _person(shown: CaseShown, user_id: str | None) -> OwnerView | None:
    found = shown.people.get(user_id or "")
    return OwnerView(*found) if found else None
