"""Whether a webhook call is Stripe's: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>…]`."""

import hashlib
import hmac
from datetime import datetime

from opencode.modules.marketplace.errors import WebhookRefused

TOLERANCE_S = 300
_LONGEST_HEADER = 2_000
_MOST_SIGNATURES = 10
_MOST_DIGITS = 12


def require_signed(body: bytes, header: str, secret: str, now: datetime) -> None:
    """
    Of several signatures one must be good: two are sent while a secret is being replaced. The time is signed as well,
    so that a call that somebody recorded is good for five minutes only.

    Raises:
        WebhookRefused
    """
    if len(header) > _LONGEST_HEADER:
        raise WebhookRefused("The signature is too long")
    pairs = [pair.strip().partition("=") for pair in header.split(",")]
    moments = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "v1"][:_MOST_SIGNATURES]
    if len(moments) != 1 or not _is_moment(moments[0]) or not signatures:
        raise WebhookRefused("The call has no signature")
    expected = sign(body, moments[0], secret)
    if not any(hmac.compare_digest(expected, each.encode("utf-8", "replace")) for each in signatures):
        raise WebhookRefused("The signature is not good")
    if abs(now.timestamp() - int(moments[0])) > TOLERANCE_S:
        raise WebhookRefused(f"The call was signed more than {TOLERANCE_S} s before or after the time here")


def sign(body: bytes, moment: str, secret: str) -> bytes:
    """HMAC-SHA-256 in hex over the time, a dot and the body."""
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest().encode()


def _is_moment(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
