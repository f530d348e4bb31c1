"""Stars, downloads and views: the facts, and the totals that are kept beside them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db.tables import to_micros
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.counting import WEEK_DAYS, Fact, Kind
from opencode.modules.marketplace.domain.project import Counters, ProjectStatus
from opencode.modules.marketplace.domain.ranking import STAR_WEIGHT, popularity, trend
from opencode.modules.marketplace.domain.snapshots import Standings
from opencode.modules.marketplace.store.tables import counters, days, projects, stars, uses

# One statement with one parameter, however many facts: what comes back are those that were not known.
_INSERT = """
    insert into interactions (id, project_id, kind, hour, visitor, robot, at)
    select {fact} where {exists}
    on conflict do nothing
    returning id
"""
_SQLITE = text(
    _INSERT.format(
        fact="json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), "
        "json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), "
        "json_extract(value, '$[6]') from json_each(:facts)",
        exists="exists (select 1 from projects where projects.id = json_extract(value, '$[1]'))",
    )
)
_POSTGRES = text(
    _INSERT.format(
        fact="f->>0, f->>1, f->>2, cast(f->>3 as integer), f->>4, cast(f->>5 as boolean), cast(f->>6 as bigint) "
        "from json_array_elements(cast(:facts as json)) as f",
        exists="exists (select 1 from projects where projects.id = f->>1)",
    )
)

# One row for thousands of projects, and all lists in the same order. SQLite's JSON has fewer digits of a number than it
# takes to tell it from its neighbours.
_STANDINGS = """
    select max(project_id) as last, cast({list}(project_id) as text) as ids, cast({list}(stars) as text) as stars,
        cast({list}(downloads) as text) as downloads, {trends} as trends
    from (
        select project_id, stars, downloads, coalesce(trend, 0.0) as trend
        from project_counters where project_id > :after order by project_id limit :most
    ) as part
