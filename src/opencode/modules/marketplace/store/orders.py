"""Orders, the wishes to give their money back, and the numbers of invoices."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import OrderId, ProjectId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.marketplace.domain.orders import Order, OrderState, Refund, RefundState
from opencode.modules.marketplace.domain.payments import Checkout
from opencode.modules.marketplace.store.tables import orders, refunds

_NEXT_INVOICE = text("""
    insert into invoice_counters (seller_id, last) values (:seller_id, 1)
    on conflict (seller_id) do update set last = invoice_counters.last + 1
    returning last
""")
_KEEPS_PROJECT = (OrderState.PENDING, OrderState.PAID)


class OrderStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, order_id: str, *, to_change: bool = False) -> Order | None:
        """
        Args:
            to_change: nobody else changes it until this transaction is over.
        """
        return await self._one(select(orders).where(orders.c.id == order_id), to_change=to_change)

    async def paid_as(self, provider: str, reference: str, *, to_change: bool = False) -> Order | None:
        """The order whose payment has this name at the provider."""
        query = select(orders).where(orders.c.payment_reference == reference, orders.c.provider == provider)
        return await self._one(query.limit(1), to_change=to_change)

    async def open_of(self, buyer_id: str, project_id: ProjectId, *, to_change: bool = False) -> Order | None:
        """
        The order that somebody has not paid yet.

        Args:
            to_change: nobody else changes it until this transaction is over.
        """
        query = select(orders).where(orders.c.buyer_id == buyer_id, orders.c.project_id == project_id)
        return await self._one(query.where(orders.c.state == OrderState.PENDING), to_change=to_change)

    async def _one(self, query: Select[Any], *, to_change: bool) -> Order | None:
        row = (await self._connection.execute(query.with_for_update() if to_change else query)).mappings()
        found = row.one_or_none()
        return Order(**found) if found else None

    async def add(self, new: Order) -> None:
        await self._connection.execute(insert(orders).values(asdict(new)))

    async def save(self, order: Order) -> None:
        await self._connection.execute(update(orders).where(orders.c.id == order.id).values(asdict(order)))

    async def note_checkout(self, order_id: OrderId, checkout: Checkout) -> Order:
        """Only this: what else has become of the order meanwhile stays. Returns the order as it is."""
        changed = update(orders).where(orders.c.id == order_id)
        changed = changed.values(checkout_id=checkout.id, checkout_url=checkout.url)
        row = (await self._connection.execute(changed.returning(*orders.columns))).mappings().one()
        return Order(**row)

    async def page_of_buyer(self, buyer_id: str, wanted: PageRequest) -> Page[Order]:
        """Newest first."""
        return await self._page(select(orders).where(orders.c.buyer_id == buyer_id), wanted)

    async def page_of_seller(self, seller_id: str, wanted: PageRequest) -> Page[Order]:
        """Newest first."""
        return await self._page(select(orders).where(orders.c.seller_id == seller_id), wanted)

    async def _page(self, query: Select[Any], wanted: PageRequest) -> Page[Order]:
        query = newest_first(query, orders.c.created_at, orders.c.id, wanted)
        found = [Order(**row) for row in (await self._connection.execute(query)).mappings()]
        return Page.cut(found, wanted.limit, lambda order: time_keys(order.created_at, order.id))

    async def due(self, now: datetime, limit: int) -> list[OrderId]:
        """Orders that were to be paid by now."""
        query = select(orders.c.id).where(orders.c.state == OrderState.PENDING, orders.c.expires_at <= now)
        return list((await self._connection.execute(query.order_by(orders.c.expires_at).limit(limit))).scalars())

    async def keeps(self, project_id: ProjectId) -> bool:
        """Has somebody bought this project, or is about to?"""
        query = select(orders.c.id).where(orders.c.project_id == project_id, orders.c.state.in_(_KEEPS_PROJECT))
        return (await self._connection.execute(query.limit(1))).first() is not None

    async def next_invoice(self, seller_id: str) -> int:
        """The number of a seller's next invoice, without gaps."""
        return (await self._connection.execute(_NEXT_INVOICE, {"seller_id": seller_id})).scalar_one()

    async def refund(self, refund_id: str) -> Refund | None:
        return await self._refund(select(refunds).where(refunds.c.id == refund_id))

    async def open_refund(self, order_id: OrderId) -> Refund | None:
        query = select(refunds).where(refunds.c.order_id == order_id, refunds.c.state == RefundState.REQUESTED)
        return await self._refund(query)

    async def _refund(self, query: Select[Any]) -> Refund | None:
        found = (await self._connection.execute(query)).mappings().one_or_none()
        return Refund(**found) if found else None

    async def add_refund(self, new: Refund) -> None:
        await self._connection.execute(insert(refunds).values(asdict(new)))

    async def refuse_refund(self, refund: Refund) -> None:
        changed = update(refunds).where(refunds.c.id == refund.id, refunds.c.state == RefundState.REQUESTED)
        await self._connection.execute(changed.values(state=RefundState.REFUSED))

    async def finish_refunds(self, order_id: OrderId, total_minor: int) -> None:
        """What was wished is done once so much is back."""
        changed = update(refunds).where(refunds.c.order_id == order_id, refunds.c.state == RefundState.REQUESTED)
        changed = changed.where(refunds.c.total_minor <= total_minor)
        await self._connection.execute(changed.values(state=RefundState.DONE))
