"""Calling a webhook: one POST over HTTP/1.1, to an address that was looked at first (`reach`)."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from opencode.infra.fetching import http1
from opencode.infra.fetching.errors import FetchFailed
from opencode.infra.fetching.reach import Reach

TIMEOUT_S = 10.0
_EXCERPT_S = 2.0
"""For the beginning of the body, of which nothing depends."""


@dataclass(frozen=True, slots=True)
class Called:
    """What a receiver answered: the status, and as much of the body as was asked for and came."""

    status: int
    excerpt: bytes = b""


class CallFailed(Exception):
    """
    The receiver was not reached, or did not answer with success. The message says why, for the operator.

    Attributes:
        answer: what it answered, if it did.
    """

    def __init__(self, reason: str, answer: Called | None = None) -> None:
        super().__init__(reason)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Calls webhooks.

    Args:
        private_too: addresses inside this machine's own networks may be called.
        timeout_s: for everything together: names, connection, TLS, request and the first line of the answer.
        excerpt_bytes: of the answer's body that are read; 0 reads none.
    """

    private_too: bool = False
    timeout_s: float = TIMEOUT_S
    tls: ssl.SSLContext | None = None
    excerpt_bytes: int = 0

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Called:
        """
        Returns:
            The answer; its status is from 200 to 299.

        Raises:
            CallFailed
        """
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(self.timeout_s):
                called = await self._exchange(parts, http1.request("POST", parts, headers, body))
        except TimeoutError:
            raise CallFailed(f"no answer within {self.timeout_s:g} s") from None
        except (http1.NotHttp, FetchFailed) as error:
            raise CallFailed(str(error)) from None
        except (OSError, asyncio.LimitOverrunError, ValueError) as error:
            raise CallFailed(f"{type(error).__name__}: {error}") from error
        if not 200 <= called.status <= 299:
            raise CallFailed(f"the answer was {called.status}", called)
        return called

    async def _exchange(self, parts: SplitResult, request: bytes) -> Called:
        reach = Reach(private_too=self.private_too, tls=self.tls)
        async with reach.connection(parts) as (reader, writer):
            writer.write(request)
            await writer.drain()
            status = await http1.read_status(reader)
            excerpt = await self._excerpt(reader) if self.excerpt_bytes else b""
            return Called(status, excerpt)

    async def _excerpt(self, reader: asyncio.StreamReader) -> bytes:
        """The receiver has the message by now: whatever is wrong with the rest of its answer fails nothing."""
        excerpt = bytearray()
        with suppress(http1.NotHttp, OSError, ValueError, EOFError):
            # Its own clock: with the other one, an answer that trickles would undo a success.
            async with asyncio.timeout(min(_EXCERPT_S, self.timeout_s / 2)):
                await http1.read_beginning(reader, self.excerpt_bytes, excerpt)
        return bytes(excerpt)
