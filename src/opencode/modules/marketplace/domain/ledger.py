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
    disputed   debit   disputed            amount
               credit  provider_clearing   amount
    dispute    debit   dispute_fees        fee
    fee        credit  provider_clearing   fee

A refund that failed is the opposite of a refund, a dispute that was won the opposite of one that was opened; one that
was lost moves from `disputed` to where refunds are. A fee of the provider's for a dispute is the operator's, in the
money of their account with the provider, and so a transaction of its own.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from opencode.kernel.ids import OrderId
from opencode.modules.marketplace.domain.claims import NO_CLAIMS, DisputeState
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
    """What sellers have given back, or disputes have taken; with `seller_payable` it makes what is theirs."""

    DISPUTED = "disputed"
    """What a provider has taken away until a dispute is decided."""
    DISPUTE_FEES = "dispute_fees"
    """What providers have charged the operator for disputes."""


class Happening(StrEnum):
    """What a transaction is about."""

    PAID = "paid"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_WON = "dispute_won"
    DISPUTE_FEE = "dispute_fee"


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
    if not after.paid_at:
        return []
    transactions: list[Transaction] = []
    if not before.paid_at:
        before = replace(after, heard_back_minor=0, claims=NO_CLAIMS)
        transactions.append(_transaction(before, f"{after.id}:paid", Happening.PAID, _position(before), at))
    then, now = _position(before), _position(after)
    moved = {account: amount_minor - then[account] for account, amount_minor in now.items()}
    if any(moved.values()):
        happening = _what_happened(before, after)
        transactions.append(_transaction(after, _key(after, happening), happening, moved, at))
    transactions += _fees_booked(before, after, at)
    # What was written at one moment has no order of its own, so each has the microsecond after the one before.
    return [replace(each, at=at + timedelta(microseconds=place)) for place, each in enumerate(transactions)]


def provider_holds(order: Order) -> dict[str, int]:
    """Of an order: what is with the provider, by currency. The fees of its disputes are taken from it."""
    held = Counter({order.currency: order.rest_minor})
    if order.paid_at:
        for (_, _, currency), amount_minor in _fees(order).items():
            held[currency] -= amount_minor
    return {currency: amount_minor for currency, amount_minor in held.items() if amount_minor}


def _position(order: Order) -> dict[Account, int]:
    """What a paid order is in the ledger. It is a function of what was heard, and adds up to zero."""
    fee_back_minor = fee_given_back(order, order.refunded_minor)
    return {
        Account.PROVIDER_CLEARING: order.rest_minor,
        Account.SELLER_PAYABLE: order.fee_minor - order.amount_minor,
        Account.PLATFORM_FEE: fee_back_minor - order.fee_minor,
        Account.REFUNDS: order.refunded_minor - fee_back_minor,
        Account.DISPUTED: order.disputed_minor,
    }


def _fees(order: Order) -> dict[tuple[str, str, str], int]:
    """By dispute, the provider's booking, and currency."""
    return {
        (dispute.id, fee.id, fee.currency): fee.amount_minor
        for dispute in order.claims.disputes
        for fee in dispute.fees
    }


def _fees_booked(before: Order, after: Order, at: datetime) -> list[Transaction]:
    known = _fees(before)
    transactions: list[Transaction] = []
    for named, amount_minor in _fees(after).items():
        if more_minor := amount_minor - known.get(named, 0):
            key = f"{after.id}:{Happening.DISPUTE_FEE}:{_digest((*named, amount_minor))}"
            amounts = {Account.DISPUTE_FEES: more_minor, Account.PROVIDER_CLEARING: -more_minor}
            booked_fee = _transaction(after, key, Happening.DISPUTE_FEE, amounts, at)
            transactions.append(replace(booked_fee, currency=named[-1]))
    return transactions


def _what_happened(before: Order, after: Order) -> Happening:
    if after.failed_minor > before.failed_minor:
        return Happening.REFUND_FAILED
    for state, happening in (
        (DisputeState.WON, Happening.DISPUTE_WON),
        (DisputeState.LOST, Happening.DISPUTE_LOST),
        (DisputeState.OPEN, Happening.DISPUTED),
    ):
        if after.claims.disputed_minor(state) > before.claims.disputed_minor(state):
            return happening
    return Happening.REFUNDED


def _key(order: Order, happening: Happening) -> str:
    claims = order.claims
    if claims == NO_CLAIMS:
        return f"{order.id}:{happening}:{order.refunded_minor}"
    grown = (order.sent_back_minor, *claims.grown)
    return f"{order.id}:{happening}:{_digest(grown)}"


def _digest(named: tuple[str | int, ...]) -> str:
    return hashlib.blake2b(repr(named).encode(), digest_size=10).hexdigest()


def _transaction(
    order: Order, key: str, happening: Happening, amounts: dict[Account, int], at: datetime
) -> Transaction:
    entries = tuple(Entry(account, amount_minor) for account, amount_minor in amounts.items() if amount_minor)
    return Transaction(key=key, order_id=order.id, happening=happening, currency=order.currency, entries=entries, at=at)
