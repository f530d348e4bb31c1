"""What people are told, as it waits in the outbox for whoever tells them."""

import msgspec
from sqlalchemy import select

from opencode.contracts.events import tag_of
from opencode.contracts.notifications import NoticeGiven, NoticeKind
from opencode.infra.db import Database, outbox


async def notices(database: Database, kind: NoticeKind | None = None) -> list[NoticeGiven]:
    """All notices so far, in their order."""
    query = select(outbox.c.payload).where(outbox.c.tag == tag_of(NoticeGiven)).order_by(outbox.c.sequence)
    async with database.read() as connection:
        found = [msgspec.json.decode(raw, type=NoticeGiven) for raw in (await connection.execute(query)).scalars()]
    return [notice for notice in found if kind in (None, notice.kind)]
