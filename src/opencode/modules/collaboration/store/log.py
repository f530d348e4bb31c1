"""The update log through SQLAlchemy: for PostgreSQL, and the plain form that the SQLite one is compared with."""

from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import Database
from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain.log import StoredDocument
from opencode.modules.collaboration.domain.records import Record, decode_records, encode_records
from opencode.modules.collaboration.store.tables import journal, segments, snapshots

SETTLE_ROWS = 200
"""Journal rows sorted in one transaction; more would keep writers waiting."""


class SqlUpdateLog:
    """Implements `domain.log.UpdateLog` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._upsert = _insert_of(database)

    def commit_at_once(self, records: list[Record]) -> bool:
        return False

    async def commit(self, records: list[Record]) -> None:
        async with self._database.begin() as connection:
            await connection.execute(insert(journal).values(records=encode_records(records)))

    async def sync(self) -> None:
        """PostgreSQL's own `synchronous_commit` decides."""

    async def settle(self) -> None:
        while await self._settle_some():
            pass

    async def load(self, document_id: DocumentId) -> StoredDocument:
        await self.settle()
        async with self._database.read() as connection:
            found = select(snapshots).where(snapshots.c.document_id == document_id)
            row = (await connection.execute(found)).one_or_none()
            sequence = row.sequence if row else 0
            records = await _records(connection, document_id, after=sequence)
        if row is None:
            return StoredDocument(None, 0, frozenset(), records)
        return StoredDocument(row.state, sequence, frozenset(msgspec.json.decode(row.seeds, type=list[str])), records)

    async def history(self, document_id: DocumentId) -> list[Record]:
        await self.settle()
        async with self._database.read() as connection:
            return await _records(connection, document_id, after=0)

    async def save_snapshot(self, document_id: DocumentId, sequence: int, seeds: frozenset[str], state: bytes) -> None:
        values = {"sequence": sequence, "seeds": msgspec.json.encode(sorted(seeds)).decode(), "state": state}
        statement = self._upsert(snapshots).values(document_id=document_id, **values)
        newer = statement.on_conflict_do_update(
            index_elements=[snapshots.c.document_id], set_=values, where=snapshots.c.sequence < sequence
        )
        async with self._database.begin() as connection:
            await connection.execute(newer)

    async def delete(self, document_id: DocumentId) -> None:
        # What is still in the journal would otherwise come back with the next settle.
        await self.settle()
        async with self._database.begin() as connection:
            await connection.execute(delete(segments).where(segments.c.document_id == document_id))
            await connection.execute(delete(snapshots).where(snapshots.c.document_id == document_id))

    async def _settle_some(self) -> bool:
        async with self._database.begin() as connection:
            oldest = select(journal).order_by(journal.c.id).limit(SETTLE_ROWS)
            if not self._database.is_sqlite:
                oldest = oldest.with_for_update()
            rows = list(await connection.execute(oldest))
            if not rows:
                return False
            for values in segments_of([row.records for row in rows]):
                statement = self._upsert(segments).values(values)
                longer = statement.on_conflict_do_update(
                    index_elements=[segments.c.document_id, segments.c.first_sequence],
                    set_={"last_sequence": values["last_sequence"], "records": values["records"]},
                    where=segments.c.last_sequence < values["last_sequence"],
                )
                await connection.execute(longer)
            await connection.execute(delete(journal).where(journal.c.id.in_([row.id for row in rows])))
        return len(rows) == SETTLE_ROWS


def _insert_of(database: Database) -> Any:
    # The words are the same in both, but loading the dialect of the other one costs the start of a server.
    if database.is_sqlite:
        from sqlalchemy.dialects.sqlite import insert as dialect_insert
    else:
        from sqlalchemy.dialects.postgresql import insert as dialect_insert
    return dialect_insert


def segments_of(batches: list[bytes]) -> list[dict[str, object]]:
    """
    The rows of `document_segments` that hold the records of these journal rows. Where a segment begins at the same
    record already, the longer one is right: a commit whose answer was lost is in the journal twice, and the second
    time newer records may follow it.
    """
    records = {_place(record): record for batch in batches for record in decode_records(batch)}
    in_order = [records[place] for place in sorted(records)]
    return [segment_of(list(group)) for _, group in groupby(in_order, key=lambda record: record.document_id)]


def segment_of(records: list[Record]) -> dict[str, object]:
    """The row of `document_segments` that holds these records of one document, in order."""
    return {
        "document_id": records[0].document_id,
        "first_sequence": records[0].sequence,
        "last_sequence": records[-1].sequence,
        "records": encode_records(records),
    }


def _place(record: Record) -> tuple[str, int]:
    return record.document_id, record.sequence


async def _records(connection: AsyncConnection, document_id: DocumentId, *, after: int) -> list[Record]:
    found = (
        select(segments.c.records)
        .where(segments.c.document_id == document_id, segments.c.last_sequence > after)
        .order_by(segments.c.first_sequence)
    )
    batches = (await connection.execute(found)).scalars()
    records: list[Record] = []
    for batch in batches:
        for record in decode_records(batch):
            if record.sequence > after:  # segments overlap where a commit was made twice
                records.append(record)
                after = record.sequence
    return records
