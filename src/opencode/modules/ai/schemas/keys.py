"""Limits of keys and budgets, as people see and set them."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from opencode.infra.http import Body
from opencode.modules.ai.domain.configuration.model import Budget, Count, Limits, Money, Period
from opencode.modules.ai.domain.keys import KeyLimits
from opencode.modules.ai.domain.limits import Measure
from opencode.modules.ai.domain.money import decimal_of
from opencode.modules.ai.domain.usage import SubjectKind
from opencode.modules.ai.service.keys import KeyShown
from opencode.modules.ai.service.standing import Standing

Whose = Literal["person", "team", "key"]
_WHOSE: dict[SubjectKind, Whose] = {
    SubjectKind.PERSON: "person",
    SubjectKind.TEAM: "team",
    SubjectKind.KEY: "key",
}


class BudgetBody(Body):
    amount_usd: Money
    period: Period = Period.MONTH


class KeyLimitsBody(Body):
    """All limits of a key: what is null is not limited. `*` in `models` stands for any part of a name."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    budget: BudgetBody | None = None
    models: (
        Annotated[
            list[Annotated[str, msgspec.Meta(min_length=1, max_length=200)]],
            msgspec.Meta(max_length=200, description="the only ones that may be asked"),
        ]
        | None
    ) = None

    def own(self) -> KeyLimits:
        budget = Budget(self.budget.amount_usd, self.budget.period) if self.budget else None
        limits = Limits(self.requests_per_minute, self.tokens_per_minute, self.concurrency, budget)
        return KeyLimits(limits, None if self.models is None else tuple(self.models))


class BudgetView(msgspec.Struct):
    """
    `subject` is the id of a person or key, or the name of a team. `label` is what a person or key is called; null for
    teams, for those that are gone, and where a key shows its own. Amounts are US dollars, exact. `reserved_usd` is what
    servers have taken and not spent yet.
    """

    kind: Whose
    subject: str
    label: str | None
    period: Period
    amount_usd: str
    spent_usd: str
    reserved_usd: str
    begins_at: datetime
    begins_anew_at: datetime

    @classmethod
    def of(cls, standing: Standing) -> "BudgetView":
        bound = standing.bound
        return cls(
            kind=_WHOSE[bound.subject.kind],
            subject=bound.subject.id,
            label=standing.label,
            period=bound.period,
            amount_usd=decimal_of(bound.amount_nano),
            spent_usd=decimal_of(standing.spent),
            reserved_usd=decimal_of(standing.reserved),
            begins_at=standing.begins_at,
            begins_anew_at=standing.ends_at,
        )


class UsedView(msgspec.Struct):
    """Of requests and tokens, what counts for the minute now; of calls, those under way. Null where nothing limits."""

    requests: int | None
    tokens: int | None
    calls: int | None


class KeyLimitsView(msgspec.Struct):
    """`changed_by` and `changed_at` are null for a key without limits."""

    token_id: str
    owner_id: str
    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrency: int | None
    budget: BudgetView | None
    models: list[str] | None
    used: UsedView
    changed_by: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, shown: KeyShown) -> "KeyLimitsView":
        own = shown.key.own if shown.key else KeyLimits()
        used = shown.used
        return cls(
            token_id=shown.token_id,
            owner_id=shown.owner_id,
            requests_per_minute=own.limits.requests_per_minute,
            tokens_per_minute=own.limits.tokens_per_minute,
            concurrency=own.limits.concurrency,
            budget=BudgetView.of(shown.budget) if shown.budget else None,
            models=None if own.models is None else list(own.models),
            used=UsedView(used.get(Measure.REQUESTS), used.get(Measure.TOKENS), used.get(Measure.CALLS)),
            changed_by=shown.key.changed_by if shown.key else None,
            changed_at=shown.key.changed_at if shown.key else None,
        )
