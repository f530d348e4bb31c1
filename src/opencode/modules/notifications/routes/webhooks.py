"""One's webhooks."""

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.notifications.schemas import (
    DeliveryView,
    NewWebhookView,
    WebhookBody,
    WebhookChange,
    WebhookView,
)
from opencode.modules.notifications.service.hooking import Hooking


class WebhooksController(Controller):
    path = "/api/v1/me/webhooks"
    tags = ("Notifications",)

    @post("/", operation_id="create_webhook", summary="Have an address of one's own told what one is told")
    async def create(
        self, data: JSONBody[WebhookBody], principal: NamedDependency[Principal], hooking: NamedDependency[Hooking]
    ) -> NewWebhookView:
        """`secret` is shown this once; messages are signed with it as the Standard Webhooks specification says."""
        made = await hooking.create(principal, url=data.url, kinds=data.kinds, description=data.description)
        return NewWebhookView.revealing(made)

    @get("/", operation_id="list_webhooks", summary="One's webhooks, newest first")
    async def page(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        hooking: NamedDependency[Hooking],
    ) -> PageView[WebhookView]:
        found = await hooking.page(principal, page)
        return PageView([WebhookView.of(webhook) for webhook in found.items], found.next_cursor)

    @get("/{webhook_id:str}", operation_id="get_webhook", summary="Get a webhook")
    async def get_one(
        self, webhook_id: FromPath[str], principal: NamedDependency[Principal], hooking: NamedDependency[Hooking]
    ) -> WebhookView:
        return WebhookView.of(await hooking.get(principal, webhook_id))

    @patch("/{webhook_id:str}", operation_id="change_webhook", summary="Change a webhook, or switch it on or off")
    async def change(
        self,
        webhook_id: FromPath[str],
        data: JSONBody[WebhookChange],
        principal: NamedDependency[Principal],
        hooking: NamedDependency[Hooking],
    ) -> WebhookView:
        return WebhookView.of(await hooking.change(principal, webhook_id, data.values()))

    @delete("/{webhook_id:str}", operation_id="delete_webhook", summary="Delete a webhook and its history")
    async def delete(
        self, webhook_id: FromPath[str], principal: NamedDependency[Principal], hooking: NamedDependency[Hooking]
    ) -> None:
        await hooking.delete(principal, webhook_id)

    @post("/{webhook_id:str}/rotate", operation_id="rotate_webhook", summary="Take another secret", status_code=200)
    async def rotate(
        self, webhook_id: FromPath[str], principal: NamedDependency[Principal], hooking: NamedDependency[Hooking]
    ) -> NewWebhookView:
        """For 24 hours messages are signed with both secrets."""
        return NewWebhookView.revealing(await hooking.rotate(principal, webhook_id))

    @post("/{webhook_id:str}/test", operation_id="test_webhook", summary="Send something to try it", status_code=202)
    async def test(
        self, webhook_id: FromPath[str], principal: NamedDependency[Principal], hooking: NamedDependency[Hooking]
    ) -> DeliveryView:
        """Also to a webhook that is switched off. It is tried once; the history shows what became of it."""
        return DeliveryView.of(await hooking.test(principal, webhook_id))

    @get("/{webhook_id:str}/deliveries", operation_id="list_deliveries", summary="What was sent, newest first")
    async def deliveries(
        self,
        webhook_id: FromPath[str],
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        hooking: NamedDependency[Hooking],
    ) -> PageView[DeliveryView]:
        found = await hooking.deliveries(principal, webhook_id, page)
        return PageView([DeliveryView.of(delivery) for delivery in found.items], found.next_cursor)

    @post(
        "/{webhook_id:str}/deliveries/{delivery_id:str}/replay",
        operation_id="replay_delivery",
        summary="Send a message again",
        status_code=202,
    )
    async def replay(
        self,
        webhook_id: FromPath[str],
        delivery_id: FromPath[str],
        principal: NamedDependency[Principal],
        hooking: NamedDependency[Hooking],
    ) -> DeliveryView:
        """Under the id that it had, so that a receiver that has it already can tell."""
        return DeliveryView.of(await hooking.replay(principal, webhook_id, delivery_id))
