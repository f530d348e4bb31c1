"""What was used, as people see it. Money is US dollars, exact, as text."""

from datetime import UTC, date, datetime

import msgspec

from opencode.modules.ai.domain.money import decimal_of
from opencode.modules.ai.domain.reports import CallShown, Latencies, Part, Report, ReportBy, Sums
from opencode.modules.ai.domain.usage import Flag


class SumsView(msgspec.Struct, kw_only=True):
    """
    Of several calls. `errors` are answers that broke off and calls whose server was killed. `cached_tokens` are part of
    `input_tokens`. Latency is null where no call is known, and p50 and p95 are of the latest 50,000 lines.
    """

    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: str
    latency_mean_ms: float | None
    latency_p50_ms: int | None
    latency_p95_ms: int | None

    @classmethod
    def of(cls, sums: Sums, latencies: Latencies | None) -> "SumsView":
        return cls(
            calls=sums.calls,
            errors=sums.errors,
            input_tokens=sums.input,
            output_tokens=sums.output,
            cached_tokens=sums.cached,
            cost_usd=decimal_of(sums.cost_nano),
            latency_mean_ms=sums.mean_latency_ms,
            latency_p50_ms=latencies.p50_ms if latencies else None,
            latency_p95_ms=latencies.p95_ms if latencies else None,
        )


class PartView(msgspec.Struct, kw_only=True):
    """
    `name` is a day, a model, a provider, or the id of a person or key; empty for calls without a key. `label` is what
    a person or key is called, null for those that are gone. The series have a number for each day of the report,
    without gaps; they are empty where the part is a day. Tokens are those of input and output together.
    """

    name: str
    label: str | None
    sums: SumsView
    calls_by_day: list[int]
    tokens_by_day: list[int]
    cost_usd_by_day: list[str]

    @classmethod
    def of(cls, part: Part) -> "PartView":
        return cls(
            name=part.name,
            label=part.label,
            sums=SumsView.of(part.sums, part.latencies),
            calls_by_day=[day.calls for day in part.by_day],
            tokens_by_day=[day.input + day.output for day in part.by_day],
            cost_usd_by_day=[decimal_of(day.cost_nano) for day in part.by_day],
        )


class UsageView(msgspec.Struct):
    """Both days are included. `parts` are all days, or the 50 that cost most; `total` is of all."""

    first_day: date
    last_day: date
    by: ReportBy
    total: SumsView
    parts: list[PartView]

    @classmethod
    def of(cls, report: Report) -> "UsageView":
        days = report.span.days
        return cls(
            first_day=days[0],
            last_day=days[-1],
            by=report.by,
            total=SumsView.of(report.total, report.latencies),
            parts=[PartView.of(part) for part in report.parts],
        )


class CallView(msgspec.Struct):
    """
    One call; never a word of what was said. `model` is the one that answered. `status` is as HTTP has it, 499 for a
    client that left and 502 for an answer that broke off; null when the server was killed meanwhile. `flags` are of
    `stream`, `cached`, `semantic` (cached for a question like it), `estimated`, `retried` (somebody failed before, or
    a fallback answered) and `cut_off`. The names of person and key are null when these are gone.
    """

    id: str
    began_at: datetime
    person_id: str
    person_name: str | None
    key_id: str | None
    key_name: str | None
    team: str | None
    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    cost_usd: str
    latency_ms: int
    first_byte_ms: int | None
    status: int | None
    flags: list[str]

    @classmethod
    def of(cls, shown: CallShown) -> "CallView":
        call = shown.call
        return cls(
            id=str(call.id),
            began_at=datetime.fromtimestamp(call.began_ms / 1000, UTC),
            person_id=shown.person,
            person_name=shown.person_name,
            key_id=shown.key or None,
            key_name=shown.key_name,
            team=shown.team or None,
            model=shown.model,
            input_tokens=call.input,
            output_tokens=call.output,
            cached_tokens=call.cached,
            cache_write_tokens=call.cache_write,
            cost_usd=decimal_of(call.cost_nano),
            latency_ms=call.latency_ms,
            first_byte_ms=None if call.first_byte_ms < 0 else call.first_byte_ms,
            status=call.status or None,
            flags=[flag.name.lower() for flag in Flag if flag & call.flags and flag.name],
        )
