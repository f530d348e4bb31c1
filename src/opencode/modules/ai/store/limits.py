"""Limits that administrators have set."""

from typing import Any

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.ai.domain.configuration.model import Limits
from opencode.modules.ai.domain.setting import StoredLimits, Whose
from opencode.modules.ai.store.tables import limits


class LimitStore:
    """See `domain.setting.LimitShelf`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql

    async def all(self) -> list[StoredLimits]:
        rows = await self._connection.execute(select(limits).order_by(limits.c.subject))
        return [_stored(row) for row in rows]

    async def find(self, whose: Whose) -> StoredLimits | None:
        query = select(limits).where(limits.c.subject == whose.words)
        row = (await self._connection.execute(query)).one_or_none()
        return _stored(row) if row else None

    async def count(self) -> int:
        return (await self._connection.execute(select(func.count()).select_from(limits))).scalar_one()

    async def add(self, new: StoredLimits) -> bool:
        made = self._dialect.insert(limits).values(_row(new)).on_conflict_do_nothing()
        return bool((await self._connection.execute(made)).rowcount)

    async def change(self, before: StoredLimits, after: StoredLimits) -> bool:
        same = limits.c.subject == before.whose.words, limits.c.version == before.version
        return bool((await self._connection.execute(update(limits).where(*same).values(_row(after)))).rowcount)

    async def delete(self, before: StoredLimits) -> bool:
        same = limits.c.subject == before.whose.words, limits.c.version == before.version
        return bool((await self._connection.execute(delete(limits).where(*same))).rowcount)


def _stored(row: Any) -> StoredLimits:
    own = msgspec.json.decode(row.limits, type=Limits)
    return StoredLimits(Whose.of_words(row.subject), own, row.version, row.changed_by, row.changed_at)


def _row(stored: StoredLimits) -> dict[str, Any]:
    return {
        "subject": stored.whose.words,
        "limits": msgspec.json.encode(stored.limits).decode(),
        "version": stored.version,
        "changed_by": stored.changed_by,
        "changed_at": stored.changed_at,
    }
