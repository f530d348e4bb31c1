"""The usage ledger: a line for each call, the names that its numbers stand for, and sums by the day."""

from collections.abc import Iterable, Sequence
from operator import add
from typing import Any

from msgspec.structs import astuple
from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.modules.ai.domain.ledger import Call, NameKind
from opencode.modules.ai.domain.periods import day_at
from opencode.modules.ai.store.tables import calls, days, names

_NUMBERS = tuple(name for name in Call.__struct_fields__ if name != "budgets")
_SUMS = ("calls", "errors", "input", "output", "cached", "cost_nano", "latency_ms")
_MOST_IDS = 1_000
"""In one question; SQLite takes 32,766 values, PostgreSQL's driver 32,767."""


class LedgerStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql

    async def number_of(self, kind: NameKind, name: str) -> int:
        """The number of a name, which it gets when it is new."""
        added = self._dialect.insert(names).values(kind=kind, name=name).on_conflict_do_nothing()
        await self._connection.execute(added)
        query = select(names.c.id).where(names.c.kind == kind, names.c.name == name)
        return (await self._connection.execute(query)).scalar_one()

    async def add(self, lines: Sequence[Call], *, may_be_there: bool = True) -> list[Call]:
        """
        Write lines down. Returns those that were not there yet: only they may be charged.

        Args:
            may_be_there: nobody knows that none of them has been written; to look takes as long as to write.
        """
        known = await self._known([line.id for line in lines]) if may_be_there else set[int]()
        new = list({line.id: line for line in lines if line.id not in known}.values())
        if new:
            # As tuples, which the driver takes as they are: a dictionary for each line would cost as much as the rest.
            statement = str(insert(calls).compile(dialect=self._connection.dialect, column_keys=_NUMBERS))
            await self._connection.exec_driver_sql(statement, [astuple(line)[:-1] for line in new])
        return new

    async def add_to_days(self, lines: Iterable[Call]) -> None:
        """Add lines, which must be new, to the sums of their days."""
        sums: dict[tuple[int, int, int, int], list[int]] = {}
        for line in lines:
            whose = (day_at(line.began_ms / 1000), line.person, line.key, line.model)
            day = sums.get(whose)
            sums[whose] = _amounts(line) if day is None else list(map(add, day, _amounts(line)))
        if not sums:
            return
        made = self._dialect.insert(days)
        rows = [
            {"day": day, "person": person, "key": key, "model": model, **dict(zip(_SUMS, amounts, strict=True))}
            for (day, person, key, model), amounts in sorted(sums.items())
        ]
        added = {name: days.c[name] + made.excluded[name] for name in _SUMS}
        columns = [days.c.day, days.c.person, days.c.key, days.c.model]
        await self._connection.execute(made.on_conflict_do_update(index_elements=columns, set_=added), rows)

    async def forget_before(self, call_id: int, most: int) -> int:
        """Delete at most so many lines of calls with lower numbers. Returns how many."""
        old = select(calls.c.id).where(calls.c.id < call_id).order_by(calls.c.id).limit(most)
        return (await self._connection.execute(delete(calls).where(calls.c.id.in_(old)))).rowcount

    async def _known(self, ids: Sequence[int]) -> set[int]:
        known: set[int] = set()
        for start in range(0, len(ids), _MOST_IDS):
            query = select(calls.c.id).where(calls.c.id.in_(ids[start : start + _MOST_IDS]))
            known.update((await self._connection.execute(query)).scalars())
        return known


def _amounts(line: Call) -> list[int]:
    """In the order of `_SUMS`."""
    return [1, int(line.has_failed), line.input, line.output, line.cached, line.cost_nano, line.latency_ms]
