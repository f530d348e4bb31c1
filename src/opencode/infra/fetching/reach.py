"""
Connections to where a stranger's URL leads, made to the very address that was found harmless.

Client libraries resolve names themselves, a second time, and a name may lead elsewhere by then (DNS rebinding).
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from opencode.infra.fetching import http1
from opencode.infra.fetching.errors import AddressRefused, HostUnreachable, shown
from opencode.kernel.addresses import is_public, url_problem

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_MOST_TRIED = 3


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """
    Raises:
        OSError, UnicodeError: there is no such name.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class Reach:
    """
    What may be called.

    Args:
        private_too: addresses inside this machine's own networks may be called.
        ports: the only ones that may; None stands for all.
        tls: whom to trust; by default whom this machine trusts.
        resolve: gives all addresses of a name, as text. It is asked once a connection.
    """

    private_too: bool = False
    ports: frozenset[int] | None = None
    tls: ssl.SSLContext | None = None
    resolve: Resolve = resolve_by_system

    def look_at(self, url: str) -> SplitResult:
        """
        Raises:
            AddressRefused
        """
        if problem := url_problem(url, private_too=self.private_too, ports=self.ports):
            raise AddressRefused(f"The address {shown(url)} {problem}.", action="Use a public http or https address.")
        return urlsplit(url)

    @asynccontextmanager
    async def connection(self, parts: SplitResult) -> AsyncGenerator[Streams]:
        """
        Raises:
            AddressRefused: the name leads into a private network.
            HostUnreachable: there is no such name.
            OSError: nobody is there, or TLS failed.
        """
        addresses = await self._addresses(parts.hostname or "", http1.port_of(parts))
        async with http1.connection(parts, to=addresses, tls=self.tls) as streams:
            yield streams

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = [ip_address(text.partition("%")[0]) for text in await self.resolve(host, port)]
        except (OSError, ValueError):  # UnicodeError is one: a label that no name may have
            addresses = []
        if not addresses:
            raise HostUnreachable(f"The name {shown(host)} has no address.", action="Check how it is written.")
        # All must be public: a name that leads inside and outside at once is no honest mistake.
        if not self.private_too and not all(map(is_public, addresses)):
            raise AddressRefused(
                f"The name {shown(host)} leads into a private network.", action="Use a host of the public Internet."
            )
        return list(dict.fromkeys(map(str, addresses)))[:_MOST_TRIED]
