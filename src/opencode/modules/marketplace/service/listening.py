"""Calls of payment providers: whether they are theirs, and what they tell."""

from opencode.kernel.clock import Clock
from opencode.modules.marketplace.adapters.payments import Stripe
from opencode.modules.marketplace.domain.payments import Outcome
from opencode.modules.marketplace.errors import ProviderNotSetUp
from opencode.modules.marketplace.service.paying import Paying


class Listening:
    def __init__(self, clock: Clock, paying: Paying, stripe: Stripe | None) -> None:
        self._clock = clock
        self._paying = paying
        self._stripe = stripe

    async def hear_stripe(self, body: bytes, signature: str) -> Outcome:
        """
        Raises:
            ProviderNotSetUp: this server takes no payments through Stripe.
            WebhookRefused: the call is not Stripe's, too old, or not understood.
        """
        if self._stripe is None:
            raise ProviderNotSetUp("stripe")
        return await self._paying.hear(self._stripe.hear(body, signature, self._clock.now()))
