"""Surrogate keys of which caches in front of the server are to be told."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db.tables import to_micros
from opencode.kernel.ids import new_id
from opencode.modules.marketplace.domain.purges import LEASE, Purge
from opencode.modules.marketplace.store.tables import purges

_NOTE = text("""
    insert into surrogate_purges (key, mark, attempts, due_at) values (:key, :mark, 0, :due_at)
    on conflict (key) do update set mark = excluded.mark, attempts = 0, due_at = excluded.due_at
""")
_ONE = (purges.c.key == bindparam("of_key"), purges.c.mark == bindparam("of_mark"))


class PurgeStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def note(self, keys: Iterable[str], at: datetime) -> None:
        """These are outdated; one that waits already waits once."""
        # Sorted, or two that note the same keys could wait for each other.
        rows = [{"key": key, "mark": new_id("prg"), "due_at": to_micros(at)} for key in sorted(set(keys))]
        if rows:
            await self._connection.execute(_NOTE, rows)

    async def any_due(self, at: datetime) -> bool:
        soonest = (await self._connection.execute(select(func.min(purges.c.due_at)))).scalar()
        return soonest is not None and soonest <= at

    async def claim(self, at: datetime, limit: int) -> list[Purge]:
        """What is due, the oldest first. Nobody else gets it for a while."""
        query = select(purges).where(purges.c.due_at <= at).order_by(purges.c.due_at, purges.c.key).limit(limit)
        rows = (await self._connection.execute(query.with_for_update(skip_locked=True))).all()
        if rows:
            claimed = update(purges).where(purges.c.key.in_([row.key for row in rows]))
            await self._connection.execute(claimed.values(due_at=at + LEASE))
        return [Purge(row.key, row.mark, row.attempts) for row in rows]

    async def told(self, done: Collection[Purge]) -> None:
        """Forget these, but for what has become outdated once more meanwhile."""
        rows = [{"of_key": each.key, "of_mark": each.mark} for each in done]
        await self._connection.execute(delete(purges).where(*_ONE), rows)

    async def put_back(self, failed: Collection[Purge], due_at: datetime) -> None:
        changed = update(purges).where(*_ONE).values(attempts=purges.c.attempts + 1, due_at=due_at)
        await self._connection.execute(changed, [{"of_key": each.key, "of_mark": each.mark} for each in failed])
