"""How a webhook is signed, and when it is tried again. Whom a server may call is in `kernel.addresses`."""

import hashlib
import hmac
from datetime import timedelta

from opencode.kernel import backoff

GIVE_UP_AFTER = timedelta(days=1)
SIGNATURE_HEADER = "OCP-Signature"

_FIRST_DELAY_S = 5.0
_LONGEST_DELAY_S = 3_600.0


def signature(secret: str, seconds: int, body: bytes) -> str:
    """The value of `OCP-Signature`: when it was signed, in seconds since 1970, and HMAC-SHA-256 of both together."""
    digest = hmac.digest(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hex()}"


def delay_s(attempts: int, chance: float) -> float:
    """How long to wait after so many failed attempts: an hour at the most. Args: chance: from 0 to 1."""
    return backoff.delay_s(attempts, chance, first_s=_FIRST_DELAY_S, longest_s=_LONGEST_DELAY_S)
