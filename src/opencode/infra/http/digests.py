"""Checksums that a request announces for its body."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from opencode.kernel.errors import Invalid

_HEX = re.compile(r"[0-9a-f]{64}")
_DIGEST_BYTES = 32


class DigestInvalid(Invalid):
    """A header that announces a checksum is not one, or two of them differ."""

    title = "The checksum is not understood"


def announced_sha256(headers: Mapping[str, str]) -> str | None:
    """
    The SHA-256 of the body in hex, from `Content-Digest` (RFC 9530), `Digest` (RFC 3230) or `X-Checksum-Sha256`; None
    when none is announced. Other algorithms are passed over, as both standards want it.

    Raises:
        DigestInvalid
    """
    found = set(_announced(headers))
    if len(found) > 1:
        raise DigestInvalid("The headers announce different checksums.", action="Send one of them.")
    return found.pop() if found else None


def _announced(headers: Mapping[str, str]) -> Iterator[str]:
    if plain := headers.get("x-checksum-sha256"):
        if not _HEX.fullmatch(plain.strip().lower()):
            raise DigestInvalid("X-Checksum-Sha256 is not 64 hexadecimal digits.", action="Send SHA-256 in hex.")
        yield plain.strip().lower()
    for name in ("content-digest", "digest"):
        for entry in headers.get(name, "").split(","):
            algorithm, _, value = entry.strip().partition("=")
            if algorithm.lower() == "sha-256":
                yield _decoded(name, value.strip().strip(":"))


def _decoded(name: str, value: str) -> str:
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _DIGEST_BYTES:
        raise DigestInvalid(f"The sha-256 of {name} is not 32 bytes in base64.", action="Send sha-256=<base64>.")
    return raw.hex()
