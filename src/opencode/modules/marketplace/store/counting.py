"""Stars, downloads and views: the facts, and the totals that are kept beside them."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import in_drivers_thread
from opencode.infra.db.tables import to_micros
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.counting import WEEK_DAYS, Fact, Kind
from opencode.modules.marketplace.domain.project import Counters, ProjectStatus
from opencode.modules.marketplace.domain.ranking import STAR_WEIGHT, popularity, trend
from opencode.modules.marketplace.domain.snapshots import Standings
from opencode.modules.marketplace.store.tables import counters, days, projects, stars

# One statement with one parameter, however many facts: what comes back are those that were not known.
_INSERT = """
    insert into interactions (id, project_id, kind, hour, visitor, robot, at)
    select {fact} where {exists}
    on conflict do nothing
    returning id
"""
_SQLITE = _INSERT.format(
    fact="json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), "
    "json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), "
    "json_extract(value, '$[6]') from json_each(?)",
    exists="exists (select 1 from projects where projects.id = json_extract(value, '$[1]'))",
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


_ADD_USES = """
    insert into project_uses (project_id, user_id, at) values (:project_id, :user_id, :at) on conflict do nothing
"""
_SAVE = """
    update project_counters set stars = :stars, downloads = :downloads, views = :views,
        robot_downloads = :robot_downloads, robot_views = :robot_views, trend = :trend
    where project_id = :project_id
"""
_ADD_DAYS = """
    insert into project_days (project_id, day, downloads, views, robot_downloads, robot_views)
    values (:project_id, :day, :downloads, :views, :robot_downloads, :robot_views)
    on conflict (project_id, day) do update set
        downloads = project_days.downloads + excluded.downloads,
        views = project_days.views + excluded.views,
        robot_downloads = project_days.robot_downloads + excluded.robot_downloads,
        robot_views = project_days.robot_views + excluded.robot_views
"""
_READ_IN_SQLITE = """
    select project_id, stars, downloads, views, robot_downloads, robot_views, trend
    from project_counters where project_id in (select value from json_each(?))
"""

_Added = Counter[str]
"""What a batch of facts adds to one project, in all or of one day, by the names of counters."""


class _News:
    """
    What facts mean that were not known before.

    Args:
        facts: in one order everywhere.
    """

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.facts = facts
        self._totals: dict[ProjectId, _Added] = defaultdict(_Added)
        self._daily: dict[tuple[ProjectId, int], _Added] = defaultdict(_Added)
        for fact in facts:
            name = f"{'robot_' if fact.robot else ''}{'downloads' if fact.kind is Kind.DOWNLOAD else 'views'}"
            self._totals[fact.project_id][name] += 1
            self._daily[fact.project_id, fact.day][name] += 1

    @property
    def projects(self) -> Collection[ProjectId]:
        return self._totals.keys()

    def uses(self) -> list[dict[str, Any]]:
        """Rows of who has used what, of which one is kept."""
        first = {(fact.project_id, fact.user_id): fact.at for fact in self.facts if fact.user_id}
        return [
            {"project_id": project_id, "user_id": user_id, "at": to_micros(at)}
            for (project_id, user_id), at in sorted(first.items())
        ]

    def added_to(self, before: Mapping[ProjectId, Counters]) -> dict[ProjectId, Counters]:
        """Of projects that are there still."""
        at = max(fact.at for fact in self.facts)
        return {found: _plus(before[found], added, at) for found, added in self._totals.items() if found in before}

    def days(self) -> list[dict[str, Any]]:
        """Rows that are added to what was counted on those days before."""
        return [
            {"project_id": project_id, "day": day, **{name: added[name] for name in _COUNTED}}
            for (project_id, day), added in sorted(self._daily.items())
        ]


def _note_in_sqlite(raw: sqlite3.Connection, encoded: str, by_id: Mapping[str, Fact]) -> dict[ProjectId, Counters]:
    """`CountingStore.note` in one go. Nobody else writes meanwhile: the transaction is one that may write."""
    news = _News([by_id[row[0]] for row in raw.execute(_SQLITE, (encoded,)).fetchall()])
    if not news.facts:
        return {}
    raw.executemany(_ADD_USES, news.uses())
    ids = msgspec.json.encode(sorted(news.projects)).decode()
    before = {ProjectId(key): Counters(*numbers) for key, *numbers in raw.execute(_READ_IN_SQLITE, (ids,))}
    after = news.added_to(before)
    raw.executemany(_SAVE, _rows_of(after))
    raw.executemany(_ADD_DAYS, news.days())
    return after


def _rows_of(after: Mapping[ProjectId, Counters]) -> list[dict[str, Any]]:
    return [{"project_id": project_id, **asdict(own)} for project_id, own in sorted(after.items())]


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
        encoded = msgspec.json.encode(rows).decode()
        if self._is_sqlite:
            return await in_drivers_thread(self._connection, lambda raw: _note_in_sqlite(raw, encoded, by_id))
        written = await self._connection.execute(_POSTGRES, {"facts": encoded})
        news = _News([by_id[fact_id] for fact_id in written.scalars()])
        if not news.facts:
            return {}
        if used := news.uses():
            await self._connection.execute(text(_ADD_USES), used)
        after = news.added_to(await self.of(news.projects, to_change=True))
        if after:
            await self._connection.execute(text(_SAVE), _rows_of(after))
        await self._connection.execute(text(_ADD_DAYS), news.days())
        return after

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
        await self._connection.execute(text(_SAVE), _rows_of({project_id: after}))
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


def _plus(before: Counters, added: _Added, at: datetime) -> Counters:
    sums = {name: getattr(before, name) + added[name] for name in _COUNTED}
    trending = trend(_trend(before), added["downloads"], at.timestamp()) if added["downloads"] else before.trend
    return Counters(stars=before.stars, trend=trending, **sums)


def _trend(own: Counters) -> float:
    return float("-inf") if own.trend is None else own.trend
