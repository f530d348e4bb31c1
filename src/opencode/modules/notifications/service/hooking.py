"""One's webhooks: making and changing them, looking at what was sent, sending it again."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opencode.contracts.identity import Identity
from opencode.infra.plugs import Parts
from opencode.infra.security import Rate, Signer
from opencode.kernel.addresses import url_problem
from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import DeliveryId, UserId, WebhookId, is_id, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.notifications import policy
from opencode.modules.notifications.domain.webhooks import (
    TEST,
    Delivery,
    Webhook,
    description_problem,
    kinds_of,
    shown_secret,
    trial_message,
)
from opencode.modules.notifications.errors import (
    DeliveryNotFound,
    NoticesRefused,
    TooManyWebhooks,
    WebhookNotFound,
    WebhooksTooFast,
    WebhookSwitchedOff,
)
from opencode.modules.notifications.policy import Action
from opencode.modules.notifications.service.base import UseCases
from opencode.modules.notifications.settings import NotificationsSettings
from opencode.modules.notifications.store import Stores

SWITCHED_OFF = "the webhook was switched off"
_CALLS = Rate(60, 60)
"""Of those that make rows or send something, for one person."""


@dataclass(frozen=True, slots=True)
class WithSecret:
    """A webhook, and the secret that its messages are signed with: shown now, and never again."""

    webhook: Webhook
    secret: str


class Hooking(UseCases):
    def __init__(self, parts: Parts, settings: NotificationsSettings, identity: Identity, *, private_too: bool) -> None:
        """Args: private_too: addresses inside this machine's own networks may be called."""
        super().__init__(parts, settings, identity)
        self._private_too = private_too

    async def create(self, by: Principal, *, url: str, kinds: Sequence[str], description: str) -> WithSecret:
        """
        Raises:
            NoticesRefused, TooManyWebhooks, WebhooksTooFast
        """
        policy.require(Action.CHANGE_WEBHOOKS, by)
        fields = self._checked({"url": url, "kinds": kinds, "description": description})
        await self._brake(by)
        webhook = Webhook(
            id=WebhookId(new_id("whk")),
            owner_id=UserId(by.id),
            salt=_new_salt(),
            created_at=self.clock.now(),
            **fields,
        )
        async with self.unit_of_work() as work:
            # Of two that are made at once, the second must count the first.
            await work.stores.notices.lock([webhook.owner_id])
            if await work.stores.webhooks.count(by.id) >= self.settings.webhooks_per_person:
                raise TooManyWebhooks(self.settings.webhooks_per_person)
            await work.stores.webhooks.add(webhook)
        return self._with_secret(webhook)

    async def page(self, by: Principal, page: PageRequest) -> Page[Webhook]:
        """One's own, the newest first."""
        policy.require(Action.SEE_WEBHOOKS, by)
        async with self.reading() as stores:
            return await stores.webhooks.page(by.id, page)

    async def get(self, by: Principal, webhook_id: str) -> Webhook:
        """
        Raises:
            WebhookNotFound
        """
        policy.require(Action.SEE_WEBHOOKS, by)
        async with self.reading() as stores:
            return await self._own(stores, by, webhook_id)

    async def change(self, by: Principal, webhook_id: str, values: Mapping[str, Any]) -> Webhook:
        """
        Change what is given. Switched off, it gets nothing, not even what waits; switched on, it begins anew.

        Raises:
            WebhookNotFound, NoticesRefused
        """
        policy.require(Action.CHANGE_WEBHOOKS, by)
        async with self.unit_of_work() as work:
            before = await self._own(work.stores, by, webhook_id, locked=True)
            fields = self._checked(values)
            active = fields.pop("active", before.active)
            after = replace(before.switched(active=active), **fields)
            await work.stores.webhooks.save(after)
            if before.active and not after.active:
                await work.stores.deliveries.hold(after.id, SWITCHED_OFF)
        return after

    async def rotate(self, by: Principal, webhook_id: str) -> WithSecret:
        """
        Take another secret. For a day messages are signed with both, so that a receiver loses none meanwhile.

        Raises:
            WebhookNotFound, WebhooksTooFast
        """
        policy.require(Action.CHANGE_WEBHOOKS, by)
        await self._brake(by)
        async with self.unit_of_work() as work:
            before = await self._own(work.stores, by, webhook_id, locked=True)
            after = before.rotated(_new_salt(), self.clock.now())
            await work.stores.webhooks.save_standing(after)
        return self._with_secret(after)

    async def delete(self, by: Principal, webhook_id: str) -> None:
        """
        With its history, and what waits to be sent.

        Raises:
            WebhookNotFound
        """
        policy.require(Action.CHANGE_WEBHOOKS, by)
        async with self.unit_of_work() as work:
            webhook = await self._own(work.stores, by, webhook_id, locked=True)
            await work.stores.webhooks.delete(webhook.id)

    async def deliveries(self, by: Principal, webhook_id: str, page: PageRequest) -> Page[Delivery]:
        """
        What was sent, the newest first.

        Raises:
            WebhookNotFound
        """
        policy.require(Action.SEE_WEBHOOKS, by)
        async with self.reading() as stores:
            webhook = await self._own(stores, by, webhook_id)
            return await stores.deliveries.page(webhook.id, page)

    async def replay(self, by: Principal, webhook_id: str, delivery_id: str) -> Delivery:
        """
        Send a message again, under the id that it had: a receiver that has it already can tell.

        Raises:
            WebhookNotFound, DeliveryNotFound, WebhookSwitchedOff, WebhooksTooFast
        """
        policy.require(Action.CHANGE_WEBHOOKS, by)
        await self._brake(by)
        async with self.unit_of_work() as work:
            webhook = await self._own(work.stores, by, webhook_id, locked=True)
            found = await work.stores.deliveries.find(webhook.id, delivery_id) if is_id(delivery_id, "dlv") else None
            if found is None:
                raise DeliveryNotFound(delivery_id)
            if not webhook.active:
                raise WebhookSwitchedOff(webhook.id)
            again = found.replayed(self.clock.now())
            await work.stores.deliveries.save(again)
        return again

    async def test(self, by: Principal, webhook_id: str) -> Delivery:
        """
        Send something to see whether it arrives, also to a webhook that is switched off. It is tried once.

        Raises:
            WebhookNotFound, WebhooksTooFast
        """
        policy.require(Action.CHANGE_WEBHOOKS, by)
        await self._brake(by)
        now = self.clock.now()
        async with self.unit_of_work() as work:
            webhook = await self._own(work.stores, by, webhook_id)
            event_id = new_id("evt")
            delivery = Delivery(
                id=DeliveryId(new_id("dlv")),
                webhook_id=webhook.id,
                event_id=event_id,
                kind=TEST,
                payload=trial_message(event_id, self.parts.public_url(), now),
                created_at=now,
                due_at=now,
            )
            await work.stores.deliveries.add([delivery])
        return delivery

    async def _own(self, stores: Stores, by: Principal, webhook_id: str, *, locked: bool = False) -> Webhook:
        found = await stores.webhooks.get(webhook_id, locked=locked) if is_id(webhook_id, "whk") else None
        if found is None or found.owner_id != by.id:
            raise WebhookNotFound(webhook_id)
        return found

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        problems: list[FieldProblem] = []
        fields = dict(values)
        if "url" in fields and (problem := url_problem(fields["url"], private_too=self._private_too)):
            problems.append(FieldProblem("/url", problem))
        if "kinds" in fields:
            fields["kinds"], wrong = kinds_of(fields["kinds"])
            problems += wrong
        if "description" in fields and (problem := description_problem(fields["description"])):
            problems.append(FieldProblem("/description", problem))
        if problems:
            raise NoticesRefused(tuple(problems))
        return fields

    def _with_secret(self, webhook: Webhook) -> WithSecret:
        return WithSecret(webhook, shown_secret(key_of_webhook(self.parts.signer, webhook.id, webhook.salt)))

    async def _brake(self, by: Principal) -> None:
        if wait_s := await self.parts.limiter.attempt(f"notifications:webhooks:{by.id}", _CALLS):
            raise WebhooksTooFast(wait_s)


def key_of_webhook(signer: Signer, webhook_id: WebhookId, salt: str) -> bytes:
    """What a webhook's messages are signed with. It is not kept: whoever steals the database cannot sign."""
    return signer.derive(f"notifications.webhook:{webhook_id}:{salt}")


def _new_salt() -> str:
    return secrets.token_hex(16)
