"""
What this process holds of budgets. It takes a slice of a budget in one transaction and spends from it in memory, so
that most calls cost no transaction. What is held is safe: nobody else can spend it, and the database knows whose it is.

Money whose transaction failed counts as held until the process ends: nobody knows whether it was committed, and too
little is better than twice.
"""

import asyncio
from collections.abc import Sequence

from opencode.infra.plugs import Parts
from opencode.modules.ai.domain.ledger import MOST_BUDGETS
from opencode.modules.ai.domain.limits import BudgetBound
from opencode.modules.ai.domain.money import dollars
from opencode.modules.ai.domain.periods import Span, day_at, span_of
from opencode.modules.ai.domain.slices import fitting, slice_of
from opencode.modules.ai.domain.usage import Subject
from opencode.modules.ai.errors import BudgetSpent, CallTooLarge, TooManyBudgets
from opencode.modules.ai.store import AiWork, reading

PATIENCE_S = 1.0
"""How long a call waits for money that others hold and may give back."""
LOOK_AGAIN_S = 0.05
IDLE_S = 1.0
"""What nobody has spent from for so long is given back."""
FORGET_S = 60.0
"""A slice without money that nobody has used for so long takes no memory any more."""


class Slice:
    """
    This process's part of one budget in one period, in nano-dollars.

    Attributes:
        amount: of the whole budget, as the configuration says it now.
        spent: of the whole budget, as last seen; it only grows.
        free: what may be spent without asking.
        kept: what calls under way have reserved, and what is spent and not in the ledger yet.
        over: what calls took beyond all that was held, and is not in the ledger yet.
        recalls: as last seen.
        used_at: on the clock of the event loop.
        waiting: what each call needs for which `free` was too little.
    """

    __slots__ = (
        "amount",
        "budget_id",
        "free",
        "kept",
        "over",
        "recalls",
        "span",
        "spent",
        "taking",
        "used_at",
        "waiting",
    )

    def __init__(self, budget_id: int, span: Span) -> None:
        self.budget_id = budget_id
        self.span = span
        self.amount = 0
        self.spent = 0
        self.free = 0
        self.kept = 0
        self.over = 0
        self.recalls = 0
        self.used_at = 0.0
        self.waiting: list[int] = []
        self.taking: asyncio.Task[None] | None = None

    def reserve(self, cost: int) -> None:
        self.free -= cost
        self.kept += cost

    def settle(self, reserved: int, cost: int) -> int:
        """Returns what of the cost is held: all of it, but for what is beyond what was reserved and is free."""
        covered = min(cost, reserved + self.free)
        self.free += reserved - covered
        self.kept += covered - reserved
        self.over += cost - covered
        return covered

    def written(self, cost: int, covered: int) -> None:
        """It is in the ledger."""
        self.kept -= covered
        self.over -= cost - covered


