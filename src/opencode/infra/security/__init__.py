"""Secrets, and brakes against guessing."""

from opencode.infra.security.rate_limit import MemoryRateLimiter, Rate, RateLimiter
from opencode.infra.security.sealing import Keyring, SealBroken
from opencode.infra.security.secrets import hash_secret, new_secret, same_secret
from opencode.infra.security.signing import Signer

__all__ = [
    "Keyring",
    "MemoryRateLimiter",
    "Rate",
    "RateLimiter",
    "SealBroken",
    "Signer",
    "hash_secret",
    "new_secret",
    "same_secret",
]
