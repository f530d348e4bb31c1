"""Limits of persons, teams and everybody, as administrators see and set them."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from opencode.infra.http import Body
from opencode.modules.ai.domain.configuration.model import Budget, Count, Limits, Period
from opencode.modules.ai.domain.limits import Measure
from opencode.modules.ai.domain.money import decimal_of, nano_of
from opencode.modules.ai.domain.usage import SubjectKind
from opencode.modules.ai.schemas.keys import BudgetBody, BudgetView, UsedView
from opencode.modules.ai.service.limiting import LimitsShown, Source

Kind = Literal["everybody", "team", "person"]
_KINDS: dict[SubjectKind, Kind] = {SubjectKind.TEAM: "team", SubjectKind.PERSON: "person"}


class LimitsBody(Body):
    """All limits that are set for somebody; what is null is as for everybody."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    budget: BudgetBody | None = None

    def limits(self) -> Limits:
        budget = Budget(self.budget.amount_usd, self.budget.period) if self.budget else None
        return Limits(self.requests_per_minute, self.tokens_per_minute, self.concurrency, budget)


class AmountView(msgspec.Struct):
    """So much in each day, week or month. US dollars, exact."""

    amount_usd: str
    period: Period

    @classmethod
    def of(cls, budget: Budget) -> "AmountView":
        return cls(decimal_of(nano_of(budget.amount_usd)), budget.period)


class LimitView(msgspec.Struct):
    """
    One limit. `value` is what holds, null for none. `layer` tells who says so: `database` for
    administrators, a file or the environment otherwise, which only the operator changes; `place` is where. Both are
    null where nothing is set for them alone, so that what is set for everybody holds.
    """

    value: int | None
    layer: str | None
    place: str | None

    @classmethod
    def of(cls, value: int | None, source: Source | None) -> "LimitView":
        return cls(value, source.layer if source else None, source.place if source else None)


class BudgetLimitView(msgspec.Struct):
    """A budget as a limit: see the others."""

    value: AmountView | None
    layer: str | None
    place: str | None

    @classmethod
    def of(cls, value: Budget | None, source: Source | None) -> "BudgetLimitView":
        amount = AmountView.of(value) if value else None
        return cls(amount, source.layer if source else None, source.place if source else None)


class LimitsView(msgspec.Struct):
    """
    `whose` is `everybody`, `team:<name>` or `person:<id>`, and its last part `subject`, null for everybody. A person
    without an account, whom only a file names, has an address in place of an id. `exists` is false for them, and for
    persons and teams that are gone: what is set for them holds for nobody. `spent_usd` is what was spent
    in the period of the budget, or this month without one; null for everybody, and for teams without a budget.
    `changed_by` and `changed_at` are null where administrators have set nothing.
    """

    whose: str
    kind: Kind
    subject: str | None
    label: str | None
    email: str | None
    exists: bool
    requests_per_minute: LimitView
    tokens_per_minute: LimitView
    concurrency: LimitView
    budget: BudgetLimitView
    used: UsedView
    standing: BudgetView | None
    spent_usd: str | None
    changed_by: str | None
    changed_at: datetime | None
    version: str

    @classmethod
    def of(cls, shown: LimitsShown) -> "LimitsView":
        subject, used = shown.whose.subject, shown.used
        limits, sources = shown.limits, shown.sources
        return cls(
            whose=shown.whose.words,
            kind=_KINDS[subject.kind] if subject else "everybody",
            subject=subject.id if subject else None,
            label=shown.label,
            email=shown.address,
            exists=shown.exists,
            requests_per_minute=LimitView.of(limits.requests_per_minute, sources.get("requests_per_minute")),
            tokens_per_minute=LimitView.of(limits.tokens_per_minute, sources.get("tokens_per_minute")),
            concurrency=LimitView.of(limits.concurrency, sources.get("concurrency")),
            budget=BudgetLimitView.of(limits.budget, sources.get("budget")),
            used=UsedView(used.get(Measure.REQUESTS), used.get(Measure.TOKENS), used.get(Measure.CALLS)),
            standing=BudgetView.of(shown.budget) if shown.budget else None,
            spent_usd=None if shown.spent is None else decimal_of(shown.spent),
            changed_by=shown.stored.changed_by if shown.stored else None,
            changed_at=shown.stored.changed_at if shown.stored else None,
            version=shown.version,
        )
