"""
Orders: what is bought at which price, and what has become of it.

What payment providers tell comes twice, late and in any order. So an order is a join of what was heard: each fact may
only raise it (pending < expired < cancelled < paid < refunded), and the same facts in another order end the same.
Money that has arrived outweighs everything: an order that was cancelled is paid when its payment comes all the same,
and one that was refunded is paid again when the refund comes back.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import msgspec

from opencode.kernel.ids import OrderId, ProjectId, RefundId
from opencode.modules.marketplace.domain.claims import (
    MOST_CLAIMS,
    NO_CLAIMS,
    Claims,
    DisputeState,
    HeardDispute,
    HeardRefund,
)

MOST_QUANTITY = 100
MOST_REFERENCE = 200
MOST_MINOR = 10**15
"""More than anybody pays; what is heard of more counts as so much, so that sums fit into the database."""
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
    """
    So much was given back, in all refunds of the order together: so one that is heard twice counts once. Those that
    failed are counted when we say it, and not any more when the provider does.
    """

    total_minor: int
    currency: str


class RefundTold(msgspec.Struct, frozen=True, tag="refund_told"):
    """There is this refund, or it has failed."""

    refund: HeardRefund
    currency: str


class DisputeTold(msgspec.Struct, frozen=True, tag="dispute_told"):
    """There is this dispute, and it has come so far."""

    dispute: HeardDispute
    currency: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """It will not be paid."""

    state: OrderState


Fact = Paid | GivenBack | RefundTold | DisputeTold | Ended


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
        heard_back_minor: the largest total given back that was heard; it may be heard before the payment is.
        claims: what was heard of single refunds and disputes.
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
    claims: Claims = NO_CLAIMS

    @property
    def sent_back_minor(self) -> int:
        """
        In all refunds together, those that failed too. A provider's total is without the latter, so what is known one
        by one may be more.
        """
        return max(self.heard_back_minor, self.claims.given_minor)

    @property
    def failed_minor(self) -> int:
        """Of what was sent back: what came back to the seller."""
        return self.claims.failed_minor if self.paid_at else 0

    @property
    def lost_minor(self) -> int:
        """Of what was paid: what disputes have taken for good."""
        return min(self.claims.disputed_minor(DisputeState.LOST), self.amount_minor - self._back_minor)

    @property
    def refunded_minor(self) -> int:
        """What the buyer has again of what was paid, by refunds and by disputes that were lost."""
        return self._back_minor + self.lost_minor if self.paid_at else 0

    @property
    def disputed_minor(self) -> int:
        """What the provider has taken away until a dispute is decided."""
        if not self.paid_at:
            return 0
        return min(self.claims.disputed_minor(DisputeState.OPEN), self.amount_minor - self.refunded_minor)

    @property
    def rest_minor(self) -> int:
        """What can still be given back."""
        return self.amount_minor - self.refunded_minor - self.disputed_minor if self.paid_at else 0

    @property
    def _back_minor(self) -> int:
        return max(0, min(self.sent_back_minor - self.claims.failed_minor, self.amount_minor))

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
                total_minor = max(self.heard_back_minor, min(total_minor, MOST_MINOR))
                return replace(self, heard_back_minor=total_minor)._settled()
            case RefundTold(refund=refund, currency=currency):
                self._require_claim(refund.amount_minor, currency)
                return self._with_claims(self.claims.with_refund(refund))
            case DisputeTold(dispute=dispute, currency=currency):
                self._require_claim(dispute.amount_minor, currency)
                if any(abs(fee.amount_minor) > MOST_MINOR for fee in dispute.fees):
                    raise PaymentMismatchError
                return self._with_claims(self.claims.with_dispute(dispute))
            case Ended(state=state):
                is_news = self.state in _RANK and _RANK[state] > _RANK[self.state]
                return replace(self, state=state) if is_news else self

    def _require_claim(self, amount_minor: int, currency: str) -> None:
        if currency != self.currency or not 0 <= amount_minor <= MOST_MINOR:
            raise PaymentMismatchError

    def _with_claims(self, claims: Claims) -> "Order":
        if claims.count > MOST_CLAIMS:
            raise PaymentMismatchError
        return replace(self, claims=claims)._settled()

    def _settled(self) -> "Order":
        if self.paid_at is None:
            return self
        is_whole = self.refunded_minor < self.amount_minor
        return replace(self, state=OrderState.PAID if is_whole else OrderState.REFUNDED)


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
