"""Limits of keys."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.kernel.pages import Page, PageRequest
from opencode.modules.ai.domain.keys import KeyLimits, LimitedKey
from opencode.modules.ai.store.tables import key_limits


class KeyLimitStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql

    async def find(self, token_id: str) -> LimitedKey | None:
        query = select(key_limits).where(key_limits.c.token_id == token_id)
        row = (await self._connection.execute(query)).one_or_none()
        return _key_of(row) if row else None

    async def put(self, key: LimitedKey) -> None:
        """In place of what was there."""
        values = {
            "owner_id": key.owner_id,
            "limits": msgspec.json.encode(key.own).decode(),
            "changed_by": key.changed_by,
            "changed_at": key.changed_at,
        }
        made = self._dialect.insert(key_limits).values(token_id=key.token_id, **values)
        changed = made.on_conflict_do_update(index_elements=[key_limits.c.token_id], set_=values)
        await self._connection.execute(changed)

    async def delete(self, token_ids: Collection[str]) -> None:
        await self._connection.execute(delete(key_limits).where(key_limits.c.token_id.in_(token_ids)))

    async def of(self, owner_id: str) -> list[LimitedKey]:
        """Those of a person, by id. There are few: an account holds a hundred tokens at the most."""
        query = select(key_limits).where(key_limits.c.owner_id == owner_id).order_by(key_limits.c.token_id)
        return [_key_of(row) for row in await self._connection.execute(query)]

    async def page(self, owner_id: str | None, page: PageRequest) -> Page[LimitedKey]:
        """Those of a person, or of everybody, by id."""
        query = select(key_limits)
        if owner_id is not None:
            query = query.where(key_limits.c.owner_id == owner_id)
        if position := page.position(str):
            query = query.where(key_limits.c.token_id > position[0])
        rows = await self._connection.execute(query.order_by(key_limits.c.token_id).limit(page.limit + 1))
        return Page.cut([_key_of(row) for row in rows], page.limit, lambda each: (each.token_id,))

    async def ids_after(self, token_id: str, most: int) -> list[str]:
        """At most so many ids of keys of anybody, from the one behind this one."""
        query = select(key_limits.c.token_id).where(key_limits.c.token_id > token_id)
        return list((await self._connection.execute(query.order_by(key_limits.c.token_id).limit(most))).scalars())


def _key_of(row: Any) -> LimitedKey:
    own = msgspec.json.decode(row.limits, type=KeyLimits)
    return LimitedKey(row.token_id, row.owner_id, own, row.changed_by, row.changed_at)
