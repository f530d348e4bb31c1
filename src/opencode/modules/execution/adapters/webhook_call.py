"""
Calling a webhook: one POST over HTTP/1.1, to an address that was looked at first.

By hand, on asyncio's own streams: what matters here is that the connection goes to the very address that was found
harmless, whatever the name leads to a moment later, with the name kept for TLS and `Host`. Client libraries resolve
names themselves, and bring redirects, proxies and decompression that would all have to be switched off again.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from opencode.modules.execution.domain.webhooks import Address, is_public

TIMEOUT_S = 10.0
LONGEST_LINE = 8 * 1024


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
                status = await self._exchange(parts, _request(parts, body, headers))
        except TimeoutError:
            raise CallFailed(f"no answer within {self.timeout_s:g} s") from None
        except (OSError, ssl.SSLError, asyncio.LimitOverrunError, ValueError) as error:
            raise CallFailed(f"{type(error).__name__}: {error}") from error
        if not 200 <= status <= 299:
            raise CallFailed(f"the answer was {status}")
        return status

    async def _exchange(self, parts: SplitResult, request: bytes) -> int:
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        address = await self._resolve(host, port)
        tls = (self.tls or ssl.create_default_context()) if parts.scheme == "https" else None
        reader, writer = await asyncio.open_connection(
            str(address), port, ssl=tls, server_hostname=host if tls else None, limit=LONGEST_LINE
        )
        try:
            writer.write(request)
            await writer.drain()
            return _status(await reader.readline())
        finally:
            # Nothing else of the answer is wanted, and nobody waits for a farewell.
            writer.transport.abort()

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


def _request(parts: SplitResult, body: bytes, headers: dict[str, str]) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _status(line: bytes) -> int:
    """
    Raises:
        CallFailed: this is no answer of HTTP/1.
    """
    words = line.split(maxsplit=2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not (words[1].isdigit() and len(words[1]) == 3):
        raise CallFailed("the answer is not HTTP")
    return int(words[1])
