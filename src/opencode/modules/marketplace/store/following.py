"""Who follows what, and the searches that are followed."""

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.marketplace.domain.following import Follow, FollowedSearch, FollowKind
from opencode.modules.marketplace.store.tables import followed_searches, follows, search_keys

_SEARCH = tuple(followed_searches.c[field.name] for field in fields(FollowedSearch))


class FollowingStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql

    async def add(self, kind: FollowKind, target_id: str, follower_id: str, at: datetime) -> bool:
        """Returns whether this is new."""
        values = {"kind": kind, "target_id": target_id, "follower_id": follower_id, "at": at}
        new = self._dialect.insert(follows).values(values).on_conflict_do_nothing().returning(follows.c.target_id)
        return (await self._connection.execute(new)).first() is not None

    async def remove(self, kind: FollowKind, target_id: str, follower_id: str) -> None:
        key = (follows.c.kind == kind, follows.c.target_id == target_id, follows.c.follower_id == follower_id)
        await self._connection.execute(delete(follows).where(*key))

    async def is_following(self, kind: FollowKind, target_id: str, follower_id: str) -> bool:
        key = (follows.c.kind == kind, follows.c.target_id == target_id, follows.c.follower_id == follower_id)
        return (await self._connection.execute(select(follows.c.at).where(*key))).first() is not None

    async def followers(self, kind: FollowKind, target_id: str) -> int:
        query = select(func.count()).select_from(follows)
        query = query.where(follows.c.kind == kind, follows.c.target_id == target_id)
        return (await self._connection.execute(query)).scalar_one()

    async def followers_after(self, kind: FollowKind, target_id: str, follower_id: str, limit: int) -> list[str]:
        """Followers by id, for going through all of them."""
        query = select(follows.c.follower_id).where(follows.c.kind == kind, follows.c.target_id == target_id)
        query = query.where(follows.c.follower_id > follower_id).order_by(follows.c.follower_id).limit(limit)
        return list((await self._connection.execute(query)).scalars())

    async def count_of(self, follower_id: str, kinds: Collection[FollowKind]) -> int:
        """How many things of these kinds somebody follows."""
        query = select(func.count()).select_from(follows)
        query = query.where(follows.c.follower_id == follower_id, follows.c.kind.in_(kinds))
        return (await self._connection.execute(query)).scalar_one()

    async def page_of(self, follower_id: str, kind: FollowKind | None, wanted: PageRequest) -> Page[Follow]:
        """What somebody follows, the latest first."""
        query: Any = select(follows.c.kind, follows.c.target_id, follows.c.at)
        query = query.where(follows.c.follower_id == follower_id)
        if kind:
            query = query.where(follows.c.kind == kind)
        query = newest_first(query, follows.c.at, follows.c.target_id, wanted)
        found = [Follow(**row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda follow: time_keys(follow.at, follow.target_id))

    async def add_search(self, new: FollowedSearch) -> FollowedSearch:
        """Follow a search. Returns it, or the one that its follower follows already and that asks for the same."""
        values = {column.name: getattr(new, column.name) for column in (*_SEARCH, followed_searches.c.fingerprint)}
        row = self._dialect.insert(followed_searches).values(values).on_conflict_do_nothing()
        added = (await self._connection.execute(row.returning(followed_searches.c.id))).first()
        if added is None:
            same = (
                followed_searches.c.user_id == new.user_id,
                followed_searches.c.fingerprint == new.fingerprint,
            )
            found = (await self._connection.execute(select(*_SEARCH).where(*same))).mappings().one()
            return FollowedSearch(**found)
        await self.add(FollowKind.SEARCH, new.id, new.user_id, new.created_at)
        rows = [{"key": key, "search_id": new.id} for key in sorted(new.keys)]
        await self._connection.execute(insert(search_keys), rows)
        return new

    async def remove_search(self, search_id: str, user_id: str) -> bool:
        """Returns whether this person followed it."""
        own = (followed_searches.c.id == search_id, followed_searches.c.user_id == user_id)
        gone = delete(followed_searches).where(*own).returning(followed_searches.c.id)
        if (await self._connection.execute(gone)).first() is None:
            return False
        await self._connection.execute(delete(search_keys).where(search_keys.c.search_id == search_id))
        await self.remove(FollowKind.SEARCH, search_id, user_id)
        return True

    async def searches(self, ids: Collection[str]) -> dict[str, FollowedSearch]:
        query = select(*_SEARCH).where(followed_searches.c.id.in_(ids))
        return {row["id"]: FollowedSearch(**row) for row in (await self._connection.execute(query)).mappings()}

    async def keys_in_use(self, keys: Collection[int]) -> list[int]:
        """Those of these keys that any search is filed under."""
        query = select(search_keys.c.key).where(search_keys.c.key.in_(keys)).distinct()
        return sorted((await self._connection.execute(query)).scalars())

    async def searches_under(self, key: int, after: str, limit: int) -> list[FollowedSearch]:
        """Searches that are filed under a key, by id, for going through all of them."""
        filed = search_keys.join(followed_searches, followed_searches.c.id == search_keys.c.search_id)
        query = select(*_SEARCH).select_from(filed)
        query = query.where(search_keys.c.key == key, search_keys.c.search_id > after)
        rows = await self._connection.execute(query.order_by(search_keys.c.search_id).limit(limit))
        return [FollowedSearch(**row) for row in rows.mappings()]
