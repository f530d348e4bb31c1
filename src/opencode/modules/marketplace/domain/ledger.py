"""
The ledger: what every movement of money did to which account, in double entry.

Amounts are whole minor units, debits above zero and credits below, and the entries of a transaction add up to zero. A
transaction is known by a key that names what happened, so that it is written once, and is never changed.

    paid       debit   provider_clearing   amount
               credit  seller_payable      amount - fee
               credit  platform_fee        fee
    refunded   debit   refunds             amount - share of the fee
               debit   platform_fee        share of the fee
               credit  provider_clearing   amount
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opencode.kernel.ids import OrderId
from opencode.modules.marketplace.domain.orders import Order, fee_given_back


class Account(StrEnum):
    """Where money is, and whose it is."""

    PROVIDER_CLEARING = "provider_clearing"
    """What buyers have paid, and is with the payment provider or the seller's bank."""
    SELLER_PAYABLE = "seller_payable"
    """What sellers have earned, before refunds."""
    PLATFORM_FEE = "platform_fee"
    """What this server's operator keeps."""
    REFUNDS = "refunds"
    """What sellers have given back; with `seller_payable` it makes what is theirs."""


class Happening(StrEnum):
    """What a transaction is about."""

    PAID = "paid"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a debit above zero, a credit below."""

    account: Account
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What happened to the money of one order, once: `key` names it."""

    key: str
    order_id: OrderId
    happening: Happening
    currency: str
    entries: tuple[Entry, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """The sum of all entries of an account in a currency."""

    account: Account
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that cannot be: a transaction or an order (`subject`), and what is wrong with it."""

    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """Whether the ledger holds. `findings` has the first 100 things that cannot be."""

    transactions: int
    balances: tuple[Balance, ...]
    findings: tuple[Finding, ...]

    @property
    def is_balanced(self) -> bool:
        return not self.findings


def booked(before: Order, after: Order, at: datetime) -> list[Transaction]:
    """What must be written when an order has gone from one to the other."""
    transactions: list[Transaction] = []
    if after.paid_at and not before.paid_at:
        transactions.append(_paid(after, at))
    if after.refunded_minor > before.refunded_minor:
        transactions.append(_refunded(after, before.refunded_minor, at))
    return transactions


def _paid(order: Order, at: datetime) -> Transaction:
    return _transaction(
        order,
        f"{order.id}:paid",
        Happening.PAID,
        Entry(Account.PROVIDER_CLEARING, order.amount_minor),
        Entry(Account.SELLER_PAYABLE, -(order.amount_minor - order.fee_minor)),
        Entry(Account.PLATFORM_FEE, -order.fee_minor),
        at=at,
    )


def _refunded(order: Order, before_minor: int, at: datetime) -> Transaction:
    amount_minor = order.refunded_minor - before_minor
    fee_minor = fee_given_back(order, order.refunded_minor) - fee_given_back(order, before_minor)
    return _transaction(
        order,
        f"{order.id}:refunded:{order.refunded_minor}",
        Happening.REFUNDED,
        Entry(Account.REFUNDS, amount_minor - fee_minor),
        Entry(Account.PLATFORM_FEE, fee_minor),
        Entry(Account.PROVIDER_CLEARING, -amount_minor),
        at=at,
    )


def _transaction(order: Order, key: str, happening: Happening, *entries: Entry, at: datetime) -> Transaction:
    kept = tuple(entry for entry in entries if entry.amount_minor)
    return Transaction(key=key, order_id=order.id, happening=happening, currency=order.currency, entries=kept, at=at)