class Holding:
    def __init__(self, parts: Parts, process_id: int) -> None:
        self._parts = parts
        self._process_id = process_id
        self._slices: dict[tuple[BudgetBound, int], Slice] = {}
        self._latest: dict[Subject, tuple[BudgetBound, int]] = {}
        self._by_name: dict[tuple[str, str, int], Slice] = {}
        self._opening = asyncio.Lock()

    async def reserve(self, bounds: Sequence[BudgetBound], cost: int, now_s: float) -> tuple[Slice, ...]:
        """
        Reserve what a call costs at the most in all budgets, or in none. A call that costs nothing is not held up.

        Raises:
            BudgetSpent, CallTooLarge, TooManyBudgets
        """
        if len(bounds) > MOST_BUDGETS:
            raise TooManyBudgets(len(bounds), MOST_BUDGETS)
        day, now = day_at(now_s), asyncio.get_running_loop().time()
        held: list[Slice] = []
        for bound in bounds:
            slice_ = self._slices.get((bound, day)) or await self._open(bound, day)
            # The amount may have been changed: that of the latest call counts. What was taken of a larger one may be
            # more than the smaller one has.
            lowered, slice_.amount, slice_.used_at = bound.amount_nano < slice_.amount, bound.amount_nano, now
            if lowered and slice_.free:
                await self._give_back(slice_)
            if cost > bound.amount_nano:
                raise CallTooLarge(bound.subject.kind, dollars(cost), f"{dollars(bound.amount_nano)} a {bound.period}")
            held.append(slice_)
        if cost and any(slice_.free < cost for slice_ in held):
            await self._wait_for_all(bounds, held, cost, now_s)
        for slice_ in held:
            slice_.reserve(cost)
        return tuple(held)

    async def give_back(self) -> None:
        """Give back what is free of budgets that somebody has recalled, or from which nobody has spent lately."""
        now = asyncio.get_running_loop().time()
        held = [each for each in self._by_name.values() if each.free]
        if held:
            async with reading(self._parts.database) as stores:
                recalls = await stores.budgets.recalls([each.budget_id for each in held])
            for each in held:
                recalled = recalls.get(each.budget_id, each.recalls) != each.recalls
                each.recalls = recalls.get(each.budget_id, each.recalls)
                if recalled or now - each.used_at >= IDLE_S:
                    await self._give_back(each)
        self._forget_ended()

    async def _wait_for_all(
        self, bounds: Sequence[BudgetBound], held: Sequence[Slice], cost: int, now_s: float
    ) -> None:
        loop = asyncio.get_running_loop()
        patient_until: float | None = None
        while True:
            short = next(((b, each) for b, each in zip(bounds, held, strict=True) if each.free < cost), None)
            if short is None:
                return
            bound, slice_ = short
            await self._take_more(slice_, cost)
            if slice_.free >= cost:
                continue
            if slice_.amount - slice_.spent < cost:
                wait_s = max(1, slice_.span.ends_s - int(now_s))
                raise BudgetSpent(bound.subject.kind, dollars(bound.amount_nano), bound.period, wait_s)
            # There would be enough if others gave back what they hold.
            now = loop.time()
            patient_until = patient_until or now + PATIENCE_S
            if now >= patient_until:
                raise BudgetSpent(bound.subject.kind, dollars(bound.amount_nano), bound.period, 1)
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _take_more(self, slice_: Slice, cost: int) -> None:
        if slice_.amount - slice_.spent < cost:
            return
        slice_.waiting.append(cost)
        try:
            # One that is under way may have been reckoned without this call. All who wait for it go on together, and
            # take the next one together. Shielded: a caller that goes away must not take the others' money along.
            if slice_.taking and not slice_.taking.done():
                await asyncio.shield(slice_.taking)
            if slice_.free < cost:
                if slice_.taking is None or slice_.taking.done():
                    slice_.taking = asyncio.create_task(self._take(slice_))
                await asyncio.shield(slice_.taking)
        finally:
            slice_.waiting.remove(cost)

    async def _take(self, slice_: Slice) -> None:
        """Take what all who wait need, as far as there is enough; ask for more where there is not."""
        async with AiWork(self._parts) as work:
            row = await work.stores.budgets.lock(slice_.budget_id)
            left = max(0, slice_.amount - row.spent - row.held - slice_.over)
            # Who came while the transaction began is among them: one transaction for everybody.
            needed = fitting(left + slice_.free, slice_.waiting) - slice_.free
            taken = slice_of(left, needed, sum(slice_.waiting)) if needed > 0 else 0
            all_served = sum(slice_.waiting) <= slice_.free + taken
            slice_.spent = row.spent
            slice_.recalls = row.recalls
            if taken:
                await work.stores.budgets.hold(self._process_id, slice_.budget_id, taken)
            if not all_served and row.held > slice_.free + slice_.kept:
                await work.stores.budgets.recall(slice_.budget_id)
                slice_.recalls += 1
        slice_.free += taken

    async def _give_back(self, slice_: Slice) -> None:
        amount, slice_.free = slice_.free, 0
        async with AiWork(self._parts) as work:
            await work.stores.budgets.hold(self._process_id, slice_.budget_id, -amount)

    async def _open(self, bound: BudgetBound, day: int) -> Slice:
        span = span_of(bound.period, day)
        name = (bound.subject.words, bound.period.value, span.begins)
        async with self._opening:
            slice_ = self._by_name.get(name)
            before = self._latest.get(bound.subject)
            is_changed = before is not None and before[0] != bound
            if slice_ is None or is_changed:
                async with AiWork(self._parts) as work:
                    row = await work.stores.budgets.open(bound.subject, bound.period, span, again=is_changed)
                if slice_ is None:
                    slice_ = self._by_name[name] = Slice(row.id, span)
                    slice_.recalls = row.recalls
                slice_.spent = row.spent
            if before is not None:
                # A budget that comes back after another one is opened again: meanwhile, calls were charged to that one.
                self._slices.pop(before, None)
            self._latest[bound.subject] = bound, day
        self._slices[bound, day] = slice_
        return slice_

    def _forget_ended(self) -> None:
        """Slices of the past, and those that nobody has used for long, take no memory."""
        now = asyncio.get_running_loop().time()
        ended = {
            name
            for name, each in self._by_name.items()
            if not each.free and not each.kept and not each.waiting and now - each.used_at >= FORGET_S
        }
        if ended:
            gone = {id(self._by_name.pop(name)) for name in ended}
            self._slices = {key: each for key, each in self._slices.items() if id(each) not in gone}
            self._latest = {subject: key for subject, key in self._latest.items() if key in self._slices}
