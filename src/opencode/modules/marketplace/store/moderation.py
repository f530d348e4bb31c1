"""Cases, the reports in them, and what happened in them."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import RowMapping, Table, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.marketplace.domain.moderation import (
    Case,
    CaseKind,
    CaseState,
    Report,
    Step,
    Subject,
)
from opencode.modules.marketplace.store.tables import cases, reports, steps

MOST_SHOWN = 200
"""Reports and steps that a case shows; the latest."""


class ModerationStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_subject(self, subject: Subject, *, to_change: bool = False) -> Case | None:
        """Args: to_change: nobody else changes the case until this transaction is over."""
        query = select(cases).where(cases.c.subject_kind == subject.kind, cases.c.subject_id == subject.id)
        return await self._one(query.with_for_update() if to_change else query)

    async def get(self, case_id: str, *, to_change: bool = False) -> Case | None:
        query = select(cases).where(cases.c.id == case_id)
        return await self._one(query.with_for_update() if to_change else query)

    async def add(self, case: Case) -> bool:
        """Add a case, unless somebody has opened one about the same subject; then nothing happens."""
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(insert(cases).values(_case_row(case)))
        except IntegrityError:
            return False
        return True

    async def save(self, case: Case) -> None:
        await self._connection.execute(update(cases).where(cases.c.id == case.id).values(_case_row(case)))

    async def page(
        self, wanted: PageRequest, *, state: CaseState | None = None, kind: CaseKind | None = None
    ) -> Page[Case]:
        """Cases, those that were opened last first."""
        query = newest_first(select(cases), cases.c.opened_at, cases.c.id, wanted)
        if state is not None:
            query = query.where(cases.c.state == state)
        if kind is not None:
            query = query.where(cases.c.kind == kind)
        found = [_case(row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda case: time_keys(case.opened_at, case.id))

    async def open_reports_in(self, case_ids: Sequence[str]) -> dict[str, int]:
        query = select(reports.c.case_id, func.count().label("many")).where(
            reports.c.case_id.in_(case_ids), reports.c.is_open
        )
        return {row.case_id: row.many for row in await self._connection.execute(query.group_by(reports.c.case_id))}

    async def count_open(self) -> int:
        query = select(func.count()).select_from(cases).where(cases.c.state == CaseState.OPEN)
        return (await self._connection.execute(query)).scalar_one()

    async def count_of_owner(self, owner_id: str) -> int:
        """Cases about what somebody owns or owned."""
        query = select(func.count()).select_from(cases).where(cases.c.owner_id == owner_id)
        return (await self._connection.execute(query)).scalar_one()

    async def add_report(self, report: Report) -> None:
        await self._connection.execute(insert(reports).values(_row(report, reports)))

    async def open_report_of(self, case_id: str, reporter_id: str) -> Report | None:
        mine = and_(reports.c.case_id == case_id, reports.c.reporter_id == reporter_id, reports.c.is_open)
        row = (await self._connection.execute(select(reports).where(mine))).mappings().first()
        return Report(**row) if row else None

    async def latest_reports(self, case_id: str) -> list[Report]:
        query = select(reports).where(reports.c.case_id == case_id)
        query = query.order_by(reports.c.id.desc()).limit(MOST_SHOWN)
        return [Report(**row) for row in (await self._connection.execute(query)).mappings()]

    async def open_reporters(self, case_id: str) -> list[str]:
        query = select(reports.c.reporter_id).where(reports.c.case_id == case_id, reports.c.is_open)
        return list((await self._connection.execute(query.order_by(reports.c.id))).scalars())

    async def has_reported(self, case_id: str, person_id: str) -> bool:
        query = select(reports.c.id).where(reports.c.case_id == case_id, reports.c.reporter_id == person_id).limit(1)
        return (await self._connection.execute(query)).first() is not None

    async def close_reports(self, case_id: str) -> None:
        await self._connection.execute(
            update(reports).where(reports.c.case_id == case_id, reports.c.is_open).values(is_open=False)
        )

    async def add_step(self, step: Step) -> None:
        await self._connection.execute(insert(steps).values(_row(step, steps)))

    async def latest_steps(self, case_id: str) -> list[Step]:
        """In the order in which they happened."""
        query = select(steps).where(steps.c.case_id == case_id).order_by(steps.c.id.desc()).limit(MOST_SHOWN)
        return [Step(**row) for row in (await self._connection.execute(query)).mappings()][::-1]

    async def _one(self, query: Any) -> Case | None:
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _case(row) if row else None


def _row(thing: Report | Step, table: Table) -> dict[str, Any]:
    return {column.name: getattr(thing, column.name) for column in table.columns}


_OWN = tuple(field.name for field in fields(Case) if field.name != "subject")


def _case_row(case: Case) -> dict[str, Any]:
    subject = case.subject
    return {
        **{name: getattr(case, name) for name in _OWN},
        "subject_kind": subject.kind,
        "subject_id": subject.id,
        "owner_id": subject.owner_id,
        "subject_name": subject.name,
        "subject_path": subject.path,
    }


def _case(row: RowMapping) -> Case:
    subject = Subject(row["subject_kind"], row["subject_id"], row["owner_id"], row["subject_name"], row["subject_path"])
    return Case(subject=subject, **{name: row[name] for name in _OWN})
