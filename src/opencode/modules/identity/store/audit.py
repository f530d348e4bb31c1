"""The trail of security events: rows are added, read, and dropped when they are old; never changed."""

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.identity.domain import AuditEntry
from opencode.modules.identity.store.tables import audit


class AuditStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: AuditEntry) -> None:
        await self._connection.execute(
            insert(audit).values(
                id=entry.id,
                at=entry.at,
                kind=entry.kind,
                actor_id=entry.actor_id,
                subject_id=entry.subject_id,
                address=entry.address,
                detail=entry.detail,
            )
        )

    async def page(self, page: PageRequest) -> Page[AuditEntry]:
        """The whole trail, the newest first."""
        rows = await self._connection.execute(newest_first(select(audit), audit.c.at, audit.c.id, page))
        entries = [
            AuditEntry(row.id, row.at, row.kind, row.actor_id, row.subject_id, row.address, row.detail) for row in rows
        ]
        return Page.cut(entries, page.limit, lambda entry: time_keys(entry.at, entry.id))

    async def sweep(self, before: datetime) -> None:
        await self._connection.execute(delete(audit).where(audit.c.at < before))
