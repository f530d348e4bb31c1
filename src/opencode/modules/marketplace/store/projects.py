"""Projects, the names that they have and had, and what lists show of them."""

import secrets
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import (
    RowMapping,
    Select,
    String,
    bindparam,
    column,
    delete,
    func,
    insert,
    select,
    text,
    update,
    values,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import ProjectId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.marketplace.domain.following import FollowKind
from opencode.modules.marketplace.domain.money import Price
from opencode.modules.marketplace.domain.project import PUBLIC, Counters, Project, ProjectStatus
from opencode.modules.marketplace.domain.proofs import Verified
from opencode.modules.marketplace.domain.slugs import MAX_NAME, numbered
from opencode.modules.marketplace.domain.snapshots import Versions
from opencode.modules.marketplace.domain.views import Address, Card, Shown
from opencode.modules.marketplace.errors import NameTaken
from opencode.modules.marketplace.store.tables import (
    collection_items,
    counters,
    days,
    follows,
    handles,
    interactions,
    profiles,
    projects,
    proofs,
    readings,
    release_files,
    releases,
    review_marks,
    reviews,
    slugs,
    spent_file_names,
    stars,
    uses,
)

_OWNER = (profiles.c.handle, profiles.c.display_name.label("owner_name"))
_COUNTERS = (
    counters.c.stars,
    counters.c.downloads,
    counters.c.views,
    counters.c.robot_downloads,
    counters.c.robot_views,
    counters.c.trend,
)
_SHOWN = (*projects.columns, *_OWNER, *_COUNTERS)
_CARD = (
    projects.c.id,
    projects.c.name,
    projects.c.title,
    projects.c.summary,
    projects.c.technologies,
    projects.c.license,
    projects.c.price_minor,
    projects.c.currency,
    projects.c.tags,
    projects.c.status,
    projects.c.latest_version,
    projects.c.created_at,
    projects.c.published_at,
    projects.c.updated_at,
    projects.c.featured,
    projects.c.verified_method,
    projects.c.verified_at,
    *_OWNER,
    counters.c.stars,
    counters.c.downloads,
)
_WITH_OWNER = projects.join(profiles, profiles.c.user_id == projects.c.owner_id).join(
    counters, counters.c.project_id == projects.c.id
)

# Made once: putting such a query together takes longer than the database takes to answer it.
FIND = (
    select(*_SHOWN)
    .select_from(
        handles.join(slugs, slugs.c.owner_id == handles.c.user_id)
        .join(projects, projects.c.id == slugs.c.project_id)
        .join(profiles, profiles.c.user_id == projects.c.owner_id)
        .join(counters, counters.c.project_id == projects.c.id)
    )
    .where(handles.c.handle == bindparam("of_handle"), slugs.c.name == bindparam("of_name"))
)
_FIND_TO_CHANGE = FIND.with_for_update(of=projects)
_GET = select(*_SHOWN).select_from(_WITH_OWNER).where(projects.c.id == bindparam("of_id"))
_GET_TO_CHANGE = _GET.with_for_update(of=projects)
_CARDS: Select[*tuple[Any, ...]] = select(*_CARD).select_from(_WITH_OWNER)
PUBLISHED_CARDS = _CARDS.where(projects.c.status == ProjectStatus.PUBLISHED)
_CARDS_OF = PUBLISHED_CARDS.where(projects.c.id.in_(bindparam("ids", expanding=True)))

Named = tuple[str, str]
"""An owner's id and the name of a project of theirs."""


_VERSION_BITS = 63

# One row for thousands of projects, and both lists in the same order: a million rows take ten seconds to hand over.
_VERSIONS = """
    select max(id) as last, cast({list}(id) as text) as ids, cast({list}(row_version) as text) as versions
    from (
        select id, row_version from projects where status = :status and id > :after order by id limit :most
    ) as part
"""
_VERSIONS_SQLITE = text(_VERSIONS.format(list="json_group_array"))
_VERSIONS_POSTGRES = text(_VERSIONS.format(list="json_agg"))

MOST_LOOKED_AT = 500
"""Names that are looked up at once."""


class _NumberedNames:
    """`name-2`, `name-3`… in blocks that double, or the ten thousandth `untitled` would ask ten thousand times."""

    def __init__(self, name: str) -> None:
        self.waiting: deque[str] = deque()
        self._name = name
        self._last = 1

    def look_ahead(self) -> None:
        block = range(self._last + 1, self._last + 1 + min(self._last, MOST_LOOKED_AT))
        self._last = block[-1]
        self.waiting.extend(numbered(self._name, number, MAX_NAME) for number in block)


class ProjectStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, handle: str, name: str, *, to_change: bool = False) -> Shown | None:
        """
        The project that has, or had, this slug.

        Args:
            to_change: nobody else changes it until this transaction is over.
        """
        return await self._one(_FIND_TO_CHANGE if to_change else FIND, {"of_handle": handle, "of_name": name})

    async def get(self, project_id: str, *, to_change: bool = False) -> Shown | None:
        """Args: to_change: nobody else changes it until this transaction is over."""
        return await self._one(_GET_TO_CHANGE if to_change else _GET, {"of_id": project_id})

    async def _one(self, query: Select[Any], values: dict[str, str]) -> Shown | None:
        row = (await self._connection.execute(query, values)).mappings().one_or_none()
        return shown_of(row) if row else None

    async def all_of(self, ids: Collection[ProjectId]) -> list[Shown]:
        """Those of these projects that exist."""
        query = select(*_SHOWN).select_from(_WITH_OWNER).where(projects.c.id.in_(ids))
        rows = (await self._connection.execute(query)).mappings()
        return [shown_of(row) for row in rows]

    async def listed_after(self, project_id: str, limit: int) -> list[Shown]:
        """Published projects by id, for reading the catalogue from beginning to end."""
        query = select(*_SHOWN).select_from(_WITH_OWNER)
        query = query.where(projects.c.status == ProjectStatus.PUBLISHED, projects.c.id > project_id)
        rows = (await self._connection.execute(query.order_by(projects.c.id).limit(limit))).mappings()
        return [shown_of(row) for row in rows]

    async def listed_place(self, number: int) -> ProjectId | None:
        """The `number`th published project by id, counted from 1. Only the index is read, however many there are."""
        query = select(projects.c.id).where(projects.c.status == ProjectStatus.PUBLISHED).order_by(projects.c.id)
        return (await self._connection.execute(query.offset(number - 1).limit(1))).scalar_one_or_none()

    async def count_listed(self) -> int:
        query = select(func.count()).select_from(projects).where(projects.c.status == ProjectStatus.PUBLISHED)
        return (await self._connection.execute(query)).scalar_one()

    async def addresses_after(self, project_id: str, limit: int) -> list[Address]:
        """Where published projects are, by id."""
        own = (projects.c.id, profiles.c.handle, projects.c.name, projects.c.updated_at)
        query = select(*own).select_from(projects.join(profiles, profiles.c.user_id == projects.c.owner_id))
        query = query.where(projects.c.status == ProjectStatus.PUBLISHED, projects.c.id > project_id)
        rows = await self._connection.execute(query.order_by(projects.c.id).limit(limit))
        return [Address(row.id, f"{row.handle}.{row.name}", row.updated_at) for row in rows]

    async def any_listed(self) -> bool:
        query = select(projects.c.id).where(projects.c.status == ProjectStatus.PUBLISHED).limit(1)
        return (await self._connection.execute(query)).first() is not None

    async def ids_of(self, owner_id: str) -> list[ProjectId]:
        query = select(projects.c.id).where(projects.c.owner_id == owner_id)
        return [ProjectId(found) for found in (await self._connection.execute(query)).scalars()]

    async def owned_among(self, ids: Collection[ProjectId], owner_id: str) -> list[ProjectId]:
        """Those of these projects that somebody owns."""
        query = select(projects.c.id).where(projects.c.id.in_(ids), projects.c.owner_id == owner_id)
        return [ProjectId(found) for found in (await self._connection.execute(query)).scalars()]

    async def count_of(self, owner_id: str, *, listed: bool = False) -> int:
        query = select(func.count()).select_from(projects).where(projects.c.owner_id == owner_id)
        if listed:
            query = query.where(projects.c.status == ProjectStatus.PUBLISHED)
        return (await self._connection.execute(query)).scalar_one()

    async def cards(self, ids: Sequence[ProjectId]) -> dict[ProjectId, Card]:
        """Cards of those of these projects that are published."""
        found = await self._connection.execute(_CARDS_OF, {"ids": list(ids)})
        return {row["id"]: card_of(row) for row in found.mappings()}

    async def public_cards(self, ids: Collection[str]) -> dict[str, Card]:
        """Cards of those of these projects that everybody may see, the archived among them."""
        query = _CARDS.where(projects.c.id.in_(ids), projects.c.status.in_(PUBLIC))
        return {row["id"]: card_of(row) for row in (await self._connection.execute(query)).mappings()}

    async def newest_cards_of(self, owner_id: str, limit: int) -> list[Card]:
        """Published projects of one owner, the latest publication first."""
        query = _CARDS.where(projects.c.owner_id == owner_id, projects.c.status == ProjectStatus.PUBLISHED)
        query = query.order_by(projects.c.published_at.desc(), projects.c.id.desc()).limit(limit)
        return [card_of(row) for row in (await self._connection.execute(query)).mappings()]

    async def page_of(self, owner_id: str, wanted: PageRequest) -> Page[Card]:
        """All projects of one owner, newest first."""
        query = _CARDS.where(projects.c.owner_id == owner_id)
        query = newest_first(query, projects.c.created_at, projects.c.id, wanted)
        found = [card_of(row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda card: time_keys(card.created_at, card.id))

    async def add_under_free_name(self, wanted: Project) -> Project:
        """
        Add a project that nobody has counted anything for yet, and give it back with the name that it got.

        Raises:
            NameTaken: the name was taken at the same moment.
        """
        (name,) = await self.free_names([(wanted.owner_id, wanted.name)])
        new = replace(wanted, name=name)
        await self.add([(new, Counters())])
        return new

    async def free_names(self, wanted: Sequence[Named], reserved: Collection[Named] = ()) -> list[str]:
        """
        For each the first of `name`, `name-2`, `name-3`… that none of the owner's projects has or had.

        Args:
            reserved: names that are about to be taken otherwise.
        """
        taken = await self.taken(set(wanted)) | set(reserved)
        numbered_names: dict[Named, _NumberedNames] = {}
        given: list[str] = []
        for named in wanted:
            owner_id, name = named
            while (owner_id, name) in taken:
                further = numbered_names.setdefault(named, _NumberedNames(named[1]))
                if not further.waiting:
                    further.look_ahead()
                    taken |= await self.taken([(owner_id, each) for each in further.waiting])
                name = further.waiting.popleft()
            taken.add((owner_id, name))
            given.append(name)
        return given

    async def taken(self, wanted: Collection[Named]) -> set[Named]:
        """Those of these names that a project of the owner has or had."""
        if not wanted:
            return set()
        # Joined, not `IN`: for pairs SQLite reads the whole index, which made each batch of an import slower.
        asked = values(column("owner_id", String), column("name", String), name="asked").data(list(wanted)).cte()
        same = (slugs.c.owner_id == asked.c.owner_id) & (slugs.c.name == asked.c.name)
        query = select(slugs.c.owner_id, slugs.c.name).select_from(asked.join(slugs, same))
        return {(row.owner_id, row.name) for row in await self._connection.execute(query)}

    async def add(self, new: Iterable[tuple[Project, Counters]]) -> None:
        """
        Args:
            new: projects, with counters as they were counted elsewhere.

        Raises:
            NameTaken: a name was taken at the same moment.
        """
        new = list(new)
        try:
            await self._connection.execute(insert(slugs), [_slug(project) for project, _ in new])
        except IntegrityError:
            raise NameTaken(new[0][0].name) from None
        await self._connection.execute(insert(projects), [_row(project) for project, _ in new])
        await self._connection.execute(insert(counters), [_first_counters(project.id, own) for project, own in new])

    async def rename(self, project: Project) -> None:
        """
        Let the project be found by its name as well. The names that it had go on leading to it.

        Raises:
            NameTaken: another project of the owner has, or had, this name.
        """
        key = (slugs.c.owner_id == project.owner_id, slugs.c.name == project.name)
        found = (await self._connection.execute(select(slugs.c.project_id).where(*key))).scalar_one_or_none()
        if found == project.id:
            return
        try:
            await self._connection.execute(insert(slugs).values(_slug(project)))
        except IntegrityError:
            raise NameTaken(project.name) from None

    async def versions_after(self, project_id: str, limit: int) -> Versions | None:
        """The versions of published projects by id; None behind the last."""
        query = _VERSIONS_SQLITE if self._connection.dialect.name == "sqlite" else _VERSIONS_POSTGRES
        wanted = {"status": ProjectStatus.PUBLISHED.value, "after": project_id, "most": limit}
        row = (await self._connection.execute(query, wanted)).one()
        if row.last is None:
            return None
        ids = msgspec.json.decode(row.ids, type=list[ProjectId])
        return Versions(row.last, ids, msgspec.json.decode(row.versions, type=list[int]))

    async def outdate_all_of(self, owner_id: str) -> None:
        """The catalogue shows the owner otherwise, so none of their projects is as it was."""
        changed = update(projects).where(projects.c.owner_id == owner_id)
        await self._connection.execute(changed.values(row_version=_any_version()))

    async def save(self, project: Project) -> None:
        await self._connection.execute(update(projects).where(projects.c.id == project.id).values(_row(project)))

    async def delete(self, project_id: ProjectId) -> None:
        """Delete it with everything that belongs to it."""
        own = (follows.c.kind == FollowKind.PROJECT, follows.c.target_id == project_id)
        await self._connection.execute(delete(follows).where(*own))
        own_reviews = select(reviews.c.id).where(reviews.c.project_id == project_id)
        await self._connection.execute(delete(review_marks).where(review_marks.c.review_id.in_(own_reviews)))
        for table in _OF_ONE_PROJECT:
            await self._connection.execute(delete(table).where(table.c.project_id == project_id))
        await self._connection.execute(delete(projects).where(projects.c.id == project_id))


_OF_ONE_PROJECT = (
    collection_items,
    reviews,
    uses,
    slugs,
    stars,
    interactions,
    counters,
    days,
    proofs,
    readings,
    releases,
    release_files,
    spent_file_names,
)


def _row(project: Project) -> dict[str, Any]:
    row = {name: getattr(project, name) for name in _OWN}
    price = {"price_minor": project.price.amount_minor, "currency": project.price.currency}
    return {**row, **price, "row_version": _any_version()}


def _any_version() -> int:
    return secrets.randbits(_VERSION_BITS)


_OWN = tuple(column.name for column in projects.columns if column.name not in {"price_minor", "currency"})


def _slug(project: Project) -> dict[str, str]:
    return {"owner_id": project.owner_id, "name": project.name, "project_id": project.id}


def _first_counters(project_id: ProjectId, own: Counters) -> dict[str, Any]:
    return {
        "project_id": project_id,
        "stars": own.stars,
        "downloads": own.downloads,
        "views": own.views,
        "robot_downloads": own.robot_downloads,
        "robot_views": own.robot_views,
        "trend": own.trend,
        "stars_elsewhere": own.stars,
        "downloads_elsewhere": own.downloads,
    }


def shown_of(row: Mapping[str, Any] | RowMapping) -> Shown:
    return Shown(_project(row), _counters(row), row["owner_name"])


def _project(row: Mapping[str, Any] | RowMapping) -> Project:
    own = {name: row[name] for name in _OWN}
    return Project(handle=row["handle"], price=Price(row["price_minor"], row["currency"]), **own)


def _counters(row: Mapping[str, Any] | RowMapping) -> Counters:
    return Counters(**{column.name: row[column.name] for column in _COUNTERS})


def card_of(row: Mapping[str, Any] | RowMapping) -> Card:
    return Card(
        id=row["id"],
        slug=f"{row['handle']}.{row['name']}",
        name=row["name"],
        title=row["title"],
        summary=row["summary"],
        owner_handle=row["handle"],
        owner_name=row["owner_name"],
        technologies=row["technologies"],
        license=row["license"],
        price=Price(row["price_minor"], row["currency"]),
        tags=row["tags"],
        status=row["status"],
        latest_version=row["latest_version"],
        stars=row["stars"],
        downloads=row["downloads"],
        created_at=row["created_at"],
        published_at=row["published_at"],
        updated_at=row["updated_at"],
        featured=row["featured"],
        verified=Verified(row["verified_method"], row["verified_at"]) if row["verified_at"] else None,
    )
