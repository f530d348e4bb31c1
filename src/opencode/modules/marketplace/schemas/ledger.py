"""The ledger."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from opencode.modules.marketplace.domain.ledger import Account, Check, Happening, Transaction


class EntryView(msgspec.Struct, frozen=True):
    """A debit above zero, a credit below, in minor units."""

    account: Account
    amount_minor: int


class TransactionView(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to money, once; its entries add up to 0."""

    key: str
    happening: Happening
    currency: str
    entries: list[EntryView]
    at: datetime


class LedgerView(msgspec.Struct, frozen=True):
    """All transactions of an order, in the order in which they were written."""

    transactions: list[TransactionView]

    @classmethod
    def of(cls, transactions: Sequence[Transaction]) -> "LedgerView":
        return cls(
            [
                TransactionView(
                    key=each.key,
                    happening=each.happening,
                    currency=each.currency,
                    entries=[EntryView(entry.account, entry.amount_minor) for entry in each.entries],
                    at=each.at,
                )
                for each in transactions
            ]
        )


class BalanceView(msgspec.Struct, frozen=True):
    account: Account
    currency: str
    amount_minor: int


class FindingView(msgspec.Struct, frozen=True):
    """A transaction or an order (`subject`) with which something is wrong."""

    subject: str
    detail: str


class LedgerCheckView(msgspec.Struct, frozen=True):
    """Whether everything adds up, in itself and with the orders. `findings` has the first 100 things that do not."""

    balanced: bool
    transactions: int
    balances: list[BalanceView]
    findings: list[FindingView]

    @classmethod
    def of(cls, check: Check) -> "LedgerCheckView":
        return cls(
            check.is_balanced,
            check.transactions,
            [BalanceView(each.account, each.currency, each.amount_minor) for each in check.balances],
            [FindingView(each.subject, each.detail) for each in check.findings],
        )
