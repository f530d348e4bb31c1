"""Random secrets, and how they are kept: hashed, because a stolen database must not sign anybody in."""

import hashlib
import hmac
import secrets


def new_secret(prefix: str) -> str:
    """A secret of 256 random bits, such as `ocs_…`; the prefix lets people and scanners see what leaked."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> str:
    """SHA-256 in hex. A slow hash adds nothing to 256 random bits, and this one runs on every request."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_secret(left: str, right: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
