"""What was used: reports for plots, and the calls themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from opencode.contracts.identity import Identity
from opencode.infra.plugs import Parts
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.domain.ledger import NameKind
from opencode.modules.ai.domain.periods import date_of
from opencode.modules.ai.domain.reports import (
    MOST_DAYS,
    MOST_GROUPS,
    CallShown,
    DaySpan,
    Filters,
    Latencies,
    Part,
    Report,
    ReportBy,
    Sums,
    span_between,
)
from opencode.modules.ai.errors import DaysNotUnderstood
from opencode.modules.ai.policy import TO_MANAGE, require_own_or_manager
from opencode.modules.ai.store import Stores, reading
from opencode.modules.ai.store.usage import Group, Wanted

_NOBODY = Sums()


@dataclass(frozen=True, slots=True)
class _Found:
    """What the database says of groups."""

    sums: Mapping[Group, Sums]
    by_day: Mapping[tuple[Group, int], Sums]
    latencies: Mapping[Group, Latencies]
    names: Mapping[Group, str]


class Reporting:
    def __init__(self, parts: Parts, identity: Identity) -> None:
        self._parts = parts
        self._identity = identity

    async def report(
        self, by: Principal, part: ReportBy, filters: Filters, *, first: date | None, last: date | None
    ) -> Report:
        """
        What was used on some days.

        Args:
            part: what there is one part for each of.
            filters: whose, with which key, of which model; administrators see everybody's unless they name somebody.
            first, last: the last thirty days where they are not given.

        Raises:
            Unauthenticated, Forbidden, DaysNotUnderstood
        """
        person = _whose(by, filters.person)
        span = span_between(first, last, self._parts.clock.now().date())
        if not isinstance(span, DaySpan):
            raise DaysNotUnderstood(span)
        async with reading(self._parts.database) as stores:
            wanted = await _wanted(stores, span, replace(filters, person=person))
            if wanted is None:
                return Report(span, part, _NOBODY, None, _empty_days(span) if part is ReportBy.DAY else ())
            total = await stores.usage.total(wanted)
            latencies = (await stores.usage.latencies(wanted, None)).get(0)
            found = await _found(stores, wanted, part)
        if part is ReportBy.DAY:
            return Report(span, part, total, latencies, _days(span, found))
        return Report(span, part, total, latencies, _groups(span, found, await self._labels(part, found)))

    async def calls(self, by: Principal, filters: Filters, page: PageRequest) -> Page[CallShown]:
        """
        Lines of the ledger, newest first.

        Args:
            filters: as in a report; those of one key, model or provider are looked for among the latest lines only.

        Raises:
            Unauthenticated, Forbidden
        """
        person, position = _whose(by, filters.person), page.position(int)
        async with reading(self._parts.database) as stores:
            wanted = await _wanted(stores, None, replace(filters, person=person))
            if wanted is None:
                return Page([])
            lines = await stores.usage.lines(wanted, position[0] if position else None, page.limit + 1)
            cut = Page.cut(lines, page.limit, lambda line: (line.id,))
            numbers = {each for line in cut.items for each in (line.person, line.key, line.team, line.model)}
            names = {0: "", **await stores.usage.names_of(numbers)}
        people = await self._identity.display_names(frozenset(names[line.person] for line in cut.items))
        keys = await self._identity.names_of_tokens(frozenset(names[line.key] for line in cut.items))
        shown = [
            CallShown(
                line,
                names[line.person],
                names[line.key],
                names[line.team],
                names[line.model],
                people.get(names[line.person]),
                keys.get(names[line.key]),
            )
            for line in cut.items
        ]
        return Page(shown, cut.next_cursor)

    async def _labels(self, by: ReportBy, found: _Found) -> dict[str, str]:
        named = frozenset(found.names.values())
        if by is ReportBy.PERSON:
            return await self._identity.display_names(named)
        return await self._identity.names_of_tokens(named) if by is ReportBy.KEY else {}


def _whose(by: Principal, asked: str | None) -> str | None:
    """Whose calls are meant; None for everybody's."""
    whose = asked or (None if by.may(TO_MANAGE) else by.id)
    require_own_or_manager(by, whose or "")
    return whose


async def _wanted(stores: Stores, span: DaySpan | None, filters: Filters) -> Wanted | None:
    """None where something is named that no call has."""
    if "\0" in (filters.provider or ""):
        return None  # PostgreSQL refuses even to look for it
    kinds = {"person": NameKind.PERSON, "key": NameKind.KEY, "model": NameKind.MODEL}
    numbers: dict[str, int] = {}
    for name, kind in kinds.items():
        asked: str | None = getattr(filters, name)
        if asked is None:
            continue
        number = await stores.usage.number_of(kind, asked)
        if number is None:
            return None
        numbers[name] = number
    return Wanted(span, **numbers, provider=filters.provider)


async def _found(stores: Stores, wanted: Wanted, by: ReportBy) -> _Found:
    sums = await stores.usage.groups(wanted, by, MOST_DAYS if by is ReportBy.DAY else MOST_GROUPS)
    latencies = await stores.usage.latencies(wanted, by)
    if by is ReportBy.DAY:
        return _Found(sums, {}, latencies, {})
    by_day = await stores.usage.days_of(wanted, by, sums.keys())
    numbers = {group for group in sums if isinstance(group, int)}
    names = {group: group for group in sums if isinstance(group, str)}
    return _Found(sums, by_day, latencies, {0: "", **names, **await stores.usage.names_of(numbers)})


def _empty_days(span: DaySpan) -> tuple[Part, ...]:
    return _days(span, _Found({}, {}, {}, {}))


def _days(span: DaySpan, found: _Found) -> tuple[Part, ...]:
    return tuple(
        Part(str(date_of(day)), None, found.sums.get(day, _NOBODY), found.latencies.get(day))
        for day in range(span.first, span.last + 1)
    )


def _groups(span: DaySpan, found: _Found, labels: dict[str, str]) -> tuple[Part, ...]:
    return tuple(
        Part(
            found.names[group],
            labels.get(found.names[group]),
            sums,
            found.latencies.get(group),
            tuple(found.by_day.get((group, day), _NOBODY) for day in range(span.first, span.last + 1)),
        )
        for group, sums in found.sums.items()
    )
