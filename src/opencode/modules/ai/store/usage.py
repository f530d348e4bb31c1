"""What reports ask of the ledger. Sums come from the days, which stay; latencies from the lines, as long as they do."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.ai.domain.ledger import EPOCH_MS, MILLISECOND, MOST_ID, Call, NameKind, first_id_at
from opencode.modules.ai.domain.periods import DAY_MS
from opencode.modules.ai.domain.reports import DaySpan, Latencies, ReportBy, Sums
from opencode.modules.ai.store.tables import calls, days, names

MOST_LINES = 50_000
"""Of which latencies are told: the latest ones."""

_SUMS = tuple(each.name for each in fields(Sums))
_NUMBERS = tuple(name for name in Call.__struct_fields__ if name != "budgets")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls a report is of, by the numbers of their names; None for all."""

    span: DaySpan
    person: int | None = None
    key: int | None = None
    model: int | None = None


class UsageStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def number_of(self, kind: NameKind, name: str) -> int | None:
        """None for a name that no call has."""
        if "\0" in name:
            return None  # PostgreSQL refuses even to look for it
        query = select(names.c.id).where(names.c.kind == kind, names.c.name == name)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def names_of(self, numbers: Collection[int]) -> dict[int, str]:
        query = select(names.c.id, names.c.name).where(names.c.id.in_(numbers))
        return {row.id: row.name for row in await self._connection.execute(query)}

    async def total(self, wanted: Wanted) -> Sums:
        return _sums_of((await self._connection.execute(_summed(wanted))).one())

    async def groups(self, wanted: Wanted, by: ReportBy, most: int) -> dict[int, Sums]:
        """What each group took: at most so many, what cost most first."""
        group = days.c[by.value]
        query = _summed(wanted, group).order_by(func.sum(days.c.cost_nano).desc(), func.sum(days.c.calls).desc(), group)
        return {getattr(row, by.value): _sums_of(row) for row in await self._connection.execute(query.limit(most))}

    async def days_of(self, wanted: Wanted, by: ReportBy, groups: Collection[int]) -> dict[tuple[int, int], Sums]:
        """(group, day) -> what it took then. Days without a call are left out."""
        group = days.c[by.value]
        query = _summed(wanted, group, days.c.day).where(group.in_(groups))
        return {(getattr(row, by.value), row.day): _sums_of(row) for row in await self._connection.execute(query)}

    async def latencies(self, wanted: Wanted, by: ReportBy | None) -> dict[int, Latencies]:
        """Of each group; of all under 0, where there is none."""
        lines = _latest_lines(wanted)
        group = lines.c.id * 0 if by is None else _day_of(lines.c.id) if by is ReportBy.DAY else lines.c[by.value]
        ranked = (
            select(
                group.label("part"),
                lines.c.latency_ms,
                func.row_number().over(partition_by=group, order_by=lines.c.latency_ms).label("place"),
                func.count().over(partition_by=group).label("calls"),
            )
            .where(_filter(lines, key=wanted.key, model=wanted.model))
            .subquery()
        )
        # The nearest rank, rounded up, in whole numbers: both databases divide them alike.
        p50, p95 = ((ranked.c.calls * percent + 99) // 100 for percent in (50, 95))
        query = select(ranked).where(or_(ranked.c.place == p50, ranked.c.place == p95)).order_by(ranked.c.place)
        found: dict[int, list[int]] = {}
        for row in await self._connection.execute(query):
            found.setdefault(row.part, []).append(row.latency_ms)
        return {part: Latencies(of_part[0], of_part[-1]) for part, of_part in found.items()}

    async def lines(self, person: int | None, before: int | None, most: int) -> list[Call]:
        """At most so many lines, newest first: of a person or of all, and before this one where there is one."""
        query = select(*(calls.c[name] for name in _NUMBERS)).order_by(calls.c.id.desc()).limit(most)
        if person is not None:
            query = query.where(calls.c.person == person)
        if before is not None:
            query = query.where(calls.c.id < before)
        return [Call(*row, budgets=()) for row in await self._connection.execute(query)]


def _summed(wanted: Wanted, *groups: ColumnElement[int]) -> Select[Any]:
    columns = [func.coalesce(func.sum(days.c[name]), 0).label(name) for name in _SUMS]
    span = wanted.span
    query = select(*groups, *columns).where(days.c.day.between(span.first, span.last))
    query = query.where(_filter(days, person=wanted.person, key=wanted.key, model=wanted.model))
    return query.group_by(*groups) if groups else query


def _latest_lines(wanted: Wanted) -> Any:
    """Of the person, or of all: bounded before anything else is asked, so that no report reads the whole ledger."""
    span = wanted.span
    first, end = first_id_at(span.first * DAY_MS), first_id_at((span.last + 1) * DAY_MS)
    columns = (calls.c.id, calls.c.person, calls.c.key, calls.c.model, calls.c.latency_ms)
    query = select(*columns).where(calls.c.id >= first, calls.c.id < min(end, MOST_ID), calls.c.status != 0)
    query = query.where(_filter(calls, person=wanted.person))
    return query.order_by(calls.c.id.desc()).limit(MOST_LINES).subquery()


def _filter(table: Any, **numbers: int | None) -> ColumnElement[bool]:
    wanted = [table.c[name] == number for name, number in numbers.items() if number is not None]
    return and_(true(), *wanted)


def _day_of(call_id: ColumnElement[int]) -> ColumnElement[int]:
    return (call_id // MILLISECOND + EPOCH_MS) // DAY_MS


def _sums_of(row: Any) -> Sums:
    # PostgreSQL's sums of large numbers come as decimals.
    return Sums(*(int(getattr(row, name)) for name in _SUMS))
