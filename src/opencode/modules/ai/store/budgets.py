"""Budgets, and what processes hold of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.ai.domain.configuration.model import Period
from opencode.modules.ai.domain.ledger import NameKind, first_id_at
from opencode.modules.ai.domain.periods import DAY_MS, Span
from opencode.modules.ai.domain.usage import Subject, SubjectKind
from opencode.modules.ai.store.tables import budgets, calls, days, leases, names, processes

_NAME_KINDS = {
    SubjectKind.PERSON: NameKind.PERSON,
    SubjectKind.TEAM: NameKind.TEAM,
    SubjectKind.KEY: NameKind.KEY,
}

BudgetKey = tuple[str, str, int]
"""The words of a subject, the period, and the day that it begins."""


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """How a budget stands, in nano-dollars."""

    id: int
    spent: int
    held: int
    recalls: int


class BudgetStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql

    async def add_process(self, at: datetime) -> int:
        """A number that no other process has."""
        added = insert(processes).values(started_at=at).returning(processes.c.id)
        return (await self._connection.execute(added)).scalar_one()

    async def open(self, subject: Subject, period: Period, span: Span, *, again: bool = False) -> BudgetRow:
        """
        The budget of a period; it is made when it is the first time. What was spent in the period while there was
        no such budget counts: nobody gets money twice because a limit was changed.

        Args:
            again: look at what was spent although the budget is there, since another one may have held meanwhile.
        """
        keys = {"subject": subject.words, "period": period.value, "begins": span.begins}
        added = self._dialect.insert(budgets).values(**keys, spent_nano=0, held_nano=0, recalls=0)
        is_new = (await self._connection.execute(added.on_conflict_do_nothing())).rowcount > 0
        row = (await self._connection.execute(select(budgets).filter_by(**keys).with_for_update())).one()
        spent = row.spent_nano
        # Of persons it is a few look-ups in an index, so that it is done each time.
        if is_new or again or subject.kind is SubjectKind.PERSON:
            # All that was charged to it is in the ledger, too: never less is found there.
            spent = max(spent, await self.spent_of(subject, span))
            if spent > row.spent_nano:
                raised = update(budgets).where(budgets.c.id == row.id).values(spent_nano=spent)
                await self._connection.execute(raised)
        return BudgetRow(row.id, spent, row.held_nano, row.recalls)

    async def spent_of(self, subject: Subject, span: Span) -> int:
        """What the ledger has of somebody's calls within some days, in nano-dollars."""
        number = select(names.c.id).where(names.c.kind == _NAME_KINDS[subject.kind], names.c.name == subject.id)
        found = (await self._connection.execute(number)).scalar_one_or_none()
        if found is None:
            return 0
        if subject.kind is SubjectKind.TEAM:
            # Sums of days know no teams. A budget is opened when its period begins, unless it was set in the middle.
            first, end = first_id_at(span.begins * DAY_MS), first_id_at(span.ends * DAY_MS)
            query = select(func.sum(calls.c.cost_nano)).where(calls.c.id >= first, calls.c.id < end)
            query = query.where(calls.c.team == found)
        else:
            column = days.c.person if subject.kind is SubjectKind.PERSON else days.c.key
            # Day by day, as the index has them; between two days all persons would be read.
            each_day = days.c.day.in_(list(range(span.begins, span.ends)))
            query = select(func.sum(days.c.cost_nano)).where(each_day, column == found)
        return int((await self._connection.execute(query)).scalar_one() or 0)

    async def standings(self, asked: Collection[BudgetKey]) -> dict[BudgetKey, BudgetRow]:
        """How budgets stand; those that nobody has spent from yet are left out."""
        if not asked:
            return {}
        keys = tuple_(budgets.c.subject, budgets.c.period, budgets.c.begins)
        query = select(budgets).where(keys.in_(list(asked)))
        rows = await self._connection.execute(query)
        return {
            (row.subject, row.period, row.begins): BudgetRow(row.id, row.spent_nano, row.held_nano, row.recalls)
            for row in rows
        }

    async def subjects(self, kind: SubjectKind, begins: Mapping[Period, int], after: str, most: int) -> list[str]:
        """
        At most so many ids of whom money was reserved for in a period, by id, from the one behind this one.

        Args:
            begins: the periods that run, with the days that they began.
        """
        words = f"{kind.value}:"
        ids = func.substr(budgets.c.subject, len(words) + 1).label("id")
        running = tuple_(budgets.c.period, budgets.c.begins).in_([(each.value, day) for each, day in begins.items()])
        query = select(ids).where(running).group_by(budgets.c.subject)
        query = query.where(func.substr(budgets.c.subject, 1, len(words)) == words, budgets.c.subject > words + after)
        return list((await self._connection.execute(query.order_by(budgets.c.subject).limit(most))).scalars())

    async def lock(self, budget_id: int) -> BudgetRow:
        """Nobody else changes this budget until the transaction ends."""
        query = select(budgets).where(budgets.c.id == budget_id).with_for_update()
        row = (await self._connection.execute(query)).one()
        return BudgetRow(row.id, row.spent_nano, row.held_nano, row.recalls)

    async def recalls(self, budget_ids: Collection[int]) -> dict[int, int]:
        """How often each has been recalled."""
        query = select(budgets.c.id, budgets.c.recalls).where(budgets.c.id.in_(budget_ids))
        return {row.id: row.recalls for row in await self._connection.execute(query)}

    async def recall(self, budget_id: int) -> None:
        """Ask all holders for what they do not need."""
        raised = update(budgets).where(budgets.c.id == budget_id).values(recalls=budgets.c.recalls + 1)
        await self._connection.execute(raised)

    async def hold(self, process_id: int, budget_id: int, by_nano: int) -> None:
        """A process holds so much more of a budget, or less where it is below zero."""
        await self.change({budget_id: (0, by_nano)})
        made = self._dialect.insert(leases).values(process_id=process_id, budget_id=budget_id, held_nano=by_nano)
        key = [leases.c.process_id, leases.c.budget_id]
        sums = {"held_nano": leases.c.held_nano + made.excluded.held_nano}
        await self._connection.execute(made.on_conflict_do_update(index_elements=key, set_=sums))

    async def change(self, by: Mapping[int, tuple[int, int]]) -> None:
        """
        Args:
            by: budget -> what is added to what is spent, and to what is held.
        """
        if not by:
            return
        sums = {
            budgets.c.spent_nano: budgets.c.spent_nano + bindparam("spent"),
            budgets.c.held_nano: budgets.c.held_nano + bindparam("more"),
        }
        changed = update(budgets).where(budgets.c.id == bindparam("budget")).values(sums)
        # Locked in one order, whoever asks: two processes must not wait for each other.
        rows = [{"budget": id_, "spent": spent, "more": held} for id_, (spent, held) in sorted(by.items())]
        await self._connection.execute(changed, rows)

    async def lessen(self, process_id: int, by: Mapping[int, int]) -> None:
        """A process's leases are so much less; their budgets are changed elsewhere."""
        if not by:
            return
        mine = (leases.c.process_id == process_id) & (leases.c.budget_id == bindparam("budget"))
        changed = update(leases).where(mine).values(held_nano=leases.c.held_nano - bindparam("less"))
        rows = [{"budget": id_, "less": less} for id_, less in sorted(by.items())]
        await self._connection.execute(changed, rows)

    async def end_leases(self, process_id: int) -> dict[int, int]:
        """What a process held of each budget, which it holds no longer; the budgets are changed elsewhere."""
        ended = delete(leases).where(leases.c.process_id == process_id)
        rows = await self._connection.execute(ended.returning(leases.c.budget_id, leases.c.held_nano))
        return {row.budget_id: row.held_nano for row in rows}

    async def forget_before(self, day: int, most: int) -> int:
        """Delete at most so many budgets of periods that began before a day. Returns how many."""
        old = select(budgets.c.id).where(budgets.c.begins < day).order_by(budgets.c.begins).limit(most)
        ids = list((await self._connection.execute(old)).scalars())
        await self._connection.execute(delete(leases).where(leases.c.budget_id.in_(ids)))
        await self._connection.execute(delete(budgets).where(budgets.c.id.in_(ids)))
        return len(ids)
