"""Paying without a provider: an invoice, a transfer, and a person who sees the money arrive."""

from opencode.modules.marketplace.domain.orders import Order, Refund
from opencode.modules.marketplace.domain.payments import Checkout


class Manual:
    """Takes what people say."""

    name = "manual"
    is_manual = True

    def refusal(self, amount_minor: int, currency: str) -> str | None:
        del amount_minor, currency
        return None

    async def open(self, order: Order, *, come_back: str) -> Checkout | None:
        del order, come_back
        return None

    async def close(self, order: Order) -> None:
        del order

    async def refund(self, order: Order, refund: Refund) -> None:
        """Whoever asks has given the money back, or is about to."""
        del order, refund
