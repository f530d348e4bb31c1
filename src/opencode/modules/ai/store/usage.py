"""What reports ask of the ledger. Sums come from the days, which stay; latencies from the lines, as long as they do."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.ai.domain.ledger import EPOCH_MS, MILLISECOND, MOST_ID, Call, NameKind, first_id_at
from opencode.modules.ai.domain.periods import DAY_MS, Span
from opencode.modules.ai.domain.reports import DaySpan, Latencies, ReportBy, Sums
from opencode.modules.ai.store.tables import calls, days, names

MOST_LINES = 50_000
"""Of which latencies are told, and calls of one key, model or provider are found: the latest ones."""

Group = int | str
"""A day, the number of a name, or a provider."""

_SUMS = tuple(each.name for each in fields(Sums))
_NUMBERS = tuple(name for name in Call.__struct_fields__ if name != "budgets")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are meant, by the numbers of their names; None for all."""

    span: DaySpan | None = None
    person: int | None = None
    key: int | None = None
    model: int | None = None
    provider: str | None = None

    @property
    def is_narrow(self) -> bool:
        """No index finds these."""
        return (self.key, self.model, self.provider) != (None, None, None)


class UsageStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        # Models are called `<provider>/<model>`.
        place = func.instr if connection.dialect.name == "sqlite" else func.strpos
        provider = func.substr(names.c.name, 1, place(names.c.name.concat("/"), "/") - 1)
        self._providers = select(names.c.id, provider.label("name")).where(names.c.kind == NameKind.MODEL).subquery()

    async def number_of(self, kind: NameKind, name: str) -> int | None:
        """None for a name that no call has."""
        if "\0" in name:
            return None  # PostgreSQL refuses even to look for it
        query = select(names.c.id).where(names.c.kind == kind, names.c.name == name)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def names_of(self, numbers: Collection[int]) -> dict[int, str]:
        query = select(names.c.id, names.c.name).where(names.c.id.in_(numbers))
        return {row.id: row.name for row in await self._connection.execute(query)}

    async def persons_after(self, after: str, most: int) -> list[str]:
        """At most so many ids of persons who have ever asked a model, from the one behind this one."""
        query = select(names.c.name).where(names.c.kind == NameKind.PERSON, names.c.name > after)
        return list((await self._connection.execute(query.order_by(names.c.name).limit(most))).scalars())

    async def spent_by_persons(self, ids: Collection[str], span: Span) -> dict[str, int]:
        """What persons have spent within some days, in nano-dollars; who has spent nothing is left out."""
        query = select(names.c.name, func.sum(days.c.cost_nano).label("spent"))
        query = query.select_from(names.join(days, days.c.person == names.c.id)).group_by(names.c.name)
        theirs = names.c.kind == NameKind.PERSON, names.c.name.in_(ids)
        query = query.where(*theirs, days.c.day.in_(list(range(span.begins, span.ends))))
        return {row.name: int(row.spent) for row in await self._connection.execute(query)}

    async def total(self, wanted: Wanted) -> Sums:
        return _sums_of((await self._connection.execute(self._summed(wanted))).one())

    async def groups(self, wanted: Wanted, by: ReportBy, most: int) -> Mapping[Group, Sums]:
        """What each group took: at most so many, what cost most first."""
        group = self._group(days, by)
        query = self._of(days, self._summed(wanted, group), by)
        query = query.order_by(func.sum(days.c.cost_nano).desc(), func.sum(days.c.calls).desc(), group)
        return {row[0]: _sums_of(row) for row in await self._connection.execute(query.limit(most))}

    async def days_of(
        self, wanted: Wanted, by: ReportBy, groups: Collection[Group]
    ) -> Mapping[tuple[Group, int], Sums]:
        """(group, day) -> what it took then. Days without a call are left out."""
        group = self._group(days, by)
        query = self._of(days, self._summed(wanted, group, days.c.day).where(group.in_(groups)), by)
        return {(row[0], row.day): _sums_of(row) for row in await self._connection.execute(query)}

    async def latencies(self, wanted: Wanted, by: ReportBy | None) -> Mapping[Group, Latencies]:
        """Of each group; of all under 0, where there is none."""
        lines = _latest_lines(wanted, calls.c.status != 0)
        group = lines.c.id * 0 if by is None else self._group(lines, by)
        query = select(
            group.label("part"),
            lines.c.latency_ms,
            func.row_number().over(partition_by=group, order_by=lines.c.latency_ms).label("place"),
            func.count().over(partition_by=group).label("calls"),
        ).where(self._filter(lines, replace(wanted, person=None)))
        ranked = self._of(lines, query, by).subquery()
        # The nearest rank, rounded up, in whole numbers: both databases divide them alike.
        p50, p95 = ((ranked.c.calls * percent + 99) // 100 for percent in (50, 95))
        ranks = select(ranked).where(or_(ranked.c.place == p50, ranked.c.place == p95)).order_by(ranked.c.place)
        found: dict[Group, list[int]] = {}
        for row in await self._connection.execute(ranks):
            found.setdefault(row.part, []).append(row.latency_ms)
        return {part: Latencies(of_part[0], of_part[-1]) for part, of_part in found.items()}

    async def lines(self, wanted: Wanted, before: int | None, most: int) -> list[Call]:
        """At most so many lines, newest first, and before this one where there is one."""
        table = _latest_lines(wanted) if wanted.is_narrow else calls
        query = select(*(table.c[name] for name in _NUMBERS)).order_by(table.c.id.desc()).limit(most)
        query = query.where(self._filter(table, wanted))
        if before is not None:
            query = query.where(table.c.id < before)
        return [Call(*row, budgets=()) for row in await self._connection.execute(query)]

    def _group(self, table: Any, by: ReportBy) -> ColumnElement[Any]:
        if by is ReportBy.PROVIDER:
            return self._providers.c.name
        if by is ReportBy.DAY:
            return days.c.day if table is days else _day_of(table.c.id)
        return table.c[by.value]

    def _of(self, table: Any, query: Any, by: ReportBy | None) -> Any:
        """The question with what it is grouped by."""
        if by is not ReportBy.PROVIDER:
            return query
        return query.select_from(table.join(self._providers, self._providers.c.id == table.c.model))

    def _summed(self, wanted: Wanted, *groups: ColumnElement[Any]) -> Select[Any]:
        columns = [func.coalesce(func.sum(days.c[name]), 0).label(name) for name in _SUMS]
        query = select(*groups, *columns).where(self._filter(days, wanted))
        if wanted.span:
            query = query.where(days.c.day.between(wanted.span.first, wanted.span.last))
        return query.group_by(*groups) if groups else query

    def _filter(self, table: Any, wanted: Wanted) -> ColumnElement[bool]:
        numbers = {"person": wanted.person, "key": wanted.key, "model": wanted.model}
        found = [table.c[name] == number for name, number in numbers.items() if number is not None]
        if wanted.provider is not None:
            theirs = select(self._providers.c.id).where(self._providers.c.name == wanted.provider)
            found.append(table.c.model.in_(theirs))
        return and_(true(), *found)


def _latest_lines(wanted: Wanted, *only: ColumnElement[bool]) -> Any:
    """Of the person, or of all: bounded before anything else is asked, so that nobody reads the whole ledger."""
    query = select(calls).where(*only)
    if span := wanted.span:
        first, end = first_id_at(span.first * DAY_MS), first_id_at((span.last + 1) * DAY_MS)
        query = query.where(calls.c.id >= first, calls.c.id < min(end, MOST_ID))
    if wanted.person is not None:
        query = query.where(calls.c.person == wanted.person)
    return query.order_by(calls.c.id.desc()).limit(MOST_LINES).subquery()


def _day_of(call_id: ColumnElement[int]) -> ColumnElement[int]:
    return (call_id // MILLISECOND + EPOCH_MS) // DAY_MS


def _sums_of(row: Any) -> Sums:
    # PostgreSQL's sums of large numbers come as decimals.
    return Sums(*(int(getattr(row, name)) for name in _SUMS))
