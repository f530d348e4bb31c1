"""What is asked most, read at a glance where the database is embedded, and like everything else where it is not."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, func, select

from opencode.infra.db import Database, Glimpse
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.views import Card, Shown
from opencode.modules.marketplace.store.projects import FIND, PUBLISHED_CARDS, card_of, shown_of
from opencode.modules.marketplace.store.tables import projects
from opencode.modules.marketplace.store.work import reading

_CARDS = Glimpse(
    PUBLISHED_CARDS.where(projects.c.id.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value)))
)
_FOUND = Glimpse(FIND)


async def read_cards(database: Database, ids: Sequence[ProjectId]) -> dict[ProjectId, Card]:
    """See `ProjectStore.cards`."""
    if database.glance:
        rows = database.glance.rows(_CARDS, ids=msgspec.json.encode(ids).decode())
        if rows is not None:
            return {row["id"]: card_of(row) for row in rows}
    async with reading(database) as stores:
        return await stores.projects.cards(ids)


async def read_project(database: Database, handle: str, name: str) -> Shown | None:
    """See `ProjectStore.find`."""
    if database.glance:
        rows = database.glance.rows(_FOUND, of_handle=handle, of_name=name)
        if rows is not None:
            return shown_of(rows[0]) if rows else None
    async with reading(database) as stores:
        return await stores.projects.find(handle, name)
