"""
Orders: what is bought at which price, and what has become of it.

What payment providers tell comes twice, late and in any order. So an order is a join of what was heard: each fact may
only raise it (pending < expired < cancelled < paid < refunded), and the same facts in another order end the same.
Money that has arrived outweighs everything: an order that was cancelled is paid when its payment comes all the same.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import msgspec

from opencode.kernel.ids import OrderId, ProjectId, RefundId

MOST_QUANTITY = 100
MOST_REFERENCE = 200
_WHOLE_BASIS_POINTS = 10_000


class OrderState(StrEnum):
    """What has become of an order."""

    PENDING = "pending"
    """Nothing was paid yet."""
    PAID = "paid"
    """It was paid; a part of it may have been given back."""
    REFUNDED = "refunded"
    """All of it was given back."""
    CANCELLED = "cancelled"
    """Somebody ended it, or its payment failed."""
    EXPIRED = "expired"
    """Nobody paid in time."""


_RANK = {state: rank for rank, state in enumerate((OrderState.PENDING, OrderState.EXPIRED, OrderState.CANCELLED))}


class Paid(msgspec.Struct, frozen=True, tag="paid"):
    """The money is there. `reference` is the provider's, or what a person noted: a transfer's text."""

    amount_minor: int
    currency: str
    reference: str


class GivenBack(msgspec.Struct, frozen=True, tag="given_back"):
    """So much was given back, in all refunds of the order together: so one that is heard twice counts once."""

    total_minor: int
    currency: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """It will not be paid."""

    state: OrderState


Fact = Paid | GivenBack | Ended


class PaymentMismatchError(Exception):
    """What was heard is about another amount or currency than the order's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    An order.

    Attributes:
        slug, title: the project's as they were; a slug leads to its project for good.
        buyer_handle: as it was; a handle leads to its owner for good.
        amount_minor: for all `quantity` together, fixed when it was ordered.
        fee_minor: the platform's part of it (`fee_of`).
        checkout_id: the provider's name for where the buyer pays.
        payment_reference: the provider's name for the payment, or what a person noted.
        heard_back_minor: given back as far as was heard; it may be heard before the payment is.
    """

    id: OrderId
    project_id: ProjectId
    slug: str
    title: str
    buyer_id: str
    buyer_handle: str
    seller_id: str
    quantity: int
    amount_minor: int
    currency: str
    fee_minor: int
    provider: str
    state: OrderState
    invoice_number: str | None
    checkout_id: str | None
    checkout_url: str | None
    payment_reference: str | None
    heard_back_minor: int
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None

    @property
    def refunded_minor(self) -> int:
        """Given back of what was paid."""
        return self.heard_back_minor if self.paid_at else 0

    @property
    def rest_minor(self) -> int:
        """What can still be given back."""
        return self.amount_minor - self.refunded_minor if self.paid_at else 0

    def heard(self, fact: Fact, at: datetime) -> "Order":
        """
        The order after a fact; the same one when it says nothing new.

        Raises:
            PaymentMismatchError: it is about other money. A refund of more than was paid counts as all of it.
        """
        match fact:
            case Paid(amount_minor=amount_minor, currency=currency, reference=reference):
                if (amount_minor, currency) != (self.amount_minor, self.currency):
                    raise PaymentMismatchError
                return self if self.paid_at else replace(self, paid_at=at, payment_reference=reference)._settled()
            case GivenBack(total_minor=total_minor, currency=currency):
                if currency != self.currency or total_minor < 0:
                    raise PaymentMismatchError
                total_minor = max(self.heard_back_minor, min(total_minor, self.amount_minor))
                return replace(self, heard_back_minor=total_minor)._settled()
            case Ended(state=state):
                is_news = self.state in _RANK and _RANK[state] > _RANK[self.state]
                return replace(self, state=state) if is_news else self

    def _settled(self) -> "Order":
        if self.paid_at is None:
            return self
        return replace(self, state=OrderState.PAID if self.rest_minor else OrderState.REFUNDED)


class RefundState(StrEnum):
    """How far the wish to give money back has come."""

    REQUESTED = "requested"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A wish to give money back, kept before the provider hears of it: `total_minor` is what will be back in all."""

    id: RefundId
    order_id: OrderId
    amount_minor: int
    total_minor: int
    state: RefundState
    by_id: str
    created_at: datetime


def fee_of(amount_minor: int, basis_points: int) -> int:
    """The platform's part of a payment: hundredths of a percent, rounded down, for the seller's good."""
    return amount_minor * basis_points // _WHOLE_BASIS_POINTS


def fee_given_back(order: Order, total_minor: int) -> int:
    """
    The part of the fee that is given back once `total_minor` of an order is: the same share, rounded down. It is a
    function of the total, so many small refunds end where one large one does, and a whole one gives the whole fee back.
    """
    return order.fee_minor * total_minor // order.amount_minor
