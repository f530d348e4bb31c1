"""Who vouches for jobs of CI by OpenID Connect: issuers that the operator has named, and what their tokens say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from opencode.modules.marketplace.domain.proofs import repository_key

LEEWAY = timedelta(seconds=60)
"""Clocks differ."""
OLDEST = timedelta(hours=1)
"""A token is used at once. Those that were used are remembered for longer."""
_LONGEST_ID = 200
_MOST_SECONDS = 1e11
_REPOSITORY = re.compile(r"[\w-][\w.-]{0,99}(/[\w-][\w.-]{0,99}){1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Issuer:
    """
    An issuer of tokens.

    Attributes:
        url: its name, as tokens have it in `iss`.
        host: of the repositories that it vouches for.
        claim: of a token that names the repository, as a path on that host.
    """

    url: str
    host: str
    claim: str

    @classmethod
    def of(cls, entry: str) -> Self:
        """Args: entry: `issuer=host=claim`."""
        url, host, claim = (part.strip() for part in entry.rsplit("=", 2))
        return cls(url.rstrip("/"), host.lower(), claim)


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a good token says: for which repository (`repository_key`), and by which name it is known."""

    repository: str
    id: str


def vouched(issuer: Issuer, claims: Mapping[str, Any], audience: str, now: datetime) -> Vouched | str:
    """
    What the claims of a token say whose signature is good, or what is wrong with them, in words (RFC 7519 §4.1).

    Args:
        audience: the only one that the token may be for.
    """
    if claims.get("iss") not in (issuer.url, f"{issuer.url}/"):
        return "is of another issuer"
    if claims.get("aud") not in (audience, [audience]):
        return "is not for this proof: ask for one with the proof's token as its audience"
    if problem := _time_problem(claims, now):
        return problem
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not 0 < len(token_id) <= _LONGEST_ID:
        return "has no usable id (jti), by which it would be known when it comes again"
    path = claims.get(issuer.claim)
    if not isinstance(path, str) or not _REPOSITORY.fullmatch(path):
        return f"names no repository in {issuer.claim}"
    return Vouched(repository_key(f"https://{issuer.host}/{path}") or "", token_id)


def _time_problem(claims: Mapping[str, Any], now: datetime) -> str | None:
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    ends, made, begins = (_seconds(claims.get(name)) for name in ("exp", "iat", "nbf"))
    if ends is None or made is None or ("nbf" in claims and begins is None):
        return "does not say when it was made and when it ends (exp, iat, nbf)"
    if ends + leeway <= at:
        return "has expired"
    if made - leeway > at or (begins is not None and begins - leeway > at):
        return "is not good yet"
    return "is too old" if made + OLDEST.total_seconds() + leeway < at else None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _MOST_SECONDS else None
