"""What was asked of the processes that have the catalogue, and what they reported."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.agreement import Agreement, Difference, Disagreement
from opencode.modules.marketplace.domain.errands import Errand, ErrandKind, ErrandReport
from opencode.modules.marketplace.store.tables import errand_reports, errands


class ErrandStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, errand: Errand) -> None:
        values = {"id": errand.id, "kind": errand.kind, "asked_at": errand.asked_at}
        await self._connection.execute(insert(errands).values(values))

    async def find(self, errand_id: str) -> Errand | None:
        row = (await self._connection.execute(select(errands).where(errands.c.id == errand_id))).mappings()
        found = row.one_or_none()
        return Errand(**found) if found else None

    async def since(self, moment: datetime) -> list[Errand]:
        """Those asked at a moment or later, oldest first."""
        query = select(errands).where(errands.c.asked_at >= moment).order_by(errands.c.asked_at, errands.c.id)
        return [Errand(**row) for row in (await self._connection.execute(query)).mappings()]

    async def waiting(self, kind: ErrandKind, since: datetime) -> Errand | None:
        """The latest one of a kind that no process has taken up."""
        taken = select(errand_reports.c.errand_id).where(errand_reports.c.errand_id == errands.c.id)
        query = select(errands).where(errands.c.kind == kind, errands.c.asked_at >= since, ~taken.exists())
        row = (await self._connection.execute(query.order_by(errands.c.asked_at.desc()).limit(1))).mappings()
        found = row.one_or_none()
        return Errand(**found) if found else None

    async def reports_of(self, errand_id: str) -> list[ErrandReport]:
        query = select(errand_reports).where(errand_reports.c.errand_id == errand_id).order_by(errand_reports.c.process)
        return [_report(row) for row in (await self._connection.execute(query)).mappings()]

    async def begin(self, new: ErrandReport) -> bool:
        """Take an errand up. Returns False when somebody of this name has done so already."""
        try:
            await self._connection.execute(insert(errand_reports).values(_row(new)))
        except IntegrityError:
            return False
        return True

    async def save(self, report: ErrandReport) -> None:
        key = (errand_reports.c.errand_id == report.errand_id, errand_reports.c.process == report.process)
        await self._connection.execute(update(errand_reports).where(*key).values(_row(report)))

    async def any_before(self, moment: datetime) -> bool:
        query = select(errands.c.id).where(errands.c.asked_at < moment).limit(1)
        return (await self._connection.execute(query)).first() is not None

    async def forget_before(self, moment: datetime) -> None:
        old = select(errands.c.id).where(errands.c.asked_at < moment)
        await self._connection.execute(delete(errand_reports).where(errand_reports.c.errand_id.in_(old)))
        await self._connection.execute(delete(errands).where(errands.c.asked_at < moment))


def _row(report: ErrandReport) -> dict[str, Any]:
    found = report.agreement
    return {
        "errand_id": report.errand_id,
        "process": report.process,
        "state": report.state,
        "projects": found.projects,
        "indexed": found.indexed,
        **{what.value: found.counts[what] for what in Disagreement},
        "first": tuple(f"{each.project_id} {each.what}" for each in found.first),
        "message": report.message,
        "begun_at": report.begun_at,
        "finished_at": report.finished_at,
    }


def _report(row: RowMapping) -> ErrandReport:
    counts = Counter({what: row[what.value] for what in Disagreement})
    named = (each.partition(" ") for each in row["first"])
    first = [Difference(ProjectId(project_id), Disagreement(what)) for project_id, _, what in named]
    return ErrandReport(
        errand_id=row["errand_id"],
        process=row["process"],
        state=row["state"],
        agreement=Agreement(row["projects"], row["indexed"], counts, first),
        message=row["message"],
        begun_at=row["begun_at"],
        finished_at=row["finished_at"],
    )
