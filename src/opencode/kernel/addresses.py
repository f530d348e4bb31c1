"""Network addresses, as brakes against floods count them."""

import ipaddress


def network_of(address: str) -> str:
    """
    What counts as one address: of IPv6 the first 64 bits, since one subscriber has them all (RFC 6177), and an IPv4
    address that came wrapped in IPv6 as what it is. What is no address stays as it is.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))
