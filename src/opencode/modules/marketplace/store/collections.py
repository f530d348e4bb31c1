"""Collections and what is in them."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import String, delete, func, insert, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import ProjectId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.marketplace.domain.collection import Collection, Item, ShownCollection, Visibility
from opencode.modules.marketplace.domain.project import PUBLIC
from opencode.modules.marketplace.store.tables import collection_items, collections, profiles, projects

_COLLECTION = tuple(collections.c[field.name] for field in fields(Collection))
_ITEM = tuple(collection_items.c[field.name] for field in fields(Item))
_VISIBLE = collection_items.join(projects, projects.c.id == collection_items.c.project_id)


class CollectionStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, collection_id: str, *, to_change: bool = False) -> ShownCollection | None:
        """
        Args:
            to_change: nobody else changes it, or what is in it, until this transaction is over.
        """
        query = _shown_query().where(collections.c.id == collection_id)
        if to_change:
            query = query.with_for_update(of=collections)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _shown(row) if row else None

    async def page_of(
        self, owner_id: str, wanted: PageRequest, *, public_only: bool, holding: ProjectId | None = None
    ) -> Page[ShownCollection]:
        """
        Collections of one owner, newest first.

        Args:
            holding: only those that this project is in.
        """
        query = _shown_query().where(collections.c.owner_id == owner_id)
        if public_only:
            query = query.where(collections.c.visibility == Visibility.PUBLIC)
        if holding is not None:
            holders = select(collection_items.c.collection_id).where(collection_items.c.project_id == holding)
            query = query.where(collections.c.id.in_(holders))
        query = newest_first(query, collections.c.created_at, collections.c.id, wanted)
        found = [_shown(row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda each: time_keys(each.collection.created_at, each.collection.id))

    async def count_of(self, owner_id: str) -> int:
        query = select(func.count()).select_from(collections).where(collections.c.owner_id == owner_id)
        return (await self._connection.execute(query)).scalar_one()

    async def add(self, new: Collection) -> None:
        await self._connection.execute(insert(collections).values(asdict(new)))

    async def save(self, current: Collection) -> None:
        await self._connection.execute(
            update(collections).where(collections.c.id == current.id).values(asdict(current))
        )

    async def delete(self, collection_id: str) -> None:
        await self._connection.execute(
            delete(collection_items).where(collection_items.c.collection_id == collection_id)
        )
        await self._connection.execute(delete(collections).where(collections.c.id == collection_id))

    async def items(self, collection_id: str) -> list[Item]:
        """All of them, in their order."""
        query = select(*_ITEM).where(collection_items.c.collection_id == collection_id)
        query = query.order_by(collection_items.c.place, collection_items.c.project_id)
        return [Item(**row) for row in (await self._connection.execute(query)).mappings()]

    async def page_of_items(self, collection_id: str, wanted: PageRequest) -> Page[tuple[Item, int]]:
        """Those whose projects everybody may see, with their positions."""
        order = (collection_items.c.place, collection_items.c.project_id)
        position = (func.row_number().over(order_by=order) - 1).label("position")
        visible = (
            select(*_ITEM, position)
            .select_from(_VISIBLE)
            .where(collection_items.c.collection_id == collection_id, projects.c.status.in_(PUBLIC))
            .subquery()
        )
        query: Any = select(visible)
        if after := wanted.position(int, str):
            behind = tuple_(literal(after[0]), literal(after[1], String))
            query = query.where(tuple_(visible.c.place, visible.c.project_id) > behind)
        query = query.order_by(visible.c.place, visible.c.project_id).limit(wanted.limit + 1)
        rows = (await self._connection.execute(query)).mappings()
        found = [(Item(**{column.name: row[column.name] for column in _ITEM}), row["position"]) for row in rows]
        return Page.cut(found, wanted.limit, lambda each: (each[0].place, each[0].project_id))

    async def save_items(self, collection_id: str, before: Sequence[Item], after: Sequence[Item]) -> None:
        """Write what is different. What was there stays there."""
        known = {item.project_id: item for item in before}
        for item in after:
            if item.project_id not in known:
                row = {"collection_id": collection_id, **asdict(item)}
                await self._connection.execute(insert(collection_items).values(row))
            elif item != known[item.project_id]:
                change = update(collection_items).where(*_key(collection_id, item.project_id))
                await self._connection.execute(change.values(asdict(item)))

    async def remove_item(self, collection_id: str, project_id: ProjectId) -> bool:
        """Returns whether it was there."""
        gone = delete(collection_items).where(*_key(collection_id, project_id))
        return (await self._connection.execute(gone.returning(collection_items.c.place))).first() is not None


def _key(collection_id: str, project_id: ProjectId) -> tuple[Any, Any]:
    return collection_items.c.collection_id == collection_id, collection_items.c.project_id == project_id


def _shown_query() -> Any:
    count = (
        select(func.count())
        .select_from(_VISIBLE)
        .where(collection_items.c.collection_id == collections.c.id, projects.c.status.in_(PUBLIC))
        .scalar_subquery()
        .label("items")
    )
    there = collections.join(profiles, profiles.c.user_id == collections.c.owner_id)
    owner = (profiles.c.handle, profiles.c.display_name)
    return select(*_COLLECTION, *owner, count).select_from(there)


def _shown(row: Any) -> ShownCollection:
    collection = Collection(**{column.name: row[column.name] for column in _COLLECTION})
    return ShownCollection(collection, row["handle"], row["display_name"], row["items"])
