"""What was read last of projects' repositories."""

from datetime import datetime

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db.tables import to_micros
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.readings import Prints
from opencode.modules.marketplace.store.tables import readings

_SAVE = text("""
    insert into project_readings (project_id, prints, read_at)
    select id, :prints, :read_at from projects where id = :project_id
    on conflict (project_id) do update set prints = excluded.prints, read_at = excluded.read_at
""")


class ReadingStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def last(self, project_id: ProjectId) -> Prints:
        """Empty for a project that was never read."""
        query = select(readings.c.prints).where(readings.c.project_id == project_id)
        found = (await self._connection.execute(query)).scalar_one_or_none()
        return msgspec.json.decode(found, type=dict[str, str]) if found else {}

    async def save(self, project_id: ProjectId, prints: Prints, at: datetime) -> None:
        """Nothing is kept of a project that is gone."""
        values = {"project_id": project_id, "prints": msgspec.json.encode(prints).decode(), "read_at": to_micros(at)}
        await self._connection.execute(_SAVE, values)
