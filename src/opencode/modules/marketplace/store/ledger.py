"""The ledger: written once, read, and added up."""

from collections import defaultdict
from typing import Any

from sqlalchemy import BigInteger, and_, case, cast, func, insert, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.kernel.ids import OrderId, new_id
from opencode.modules.marketplace.domain.claims import NO_CLAIMS
from opencode.modules.marketplace.domain.ledger import (
    Account,
    Balance,
    Check,
    Entry,
    Finding,
    Transaction,
    provider_holds,
)
from opencode.modules.marketplace.domain.orders import Order
from opencode.modules.marketplace.store.tables import ledger_entries, ledger_transactions, orders

MOST_FINDINGS = 100

_JOINED = ledger_transactions.outerjoin(ledger_entries, ledger_entries.c.transaction_id == ledger_transactions.c.id)
_BACK = orders.c.heard_back_minor
_HELD = "the ledger holds {} for it, which is not what it says itself"
_SUM = cast(func.coalesce(func.sum(ledger_entries.c.amount_minor), 0), BigInteger)


class LedgerStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def write(self, transaction: Transaction) -> None:
        """Add a transaction. A second one of the same key is an `IntegrityError`, and undoes what it came with."""
        new = {
            "id": new_id("ltx"),
            "key": transaction.key,
            "order_id": transaction.order_id,
            "happening": transaction.happening,
            "currency": transaction.currency,
            "at": transaction.at,
        }
        lines = [
            {"transaction_id": new["id"], "line": line, "account": entry.account, "amount_minor": entry.amount_minor}
            for line, entry in enumerate(transaction.entries)
        ]
        await self._connection.execute(insert(ledger_transactions).values(new))
        await self._connection.execute(insert(ledger_entries), lines)

    async def of_order(self, order_id: OrderId) -> list[Transaction]:
        """In the order in which they were written."""
        query = select(ledger_transactions, ledger_entries.c.account, ledger_entries.c.amount_minor)
        query = query.select_from(_JOINED).where(ledger_transactions.c.order_id == order_id)
        query = query.order_by(ledger_transactions.c.at, ledger_transactions.c.id, ledger_entries.c.line)
        entries: dict[str, list[Entry]] = defaultdict(list)
        rows: dict[str, Any] = {}
        for row in await self._connection.execute(query):
            rows[row.id] = row
            entries[row.id].append(Entry(row.account, row.amount_minor))
        return [
            Transaction(
                key=row.key,
                order_id=row.order_id,
                happening=row.happening,
                currency=row.currency,
                entries=tuple(entries[row.id]),
                at=row.at,
            )
            for row in rows.values()
        ]

    async def check(self) -> Check:
        """Add everything up, and compare it with the orders."""
        count = select(func.count()).select_from(ledger_transactions)
        transactions = (await self._connection.execute(count)).scalar_one()
        findings = [*await self._unbalanced(), *await self._other_than_orders()]
        return Check(transactions, await self._balances(), tuple(findings[:MOST_FINDINGS]))

    async def _balances(self) -> tuple[Balance, ...]:
        query = select(ledger_entries.c.account, ledger_transactions.c.currency, _SUM.label("amount_minor"))
        query = query.select_from(
            ledger_entries.join(ledger_transactions, ledger_entries.c.transaction_id == ledger_transactions.c.id)
        )
        query = query.group_by(ledger_entries.c.account, ledger_transactions.c.currency)
        rows = await self._connection.execute(query.order_by(ledger_transactions.c.currency, ledger_entries.c.account))
        return tuple(Balance(row.account, row.currency, row.amount_minor) for row in rows)

    async def _unbalanced(self) -> list[Finding]:
        query = select(ledger_transactions.c.key, _SUM.label("sum")).select_from(_JOINED)
        query = query.group_by(ledger_transactions.c.id, ledger_transactions.c.key)
        query = query.having(or_(_SUM != 0, func.count(ledger_entries.c.line) == 0)).limit(MOST_FINDINGS)
        rows = await self._connection.execute(query)
        return [Finding(row.key, f"its entries add up to {row.sum} and not to 0, or it has none") for row in rows]

    async def _other_than_orders(self) -> list[Finding]:
        """Of each order, what is with the provider must be what was paid without what was given back."""
        held = (
            select(ledger_transactions.c.order_id, _SUM.label("held"))
            .select_from(_JOINED)
            .where(ledger_entries.c.account == Account.PROVIDER_CLEARING)
            .group_by(ledger_transactions.c.order_id)
            .subquery()
        )
        is_held = func.coalesce(held.c.held, literal(0, BigInteger))
        back = case((orders.c.heard_back_minor > orders.c.amount_minor, orders.c.amount_minor), else_=_BACK)
        expected = orders.c.amount_minor - back
        with_held = orders.outerjoin(held, held.c.order_id == orders.c.id)
        query = select(orders.c.id, is_held.label("held")).select_from(with_held)
        query = query.where(
            orders.c.claims == NO_CLAIMS,
            or_(
                and_(orders.c.paid_at.is_not(None), is_held != expected),
                and_(orders.c.paid_at.is_(None), is_held != 0),
            ),
        )
        rows = await self._connection.execute(query.order_by(orders.c.id).limit(MOST_FINDINGS))
        found = [Finding(row.id, _HELD.format(row.held)) for row in rows]
        return sorted([*found, *await self._other_than_claims()], key=lambda finding: finding.subject)

    async def _other_than_claims(self) -> list[Finding]:
        """
        The same of orders with refunds or disputes that were heard of one by one, whose fees may be in another
        currency. They are few, and what they come to is not for SQL.
        """
        held = (
            select(ledger_transactions.c.order_id, ledger_transactions.c.currency.label("held_in"), _SUM.label("held"))
            .select_from(_JOINED)
            .where(ledger_entries.c.account == Account.PROVIDER_CLEARING)
            .group_by(ledger_transactions.c.order_id, ledger_transactions.c.currency)
            .subquery()
        )
        query = select(*orders.columns, held.c.held_in, held.c.held)
        query = query.select_from(orders.outerjoin(held, held.c.order_id == orders.c.id))
        stream = await self._connection.stream(query.where(orders.c.claims != NO_CLAIMS))
        claimed: dict[str, Order] = {}
        held_minor: dict[str, dict[str, int]] = defaultdict(dict)
        async for row in stream.mappings():
            values = {**row}
            currency, amount_minor = values.pop("held_in"), values.pop("held")
            claimed[values["id"]] = Order(**values)
            if amount_minor:
                held_minor[values["id"]][currency] = amount_minor
        return [
            Finding(order_id, _HELD.format(_amounts(held_minor[order_id])))
            for order_id, order in claimed.items()
            if held_minor[order_id] != provider_holds(order)
        ]


def _amounts(by_currency: dict[str, int]) -> str:
    return ", ".join(f"{amount_minor} {currency}" for currency, amount_minor in sorted(by_currency.items())) or "0"
