"""
Stripe's Checkout: the buyer pays on a page of theirs, and a webhook tells.

Where the API is, the operator says; a redirect is never followed, since it could lead anywhere, with the secret key.
Everything that moves money carries an `Idempotency-Key`, so that a call whose answer was lost is made again.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import msgspec

from opencode.infra.fetching import http1
from opencode.kernel.addresses import url_problem
from opencode.modules.marketplace.adapters.payments import amounts
from opencode.modules.marketplace.adapters.payments.signature import require_signed
from opencode.modules.marketplace.adapters.payments.stripe_events import ORDER_KEY, PROVIDER, news_of
from opencode.modules.marketplace.domain.orders import Order, Refund
from opencode.modules.marketplace.domain.payments import Checkout, News
from opencode.modules.marketplace.errors import PaymentsRefused, PaymentsUnavailable, PaymentUnderWay

TIMEOUT_S = 15.0
_MOST_BYTES = 1024 * 1024
_LONGEST_WORD = 60
# Theirs is 24 hours after the checkout was opened; clocks differ.
_LONGEST_CHECKOUT = timedelta(hours=23, minutes=55)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_TRANSIENT = frozenset({409, 429})


class _Opened(msgspec.Struct):
    id: str
    url: str


class _Refused(msgspec.Struct):
    type: str = ""
    code: str = ""


class _RefusedAnswer(msgspec.Struct):
    error: _Refused


@dataclass(slots=True)
class Stripe:
    """
    Stripe, or what speaks like it. `ValueError` when the address or a secret is none.

    Args:
        url: where the API is, without a path; over https, unless it is on this machine.
        tls: whom to trust; by default whom this machine trusts.
    """

    url: str
    secret_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    tls: ssl.SSLContext | None = None
    timeout_s: float = TIMEOUT_S
    _parts: SplitResult = field(init=False)

    name = PROVIDER
    is_manual = False

    def __post_init__(self) -> None:
        if problem := url_problem(self.url, private_too=True):
            raise ValueError(f"the address {problem}")
        parts = urlsplit(self.url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("the address must begin with https://")
        if parts.query or parts.fragment:
            raise ValueError("the address must have no query and no fragment")
        for secret in (self.secret_key, self.webhook_secret):
            if not (secret and secret.isascii() and secret.isprintable()):
                raise ValueError("the secret key and the webhook's secret must be printable ASCII")
        self._parts = parts._replace(path=parts.path.rstrip("/"))

    def refusal(self, amount_minor: int, currency: str) -> str | None:
        return amounts.amount_problem(amount_minor, currency)

    async def open(self, order: Order, *, come_back: str) -> Checkout:
        line = "line_items[0]"
        ends_at = min(order.expires_at, order.created_at + _LONGEST_CHECKOUT)
        # The same for each try, or the key would be refused: what is sent comes from the order alone.
        form = {
            "mode": "payment",
            "client_reference_id": order.id,
            "success_url": come_back,
            "cancel_url": come_back,
            "expires_at": str(int(ends_at.timestamp())),
            f"{line}[quantity]": str(order.quantity),
            f"{line}[price_data][currency]": order.currency.lower(),
            f"{line}[price_data][unit_amount]": str(amounts.sent(order.amount_minor // order.quantity, order.currency)),
            f"{line}[price_data][product_data][name]": order.title,
            f"metadata[{ORDER_KEY}]": order.id,
            # What is known of the payment is known of its refunds, too.
            f"payment_intent_data[metadata][{ORDER_KEY}]": order.id,
        }
        answer = await self._post("/v1/checkout/sessions", form, key=order.id)
        try:
            opened = msgspec.json.decode(answer, type=_Opened)
        except msgspec.DecodeError:
            raise PaymentsUnavailable("its answer is not understood") from None
        if url_problem(opened.url, private_too=True) or not 0 < len(opened.id) <= 255:
            raise PaymentsUnavailable("its answer names no page to pay at")
        return Checkout(opened.id, opened.url)

    async def close(self, order: Order) -> None:
        if order.checkout_id is None:
            return
        path = f"/v1/checkout/sessions/{quote(order.checkout_id, safe='')}/expire"
        try:
            await self._post(path, {}, key=f"{order.id}:close")
        except PaymentsRefused:
            raise PaymentUnderWay(order.id) from None

    async def refund(self, order: Order, refund: Refund) -> None:
        form = {
            "payment_intent": order.payment_reference or "",
            "amount": str(amounts.sent(refund.amount_minor, order.currency)),
            f"metadata[{ORDER_KEY}]": order.id,
        }
        await self._post("/v1/refunds", form, key=refund.id)

    def hear(self, body: bytes, signature: str, now: datetime) -> News:
        """
        Raises:
            WebhookRefused
        """
        require_signed(body, signature, self.webhook_secret, now)
        return news_of(body, now)

    async def _post(self, path: str, form: dict[str, str], *, key: str) -> bytes:
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self.secret_key}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Idempotency-Key": key,
        }
        there = self._parts._replace(path=self._parts.path + path)
        request = http1.request("POST", there, headers, urlencode(form).encode())
        try:
            async with asyncio.timeout(self.timeout_s), http1.connection(there, tls=self.tls) as (reader, writer):
                writer.write(request)
                await writer.drain()
                answer = await http1.read_answer(reader, _MOST_BYTES)
        except TimeoutError:
            raise PaymentsUnavailable(f"there was no answer within {self.timeout_s:g} s") from None
        except http1.NotHttp as error:
            raise PaymentsUnavailable(str(error)) from None
        except OSError as error:
            raise PaymentsUnavailable(f"it cannot be reached ({type(error).__name__})") from None
        if 200 <= answer.status <= 299:
            return answer.body
        raise _refusal(answer)


def _refusal(answer: http1.Answer) -> PaymentsRefused | PaymentsUnavailable:
    # A key that is wrong is the operator's to mend: to whoever pays, it is as if nobody was there.
    is_ours = answer.status in {401, 403}
    if is_ours or answer.status in _TRANSIENT or not 400 <= answer.status <= 499:
        return PaymentsUnavailable(f"it answered {answer.status}")
    try:
        error = msgspec.json.decode(answer.body, type=_RefusedAnswer).error
    except msgspec.DecodeError:
        error = _Refused()
    word = error.code or error.type or str(answer.status)
    known = word if word.isascii() and word.isprintable() and len(word) <= _LONGEST_WORD else str(answer.status)
    return PaymentsRefused(
        f"The payment provider refused: {known}.", action="Tell the operator, who finds the reason at the provider."
    )
