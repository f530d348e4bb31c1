"""Orders and what they entitle to."""

from datetime import datetime

import msgspec

from opencode.infra.http import Body
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.entitlements import Entitlement
from opencode.modules.marketplace.domain.orders import Order, OrderState
from opencode.modules.marketplace.errors import OrderNotFound
from opencode.modules.marketplace.policy import Side, side_of
from opencode.modules.marketplace.service.entitling import NewKey
from opencode.modules.marketplace.service.ordering import Purchase


class OrderDraft(Body):
    """How many licences are wanted, 1 to 100."""

    quantity: int = 1


class PaymentMark(Body):
    """By what people find the payment again, such as the text of a transfer: 1 to 200 characters."""

    reference: str


class RefundWish(Body):
    """How much is to be given back, in minor units; null for all that is left."""

    amount_minor: int | None = None


class LicenceQuestion(Body):
    """A licence key, and the slug of the project that it is to be good for."""

    key: str
    project: str


class BoughtView(msgspec.Struct, frozen=True):
    """The project as it was called when it was ordered; the slug leads there for good."""

    slug: str
    title: str


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """
    An order. `amount_minor` is for all `quantity` together, in minor units, and never changes. `refunded_minor`: what
    the buyer has again, by refunds and by disputes that were lost; `disputed_minor`: what the provider has taken away
    until a dispute is decided. `checkout_url` is where its buyer pays, while it is pending; `payment_reference` names
    the payment to its seller and administrators. `side`: what the caller is to it.
    """

    id: str
    state: OrderState
    side: Side
    project: BoughtView
    buyer: str
    quantity: int
    amount_minor: int
    refunded_minor: int
    disputed_minor: int
    currency: str
    provider: str
    checkout_url: str | None
    invoice_number: str | None
    payment_reference: str | None
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None

    @classmethod
    def of(cls, order: Order, by: Principal) -> "OrderView":
        """
        Raises:
            OrderNotFound: it is between other people.
        """
        if (side := side_of(by, order)) is None:
            raise OrderNotFound(order.id)
        is_buyer = side is Side.BUYER
        return cls(
            id=order.id,
            state=order.state,
            side=side,
            project=BoughtView(order.slug, order.title),
            buyer=order.buyer_handle,
            quantity=order.quantity,
            amount_minor=order.amount_minor,
            refunded_minor=order.refunded_minor,
            disputed_minor=order.disputed_minor,
            currency=order.currency,
            provider=order.provider,
            checkout_url=order.checkout_url if is_buyer and order.state is OrderState.PENDING else None,
            invoice_number=order.invoice_number,
            payment_reference=None if is_buyer else order.payment_reference,
            created_at=order.created_at,
            expires_at=order.expires_at,
            paid_at=order.paid_at,
        )


class LicenceKeyView(msgspec.Struct, frozen=True):
    """What is kept of a licence key: its last four letters."""

    last4: str
    issued_at: datetime


class EntitlementView(msgspec.Struct, frozen=True, kw_only=True):
    """A right to a project. `licence_key` is null as long as none was made."""

    id: str
    order_id: str
    project: BoughtView
    quantity: int
    activated_at: datetime
    revoked_at: datetime | None
    licence_key: LicenceKeyView | None

    @classmethod
    def of(cls, own: Entitlement) -> "EntitlementView":
        has_key = own.key_last4 is not None and own.key_issued_at is not None
        return cls(
            id=own.id,
            order_id=own.order_id,
            project=BoughtView(own.slug, own.title),
            quantity=own.quantity,
            activated_at=own.activated_at,
            revoked_at=own.revoked_at,
            licence_key=LicenceKeyView(own.key_last4 or "", own.key_issued_at or own.activated_at) if has_key else None,
        )


class PurchaseView(msgspec.Struct, frozen=True):
    """What the caller has of a project: an order that is pending, a right that was not revoked."""

    order: OrderView | None
    entitlement: EntitlementView | None

    @classmethod
    def of(cls, own: Purchase, by: Principal) -> "PurchaseView":
        return cls(
            OrderView.of(own.order, by) if own.order else None,
            EntitlementView.of(own.entitlement) if own.entitlement else None,
        )


class NewLicenceKeyView(msgspec.Struct, frozen=True):
    """A licence key in plain, shown this once. A new one takes its place."""

    key: str
    last4: str
    issued_at: datetime

    @classmethod
    def of(cls, new: NewKey) -> "NewLicenceKeyView":
        return cls(new.key, new.last4, new.issued_at)


class LicenceView(msgspec.Struct, frozen=True):
    """Whether a key is good for a project; of one that is not, nothing else is told."""

    valid: bool
    project: str | None = None
    quantity: int | None = None
    activated_at: datetime | None = None

    @classmethod
    def of(cls, found: Entitlement | None) -> "LicenceView":
        return cls(True, found.slug, found.quantity, found.activated_at) if found else cls(False)
