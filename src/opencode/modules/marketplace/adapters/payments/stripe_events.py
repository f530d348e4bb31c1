"""What Stripe's events say, as far as it matters here."""

from datetime import datetime
from typing import Any

import msgspec

from opencode.kernel.ids import OrderId, is_id
from opencode.modules.marketplace.adapters.payments import amounts
from opencode.modules.marketplace.domain.claims import DisputeState, HeardDispute, HeardFee, HeardRefund
from opencode.modules.marketplace.domain.money import CURRENCIES
from opencode.modules.marketplace.domain.orders import (
    DisputeTold,
    Ended,
    Fact,
    GivenBack,
    OrderState,
    Paid,
    RefundTold,
)
from opencode.modules.marketplace.domain.payments import News
from opencode.modules.marketplace.errors import WebhookRefused

PROVIDER = "stripe"
ORDER_KEY = "order_id"
"""Under which our id travels in the metadata of theirs."""

_LONGEST = 255

_CHECKOUT_FACTS = {
    "checkout.session.async_payment_failed": Ended(OrderState.CANCELLED),
    "checkout.session.expired": Ended(OrderState.EXPIRED),
}
_CHECKOUT_PAID = frozenset({"checkout.session.completed", "checkout.session.async_payment_succeeded"})
_REFUNDED = "charge.refunded"
_REFUND_TOLD = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
_REFUND_FAILED = frozenset({"failed", "canceled"})
_REFUND_GIVEN = frozenset({"succeeded", "pending"})
_DISPUTE = "charge.dispute."
_DISPUTE_STATES = {
    "needs_response": DisputeState.OPEN,
    "under_review": DisputeState.OPEN,
    "lost": DisputeState.LOST,
    "won": DisputeState.WON,
}
"""All others, such as `warning_needs_response`, are inquiries, which move no money."""


class _Data(msgspec.Struct):
    object: dict[str, Any]


class _Event(msgspec.Struct):
    id: str
    type: str
    data: _Data


class _Session(msgspec.Struct):
    id: str
    payment_status: str
    amount_total: int | None = None
    currency: str | None = None
    payment_intent: str | dict[str, Any] | None = None
    client_reference_id: str | None = None
    metadata: dict[str, str] | None = None


class _Charge(msgspec.Struct):
    amount_refunded: int
    currency: str
    payment_intent: str | dict[str, Any] | None = None
    metadata: dict[str, str] | None = None


class _Refund(msgspec.Struct):
    id: str
    amount: int
    currency: str
    status: str | None = None
    payment_intent: str | dict[str, Any] | None = None
    metadata: dict[str, str] | None = None


class _BalanceTransaction(msgspec.Struct):
    """What was withdrawn for a dispute or given back, with the fee of that; in the money of the account."""

    id: str
    fee: int
    currency: str


class _Dispute(msgspec.Struct):
    id: str
    amount: int
    currency: str
    status: str
    balance_transactions: list[_BalanceTransaction] | None = None
    payment_intent: str | dict[str, Any] | None = None


def news_of(body: bytes, received_at: datetime) -> News:
    """
    An event that was found to be Stripe's. One of another kind has no fact.

    Raises:
        WebhookRefused: it is not what Stripe's events look like.
    """
    try:
        event = msgspec.json.decode(body, type=_Event)
        order_id, reference, fact = _read(event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WebhookRefused(f"The event is not understood: {error}") from None
    if not _is_plain(event.id) or not _is_plain(event.type):
        raise WebhookRefused("The event has no usable id or type")
    return News(
        provider=PROVIDER,
        id=event.id,
        kind=event.type,
        order_id=OrderId(order_id) if order_id and is_id(order_id, "ord") else None,
        reference=reference if reference and _is_plain(reference) else None,
        fact=fact,
        received_at=received_at,
    )


def _read(event: _Event) -> tuple[str | None, str | None, Fact | None]:
    """Of what is known: our order's id, the name of the payment, and what is said."""
    if event.type in _CHECKOUT_PAID or event.type in _CHECKOUT_FACTS:
        session = msgspec.convert(event.data.object, _Session)
        order_id = session.client_reference_id or (session.metadata or {}).get(ORDER_KEY)
        reference = _id_of(session.payment_intent)
        if not order_id or not is_id(order_id, "ord"):
            # All that we open carry our id: somebody else's, on the same account.
            return None, None, None
        return order_id, reference, _CHECKOUT_FACTS.get(event.type) or _paid(session, reference)
    if event.type == _REFUNDED:
        charge = msgspec.convert(event.data.object, _Charge)
        currency = charge.currency.upper()
        fact = GivenBack(amounts.received(charge.amount_refunded, currency), currency)
        return (charge.metadata or {}).get(ORDER_KEY), _id_of(charge.payment_intent), fact
    if event.type in _REFUND_TOLD:
        refund = msgspec.convert(event.data.object, _Refund)
        return (refund.metadata or {}).get(ORDER_KEY), _id_of(refund.payment_intent), _refund(refund)
    if event.type.startswith(_DISPUTE):
        dispute = msgspec.convert(event.data.object, _Dispute)
        # Its metadata are its own: of our order it knows the payment only.
        return None, _id_of(dispute.payment_intent), _dispute(dispute)
    return None, None, None


def _refund(refund: _Refund) -> RefundTold | None:
    currency = refund.currency.upper()
    if refund.status not in _REFUND_FAILED | _REFUND_GIVEN or not _is_plain(refund.id):
        return None
    is_failed = refund.status in _REFUND_FAILED
    return RefundTold(HeardRefund(refund.id, amounts.received(refund.amount, currency), is_failed), currency)


def _dispute(dispute: _Dispute) -> DisputeTold | None:
    currency = dispute.currency.upper()
    state = _DISPUTE_STATES.get(dispute.status)
    if state is None or not _is_plain(dispute.id):
        return None
    heard = HeardDispute(dispute.id, amounts.received(dispute.amount, currency), state, _fees(dispute))
    return DisputeTold(heard, currency)


def _fees(dispute: _Dispute) -> tuple[HeardFee, ...]:
    """
    Raises:
        WebhookRefused: a fee that cannot be. Left out, it would be missing in the ledger for good.
    """
    fees: list[HeardFee] = []
    for booking in dispute.balance_transactions or ():
        if not booking.fee:
            continue
        currency = booking.currency.upper()
        fee = HeardFee(booking.id, amounts.received(booking.fee, currency), currency)
        can_be = currency in CURRENCIES and amounts.sent(fee.amount_minor, currency) == booking.fee
        if not can_be or not _is_plain(fee.id):
            raise WebhookRefused("A balance transaction of the dispute has no usable id, fee or currency")
        fees.append(fee)
    return tuple(fees)


def _paid(session: _Session, reference: str | None) -> Paid | None:
    # A completed checkout may still wait for a slow way to pay; its end is another event.
    if session.payment_status != "paid" or session.amount_total is None or not session.currency:
        return None
    currency = session.currency.upper()
    return Paid(amounts.received(session.amount_total, currency), currency, reference or session.id)


def _id_of(thing: str | dict[str, Any] | None) -> str | None:
    """Things are told by their ids, or whole."""
    found = thing.get("id") if isinstance(thing, dict) else thing
    return found if isinstance(found, str) else None


def _is_plain(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable()
