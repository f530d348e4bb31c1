"""Reports of what was used: what may be asked, and what comes out."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from opencode.kernel.errors import FieldProblem
from opencode.modules.ai.domain.ledger import Call
from opencode.modules.ai.domain.periods import date_of, day_of

MOST_DAYS = 366
DAYS_UNASKED = 30
"""Where nobody says from when on."""
MOST_GROUPS = 50


class ReportBy(StrEnum):
    """What a report has one part for each of."""

    DAY = "day"
    MODEL = "model"
    PROVIDER = "provider"
    PERSON = "person"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class DaySpan:
    """From one day to another, both included, counted from the first of January 1970."""

    first: int
    last: int

    @property
    def days(self) -> list[date]:
        return [date_of(day) for day in range(self.first, self.last + 1)]


def span_between(first: date | None, last: date | None, today: date) -> DaySpan | FieldProblem:
    """The days that are asked for, the last thirty where nothing is said; a problem where they are none or too many."""
    ends = day_of(last or today)
    begins = ends - DAYS_UNASKED + 1 if first is None else day_of(first)
    if begins < day_of(date.min):
        return FieldProblem("/to", f"must be {date.min + timedelta(days=DAYS_UNASKED)} or later")
    if begins > ends:
        return FieldProblem("/from", "must not be behind to")
    if ends - begins >= MOST_DAYS:
        return FieldProblem("/from", f"must be at most {MOST_DAYS - 1} days before to")
    return DaySpan(begins, ends)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which calls are asked for; None for all. Names as in the ledger."""

    person: str | None = None
    key: str | None = None
    model: str | None = None
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """Of several calls: tokens, nano-dollars and milliseconds of all of them together."""

    calls: int = 0
    errors: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    cost_nano: int = 0
    latency_ms: int = 0

    @property
    def mean_latency_ms(self) -> float | None:
        return round(self.latency_ms / self.calls, 1) if self.calls else None


@dataclass(frozen=True, slots=True)
class Latencies:
    """That half of the calls, and nineteen of twenty, did not exceed."""

    p50_ms: int
    p95_ms: int


@dataclass(frozen=True, slots=True)
class Part:
    """
    One group of calls.

    Attributes:
        name: a day, or the name of a model, provider, person or key; empty for calls without a key.
        label: what a person or key is called; None for everything else, and for those that are gone.
        by_day: the same, for each day of the report; empty where the part is a day.
    """

    name: str
    label: str | None
    sums: Sums
    latencies: Latencies | None
    by_day: tuple[Sums, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """
    Attributes:
        parts: for each day, or of what cost most, the dearest first.
        total: of all, also of what is not among the parts.
    """

    span: DaySpan
    by: ReportBy
    total: Sums
    latencies: Latencies | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class CallShown:
    """
    A line of the ledger, with names for its numbers; empty for none.

    Attributes:
        person_name, key_name: what they are called; None for those that are gone.
    """

    call: Call
    person: str
    key: str
    team: str
    model: str
    person_name: str | None = None
    key_name: str | None = None
