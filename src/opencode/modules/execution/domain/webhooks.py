"""The rules of webhooks: whom a server may call, how a call is signed, and when it is tried again."""

import hashlib
import hmac
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

GIVE_UP_AFTER = timedelta(days=1)
LONGEST_URL = 2_000
SIGNATURE_HEADER = "OCP-Signature"

_FIRST_DELAY_S = 5.0
_LONGEST_DELAY_S = 3_600.0
# RFC 6052: addresses that a gateway turns into the IPv4 address in their last four bytes.
_TRANSLATED = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


def signature(secret: str, seconds: int, body: bytes) -> str:
    """The value of `OCP-Signature`: when it was signed, in seconds since 1970, and HMAC-SHA-256 of both together."""
    digest = hmac.digest(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hex()}"


def url_problem(url: str, *, private_too: bool) -> str | None:
    """
    What is wrong with an address to call, as far as it shows without asking a name server; None when nothing is.

    Args:
        private_too: addresses inside this machine's own networks are fine.
    """
    if len(url) > LONGEST_URL or any(ord(character) <= 32 or ord(character) > 126 for character in url):
        return f"must be an ASCII address without spaces, of {LONGEST_URL} characters at the most"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return "must begin with http:// or https:// and name a host"
    if parts.username is not None or parts.password is not None:
        return "must not hold a name or password; give a secret to sign with instead"
    if not private_too and _names_private_place(host):
        return "must not lead into a private network"
    return None


def is_public(address: Address) -> bool:
    """
    Does this address belong to the public Internet? Loopback, private, link-local (where clouds keep their metadata),
    multicast and reserved ones do not, in whichever notation of IPv6 they are wrapped.
    """
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def delay_s(attempts: int, chance: float) -> float:
    """
    How long to wait after so many failed attempts: twice as long each time, an hour at the most, and between half and
    all of it, so that a receiver that comes back is not met by everybody at once.

    Args:
        chance: from 0 to 1.
    """
    longest = min(_FIRST_DELAY_S * 2 ** min(attempts - 1, 20), _LONGEST_DELAY_S)
    return longest * (0.5 + chance / 2)


def _names_private_place(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return False  # a name; its addresses are looked at when it is called
