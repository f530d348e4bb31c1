"""Ordering a project, looking at orders, and ending one that is not paid."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from opencode.infra.db import fingerprint
from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import OrderId, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.entitlements import Entitlement
from opencode.modules.marketplace.domain.ledger import Check, Transaction
from opencode.modules.marketplace.domain.orders import MOST_QUANTITY, Ended, Order, OrderState, fee_of
from opencode.modules.marketplace.domain.payments import PaymentProvider
from opencode.modules.marketplace.domain.profile import Profile
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.errors import (
    AlreadyBought,
    NotForSale,
    NothingToDeliver,
    NothingToPay,
    OrderNotFound,
    OrderOpen,
    OrderRefused,
    OwnProject,
    PaymentsRefused,
    PaymentsUnavailable,
    SameKeyOtherProject,
)
from opencode.modules.marketplace.policy import Action, OrderAction
from opencode.modules.marketplace.service.base import Shared, UseCases
from opencode.modules.marketplace.service.settling import settle
from opencode.modules.marketplace.store import MarketplaceWork, Stores

_MOST_AT_ONCE = 100

Providers = Mapping[str, PaymentProvider]
"""By name. An order goes on with the provider that it began with."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What somebody has of one project: an order that is not paid yet, the right to it, or nothing."""

    order: Order | None
    entitlement: Entitlement | None


class Orders(UseCases):
    """What all use cases of orders share."""

    def __init__(
        self,
        shared: Shared,
        providers: Providers,
    ) -> None:
        super().__init__(shared)
        self.providers = providers

    def provider_of(self, order: Order) -> PaymentProvider:
        """
        Raises:
            PaymentsUnavailable: the operator has taken it away since.
        """
        if provider := self.providers.get(order.provider):
            return provider
        raise PaymentsUnavailable(f"{order.provider} is not set up any more")

    async def order_for(
        self, stores: Stores, order_id: str, by: Principal, action: OrderAction, *, to_change: bool = False
    ) -> Order:
        """
        Raises:
            OrderNotFound, NotYourOrder, OrderNotPossible, Unauthenticated, Forbidden
        """
        policy.require_account(by)
        if (order := await stores.orders.get(order_id, to_change=to_change)) is None:
            raise OrderNotFound(order_id)
        policy.require_with_order(action, by, order)
        return order


