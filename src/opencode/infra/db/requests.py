"""What an `Idempotency-Key` made."""

import hashlib
from datetime import datetime

import msgspec
from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db.tables import UtcDateTime, metadata

_LONGEST_KEY = 200
_ID = String(40)


def request_table(name: str) -> Table:
    """The table of a module's `RequestStore`."""
    return Table(
        name,
        metadata,
        Column("principal_id", _ID, nullable=False),
        Column("key", String(_LONGEST_KEY), nullable=False),
        Column("fingerprint", String(64), nullable=False),
        Column("made_id", _ID, nullable=False),
        Column("at", UtcDateTime, nullable=False),
        PrimaryKeyConstraint("principal_id", "key"),
        Index(None, "at"),
    )


def fingerprint(facts: object) -> str:
    """Tells two requests that came with one `Idempotency-Key` apart: what they ask for, as JSON, hashed."""
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


class RequestStore:
    """
    Requests that came with a key, so that the same one again makes nothing new.

    Args:
        table: of `request_table`.
        reused: raised when a key was used at the same moment.
    """

    def __init__(self, connection: AsyncConnection, table: Table, reused: type[Exception]) -> None:
        self._connection = connection
        self._table = table
        self._reused = reused

    async def find(self, principal_id: str, key: str) -> tuple[str, str] | None:
        """The fingerprint of the request and the id of what it made."""
        columns = self._table.c
        query = select(columns.fingerprint, columns.made_id).where(
            columns.principal_id == principal_id, columns.key == key
        )
        row = (await self._connection.execute(query)).one_or_none()
        return (row.fingerprint, row.made_id) if row else None

    async def add(self, principal_id: str, key: str, fingerprint: str, made_id: str, at: datetime) -> None:
        """
        Raises:
            What was given as `reused`.
        """
        values = {"principal_id": principal_id, "key": key, "fingerprint": fingerprint, "made_id": made_id, "at": at}
        try:
            await self._connection.execute(insert(self._table).values(values))
        except IntegrityError:
            raise self._reused from None

    async def any_before(self, moment: datetime) -> bool:
        query = select(self._table.c.key).where(self._table.c.at < moment).limit(1)
        return (await self._connection.execute(query)).first() is not None

    async def forget_before(self, moment: datetime) -> None:
        await self._connection.execute(delete(self._table).where(self._table.c.at < moment))
