"""What was read last of projects' repositories, and what was read for drafts."""

from datetime import datetime

import msgspec
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db.tables import to_micros
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.readings import MOST_DRAFTS, Prints, print_of
from opencode.modules.marketplace.store.tables import draft_readings, readings

_SAVE = text("""
    insert into project_readings (project_id, prints, read_at)
    select id, :prints, :read_at from projects where id = :project_id
    on conflict (project_id) do update set prints = excluded.prints, read_at = excluded.read_at
""")
_NOTE_DRAFT = text("""
    insert into draft_readings (reader_id, place, prints, read_at) values (:reader_id, :place, :prints, :read_at)
    on conflict (reader_id, place) do update set prints = excluded.prints, read_at = excluded.read_at
""")
_FORGET_OLDER_DRAFTS = text("""
    delete from draft_readings where reader_id = :reader_id and read_at < (
        select read_at from draft_readings where reader_id = :reader_id order by read_at desc limit 1 offset :kept
    )
""")


class ReadingStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def last(self, project_id: ProjectId) -> Prints:
        """Empty for a project that was never read."""
        query = select(readings.c.prints).where(readings.c.project_id == project_id)
        found = (await self._connection.execute(query)).scalar_one_or_none()
        return _prints(found)

    async def save(self, project_id: ProjectId, prints: Prints, at: datetime) -> None:
        """Nothing is kept of a project that is gone."""
        values = {"project_id": project_id, "prints": _written(prints), "read_at": to_micros(at)}
        await self._connection.execute(_SAVE, values)

    async def of_draft(self, reader_id: str, repository_url: str) -> Prints:
        """Of the draft that this person has read last for this repository; empty when there is none."""
        key = (draft_readings.c.reader_id == reader_id, draft_readings.c.place == print_of(repository_url))
        query = select(draft_readings.c.prints).where(*key)
        return _prints((await self._connection.execute(query)).scalar_one_or_none())

    async def note_draft(self, reader_id: str, repository_url: str, prints: Prints, at: datetime) -> None:
        key = {"reader_id": reader_id, "place": print_of(repository_url)}
        await self._connection.execute(_NOTE_DRAFT, {**key, "prints": _written(prints), "read_at": to_micros(at)})
        await self._connection.execute(_FORGET_OLDER_DRAFTS, {"reader_id": reader_id, "kept": MOST_DRAFTS - 1})

    async def any_draft_before(self, moment: datetime) -> bool:
        query = select(draft_readings.c.place).where(draft_readings.c.read_at < moment).limit(1)
        return (await self._connection.execute(query)).first() is not None

    async def forget_drafts_before(self, moment: datetime) -> None:
        await self._connection.execute(delete(draft_readings).where(draft_readings.c.read_at < moment))


def _written(prints: Prints) -> str:
    return msgspec.json.encode(prints).decode()


def _prints(written: str | None) -> dict[str, str]:
    return msgspec.json.decode(written, type=dict[str, str]) if written else {}
