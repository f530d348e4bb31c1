"""What payment providers call."""

from typing import Annotated, Any

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import HeaderParameter

from opencode.modules.marketplace.schemas.webhooks import WebhookView
from opencode.modules.marketplace.service.listening import Listening

_MOST_BYTES = 512 * 1024

_Signature = Annotated[str, HeaderParameter(name="Stripe-Signature", description="t=<seconds>,v1=<hex>")]


@post(
    "/api/v1/payments/stripe/webhook",
    operation_id="hear_stripe",
    summary="For Stripe: tell of a payment",
    tags=["Marketplace"],
    status_code=200,
    request_max_body_size=_MOST_BYTES,
)
async def hear_stripe(
    request: Request[Any, Any, Any], listening: NamedDependency[Listening], signature: _Signature = ""
) -> WebhookView:
    """The signature stands for whoever calls. Twice is the same as once, and the order of calls does not matter."""
    return WebhookView(await listening.hear_stripe(await request.body(), signature))
