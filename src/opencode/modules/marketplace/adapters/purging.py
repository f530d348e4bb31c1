"""
The webhook of a cache in front of the server: which surrogate keys are outdated. They are in the body as JSON, and in
the header from which caches that know such keys read them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from opencode.infra.fetching import Caller
from opencode.kernel.addresses import is_public, url_problem

MOST_KEYS = 100
"""Of one call: together they stay below the 8 KiB that servers allow for a header."""


@dataclass(frozen=True, slots=True)
class Purger:
    """
    Calls the webhook. `ValueError` when the address or the token is none.

    Args:
        url: over https, unless it is in this server's own networks: the token goes there.
        token: sent as a bearer token; empty for none.
    """

    url: str
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if problem := url_problem(self.url, private_too=True):
            raise ValueError(f"the address {problem}")
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not _is_within(parts.hostname or ""):
            raise ValueError("the address must begin with https://, or be one in this server's own networks")
        if self.token and not (self.token.isascii() and self.token.isprintable()):
            raise ValueError("the token must be printable ASCII")

    async def purge(self, keys: Sequence[str]) -> None:
        """
        Say that whatever carries one of these keys is outdated; twice is the same as once.

        Raises:
            CallFailed: nobody knows whether it was heard.
        """
        headers = {"Content-Type": "application/json", "Surrogate-Key": " ".join(keys)}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        await Caller(private_too=True).post(self.url, msgspec.json.encode({"surrogate_keys": keys}), headers)


def _is_within(host: str) -> bool:
    """Whether it is in this server's own networks for sure: a name without a dot is no host of the Internet."""
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".internal"))
