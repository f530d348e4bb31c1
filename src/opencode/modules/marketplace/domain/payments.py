"""What payment providers must offer, and what they tell."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from opencode.kernel.ids import OrderId
from opencode.modules.marketplace.domain.orders import Fact, Order, Refund


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where a buyer pays."""

    id: str
    url: str


class PaymentProvider(Protocol):
    """
    Takes money.

    Attributes:
        is_manual: payments do not come by themselves: a person says that they are there, and gives them back.
    """

    @property
    def name(self) -> str: ...

    @property
    def is_manual(self) -> bool: ...

    def refusal(self, amount_minor: int, currency: str) -> str | None:
        """Why it does not take such a payment, or None."""
        ...

    async def open(self, order: Order, *, come_back: str) -> Checkout | None:
        """
        Let the buyer pay. The same order again answers the same.

        Args:
            come_back: the page that the buyer is sent back to.

        Returns:
            None when there is no page to pay at.

        Raises:
            PaymentsUnavailable, PaymentsRefused
        """
        ...

    async def close(self, order: Order) -> None:
        """
        See to it that nobody pays the order any more.

        Raises:
            PaymentsUnavailable
            PaymentUnderWay: it is being paid right now.
        """
        ...

    async def refund(self, order: Order, refund: Refund) -> None:
        """
        Give money back. The same refund again gives it back once.

        Raises:
            PaymentsUnavailable: nobody knows whether it was given back.
            PaymentsRefused: it was not.
        """
        ...


class Outcome(StrEnum):
    """What was done with what a provider told."""

    APPLIED = "applied"
    IGNORED = "ignored"
    """It is about nothing that matters here, or nothing of ours."""
    WAITING = "waiting"
    """It is about an order that is not known yet."""
    MISMATCH = "mismatch"
    """It is about other money than the order's: somebody must look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """
    Something that a provider told.

    Attributes:
        id: the provider's, by which the same news is known when it comes again.
        kind: the provider's word for it.
        order_id, reference: what it is about: one of ours, or a payment by the provider's name; either may be unknown.
        fact: what it says about the order, if anything.
    """

    provider: str
    id: str
    kind: str
    order_id: OrderId | None
    reference: str | None
    fact: Fact | None
    received_at: datetime
    outcome: Outcome = Outcome.WAITING
