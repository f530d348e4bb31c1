"""Calling a webhook: one POST over HTTP/1.1, to an address that was looked at first (`infra.fetching`)."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from opencode.infra.fetching import FetchFailed, Reach, http1

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
        except (http1.NotHttp, FetchFailed) as error:
            raise CallFailed(str(error)) from None
        except (OSError, asyncio.LimitOverrunError, ValueError) as error:
            raise CallFailed(f"{type(error).__name__}: {error}") from error
        if not 200 <= status <= 299:
            raise CallFailed(f"the answer was {status}")
        return status

    async def _exchange(self, parts: SplitResult, request: bytes) -> int:
        reach = Reach(private_too=self.private_too, tls=self.tls)
        async with reach.connection(parts) as (reader, writer):
            writer.write(request)
            await writer.drain()
            return await http1.read_status(reader)  # nothing else of the answer is wanted
