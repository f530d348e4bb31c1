"""What becomes of an order when something is heard of it: its state, the ledger, the entitlement, and who is told."""

from datetime import datetime

from opencode.contracts.notifications import NoticeGiven, NoticeKind
from opencode.kernel.ids import EntitlementId, UserId, new_id
from opencode.modules.marketplace.domain.claims import DisputeState
from opencode.modules.marketplace.domain.entitlements import Entitlement
from opencode.modules.marketplace.domain.ledger import booked
from opencode.modules.marketplace.domain.orders import Fact, Order, OrderState
from opencode.modules.marketplace.store import MarketplaceWork


async def settle(work: MarketplaceWork, before: Order, fact: Fact, at: datetime) -> Order:
    """
    Let an order hear a fact, within a transaction in which nobody else changes it. Heard before, it changes nothing.

    Raises:
        PaymentMismatchError: it is about other money; nothing was written.
    """
    after = before.heard(fact, at)
    if after == before:
        return before
    await work.stores.orders.save(after)
    for transaction in booked(before, after, at):
        await work.stores.ledger.write(transaction)
    await work.stores.orders.finish_refunds(after.id, after.sent_back_minor)
    if after.paid_at and not before.paid_at:
        await work.stores.entitlements.add(_entitlement(after, at))
        _tell_paid(work, after, at)
    _tell_returned(work, before, after, at)
    if after.state is OrderState.REFUNDED:
        await work.stores.entitlements.revoke(after.id, at)
    elif before.state is OrderState.REFUNDED:
        await work.stores.entitlements.restore(after.id)
    return after


def _entitlement(order: Order, at: datetime) -> Entitlement:
    return Entitlement(
        id=EntitlementId(new_id("ent")),
        project_id=order.project_id,
        user_id=order.buyer_id,
        order_id=order.id,
        slug=order.slug,
        title=order.title,
        quantity=order.quantity,
        activated_at=at,
        revoked_at=None,
    )


def _tell_paid(work: MarketplaceWork, order: Order, at: datetime) -> None:
    bought, sold = f"{order.title} is yours", f"{order.title} was bought"
    for recipient_id, title in ((order.buyer_id, bought), (order.seller_id, sold)):
        work.publish(_notice(NoticeKind.ORDER_PAID, "paid", order, recipient_id, title, at))


def _tell_returned(work: MarketplaceWork, before: Order, after: Order, at: datetime) -> None:
    """Of what came back to the buyer, or to the seller."""

    def tell(recipient_id: str, what: str, title: str) -> None:
        key = f"{what}:{_grown(after)}"
        work.publish(_notice(NoticeKind.ORDER_REFUNDED, key, after, recipient_id, title, at))

    if after.failed_minor > before.failed_minor:
        tell(after.seller_id, "refund_failed", f"The money that you gave back for {after.title} came back to you")
        tell(after.buyer_id, "refund_failed", f"A payment for {after.title} could not be given back to you")
        return
    _tell_disputed(work, before, after, at)
    if after.refunded_minor > before.refunded_minor:
        _tell_refunded(work, after, at)


def _tell_disputed(work: MarketplaceWork, before: Order, after: Order, at: datetime) -> None:
    """Each side of a dispute: the seller all of it, the buyer that what they had lost is theirs again."""

    def tell(recipient_id: str, what: str, title: str) -> None:
        key = f"{what}:{_grown(after)}"
        work.publish(_notice(NoticeKind.ORDER_DISPUTED, key, after, recipient_id, title, at))

    if _has_more(DisputeState.WON, before, after):
        tell(after.seller_id, "dispute_won", f"You have won the dispute of the payment for {after.title}")
    elif _has_more(DisputeState.LOST, before, after):
        tell(after.seller_id, "dispute_lost", f"You have lost the dispute of the payment for {after.title}")
    elif _has_more(DisputeState.OPEN, before, after):
        tell(after.seller_id, "disputed", f"The payment for {after.title} is disputed")
    if before.state is OrderState.REFUNDED and after.state is OrderState.PAID:
        tell(after.buyer_id, "dispute_won", f"{after.title} is yours again: your dispute was decided for the seller")


def _has_more(state: DisputeState, before: Order, after: Order) -> bool:
    """Whether money has come into this state of a dispute. What is told of an order that is not paid says nothing."""
    if not after.paid_at:
        return False
    known_minor = before.claims.disputed_minor(state) if before.paid_at else 0
    return after.claims.disputed_minor(state) > known_minor


def _grown(order: Order) -> str:
    return ".".join(str(each) for each in (order.sent_back_minor, *order.claims.grown))


def _tell_refunded(work: MarketplaceWork, order: Order, at: datetime) -> None:
    title = f"Your payment for {order.title} was given back"
    if order.rest_minor:
        title = f"A part of your payment for {order.title} was given back"
    what = f"refunded:{order.refunded_minor}"
    work.publish(_notice(NoticeKind.ORDER_REFUNDED, what, order, order.buyer_id, title, at))


def _notice(kind: NoticeKind, what: str, order: Order, recipient_id: str, title: str, at: datetime) -> NoticeGiven:
    return NoticeGiven(
        kind=kind,
        key=f"{order.id}:{what}",
        recipient_ids=(UserId(recipient_id),),
        title=title,
        path=f"/orders/{order.id}",
        at=at,
    )
