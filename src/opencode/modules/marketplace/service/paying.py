"""Payments that are there, payments that are given back, and what providers tell of both."""

from datetime import datetime, timedelta

import structlog

from opencode.infra.db import fingerprint
from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import RefundId, new_id
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.orders import (
    MOST_REFERENCE,
    GivenBack,
    Order,
    OrderState,
    Paid,
    PaymentMismatchError,
    Refund,
    RefundState,
)
from opencode.modules.marketplace.domain.payments import News, Outcome
from opencode.modules.marketplace.domain.text import line_problem, tidy_line
from opencode.modules.marketplace.errors import (
    OrderNotPossible,
    OrderRefused,
    PaymentComesByItself,
    PaymentsRefused,
    RefundUnderWay,
    SameKeyOtherProject,
)
from opencode.modules.marketplace.policy import OrderAction
from opencode.modules.marketplace.service.ordering import Orders
from opencode.modules.marketplace.service.settling import settle
from opencode.modules.marketplace.store import MarketplaceWork, Stores

log = structlog.get_logger(__name__)

WAITS = timedelta(days=3)
"""How long something is kept that is about no order of ours yet; Stripe tells again for about as long."""
_MOST_AT_ONCE = 100


class Paying(Orders):
    async def mark_paid(self, order_id: str, by: Principal, reference: str) -> Order:
        """
        Note that the money is there. Again with the same reference is the same as once.

        Args:
            reference: by which people find the payment, such as the text of a transfer.

        Raises:
            OrderNotFound, NotYourOrder, OrderNotPossible, PaymentComesByItself, OrderRefused
        """
        line = tidy_line(reference)
        async with self.unit_of_work() as work:
            order = await self.order_for(work.stores, order_id, by, OrderAction.MARK_PAID, to_change=True)
            if not self.provider_of(order).is_manual:
                raise PaymentComesByItself(order.id, order.provider)
            if problem := line_problem(line, MOST_REFERENCE, least=1):
                raise OrderRefused((FieldProblem("/reference", problem),))
            if order.state is OrderState.PAID and order.payment_reference != line:
                raise OrderNotPossible(order.id, order.state, OrderAction.MARK_PAID)
            after = await settle(work, order, Paid(order.amount_minor, order.currency, line), self.clock.now())
        if after != order:
            await self.identity.record("order.marked_paid", actor=by, subject_id=order.id)
        return after

    async def refund(
        self, order_id: str, by: Principal, amount_minor: int | None = None, *, key: str | None = None
    ) -> Order:
        """
        Give money back: a part, or what is left. The wish is kept before the provider hears of it, so that one whose
        answer was lost is finished by asking for the same again, and nothing is given back twice.

        Args:
            key: the caller's `Idempotency-Key`; the same request with the same key gives back once.

        Raises:
            OrderNotFound, NotYourOrder, OrderNotPossible, OrderRefused, RefundUnderWay, SameKeyOtherProject
            PaymentsRefused, PaymentsUnavailable
        """
        print_of_request = fingerprint({"refund": order_id, "amount_minor": amount_minor})
        async with self.unit_of_work() as work:
            order = await self.order_for(work.stores, order_id, by, OrderAction.SEE, to_change=True)
            refund = await self._earlier(work.stores, by, key, print_of_request)
            if refund is None:
                policy.require_with_order(OrderAction.REFUND, by, order)
                refund = await self._open_or_new(work.stores, order, by, amount_minor)
                if key:
                    await work.stores.requests.add(by.id, key, print_of_request, refund.id, self.clock.now())
        if refund.state is RefundState.DONE:
            return order
        await self._carry_out(order, refund)
        async with self.unit_of_work() as work:
            order = await self.order_for(work.stores, order_id, by, OrderAction.SEE, to_change=True)
            after = await settle(work, order, GivenBack(refund.total_minor, order.currency), self.clock.now())
        await self.identity.record("order.refunded", actor=by, subject_id=order.id, detail=refund.id)
        return after

    async def hear(self, news: News) -> Outcome:
        """
        Take what a provider tells. Twice is the same as once; what is about no order that is known yet waits for it.
        """
        async with self.unit_of_work() as work:
            if not await work.stores.payments.note(news):
                known = await work.stores.payments.find(news.provider, news.id)
                return known.outcome if known else Outcome.IGNORED
            return await self._apply(work, news)

    async def hear_again(self) -> None:
        """Look once more at what waits, in case its order is known by now; give up what has waited for days."""
        too_long_ago = self.clock.now() - WAITS
        after: tuple[datetime, str] | None = None
        while True:
            async with self.reading() as stores:
                waiting = await stores.payments.waiting(after, _MOST_AT_ONCE)
                known = [news for news in waiting if await _order_of(stores, news)]
            if waiting and waiting[0].received_at < too_long_ago:
                async with self.unit_of_work() as work:
                    await work.stores.payments.give_up(too_long_ago)
            for news in known:
                async with self.unit_of_work() as work:
                    await self._apply(work, news)
            if len(waiting) < _MOST_AT_ONCE:
                return
            after = (waiting[-1].received_at, waiting[-1].id)

    async def _apply(self, work: MarketplaceWork, news: News) -> Outcome:
        if news.fact is None:
            outcome = Outcome.IGNORED
        elif (order := await _order_of(work.stores, news, to_change=True)) is None:
            outcome = Outcome.WAITING
        else:
            outcome = await self._apply_to(work, order, news)
        await work.stores.payments.settle(news, outcome)
        return outcome

    async def _apply_to(self, work: MarketplaceWork, order: Order, news: News) -> Outcome:
        try:
            if news.fact is None or news.provider != order.provider:
                raise PaymentMismatchError
            after = await settle(work, order, news.fact, self.clock.now())
        except PaymentMismatchError:
            log.error("a payment does not fit its order", order_id=order.id, event_id=news.id, kind=news.kind)
            return Outcome.MISMATCH
        if after.paid_at and not order.paid_at:
            # What was told of the payment by its own name could not be known to be about this order until now.
            for earlier in await work.stores.payments.waiting_for(after):
                if earlier.id != news.id:
                    await self._apply(work, earlier)
        return Outcome.APPLIED

    async def _open_or_new(self, stores: Stores, order: Order, by: Principal, amount_minor: int | None) -> Refund:
        if order.disputed_minor and not order.rest_minor:
            problem = "cannot be given back while its payment is disputed"
            raise OrderRefused((FieldProblem("/amount_minor", problem),))
        wanted_minor = order.rest_minor if amount_minor is None else amount_minor
        if not 1 <= wanted_minor <= order.rest_minor:
            raise OrderRefused((FieldProblem("/amount_minor", f"must be from 1 to {order.rest_minor}"),))
        if earlier := await stores.orders.open_refund(order.id):
            if earlier.amount_minor != wanted_minor:
                raise RefundUnderWay(order.id, earlier.amount_minor)
            return earlier
        new = Refund(
            id=RefundId(new_id("rfd")),
            order_id=order.id,
            amount_minor=wanted_minor,
            total_minor=order.sent_back_minor + wanted_minor,
            state=RefundState.REQUESTED,
            by_id=by.id,
            created_at=self.clock.now(),
        )
        await stores.orders.add_refund(new)
        return new

    async def _earlier(self, stores: Stores, by: Principal, key: str | None, print_of_request: str) -> Refund | None:
        if key is None or (made := await stores.requests.find(by.id, key)) is None:
            return None
        earlier_print, refund_id = made
        if earlier_print != print_of_request:
            raise SameKeyOtherProject
        return await stores.orders.refund(refund_id)

    async def _carry_out(self, order: Order, refund: Refund) -> None:
        """No transaction waits for the provider."""
        try:
            if refund.state is RefundState.REFUSED:
                raise PaymentsRefused(
                    "The payment provider refused this refund before.", action="Take a new key to try once more."
                )
            await self.provider_of(order).refund(order, refund)
        except PaymentsRefused:
            async with self.unit_of_work() as work:
                await work.stores.orders.refuse_refund(refund)
            raise


async def _order_of(stores: Stores, news: News, *, to_change: bool = False) -> Order | None:
    if news.order_id:
        return await stores.orders.get(news.order_id, to_change=to_change)
    if news.reference:
        return await stores.orders.paid_as(news.provider, news.reference, to_change=to_change)
    return None
