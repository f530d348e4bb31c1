"""Signatures of JSON Web Tokens (RFC 7515), by a library. Apart, so that it is loaded with the first token only."""

from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

ALGORITHMS = ("RS256", "ES256")
_LEAST_RSA_BITS = 2048


def parts_of(token: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """
    Header and claims as a token says them. Nothing of that is proved yet.

    Raises:
        ValueError: it is no token.
    """
    try:
        extracted = jws.extract_compact(token.encode())
        return extracted.headers(), msgspec.json.decode(extracted.payload, type=dict[str, Any])
    except (JoseError, TypeError, RecursionError) as error:
        raise ValueError("it is no JSON Web Token") from error


def proved_claims(token: str, key: Mapping[str, Any], algorithm: str) -> dict[str, Any]:
    """
    The claims of a token whose signature is good.

    Args:
        key: the public one, as a JSON Web Key (RFC 7517).
        algorithm: one of `ALGORITHMS`, and the only one that the token may have.

    Raises:
        ValueError: it is not, or the key is none for this algorithm or too short.
    """
    try:
        # Looked at before the library does, which takes a short key and warns.
        if algorithm == "RS256" and base64_to_int(key["n"]).bit_length() < _LEAST_RSA_BITS:
            raise ValueError("the key is too short")
        known = (RSAKey if algorithm == "RS256" else ECKey).import_key(dict(key))
        return jwt.decode(token, known, algorithms=[algorithm]).claims
    except (JoseError, TypeError, KeyError, RecursionError) as error:
        raise ValueError("the signature is not good") from error