"""
_STANDINGS_SQLITE = text(
    _STANDINGS.format(list="json_group_array", trends="'[' || group_concat(printf('%!.17g', trend)) || ']'")
)
_STANDINGS_POSTGRES = text(_STANDINGS.format(list="json_agg", trends="cast(json_agg(trend) as text)"))

_COUNTED = ("downloads", "views", "robot_downloads", "robot_views")


@dataclass(slots=True)
class Added:
    """What a batch of facts adds to one project, in all or of one day."""

    downloads: int = 0
    views: int = 0
    robot_downloads: int = 0
    robot_views: int = 0

    def count(self, fact: Fact) -> None:
        name = "downloads" if fact.kind is Kind.DOWNLOAD else "views"
        name = f"robot_{name}" if fact.robot else name
        setattr(self, name, getattr(self, name) + 1)


class CountingStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"

    async def of(self, ids: Collection[ProjectId], *, to_change: bool = False) -> dict[ProjectId, Counters]:
        """
        Args:
            to_change: nobody else counts for these projects until the transaction is over.
        """
        query = select(counters).where(counters.c.project_id.in_(sorted(ids))).order_by(counters.c.project_id)
        if to_change:
            query = query.with_for_update()
        rows = (await self._connection.execute(query)).mappings()
        return {row["project_id"]: Counters(**{name: row[name] for name in _NAMES}) for row in rows}

    async def standings_after(self, project_id: str, limit: int) -> Standings | None:
        """How projects stand, by id, whoever may see them; None behind the last."""
        query = _STANDINGS_SQLITE if self._is_sqlite else _STANDINGS_POSTGRES
        row = (await self._connection.execute(query, {"after": project_id, "most": limit})).one()
        if row.last is None:
            return None
        ids = msgspec.json.decode(row.ids, type=list[ProjectId])
        stars, downloads = (msgspec.json.decode(each, type=list[int]) for each in (row.stars, row.downloads))
        trending = msgspec.json.decode(row.trends, type=list[float])
        return Standings(row.last, ids, list(map(popularity, stars, downloads)), trending)

    async def of_those(
        self, ids: Collection[ProjectId], states: Collection[ProjectStatus]
    ) -> dict[ProjectId, Counters]:
        """Of those of these projects that are in one of these states."""
        there = counters.join(projects, projects.c.id == counters.c.project_id)
        query = select(*counters.columns).select_from(there)
        query = query.where(counters.c.project_id.in_(sorted(ids)), projects.c.status.in_(sorted(states)))
        rows = (await self._connection.execute(query.order_by(counters.c.project_id))).mappings()
        return {row["project_id"]: Counters(**{name: row[name] for name in _NAMES}) for row in rows}

    async def note(self, facts: Sequence[Fact]) -> dict[ProjectId, Counters]:
        """
        Write facts down, and count those that are new. A fact about a project that is gone is none.

        Returns:
            The counters of the projects that have moved.
        """
        by_id: dict[str, Fact] = {}
        for fact in facts:
            by_id.setdefault(fact.id, fact)
        # In one order everywhere, or two servers with the same facts would wait for each other.
        in_order = sorted(by_id.values(), key=lambda fact: fact.id)
        rows = [(f.id, f.project_id, f.kind, f.hour, f.visitor, f.robot, to_micros(f.at)) for f in in_order]
        statement = _SQLITE if self._is_sqlite else _POSTGRES
        written = await self._connection.execute(statement, {"facts": msgspec.json.encode(rows).decode()})
        new = [by_id[fact_id] for fact_id in written.scalars()]
        await self._note_uses(new)
        return await self._count(new) if new else {}

    async def _note_uses(self, new: Sequence[Fact]) -> None:
        """Keep who has used what, once."""
        kind: Any = sqlite if self._is_sqlite else postgresql
        first = {(fact.project_id, fact.user_id): fact.at for fact in new if fact.user_id}
        rows = [
            {"project_id": project_id, "user_id": user_id, "at": at}
            for (project_id, user_id), at in sorted(first.items())
        ]
        if rows:
            await self._connection.execute(kind.insert(uses).on_conflict_do_nothing(), rows)

    async def _count(self, new: Sequence[Fact]) -> dict[ProjectId, Counters]:
        totals: dict[ProjectId, Added] = defaultdict(Added)
        daily: dict[tuple[ProjectId, int], Added] = defaultdict(Added)
        for fact in new:
            totals[fact.project_id].count(fact)
            daily[fact.project_id, fact.day].count(fact)
        before = await self.of(totals.keys(), to_change=True)
        at = max(fact.at for fact in new)
        after = {found: _plus(before[found], added, at) for found, added in totals.items() if found in before}
        await self._save(after)
        await self._add_days(daily)
        return after

    async def _save(self, after: Mapping[ProjectId, Counters]) -> None:
        changed = update(counters).where(counters.c.project_id == bindparam("of"))
        rows = [{"of": project_id, **asdict(own)} for project_id, own in sorted(after.items())]
        if rows:
            await self._connection.execute(changed, rows)

    async def _add_days(self, daily: Mapping[tuple[ProjectId, int], Added]) -> None:
        kind: Any = sqlite if self._is_sqlite else postgresql
        row = kind.insert(days)
        row = row.on_conflict_do_update(
            index_elements=[days.c.project_id, days.c.day],
            set_={name: days.c[name] + row.excluded[name] for name in _COUNTED},
        )
        rows = [
            {"project_id": project_id, "day": day, **{name: getattr(added, name) for name in _COUNTED}}
            for (project_id, day), added in sorted(daily.items())
        ]
        await self._connection.execute(row, rows)

    async def has_starred(self, project_id: ProjectId, user_id: str) -> bool:
        key = (stars.c.project_id == project_id, stars.c.user_id == user_id)
        return bool((await self._connection.execute(select(stars.c.is_set).where(*key))).scalar_one_or_none())

    async def star(self, project_id: ProjectId, user_id: str, *, wanted: bool, at: datetime) -> tuple[Counters, bool]:
        """
        Set or take back a star. The row is the fact; the total moves only with it.

        Returns:
            The counters, and whether anything changed.
        """
        # Whoever counts for this project holds its counters, so nobody sets the same star at the same moment.
        found = (await self.of([project_id], to_change=True)).get(project_id)
        if found is None:
            return Counters(), False
        key = (stars.c.project_id == project_id, stars.c.user_id == user_id)
        was_set = (await self._connection.execute(select(stars.c.is_set).where(*key))).scalar_one_or_none()
        if bool(was_set) is wanted:
            return found, False
        values = {"project_id": project_id, "user_id": user_id, "is_set": wanted, "at": at}
        change = insert(stars) if was_set is None else update(stars).where(*key)
        await self._connection.execute(change.values(values))
        # Only the first time is news: setting it again and again is no trend.
        trending = trend(_trend(found), STAR_WEIGHT, at.timestamp()) if was_set is None else found.trend
        total = found.stars + (1 if wanted else -1)
        after = replace(found, stars=total, trend=trending)
        await self._save({project_id: after})
        return after, True

    async def weeks_of(self, ids: Collection[ProjectId], first_day: int) -> dict[ProjectId, dict[int, int]]:
        """People's downloads of published projects by week, counted from a day on; those without are left out."""
        week = (days.c.day - first_day) // WEEK_DAYS
        query = (
            select(days.c.project_id, week.label("week"), func.sum(days.c.downloads).label("downloads"))
            .select_from(days.join(projects, projects.c.id == days.c.project_id))
            .where(days.c.project_id.in_(sorted(ids)), days.c.day >= first_day, days.c.downloads > 0)
            .where(projects.c.status == ProjectStatus.PUBLISHED)
            .group_by(days.c.project_id, week)
        )
        found: dict[ProjectId, dict[int, int]] = defaultdict(dict)
        for row in await self._connection.execute(query):
            found[row.project_id][row.week] = int(row.downloads)
        return found

    async def days_of(self, project_id: ProjectId, first_day: int) -> dict[int, dict[str, int]]:
        """The daily series from a day on; days on which nothing happened are left out."""
        query = select(days).where(days.c.project_id == project_id, days.c.day >= first_day).order_by(days.c.day)
        rows = (await self._connection.execute(query)).mappings()
        return {row["day"]: {name: row[name] for name in _COUNTED} for row in rows}


_NAMES = ("stars", "downloads", "views", "robot_downloads", "robot_views", "trend")


def _plus(before: Counters, added: Added, at: datetime) -> Counters:
    sums = {name: getattr(before, name) + getattr(added, name) for name in _COUNTED}
    trending = trend(_trend(before), added.downloads, at.timestamp()) if added.downloads else before.trend
    return Counters(stars=before.stars, trend=trending, **sums)


def _trend(own: Counters) -> float:
    return float("-inf") if own.trend is None else own.trend
