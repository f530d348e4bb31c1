"""Which documents there are, and to whom they belong."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import UnitOfWork
from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.store.tables import documents


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """
    Attributes:
        generation: names this history of the document; a client that holds another one must not merge.
    """

    id: DocumentId
    audience: str
    generation: str
    created_at: datetime


class DocumentStore:
    """Within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, row: DocumentRow) -> None:
        values = {"id": row.id, "audience": row.audience, "generation": row.generation, "created_at": row.created_at}
        await self._connection.execute(insert(documents).values(values))

    async def find(self, document_id: str) -> DocumentRow | None:
        row = (await self._connection.execute(select(documents).where(documents.c.id == document_id))).one_or_none()
        return DocumentRow(DocumentId(row.id), row.audience, row.generation, row.created_at) if row else None

    async def delete(self, document_id: DocumentId) -> None:
        await self._connection.execute(delete(documents).where(documents.c.id == document_id))


class Work(UnitOfWork):
    """A transaction on documents."""

    @cached_property
    def documents(self) -> DocumentStore:
        return DocumentStore(self.connection)
