"""
One other server: calls over HTTP, sockets, and what its refusals mean here.

Nobody but the operator says which servers there are, so their addresses may be private ones. A redirect is never
followed: it could lead anywhere, with the token.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from opencode.contracts.execution import ExecutionBusy, LanguageUnknown, RunRefused, SandboxUnavailable
from opencode.infra.fetching import http1
from opencode.kernel.errors import OpenCodeError
from opencode.modules.execution.adapters.piston.answers import (
    ExecuteAnswer,
    NotPiston,
    Refusal,
    RemoteRuntime,
    decoded,
)
from opencode.modules.execution.errors import ServerUnreachable

T = TypeVar("T")

CONNECT_S = 5.0
LIST_S = 5.0
MOST_LISTED_BYTES = 4 * 1024 * 1024
MOST_MESSAGE_BYTES = 8 * 1024 * 1024
_USUAL_PATH = "/api/v2"
_EXTENSIONS = "ocp-piston"
_LONGEST_WORDS = 1000  # characters of what a server says that are passed on
_LONGEST_RETRY_S = 3600


@dataclass(slots=True)
class PistonServer:
    """
    A Piston server. `ValueError` when its address or token is none.

    Args:
        url: base address, such as `http://runner:2000/api/v2`; without a path it gets that of Piston.
        token: sent with every call; empty for none.
        tls: whom to trust; by default whom this machine trusts.

    Attributes:
        extensions: what it understands beyond Piston, as it said with its last list of runtimes.
    """

    url: str
    token: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None
    extensions: frozenset[str] = frozenset()
    _parts: SplitResult = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError("it must be an address such as http://runner:2000/api/v2")
        if parts.username is not None or parts.query or parts.fragment or not self.url.isascii():
            raise ValueError("it must be a plain address, without a password, a query or letters beyond ASCII")
        if not (self.token.isascii() and self.token.isprintable()):
            raise ValueError("the token must be printable ASCII")
        self._parts = parts._replace(path=parts.path.rstrip("/") or _USUAL_PATH)
        if self.tls is None and parts.scheme == "https":
            self.tls = ssl.create_default_context()

    @property
    def name(self) -> str:
        """How people are told of it: host and port."""
        return self._parts.netloc

    async def runtimes(self) -> list[RemoteRuntime]:
        """
        Raises:
            ServerUnreachable, SandboxUnavailable, ExecutionBusy
        """
        answer = await self._call("GET", "/runtimes", b"", within_s=LIST_S, most_bytes=MOST_LISTED_BYTES)
        listed = self._understood(answer.body, list[RemoteRuntime])
        words = answer.headers.get(_EXTENSIONS, "").split(",")
        self.extensions = frozenset(word.strip() for word in words if word.strip())
        return listed

    async def execute(self, job: Mapping[str, Any], *, within_s: float, most_bytes: int) -> ExecuteAnswer:
        """
        Run a program to its end. Cancelling hangs up, which ends the program.

        Raises:
            ServerUnreachable: it cannot be reached; nothing was run.
            SandboxUnavailable: it was lost on the way, or answered nonsense.
            RunRefused, LanguageUnknown, ExecutionBusy: its refusals.
        """
        body = msgspec.json.encode(job)
        answer = await self._call("POST", "/execute", body, within_s=within_s, most_bytes=most_bytes)
        return self._understood(answer.body, ExecuteAnswer)

    @asynccontextmanager
    async def socket(self) -> AsyncGenerator[ClientConnection]:
        """
        A `connect` socket, cut when left.

        Raises:
            What `execute` raises.
        """
        scheme = "wss" if self._parts.scheme == "https" else "ws"
        url = self._parts._replace(scheme=scheme, path=self._parts.path + "/connect").geturl()
        try:
            socket = await _Straight(
                url,
                additional_headers=self._credentials(),
                ssl=self.tls,
                proxy=None,
                compression=None,
                open_timeout=CONNECT_S,
                max_size=MOST_MESSAGE_BYTES,
            )
        except InvalidStatus as error:
            response = error.response
            headers = {name.lower(): value for name, value in response.headers.raw_items()}
            answer = http1.Answer(response.status_code, headers, bytes(response.body or b""))
            raise self._refusal(answer) from None
        except (InvalidHandshake, EOFError) as error:
            raise self.lost(f"it opened no socket ({type(error).__name__})") from None
        except (OSError, TimeoutError) as error:
            raise self._unreachable(error) from None
        try:
            yield socket
        finally:
            socket.transport.abort()

    def refused(self, message: str) -> OpenCodeError:
        """A request that the server does not take, in its words."""
        words = message[:_LONGEST_WORDS] or "It gave no reason."
        if words.endswith("runtime is unknown"):
            return LanguageUnknown(f"{self.name} says: {words}.", action="Ask for another version, or none.")
        return RunRefused(f"{self.name} says: {words}", action="Change what is named, then run again.")

    def lost(self, why: str) -> SandboxUnavailable:
        """The server was there, and then it was not, or it spoke no Piston."""
        return SandboxUnavailable(
            f"{self.name} did not run it: {why}.", action="Try again; if it stays, tell the operator."
        )

    async def _call(self, method: str, path: str, body: bytes, *, within_s: float, most_bytes: int) -> http1.Answer:
        headers = {"Accept": "application/json", "Content-Type": "application/json", **self._credentials()}
        request = http1.request(method, self._parts._replace(path=self._parts.path + path), headers, body)
        is_connected = False
        try:
            async with asyncio.timeout(CONNECT_S) as patience, http1.connection(self._parts, tls=self.tls) as streams:
                is_connected = True
                patience.reschedule(asyncio.get_running_loop().time() + within_s)
                reader, writer = streams
                writer.write(request)
                await writer.drain()
                answer = await http1.read_answer(reader, most_bytes)
        except http1.NotHttp as error:
            raise self.lost(str(error)) from None
        except OSError as error:  # TimeoutError is one
            if not is_connected:
                raise self._unreachable(error) from None
            late = f"there was no answer within {within_s:g} s"
            raise self.lost(late if isinstance(error, TimeoutError) else "it hung up") from None
        if answer.status != HTTPStatus.OK:
            raise self._refusal(answer)
        return answer

    def _credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _understood(self, body: bytes, kind: type[T]) -> T:
        try:
            return decoded(body, kind)
        except NotPiston as error:
            raise self.lost(str(error)) from None

    def _refusal(self, answer: http1.Answer) -> OpenCodeError:
        status = answer.status
        if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
            return self.refused(_message_of(answer.body))
        if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            return ExecutionBusy(
                f"{self.name} takes no more runs for now.",
                action="Try again in a moment.",
                retry_after_s=_retry_after_s(answer.headers.get("retry-after", "")),
            )
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return SandboxUnavailable(
                f"{self.name} does not let this server run programs.",
                action="The operator must set OCP_PISTON_SERVER_TOKEN to a token with the scope run.",
            )
        if 300 <= status <= 399:
            return self.lost("it leads elsewhere, and redirects are not followed")
        return self.lost(f"it answered with {status}")

    def _unreachable(self, error: OSError) -> ServerUnreachable:
        if isinstance(error, TimeoutError):
            why = f"no connection within {CONNECT_S:g} s"
        elif isinstance(error, ConnectionError) and error.errno:
            why = os.strerror(error.errno)  # asyncio's own words repeat the address
        else:
            why = error.strerror or str(error)
        return ServerUnreachable(self.name, why)


class _Straight(connect):
    """Goes where it is sent, and nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _message_of(body: bytes) -> str:
    try:
        return decoded(body, Refusal).message
    except NotPiston:
        return ""


def _retry_after_s(text: str) -> int:
    return min(max(int(text), 1), _LONGEST_RETRY_S) if text.isdecimal() and len(text) < 9 else 1