class Ordering(Orders):
    async def place(self, slug: str, by: Principal, quantity: int, *, key: str | None = None) -> Order:
        """
        Order a project at its price of now. Somebody who has an open order for it gets that one: two clicks are one.

        Args:
            key: the caller's `Idempotency-Key`; the same request with the same key orders nothing new for a day.

        Raises:
            Unauthenticated, Forbidden, ProjectNotFound, ProjectsTooFast, SameKeyOtherProject
            OrderRefused, OwnProject, NothingToPay, NothingToDeliver, NotForSale, AlreadyBought, OrderOpen
            PaymentsRefused, PaymentsUnavailable: the provider's; the same request later goes on with the same order.
        """
        policy.require_writer(by)
        if not 1 <= quantity <= MOST_QUANTITY:
            raise OrderRefused((FieldProblem("/quantity", f"must be from 1 to {MOST_QUANTITY}"),))
        await self.brake(by)
        buyer = await self.own_profile(by)
        print_of_request = fingerprint({"order": slug, "quantity": quantity})
        async with self.unit_of_work() as work:
            # Nobody else orders this project until we are done, so what is looked up stays true.
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.SEE, by, project)
            order = await self._earlier(work.stores, by, key, print_of_request)
            if order is None:
                order = await self._open_or_new(work, project, buyer, quantity)
                if key:
                    await work.stores.requests.add(by.id, key, print_of_request, order.id, self.clock.now())
        return await self._with_checkout(order)

    async def get(self, order_id: str, by: Principal) -> Order:
        """
        Raises:
            OrderNotFound, Unauthenticated, Forbidden
        """
        async with self.reading() as stores:
            return await self.order_for(stores, order_id, by, OrderAction.SEE)

    async def purchase(self, slug: str, by: Principal) -> Purchase:
        """
        What the caller has of a project.

        Raises:
            ProjectNotFound, Unauthenticated, Forbidden
        """
        policy.require_account(by)
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
            policy.require(Action.SEE, by, project)
            return Purchase(
                order=await stores.orders.open_of(by.id, project.id),
                entitlement=await stores.entitlements.active_of(by.id, project.id),
            )

    async def list_bought(self, by: Principal, wanted: PageRequest) -> Page[Order]:
        """What the caller ordered, newest first."""
        policy.require_account(by)
        async with self.reading() as stores:
            return await stores.orders.page_of_buyer(by.id, wanted)

    async def list_sold(self, by: Principal, wanted: PageRequest) -> Page[Order]:
        """What was ordered of the caller, newest first."""
        policy.require_account(by)
        async with self.reading() as stores:
            return await stores.orders.page_of_seller(by.id, wanted)

    async def ledger_of(self, order_id: str, by: Principal) -> list[Transaction]:
        """
        Raises:
            OrderNotFound, NotYourOrder, Unauthenticated, Forbidden
        """
        async with self.reading() as stores:
            order = await self.order_for(stores, order_id, by, OrderAction.SEE_LEDGER)
            return await stores.ledger.of_order(order.id)

    async def check_ledger(self, by: Principal) -> Check:
        """
        Add the whole ledger up.

        Raises:
            Unauthenticated, Forbidden: the caller is no administrator.
        """
        policy.require_importer(by)
        async with self.reading() as stores:
            return await stores.ledger.check()

    async def cancel(self, order_id: str, by: Principal) -> Order:
        """
        End an order that is not paid. Twice is the same as once.

        Raises:
            OrderNotFound, NotYourOrder, OrderNotPossible, PaymentUnderWay, PaymentsUnavailable
        """
        async with self.reading() as stores:
            order = await self.order_for(stores, order_id, by, OrderAction.CANCEL)
        if order.state is OrderState.CANCELLED:
            return order
        # First where the buyer pays, so that nobody pays what is cancelled here.
        await self.provider_of(order).close(order)
        async with self.unit_of_work() as work:
            order = await self.order_for(work.stores, order_id, by, OrderAction.CANCEL, to_change=True)
            return await settle(work, order, Ended(OrderState.CANCELLED), self.clock.now())

    async def expire(self) -> None:
        """End orders that nobody paid in time. Money that arrives afterwards makes them paid all the same."""
        async with self.reading() as stores:
            due = await stores.orders.due(self.clock.now(), _MOST_AT_ONCE)
        for order_id in due:
            async with self.unit_of_work() as work:
                if order := await work.stores.orders.get(order_id, to_change=True):
                    await settle(work, order, Ended(OrderState.EXPIRED), self.clock.now())

    async def _earlier(self, stores: Stores, by: Principal, key: str | None, print_of_request: str) -> Order | None:
        if key is None or (made := await stores.requests.find(by.id, key)) is None:
            return None
        earlier_print, order_id = made
        if earlier_print != print_of_request:
            raise SameKeyOtherProject
        return await stores.orders.get(order_id)

    async def _open_or_new(self, work: MarketplaceWork, project: Project, buyer: Profile, quantity: int) -> Order:
        _require_for_sale(project, buyer.user_id)
        # The order first: when it is being paid in this moment, the entitlement is there afterwards.
        order = await work.stores.orders.open_of(buyer.user_id, project.id, to_change=True)
        if owned := await work.stores.entitlements.active_of(buyer.user_id, project.id):
            raise AlreadyBought(project.slug, owned.id)
        if order is None:
            if not await self.delivers(work.stores, project):
                raise NothingToDeliver(project.slug)
            return await self._add(work, project, buyer, quantity)
        if order.quantity != quantity:
            raise OrderOpen(order.id, order.quantity)
        return order

    async def _add(self, work: MarketplaceWork, project: Project, buyer: Profile, quantity: int) -> Order:
        provider = self.providers[self.settings.marketplace_payments]
        amount_minor, currency = project.price.amount_minor * quantity, project.price.currency or ""
        if why := provider.refusal(amount_minor, currency):
            raise PaymentsRefused(f"The payment provider does not take this: {why}.", action="Ask its owner.")
        now = self.clock.now()
        number = await work.stores.orders.next_invoice(project.owner_id) if provider.is_manual else None
        order = Order(
            id=OrderId(new_id("ord")),
            project_id=project.id,
            slug=project.slug,
            title=project.title,
            buyer_id=buyer.user_id,
            buyer_handle=buyer.handle,
            seller_id=project.owner_id,
            quantity=quantity,
            amount_minor=amount_minor,
            currency=currency,
            fee_minor=fee_of(amount_minor, self.settings.marketplace_fee_basis_points),
            provider=provider.name,
            state=OrderState.PENDING,
            invoice_number=f"INV-{now.year}-{number:06}" if number else None,
            checkout_id=None,
            checkout_url=None,
            payment_reference=None,
            heard_back_minor=0,
            created_at=now,
            expires_at=now + timedelta(hours=self.settings.marketplace_order_hours),
            paid_at=None,
        )
        await work.stores.orders.add(order)
        return order

    async def _with_checkout(self, order: Order) -> Order:
        """The order with a page to pay at, if its provider has one. No transaction waits for the provider."""
        if order.state is not OrderState.PENDING or order.checkout_id:
            return order
        come_back = f"{self.parts.public_url()}/orders/{order.id}"
        checkout = await self.provider_of(order).open(order, come_back=come_back)
        if checkout is None:
            return order
        async with self.unit_of_work() as work:
            return await work.stores.orders.note_checkout(order.id, checkout)


def _require_for_sale(project: Project, buyer_id: str) -> None:
    """
    Raises:
        OwnProject, NotForSale, NothingToPay
    """
    if project.owner_id == buyer_id:
        raise OwnProject(project.slug)
    if not project.is_listed:
        raise NotForSale(project.slug)
    if project.price.is_free:
        raise NothingToPay(project.slug)
