"""
The one place that every call passes: is there room for it, and what did it take. `reserve` before the provider is
asked, then exactly one of `settle` and `refund`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import msgspec
import structlog

from opencode.infra.plugs import Parts
from opencode.modules.ai.adapters.journal import Journal, JournalFull, journal_of
from opencode.modules.ai.domain.calls import Estimate, Outcome, used
from opencode.modules.ai.domain.ledger import Call, CallNumbers, NameKind
from opencode.modules.ai.domain.limits import Bounds, Counted, Denial, LimitCounters, Measure
from opencode.modules.ai.domain.money import Price, cost_of, most_cost_of
from opencode.modules.ai.domain.usage import Caller, Flag, Usage
from opencode.modules.ai.errors import CallTooLarge, LedgerBehind, LimitReached, LimitsUnknown
from opencode.modules.ai.service.bookkeeping import Bookkeeping, Line, settle_left
from opencode.modules.ai.service.holding import Holding, Slice
from opencode.modules.ai.store import AiWork

log = structlog.get_logger(__name__)

MOST_NAMES = 100_000
"""Names whose numbers are remembered."""
MOST_MS = 2**31 - 1
MOST_STATUS = 999

_CUT_OFF = Flag.CUT_OFF | Flag.ESTIMATED


class Reservation(msgspec.Struct, frozen=True):
    """What is reserved for one call. `call` is how it is charged if this process dies before it is over."""

    call: Call
    estimate: Estimate
    slices: tuple[Slice, ...]
    counted: Counted
    slot: int


class Meter:
    """
    Args:
        counters: of limits by the minute.
        folder: where journals are; all processes of a machine that share a database share it.
        bounds_for: what limits a caller.
    """

    def __init__(
        self, parts: Parts, counters: LimitCounters, folder: Path, bounds_for: Callable[[Caller], Bounds]
    ) -> None:
        self._parts = parts
        self._counters = counters
        self._folder = folder
        self._bounds_for = bounds_for
        self._names: dict[tuple[NameKind, str], int] = {}
        self._alike: dict[tuple[str, str, tuple[str, ...], str, Price], list[int]] = {}
        self._under_way: dict[int, Reservation] = {}
        self._settling: set[asyncio.Task[None]] = set()
        self._journal: Journal
        self._holding: Holding
        self._books: Bookkeeping
        self._numbers: CallNumbers

    @property
    def under_way(self) -> int:
        """Calls that are reserved, and neither settled nor refunded."""
        return len(self._under_way)

    async def start(self) -> None:
        """Must be over before the first call."""
        async with AiWork(self._parts) as work:
            process_id = await work.stores.budgets.add_process(self._parts.clock.now())
        self._journal = journal_of(self._folder, process_id)
        self._holding = Holding(self._parts, process_id)
        self._books = Bookkeeping(self._parts, process_id, self._journal)
        self._numbers = CallNumbers(process_id)
        await self.settle_left()

    async def stop(self) -> None:
        """After the last call. Those that are not over yet are charged at what was reserved."""
        await asyncio.gather(*self._settling, return_exceptions=True)
        await self._books.close()
        self._journal.let_go()
        try:
            await self.settle_left()
        except Exception:
            log.exception("AI budgets are given back when the server starts again")

    async def reserve(self, caller: Caller, estimate: Estimate, *, is_counted: bool = True) -> Reservation:
        """
        Make sure that a call is within all limits, and that what it may cost is there. When this returns, the call is
        in the journal: whatever happens to this process, it will be charged.

        Args:
            is_counted: by the minute and among calls at once. One that the gateway makes on its own, within another
                that is counted, is charged all the same.

        Raises:
            LimitReached, BudgetSpent: with the seconds after which to try again.
            CallTooLarge: it would never fit, however long one waits.
            LimitsUnknown: Redis counts, and does not answer.
            LedgerBehind: too much is under way.
            TooManyBudgets
        """
        bounds = self._bounds_for(caller)
        if not is_counted:
            bounds = replace(bounds, counts=())
        tokens = estimate.usage.total
        _require_fit(bounds, tokens)
        now_s = self._parts.clock.timestamp()
        call_id = self._numbers.next(int(now_s * 1000))
        counted = await self._counters.take(call_id, bounds.counts, tokens)
        if isinstance(counted, Denial):
            bound = counted.bound
            raise LimitReached(bound.subject.kind, bound.most, bound.measure, counted.retry_after_s)
        slices: tuple[Slice, ...] = ()
        cost = most_cost_of(estimate.price, estimate.usage)
        try:
            alike = (caller.user_id, caller.key_id, caller.teams, estimate.model, estimate.price)
            # Calls come in rows: to look each of the five names up would cost more than the rest of this.
            numbers = self._alike.get(alike)
            if numbers is None:
                numbers = self._alike[alike] = await self._numbers_of(caller, estimate)
            slices = await self._holding.reserve(bounds.budgets, cost, now_s)
            call = _provisional(call_id, numbers, estimate.usage, cost, slices)
            slot = self._journal.open(call.packed())
        except BaseException as error:
            for slice_ in slices:
                slice_.settle(cost, 0)
            await self._uncount(counted)
            if isinstance(error, JournalFull):
                raise LedgerBehind from None
            raise
        reservation = Reservation(call, estimate, slices, counted, slot)
        self._under_way[call_id] = reservation
        return reservation

    async def settle(self, reservation: Reservation, outcome: Outcome) -> None:
        """
        The call is over. When this returns, what it took is in the journal, and in the ledger within a moment. Settled
        twice is the same as once. Whoever settles may be cancelled meanwhile, as when the client has its answer and
        goes: it is settled all the same.
        """
        if self._under_way.pop(reservation.call.id, None) is None:
            return
        expected = (reservation.estimate.model, reservation.estimate.price)
        model, price = outcome.answered_by or expected
        if (model, price) == expected:
            await self._settle(reservation, outcome, price, (reservation.call.model, reservation.call.price))
            return
        names = self._names.get((NameKind.MODEL, model)), self._names.get((NameKind.PRICE, price.words))
        if None in names:
            settling = asyncio.create_task(self._settle_named(reservation, outcome, model, price))
            self._settling.add(settling)
            settling.add_done_callback(self._settling.discard)
            await asyncio.shield(settling)
            return
        await self._settle(reservation, outcome, price, cast("tuple[int, int]", names))

    async def _settle_named(self, reservation: Reservation, outcome: Outcome, model: str, price: Price) -> None:
        """Settle a call that a model has answered which never did before."""
        try:
            numbers = await self._number_of(NameKind.MODEL, model), await self._number_of(NameKind.PRICE, price.words)
        except Exception:
            log.exception("a call is in the ledger under the model that it was meant for", model=model)
            numbers = reservation.call.model, reservation.call.price
        await self._settle(reservation, outcome, price, numbers)

    async def _settle(self, reservation: Reservation, outcome: Outcome, price: Price, numbers: tuple[int, int]) -> None:
        """Args: numbers: of the model that answered, and its price."""
        usage = used(reservation.estimate, outcome)
        cost = cost_of(price, usage)
        call = _settled(reservation.call, numbers, usage, cost, outcome)
        self._journal.change(reservation.slot, call.packed())
        covered = tuple(slice_.settle(reservation.call.cost_nano, cost) for slice_ in reservation.slices)
        self._books.add(Line(call, reservation.slot, reservation.slices, covered))
        try:
            await self._counters.settle(reservation.counted, usage.total)
        except LimitsUnknown:
            # The call is over and charged. What is counted wrongly is forgotten within two minutes.
            log.warning("a call that is over cannot be counted", call=reservation.call.id)

    async def refund(self, reservation: Reservation) -> None:
        """Nothing was used: there never was a call. Refunded twice is the same as once."""
        if self._under_way.pop(reservation.call.id, None) is None:
            return
        self._journal.close(reservation.slot)
        for slice_ in reservation.slices:
            slice_.settle(reservation.call.cost_nano, 0)
        await self._uncount(reservation.counted)

    async def give_back(self) -> None:
        """Give back money that others need more; to be called every tenth of a second or so."""
        await self._holding.give_back()

    async def renew(self) -> None:
        """Say which calls are still under way; to be called more than once in two minutes."""
        await self._counters.renew([each.counted for each in self._under_way.values()])

    async def settle_left(self) -> None:
        """Charge what processes that have ended left behind; to be called every few seconds."""
        await settle_left(self._parts, self._folder)

    async def _uncount(self, counted: Counted) -> None:
        try:
            await self._counters.refund(counted)
        except LimitsUnknown:
            log.warning("a call that never was stays counted", call=counted.call_id)

    async def _numbers_of(self, caller: Caller, estimate: Estimate) -> list[int]:
        """Of person, key, team, model and price; 0 for none."""
        names = (
            (NameKind.PERSON, caller.user_id),
            (NameKind.KEY, caller.key_id),
            (NameKind.TEAM, caller.teams[0] if caller.teams else ""),
            (NameKind.MODEL, estimate.model),
            (NameKind.PRICE, estimate.price.words),
        )
        if len(self._alike) >= MOST_NAMES:
            self._alike.clear()
        return [await self._number_of(*name) if name[1] else 0 for name in names]

    async def _number_of(self, kind: NameKind, name: str) -> int:
        if number := self._names.get((kind, name)):
            return number
        async with AiWork(self._parts) as work:
            number = await work.stores.ledger.number_of(kind, name)
        if len(self._names) >= MOST_NAMES:
            self._names.clear()
        self._names[kind, name] = number
        return number


def _require_fit(bounds: Bounds, tokens: int) -> None:
    for bound in bounds.counts:
        if bound.measure is Measure.TOKENS and tokens > bound.most:
            raise CallTooLarge(bound.subject.kind, f"{tokens} tokens", f"{bound.most} {bound.measure}")


def _provisional(call_id: int, numbers: list[int], usage: Usage, cost: int, slices: tuple[Slice, ...]) -> Call:
    person, key, team, model, price = numbers
    return Call(
        id=call_id,
        person=person,
        key=key,
        team=team,
        model=model,
        price=price,
        input=usage.input,
        output=usage.output,
        cached=usage.cached,
        cache_write=usage.cache_write,
        cost_nano=cost,
        latency_ms=0,
        first_byte_ms=-1,
        status=0,
        flags=_CUT_OFF,
        budgets=tuple(slice_.budget_id for slice_ in slices),
    )


def _settled(call: Call, numbers: tuple[int, int], usage: Usage, cost: int, outcome: Outcome) -> Call:
    model, price = numbers
    first = -1 if outcome.first_byte_ms is None else _within(outcome.first_byte_ms, MOST_MS)
    return Call(
        id=call.id,
        person=call.person,
        key=call.key,
        team=call.team,
        model=model,
        price=price,
        input=usage.input,
        output=usage.output,
        cached=usage.cached,
        cache_write=usage.cache_write,
        cost_nano=cost,
        latency_ms=_within(outcome.latency_ms, MOST_MS),
        first_byte_ms=first,
        status=_within(outcome.status, MOST_STATUS),
        flags=outcome.flags | Flag.ESTIMATED if outcome.usage is None else outcome.flags,
        budgets=call.budgets,
    )


def _within(number: int, most: int) -> int:
    return max(0, min(most, number))
