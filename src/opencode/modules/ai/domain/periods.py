"""Days, weeks and months, all in UTC. Days are counted from the first of January 1970."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from opencode.modules.ai.domain.configuration.model import Period

_EPOCH = date(1970, 1, 1).toordinal()
_DAY_S = 86_400
DAY_MS = _DAY_S * 1000


@dataclass(frozen=True, slots=True)
class Span:
    """From the day `begins` to the day before `ends`."""

    begins: int
    ends: int

    @property
    def begins_at(self) -> datetime:
        return moment_of(self.begins)

    @property
    def ends_at(self) -> datetime:
        return moment_of(self.ends)

    @property
    def ends_s(self) -> int:
        """Seconds since 1970."""
        return self.ends * _DAY_S


def span_of(period: Period, day: int) -> Span:
    """The day, the week from Monday, or the month that a day is in."""
    if period is Period.DAY:
        return Span(day, day + 1)
    on = date_of(day)
    if period is Period.WEEK:
        monday = day - on.weekday()
        return Span(monday, monday + 7)
    following = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return Span(day_of(on.replace(day=1)), day_of(following))


def day_of(on: date) -> int:
    return on.toordinal() - _EPOCH


def date_of(day: int) -> date:
    return date.fromordinal(day + _EPOCH)


def moment_of(day: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)


def day_at(seconds: float) -> int:
    """The day that a moment, in seconds since 1970, is in."""
    return int(seconds // _DAY_S)
