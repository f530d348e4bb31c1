"""Uses of the bulk door, and the lines that were refused."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.marketplace.domain.importing import Import, RefusedLine
from opencode.modules.marketplace.store.tables import imports, refusals


class ImportStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, import_id: str) -> Import | None:
        row = (await self._connection.execute(select(imports).where(imports.c.id == import_id))).mappings()
        found = row.one_or_none()
        return Import(**found) if found else None

    async def refused(self, import_id: str) -> list[RefusedLine]:
        """In the order of the lines."""
        query = select(refusals.c.line, refusals.c.reason).where(refusals.c.import_id == import_id)
        rows = await self._connection.execute(query.order_by(refusals.c.line))
        return [RefusedLine(row.line, row.reason) for row in rows]

    async def add(self, new: Import) -> None:
        await self._connection.execute(insert(imports).values(asdict(new)))

    async def save(self, current: Import, refused: Sequence[RefusedLine] = ()) -> None:
        await self._connection.execute(update(imports).where(imports.c.id == current.id).values(asdict(current)))
        if refused:
            rows = [{"import_id": current.id, "line": each.line, "reason": each.reason} for each in refused]
            await self._connection.execute(insert(refusals), rows)
