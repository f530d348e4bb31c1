"""Fetching what a stranger's URL names, with bounds on where, how much and how long."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit

from opencode.infra.fetching import http1
from opencode.infra.fetching.errors import (
    AddressRefused,
    AnswerNotUnderstood,
    AnswerTooLarge,
    AnswerTooSlow,
    FetchRefused,
    HostUnreachable,
    shown,
)
from opencode.infra.fetching.reach import Reach
from opencode.kernel.addresses import WEB_PORTS

MOST_BYTES = 2 * 1024 * 1024
MOST_REDIRECTS = 3
TIMEOUT_S = 10.0

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_USER_AGENT = "OpenCode"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came. `url` is where it came from after redirects; `headers` have names in small letters."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Fetcher:
    """
    Fetches.

    Args:
        timeout_s: for everything together: names, connections, redirects and the last byte.
    """

    reach: Reach = field(default_factory=lambda: Reach(ports=WEB_PORTS))
    timeout_s: float = TIMEOUT_S

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, most_bytes: int = MOST_BYTES) -> Fetched:
        """
        Fetch with GET. Redirects are followed, three at the most, each looked at like the first address.

        Args:
            headers: go to the first host alone, never to one that it points at.
            most_bytes: of the body; the connection is cut when more comes.

        Raises:
            AddressRefused, HostUnreachable, AnswerTooSlow, AnswerTooLarge, AnswerNotUnderstood, FetchRefused
        """
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._follow(url, headers or {}, most_bytes)
        except TimeoutError:
            raise AnswerTooSlow(
                f"{shown(url)} was not there within {self.timeout_s:g} s.", action="Try again later."
            ) from None

    async def _follow(self, url: str, headers: Mapping[str, str], most_bytes: int) -> Fetched:
        at, first = url.partition("#")[0], ""
        for _ in range(MOST_REDIRECTS + 1):
            parts = self.reach.look_at(at)
            first = first or f"{parts.scheme}://{parts.netloc}"
            sent = headers if f"{parts.scheme}://{parts.netloc}" == first else {}
            answer = await self._exchange(parts, sent, most_bytes)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return _good(at, answer)
            at = _next(at, answer.headers["location"])
        raise AnswerNotUnderstood(
            f"{shown(url)} redirects more than {MOST_REDIRECTS} times.", action="Use the address where it ends."
        )

    async def _exchange(self, parts: SplitResult, headers: Mapping[str, str], most_bytes: int) -> http1.Answer:
        # Nothing is asked for compressed, and `_good` takes nothing compressed: a few bytes never become many.
        sent = {"Accept": "*/*", "User-Agent": _USER_AGENT, **headers, "Accept-Encoding": "identity"}
        try:
            async with self.reach.connection(parts) as (reader, writer):
                writer.write(http1.request("GET", parts, sent))
                await writer.drain()
                return await http1.read_answer(reader, most_bytes)
        except TimeoutError:
            raise
        except http1.TooMuch as error:
            raise AnswerTooLarge(f"{parts.hostname}: {error}.", action="Use an address with less behind it.") from None
        except http1.NotHttp as error:
            raise AnswerNotUnderstood(f"{parts.hostname}: {error}.", action="Check the address.") from None
        except OSError as error:
            raise HostUnreachable(
                f"{shown(parts.hostname or '')} cannot be reached ({type(error).__name__}).",
                action="Check the address and the host's certificate, or try again later.",
            ) from error


def _good(url: str, answer: http1.Answer) -> Fetched:
    if not 200 <= answer.status <= 299:
        raise FetchRefused(url, answer.status, answer.headers)
    if answer.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise AnswerNotUnderstood(
            f"{shown(url)} answered compressed, though nobody asked for it.", action="Use an address of plain content."
        )
    return Fetched(url, answer.headers, answer.body)


def _next(url: str, location: str) -> str:
    """
    Raises:
        AddressRefused: it leads from an encrypted address to one that is not, or is no address.
    """
    try:
        there = urljoin(url, location).partition("#")[0]
        is_downgrade = urlsplit(url).scheme == "https" and urlsplit(there).scheme == "http"
    except ValueError:
        raise AddressRefused(
            f"{shown(url)} redirects to what is no address.", action="Use the address where it ends."
        ) from None
    if is_downgrade:
        raise AddressRefused(
            f"{shown(url)} redirects to an address without encryption.", action="Use the address where it ends."
        )
    return there
