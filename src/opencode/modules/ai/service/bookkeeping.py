"""
Writing what calls took into the ledger, many at a time, and what calls of ended processes took. A line, its charge to
budgets and the sums of its day are one transaction, and a line that is already there is charged to nobody again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import structlog

from opencode.infra.plugs import Parts
from opencode.modules.ai.adapters.journal import Journal, Left, left_in
from opencode.modules.ai.domain.ledger import Call, first_id_at, unpack
from opencode.modules.ai.domain.periods import day_of
from opencode.modules.ai.service.holding import Slice
from opencode.modules.ai.store import AiWork

log = structlog.get_logger(__name__)

MOST_LINES = 2_000
"""In one transaction."""
GATHER_S = 0.5
"""How long lines are gathered; they are safe in the journal meanwhile. A transaction keeps callers waiting for 2 ms."""
TRY_AGAIN_S = 1.0
BUDGETS_STAY = timedelta(days=400)
DELETED_AT_ONCE = 5_000
DELETED_A_TURN = 100_000


class Line(msgspec.Struct, frozen=True):
    """
    A call that is over and not in the ledger yet.

    Attributes:
        slot: where it is in the journal.
        covered: what of its cost is held, in nano-dollars, for each of the slices that it is charged to.
    """

    call: Call
    slot: int
    slices: tuple[Slice, ...]
    covered: tuple[int, ...]


class Bookkeeping:
    def __init__(self, parts: Parts, process_id: int, journal: Journal) -> None:
        self._parts = parts
        self._process_id = process_id
        self._journal = journal
        self._lines: list[Line] = []
        self._writer: asyncio.Task[None] | None = None
        # A commit that failed or was given up may have been one: then the next, which has the same lines, looks first.
        self._is_unsure = False

    def add(self, line: Line) -> None:
        """Write it, in a moment."""
        self._lines.append(line)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())

    async def close(self) -> None:
        """Write what is to be written; what cannot be is still in the journal."""
        if self._writer:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        try:
            while self._lines:
                await self._write(self._lines[:MOST_LINES])
        except Exception:
            log.exception("calls stay in the journal", calls=len(self._lines))

    async def _write_all(self) -> None:
        while self._lines:
            if len(self._lines) < MOST_LINES:
                await asyncio.sleep(GATHER_S)
            try:
                await self._write(self._lines[:MOST_LINES])
            except Exception:
                log.exception("calls are not in the ledger yet", calls=len(self._lines), next_try_s=TRY_AGAIN_S)
                await asyncio.sleep(TRY_AGAIN_S)

    async def _write(self, lines: Sequence[Line]) -> None:
        by_id = {line.call.id: line for line in lines}
        may_be_there, self._is_unsure = self._is_unsure, True
        async with AiWork(self._parts) as work:
            new = await work.stores.ledger.add([line.call for line in lines], may_be_there=may_be_there)
            spent, held = defaultdict[int, int](int), defaultdict[int, int](int)
            for call in new:
                line = by_id[call.id]
                for slice_, covered in zip(line.slices, line.covered, strict=True):
                    spent[slice_.budget_id] += call.cost_nano
                    held[slice_.budget_id] += covered
            await work.stores.budgets.change({budget: (spent[budget], -held[budget]) for budget in spent})
            await work.stores.budgets.lessen(self._process_id, held)
            await work.stores.ledger.add_to_days(new)
        self._is_unsure = False
        del self._lines[: len(lines)]
        for line in lines:
            self._journal.close(line.slot)
            for slice_, covered in zip(line.slices, line.covered, strict=True):
                slice_.written(line.call.cost_nano, covered)


async def settle_left(parts: Parts, folder: Path) -> None:
    """
    Charge what processes that have ended left in their journals, and free what else they held. Calls that were under
    way are charged at what was reserved: nobody knows what they took, and the provider may have answered.
    """
    for left in left_in(folder):
        await _settle(parts, left)
        left.remove()


async def _settle(parts: Parts, left: Left) -> None:
    found = [call for raw in left.calls() if (call := unpack(raw))]
    async with AiWork(parts) as work:
        new = await work.stores.ledger.add(found)
        spent = defaultdict[int, int](int)
        for call in new:
            for budget in call.budgets:
                spent[budget] += call.cost_nano
        held = await work.stores.budgets.end_leases(left.process)
        both = spent.keys() | held.keys()
        await work.stores.budgets.change({each: (spent[each], -held.get(each, 0)) for each in both})
        await work.stores.ledger.add_to_days(new)
    if found:
        log.info("calls of an ended process are in the ledger", process=left.process, calls=len(found))


class Tidying:
    """
    Deletes what is old; sums by the day stay.

    Args:
        days: how long the line of a call stays.
    """

    def __init__(self, parts: Parts, days: int) -> None:
        self._parts = parts
        self._days = days

    async def tidy(self) -> None:
        """Delete old lines and old budgets, in transactions that hold nobody up."""
        now = self._parts.clock.now()
        oldest = first_id_at(int((now - timedelta(days=self._days)).timestamp() * 1000))
        first_day = day_of((now - BUDGETS_STAY).date())
        for _ in range(DELETED_A_TURN // DELETED_AT_ONCE):
            async with AiWork(self._parts) as work:
                deleted = await work.stores.ledger.forget_before(oldest, DELETED_AT_ONCE)
                deleted += await work.stores.budgets.forget_before(first_day, DELETED_AT_ONCE)
            if not deleted:
                return
