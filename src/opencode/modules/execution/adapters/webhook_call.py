"""
Calling a webhook: one POST over HTTP/1.1, to an address that was looked at first.

With `http1`: what matters here is that the connection goes to the very address that was found harmless, whatever the
name leads to a moment later, with the name kept for TLS and `Host`. Client libraries resolve names themselves.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from opencode.modules.execution.adapters import http1
from opencode.modules.execution.domain.webhooks import Address, is_public

TIMEOUT_S = 10.0


class CallFailed(Exception):
    """The receiver was not reached, or did not answer with success. The message says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Calls webhooks.

    Args:
        private_too: addresses inside this machine's own networks may be called.
        timeout_s: for everything together: names, connection, TLS, request and the first line of the answer.
    """

    private_too: bool = False
    timeout_s: float = TIMEOUT_S
    tls: ssl.SSLContext | None = None

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """
        Returns:
            The status, 200 to 299.

        Raises:
            CallFailed
        """
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(self.timeout_s):
                status = await self._exchange(parts, http1.request("POST", parts, headers, body))
        except TimeoutError:
            raise CallFailed(f"no answer within {self.timeout_s:g} s") from None
        except http1.NotHttp as error:
            raise CallFailed(str(error)) from None
        except (OSError, ssl.SSLError, asyncio.LimitOverrunError, ValueError) as error:
            raise CallFailed(f"{type(error).__name__}: {error}") from error
        if not 200 <= status <= 299:
            raise CallFailed(f"the answer was {status}")
        return status

    async def _exchange(self, parts: SplitResult, request: bytes) -> int:
        address = await self._resolve(parts.hostname or "", http1.port_of(parts))
        async with http1.connection(parts, to=str(address), tls=self.tls) as (reader, writer):
            writer.write(request)
            await writer.drain()
            return await http1.read_status(reader)  # nothing else of the answer is wanted

    async def _resolve(self, host: str, port: int) -> Address:
        """
        Raises:
            CallFailed: one of the name's addresses is not public. All are asked for, because a name that leads inside
                and outside at once is no honest mistake.
        """
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        if not addresses:
            raise CallFailed("the name has no address")
        if not self.private_too and not all(map(is_public, addresses)):
            raise CallFailed("the name leads into a private network")
        return addresses[0]
