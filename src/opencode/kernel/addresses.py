"""Network addresses: as brakes against floods count them, and whether a server may call them for a stranger."""

import ipaddress
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address

LONGEST_URL = 2_000
WEB_PORTS = frozenset({80, 443})

# IANA's special-purpose registries (RFC 6890 and after), written out: what Python knows of them differs by version.
_SPECIAL_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
_GLOBAL_IPV6 = IPv6Network("2000::/3")
# Within it: Teredo and other protocols' own, documentation, and 6to4, in which an IPv4 address hides.
_SPECIAL_IPV6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# RFC 6052: addresses that a gateway turns into the IPv4 address in their last four bytes.
_TRANSLATED = IPv6Network("64:ff9b::/96")


@lru_cache(4096)  # the same people come again and again
def network_of(address: str) -> str:
    """
    What counts as one address: of IPv6 the first 64 bits, since one subscriber has them all (RFC 6177), and an IPv4
    address that came wrapped in IPv6 as what it is. What is no address stays as it is.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), 64), strict=False))


def is_public(address: Address) -> bool:
    """
    Does this address belong to the public Internet? Loopback, private, link-local (where clouds keep their metadata),
    multicast and reserved ones do not, in whichever notation of IPv6 they are wrapped.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    inner = address.ipv4_mapped
    if inner is None and address in _TRANSLATED:
        inner = IPv4Address(int(address) & 0xFFFF_FFFF)
    if inner is not None:
        return is_public(inner)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _SPECIAL_IPV6)


def url_problem(url: str, *, private_too: bool, ports: frozenset[int] | None = None) -> str | None:
    """
    What is wrong with an address to call, as far as it shows without asking a name server; None when nothing is.

    Args:
        private_too: addresses inside this machine's own networks are fine.
        ports: the only ones that are fine; None stands for all.
    """
    if len(url) > LONGEST_URL or any(ord(character) <= 32 or ord(character) > 126 for character in url):
        return f"must be an ASCII address without spaces, of {LONGEST_URL} characters at the most"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("http", "https") or not host or port == 0 or "\\" in url:
        return "must begin with http:// or https:// and name a host"
    if "@" in parts.netloc:
        return "must not hold a name or password"
    if ports is not None and port is not None and port not in ports:
        return f"must not name a port other than {' and '.join(map(str, sorted(ports)))}"
    return _host_problem(host, private_too=private_too)


def _host_problem(host: str, *, private_too: bool) -> str | None:
    address = _address(host)
    if address is None and _looks_like_a_number(host):
        return "must write an IP address in its usual form, such as 192.0.2.1"
    if "%" in host or (address is None and (":" in host or ".." in host or host.startswith("."))):
        return "is not an address"
    if private_too:
        return None
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost") or (address is not None and not is_public(address)):
        return "must not lead into a private network"
    return None


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.removesuffix("."))
    except ValueError:
        return None  # a name; its addresses are looked at when it is called


def _looks_like_a_number(host: str) -> bool:
    """Would a resolver read this as IPv4 in decimal, octal, hexadecimal or with parts left out (WHATWG URL §3.5)?"""
    last = host.removesuffix(".").rpartition(".")[2].lower()
    return last.isdigit() or (last.startswith("0x") and all(digit in "0123456789abcdef" for digit in last[2:]))
