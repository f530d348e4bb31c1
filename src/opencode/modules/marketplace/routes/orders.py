"""Orders, what was bought, and the ledger."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.infra.http import IdempotencyKey, PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.schemas.ledger import LedgerCheckView, LedgerView
from opencode.modules.marketplace.schemas.orders import (
    EntitlementView,
    LicenceQuestion,
    LicenceView,
    NewLicenceKeyView,
    OrderDraft,
    OrderView,
    PaymentMark,
    PurchaseView,
    RefundWish,
)
from opencode.modules.marketplace.service.entitling import Entitlements
from opencode.modules.marketplace.service.ordering import Ordering
from opencode.modules.marketplace.service.paying import Paying

_TAGS = ["Marketplace"]


@post("/api/v1/projects/{slug:str}/orders", operation_id="place_order", summary="Order a project", tags=_TAGS)
async def place_order(
    slug: FromPath[str],
    data: JSONBody[OrderDraft],
    principal: NamedDependency[Principal],
    ordering: NamedDependency[Ordering],
    idempotency_key: IdempotencyKey = None,
) -> OrderView:
    """The price is that of now. Whoever has an open order for the project gets that one."""
    order = await ordering.place(slug, principal, data.quantity, key=idempotency_key)
    return OrderView.of(order, principal)


@get(
    "/api/v1/projects/{slug:str}/purchase",
    operation_id="get_own_purchase",
    summary="What does one have of a project?",
    tags=_TAGS,
)
async def get_own_purchase(
    slug: FromPath[str], principal: NamedDependency[Principal], ordering: NamedDependency[Ordering]
) -> PurchaseView:
    """The caller's open order for it, and their right to it."""
    return PurchaseView.of(await ordering.purchase(slug, principal), principal)


class OrdersController(Controller):
    path = "/api/v1/orders"
    tags = ("Marketplace",)

    @get("/{order_id:str}", operation_id="get_order", summary="Get an order")
    async def get_one(
        self, order_id: FromPath[str], principal: NamedDependency[Principal], ordering: NamedDependency[Ordering]
    ) -> OrderView:
        """For its buyer, its seller and administrators; to others it does not exist."""
        return OrderView.of(await ordering.get(order_id, principal), principal)

    @post("/{order_id:str}/mark-paid", operation_id="mark_order_paid", summary="Note a payment", status_code=200)
    async def mark_paid(
        self,
        order_id: FromPath[str],
        data: JSONBody[PaymentMark],
        principal: NamedDependency[Principal],
        paying: NamedDependency[Paying],
    ) -> OrderView:
        """For the seller and administrators, of orders of the manual provider."""
        return OrderView.of(await paying.mark_paid(order_id, principal, data.reference), principal)

    @post("/{order_id:str}/cancel", operation_id="cancel_order", summary="Cancel an order", status_code=200)
    async def cancel(
        self, order_id: FromPath[str], principal: NamedDependency[Principal], ordering: NamedDependency[Ordering]
    ) -> OrderView:
        """While it is pending. A payment that arrives all the same makes it paid."""
        return OrderView.of(await ordering.cancel(order_id, principal), principal)

    @post("/{order_id:str}/refund", operation_id="refund_order", summary="Give money back", status_code=200)
    async def refund(
        self,
        order_id: FromPath[str],
        data: JSONBody[RefundWish],
        principal: NamedDependency[Principal],
        paying: NamedDependency[Paying],
        idempotency_key: IdempotencyKey = None,
    ) -> OrderView:
        """For the seller and administrators. Once all of it is back, entitlement and licence key are revoked."""
        order = await paying.refund(order_id, principal, data.amount_minor, key=idempotency_key)
        return OrderView.of(order, principal)

    @get("/{order_id:str}/ledger", operation_id="get_order_ledger", summary="What happened to an order's money")
    async def ledger(
        self, order_id: FromPath[str], principal: NamedDependency[Principal], ordering: NamedDependency[Ordering]
    ) -> LedgerView:
        """For the seller and administrators."""
        return LedgerView.of(await ordering.ledger_of(order_id, principal))


@get("/api/v1/me/orders", operation_id="list_own_orders", summary="List what one ordered, newest first", tags=_TAGS)
async def list_own_orders(
    principal: NamedDependency[Principal], page: NamedDependency[PageRequest], ordering: NamedDependency[Ordering]
) -> PageView[OrderView]:
    found = await ordering.list_bought(principal, page)
    return PageView([OrderView.of(order, principal) for order in found.items], found.next_cursor)


@get("/api/v1/me/sales", operation_id="list_own_sales", summary="List what others ordered, newest first", tags=_TAGS)
async def list_own_sales(
    principal: NamedDependency[Principal], page: NamedDependency[PageRequest], ordering: NamedDependency[Ordering]
) -> PageView[OrderView]:
    """Orders of one's own projects, in all states."""
    found = await ordering.list_sold(principal, page)
    return PageView([OrderView.of(order, principal) for order in found.items], found.next_cursor)


@get("/api/v1/me/entitlements", operation_id="list_own_entitlements", summary="List what one has bought", tags=_TAGS)
async def list_own_entitlements(
    principal: NamedDependency[Principal],
    page: NamedDependency[PageRequest],
    entitlements: NamedDependency[Entitlements],
) -> PageView[EntitlementView]:
    """Newest first, those that were revoked too."""
    found = await entitlements.list_own(principal, page)
    return PageView([EntitlementView.of(own) for own in found.items], found.next_cursor)


@post(
    "/api/v1/entitlements/{entitlement_id:str}/licence-key",
    operation_id="make_licence_key",
    summary="Make a licence key, or a new one in its place",
    tags=_TAGS,
)
async def make_licence_key(
    entitlement_id: FromPath[str],
    principal: NamedDependency[Principal],
    entitlements: NamedDependency[Entitlements],
) -> NewLicenceKeyView:
    """It is shown this once. The key before is good no more."""
    return NewLicenceKeyView.of(await entitlements.new_key(entitlement_id, principal))


@post(
    "/api/v1/licences/verify",
    operation_id="verify_licence",
    summary="Is a licence key good?",
    tags=_TAGS,
    status_code=200,
)
async def verify_licence(
    data: JSONBody[LicenceQuestion], address: NamedDependency[str], entitlements: NamedDependency[Entitlements]
) -> LicenceView:
    """For programs, without signing in."""
    return LicenceView.of(await entitlements.verify(data.key, data.project, address))


@get(
    "/api/v1/marketplace/ledger/check",
    operation_id="check_ledger",
    summary="Does the ledger add up?",
    tags=_TAGS,
)
async def check_ledger(principal: NamedDependency[Principal], ordering: NamedDependency[Ordering]) -> LedgerCheckView:
    """For administrators."""
    return LedgerCheckView.of(await ordering.check_ledger(principal))
