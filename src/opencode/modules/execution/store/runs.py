"""Runs, their events, and the keys of requests that made them."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import RunId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.execution.domain.runs import Outline, Run, RunProgress, Said, Webhook
from opencode.modules.execution.store.tables import BELONGING, events, runs

_BESIDE = ("language", "version", "webhook_url", "webhook_secret", "last_seq")
_OUTLINE = [runs.c[item.name] for item in fields(Outline)]
_CHANGING = ("state", "attempt", "faults", "worker_id", "lease_until", "started_at", "finished_at", "result", "details")


@dataclass(frozen=True, slots=True)
class Unattended:
    """A run that no worker has: it waits, or its worker was not heard of for a lease."""

    id: RunId
    owner_id: str


@dataclass(frozen=True, slots=True)
class Held:
    """A run that a worker has."""

    id: RunId
    attempt: int
    stop_asked: bool


class RunStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, run_id: str) -> Run | None:
        row = (await self._connection.execute(select(runs).where(runs.c.id == run_id))).mappings().one_or_none()
        return _run(row) if row else None

    async def page_of(self, owner_id: str, wanted: PageRequest) -> Page[Outline]:
        """Newest first."""
        query = select(*_OUTLINE).where(runs.c.owner_id == owner_id)
        query = newest_first(query, runs.c.created_at, runs.c.id, wanted)
        found = [Outline(**row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda run: time_keys(run.created_at, run.id))

    async def count_under_way(self, owner_id: str | None = None) -> int:
        """Runs that are queued or running, of everybody or of one owner."""
        query = select(func.count()).where(runs.c.state.in_([RunProgress.QUEUED, RunProgress.RUNNING]))
        if owner_id is not None:
            query = query.where(runs.c.owner_id == owner_id)
        return (await self._connection.execute(query)).scalar_one()

    async def unattended(self, now: datetime, *, limit: int) -> list[Unattended]:
        """Oldest first."""
        lapsed = (runs.c.state == RunProgress.RUNNING) & (runs.c.lease_until <= now)
        query = select(runs.c.id, runs.c.owner_id).where(or_(runs.c.state == RunProgress.QUEUED, lapsed))
        found = await self._connection.execute(query.order_by(runs.c.created_at, runs.c.id).limit(limit))
        return [Unattended(row.id, row.owner_id) for row in found]

    async def add(self, run: Run) -> None:
        webhook = run.webhook
        values = {
            name: getattr(run, name) for name in ("id", "owner_id", "request", "plan", "stop_asked", "created_at")
        }
        await self._connection.execute(
            insert(runs).values(
                **values,
                **{name: getattr(run, name) for name in _CHANGING},
                language=run.request.language,
                version=run.request.version,
                webhook_url=webhook.url if webhook else None,
                webhook_secret=webhook.secret if webhook else None,
            )
        )

    async def change(self, was: Run, run: Run, count: int) -> int | None:
        """
        Save a run, unless somebody else changed its attempt or state meanwhile, or it is finished, which is final.

        Args:
            count: events that are added with the change.

        Returns:
            The number of the last of these events; None when nothing was saved.
        """
        if was.is_finished:
            return None
        fence = (runs.c.id == run.id, runs.c.attempt == was.attempt, runs.c.state == was.state)
        values: dict[str, Any] = {name: getattr(run, name) for name in _CHANGING}
        changed = update(runs).where(*fence).values(**values, last_seq=runs.c.last_seq + count)
        return (await self._connection.execute(changed.returning(runs.c.last_seq))).scalar_one_or_none()

    async def number(self, run: Run, count: int) -> int | None:
        """Take the next event numbers for an attempt that is still under way: the last of them, or None."""
        fence = (runs.c.id == run.id, runs.c.attempt == run.attempt, runs.c.state == RunProgress.RUNNING)
        taken = update(runs).where(*fence).values(last_seq=runs.c.last_seq + count).returning(runs.c.last_seq)
        return (await self._connection.execute(taken)).scalar_one_or_none()

    async def ask_to_stop(self, run_id: RunId) -> None:
        await self._connection.execute(update(runs).where(runs.c.id == run_id).values(stop_asked=True))

    async def still_held(self, worker_id: str, run_ids: Collection[RunId], lease_until: datetime) -> list[Held]:
        """Put the end of a worker's leases off; which of these runs it still has."""
        mine = (runs.c.worker_id == worker_id, runs.c.id.in_(run_ids), runs.c.state == RunProgress.RUNNING)
        prolonged = update(runs).where(*mine).values(lease_until=lease_until)
        held = await self._connection.execute(prolonged.returning(runs.c.id, runs.c.attempt, runs.c.stop_asked))
        return [Held(row.id, row.attempt, row.stop_asked) for row in held]

    async def free(self, now: datetime) -> None:
        """Take every run that is under way for lost: the worker that had them is known to be gone."""
        await self._connection.execute(update(runs).where(runs.c.state == RunProgress.RUNNING).values(lease_until=now))

    async def finished_before(self, moment: datetime, *, limit: int) -> list[RunId]:
        query = select(runs.c.id).where(runs.c.finished_at < moment).order_by(runs.c.finished_at).limit(limit)
        return list((await self._connection.execute(query)).scalars())

    async def delete(self, run_ids: Collection[RunId]) -> None:
        """Delete runs with everything that belongs to them."""
        for table in BELONGING:
            await self._connection.execute(delete(table).where(table.c.run_id.in_(run_ids)))
        await self._connection.execute(delete(runs).where(runs.c.id.in_(run_ids)))

    async def add_events(self, said: Sequence[Said]) -> None:
        await self._connection.execute(insert(events), [asdict(event) for event in said])

    async def events_after(self, run_id: RunId, seq: int, *, limit: int) -> list[Said]:
        query = select(events).where(events.c.run_id == run_id, events.c.seq > seq).order_by(events.c.seq)
        return [Said(**row) for row in (await self._connection.execute(query.limit(limit))).mappings()]


def _run(row: RowMapping) -> Run:
    values = {name: value for name, value in row.items() if name not in _BESIDE}
    webhook = Webhook(row["webhook_url"], row["webhook_secret"] or "") if row["webhook_url"] else None
    return Run(**values, webhook=webhook)
