"""What reporting and deciding share: opening a case, adding to its history, telling people of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from opencode.contracts.notifications import MAX_RECIPIENTS, NoticeGiven, NoticeKind
from opencode.kernel.ids import UserId, new_id
from opencode.kernel.principal import SYSTEM
from opencode.modules.marketplace.domain.moderation import (
    Case,
    CaseKind,
    CaseState,
    Decision,
    Step,
    StepKind,
    Subject,
)
from opencode.modules.marketplace.store import MarketplaceWork


async def open_case(work: MarketplaceWork, subject: Subject, kind: CaseKind, text: str, at: datetime) -> Case:
    """The case about a subject, open for this reason; nobody else changes it until the transaction is over."""
    store = work.stores.moderation
    case = await store.of_subject(subject, to_change=True)
    if case is None:
        new = Case(id=new_id("cas"), subject=subject, kind=kind, state=CaseState.OPEN, opened_at=at)
        if await store.add(new):
            await store.add_step(step_of(new, StepKind.OPENED, SYSTEM.id, text=text, at=at))
            return new
        case = await store.of_subject(subject, to_change=True)
        assert case
    after = replace(case.waiting(kind, at), subject=subject)
    if after != case:
        await store.save(after)
    if not case.is_open:
        await store.add_step(step_of(after, StepKind.REOPENED, SYSTEM.id, text=text, at=at))
    return after


async def note_deleted(work: MarketplaceWork, subject: Subject, by_id: str, at: datetime) -> None:
    """If there is a case about what is being deleted, it says so from now on."""
    if case := await work.stores.moderation.of_subject(subject, to_change=True):
        await work.stores.moderation.add_step(step_of(case, StepKind.DELETED, by_id, at=at))


def step_of(
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


def tell(
    work: MarketplaceWork,
    recipients: Sequence[UserId],
    kind: NoticeKind,
    *,
    key: str,
    title: str,
    path: str,
    at: datetime,
    body: str = "",
) -> None:
    """Let people know, however many they are."""
    for first in range(0, len(recipients), MAX_RECIPIENTS):
        some = tuple(recipients[first : first + MAX_RECIPIENTS])
        work.publish(NoticeGiven(kind=kind, key=key, recipient_ids=some, title=title, body=body, path=path, at=at))
