"""
Tokens of jobs of CI (OpenID Connect): whose they are, and whether their signatures are good.

Only issuers that the operator has named are asked for their keys, and only signatures of public keys count: a token
can neither go without one nor choose another way to be looked at.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from opencode.infra.fetching import Fetcher
from opencode.modules.marketplace.domain.issuers import Issuer, Vouched, vouched
from opencode.modules.marketplace.errors import IssuerNotUnderstood, TokenRefused

LONGEST_TOKEN = 16_384
KEYS_KEPT = timedelta(hours=1)
KEYS_ASKED_AGAIN = timedelta(minutes=1)
"""Not sooner, however many tokens come that name unknown keys."""

_MOST_BYTES = 256 * 1024
_MOST_KEYS = 100
_DISCOVERY = "/.well-known/openid-configuration"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _Keys(msgspec.Struct):
    keys: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Known:
    keys: Mapping[str, dict[str, Any]]
    at: datetime


@dataclass(slots=True)
class Issuers:
    """Args: named: by the operator."""

    fetcher: Fetcher
    named: Sequence[Issuer]
    _known: dict[str, _Known] = field(default_factory=dict[str, _Known])
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def of_host(self, host: str) -> list[Issuer]:
        """Who vouches for repositories of this host."""
        return [issuer for issuer in self.named if issuer.host == host.lower()]

    async def read(self, token: str, audience: str, now: datetime) -> Vouched:
        """
        What a token says, once all of it was found good.

        Raises:
            TokenRefused, IssuerNotUnderstood, FetchFailed
        """
        # Loaded at the first token only, as most servers name no issuer.
        from opencode.modules.marketplace.adapters import signatures

        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise TokenRefused("is longer than any, or no text of a token")
        try:
            header, claims = signatures.parts_of(token)
        except ValueError as error:
            raise TokenRefused("is no JSON Web Token") from error
        algorithm = header.get("alg")
        if algorithm not in signatures.ALGORITHMS:
            raise TokenRefused(f"must be signed with {' or '.join(signatures.ALGORITHMS)}")
        issuer = self._issuer(claims.get("iss"))
        key = await self._key(issuer, header.get("kid"), now)
        try:
            said = vouched(issuer, signatures.proved_claims(token, key, algorithm), audience, now)
        except ValueError as error:
            raise TokenRefused("has no good signature") from error
        if isinstance(said, str):
            raise TokenRefused(said)
        return said

    def _issuer(self, said: object) -> Issuer:
        """Whose token it says it is. Nothing of that is believed yet."""
        for issuer in self.named:
            if isinstance(said, str) and said.rstrip("/") == issuer.url:
                return issuer
        raise TokenRefused("is of no issuer that this server believes")

    async def _key(self, issuer: Issuer, key_id: object, now: datetime) -> dict[str, Any]:
        if not isinstance(key_id, str):
            raise TokenRefused("does not name its key (kid)")
        async with self._lock:
            known = self._known.get(issuer.url)
            is_old = known is None or now - known.at >= KEYS_KEPT
            if known is None or is_old or (key_id not in known.keys and now - known.at >= KEYS_ASKED_AGAIN):
                known = self._known[issuer.url] = _Known(await self._fetched(issuer), now)
        if key_id not in known.keys:
            raise TokenRefused("names a key that its issuer does not have")
        return known.keys[key_id]

    async def _fetched(self, issuer: Issuer) -> dict[str, dict[str, Any]]:
        try:
            answer = await self.fetcher.get(f"{issuer.url}{_DISCOVERY}", most_bytes=_MOST_BYTES)
            said = msgspec.json.decode(answer.body, type=_Discovery)
            if said.issuer.rstrip("/") != issuer.url or not _is_safe(said.jwks_uri):
                raise IssuerNotUnderstood(issuer.url)
            answer = await self.fetcher.get(said.jwks_uri, most_bytes=_MOST_BYTES)
            keys = msgspec.json.decode(answer.body, type=_Keys).keys[:_MOST_KEYS]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise IssuerNotUnderstood(issuer.url) from error
        signing = [key for key in keys if key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig"]
        return {key["kid"]: key for key in signing if isinstance(key.get("kid"), str)}


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK
