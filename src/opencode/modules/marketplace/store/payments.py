"""What payment providers told."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import RowMapping, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db.tables import to_micros
from opencode.modules.marketplace.domain.orders import Fact, Order
from opencode.modules.marketplace.domain.payments import News, Outcome
from opencode.modules.marketplace.store.tables import payment_events

_NOTE = text("""
    insert into payment_events (provider, id, kind, order_id, reference, fact, outcome, received_at)
    values (:provider, :id, :kind, :order_id, :reference, :fact, :outcome, :received_at)
    on conflict do nothing
    returning id
""")


class PaymentStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def note(self, news: News) -> bool:
        """Keep what was told. Returns whether it is new."""
        values = {
            "provider": news.provider,
            "id": news.id,
            "kind": news.kind,
            "order_id": news.order_id,
            "reference": news.reference,
            "fact": None if news.fact is None else msgspec.json.encode(news.fact).decode(),
            "outcome": news.outcome.value,
            "received_at": to_micros(news.received_at),
        }
        return (await self._connection.execute(_NOTE, values)).first() is not None

    async def settle(self, news: News, outcome: Outcome) -> None:
        columns = payment_events.c
        changed = update(payment_events).where(columns.provider == news.provider, columns.id == news.id)
        await self._connection.execute(changed.values(outcome=outcome))

    async def give_up(self, before: datetime) -> None:
        """What waits since then is about nothing of ours."""
        columns = payment_events.c
        changed = update(payment_events).where(columns.outcome == Outcome.WAITING, columns.received_at < before)
        await self._connection.execute(changed.values(outcome=Outcome.IGNORED))

    async def find(self, provider: str, event_id: str) -> News | None:
        columns = payment_events.c
        query = select(payment_events).where(columns.provider == provider, columns.id == event_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _news(row) if row else None

    async def waiting_for(self, order: Order) -> list[News]:
        """What was told of an order before it could be known that it is about this one."""
        columns = payment_events.c
        query = select(payment_events).where(columns.outcome == Outcome.WAITING, columns.provider == order.provider)
        about = [columns.order_id == order.id]
        if order.payment_reference:
            about.append(columns.reference == order.payment_reference)
        rows = (await self._connection.execute(query.where(or_(*about)))).mappings()
        return [_news(row) for row in rows]

    async def waiting(self, after: tuple[datetime, str] | None, limit: int) -> list[News]:
        """What still waits, the oldest first, from a moment and an id on."""
        columns = payment_events.c
        query = select(payment_events).where(columns.outcome == Outcome.WAITING)
        if after:
            moment, event_id = after
            query = query.where(
                or_(columns.received_at > moment, (columns.received_at == moment) & (columns.id > event_id))
            )
        query = query.order_by(columns.received_at, columns.id).limit(limit)
        return [_news(row) for row in (await self._connection.execute(query)).mappings()]


def _news(row: RowMapping) -> News:
    own: dict[str, Any] = {**row}
    if own["fact"] is not None:
        own["fact"] = msgspec.json.decode(own["fact"], type=Fact)
    return News(**own)
