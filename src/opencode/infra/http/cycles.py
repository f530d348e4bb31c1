"""
A request and its answer on the short way through the server (`protocol.py`); uvicorn calls the two a cycle.

`Told` is one that needs no task. `Spoken` is one that does: an application (ASGI) that reads a body, or answers piece
by piece. It is told of a client that leaves by a call (`scope["extensions"][LEFT]`), where other servers would have it
wait for a message in a task of its own.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast

import structlog
from litestar.types import ASGIApp, HTTPScope, Message, Receive
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from opencode.infra.http.direct import Answer, headers_of, told
from opencode.infra.http.marks import SECURITY_HEADERS, count_answer, missing_of
from opencode.infra.http.patience import patient
from opencode.kernel.ids import new_id

log = structlog.get_logger(__name__)

LEFT = "opencode.left"
"""
Extension of a scope: a function that takes what to call when the client goes away, once, and returns what takes it
back. It is called at once if the client has gone already.
"""
POUR = "opencode.pour"
"""Extension of a scope: a `Pour`, for an answer of unknown length whose head has been sent."""


def _line_of(header: tuple[bytes, bytes]) -> bytes:
    return b"%s: %s\r\n" % header


_SECURITY_LINES = b"".join(map(_line_of, SECURITY_HEADERS))
_BODILESS = (204, 304)


def _chunk_of(piece: bytes) -> bytes:
    """A chunk of RFC 9112 §7.1; an empty one would end the answer."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class HeaderBroken(Exception):
    """Whoever wrote the rest of the line would write headers of their own."""


def lines_of(status: int, headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """
    The head of an answer, without the line that ends it.

    Raises:
        HeaderBroken
    """
    pieces = [STATUS_LINE[status]]
    for name, value in headers:
        if b"\n" in value or b"\r" in value:
            raise HeaderBroken(f"the header {name.decode()} holds the end of a line")
        pieces += (name, b": ", value, b"\r\n")
    return pieces


class Pour(Protocol):
    """A way for pieces of an answer that takes no message, and no task, for each."""

    def pour(self, piece: bytes) -> bool:
        """Send a piece that is not empty. Returns whether the client takes more now."""
        ...

    async def poured(self) -> None:
        """Wait until the client takes more, or has gone away."""
        ...


class Told:
    """A cycle without a task, with all that uvicorn's protocol asks of one of its own."""

    __slots__ = (
        "disconnected",
        "keep_alive",
        "message_event",
        "more_body",
        "request_id",
        "response_complete",
        "route",
        "scope",
        "started",
    )

    def __init__(self, scope: HTTPScope, route: str) -> None:
        self.scope = scope
        self.route = route
        self.started = time.perf_counter()
        self.request_id = _named(scope, route)
        self.disconnected = False
        self.keep_alive = True
        self.response_complete = False
        self.more_body = False
        self.message_event = _NOBODY_WAITS

    def over(self, answer: Answer, defaults: Iterable[tuple[bytes, bytes]]) -> bytes:
        """
        The answer as it is sent, after which nothing comes.

        Args:
            defaults: headers of the server's.
        """
        try:
            written = self._written(answer, defaults)
        except HeaderBroken as error:
            answer = told(error, cast(Any, self.scope))
            written = self._written(answer, defaults)
        self.response_complete = True
        count_answer(self.scope["method"], self.route, answer.status, time.perf_counter() - self.started)
        return written

    def _written(self, answer: Answer, defaults: Iterable[tuple[bytes, bytes]]) -> bytes:
        own = headers_of(answer)
        own.append((b"x-request-id", self.request_id.encode()))
        if not self.keep_alive:
            own.append((b"connection", b"close"))
        return b"".join((*lines_of(answer.status, (*defaults, *own)), _SECURITY_LINES, b"\r\n", answer.body))


class Spoken(RequestResponseCycle):
    """A cycle with an application. What uvicorn's own does for any application is left out where ours needs none."""

    def __init__(self, scope: HTTPScope, route: str, **of_connection: Any) -> None:
        super().__init__(
            scope=cast(Any, scope),
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=True,
            access_log=False,
            **of_connection,
        )
        self._route = route
        self._started = time.perf_counter()
        self._status = 500
        self._head = b""
        self._when_left: Callable[[], None] | None = None
        self._request_id = _named(scope, route)
        cast(dict[str, Any], scope)["extensions"] = {LEFT: self._call_when_left, POUR: self}

    async def run(self, app: ASGIApp, body_timeout_s: float) -> None:
        """Let an application answer; the body of its request may take so long to arrive."""
        structlog.contextvars.bind_contextvars(request_id=self._request_id)
        receive = cast(Receive, self.receive)
        try:
            await app(cast(Any, self.scope), patient(receive, body_timeout_s) if self.more_body else receive, self.send)
        except Exception as error:
            await self._fail(error)
        finally:
            if not self.response_complete:
                self.transport.close()
            scope = cast(HTTPScope, self.scope)
            count_answer(scope["method"], self._route, self._status, time.perf_counter() - self._started)
            # They lead back here. What refers to itself waits for the garbage collection, during which all others wait.
            cast(dict[str, Any], scope)["extensions"] = {}

    def leave(self) -> None:
        """The client has gone away."""
        self.disconnected = True
        if call := self._when_left:
            self._when_left = None
            call()

    async def send(self, message: Any) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            self._begin(message)
        else:
            self._go_on(message.get("body", b""), more=message.get("more_body", False))

    def pour(self, piece: bytes) -> bool:
        """See `Pour`."""
        if self.disconnected:
            return False
        self.transport.write(_chunk_of(piece))
        return not self.flow.write_paused

    async def poured(self) -> None:
        """See `Pour`."""
        await self.flow.drain()

    def _begin(self, message: Message) -> None:
        headers: list[tuple[bytes, bytes]] = list(cast(Any, message).get("headers", ()))
        status: int = cast(Any, message)["status"]
        told = dict(headers)
        length = told.get(b"content-length")
        self.chunked_encoding = length is None and status not in _BODILESS
        self.expected_content_length = int(length or 0)
        if self.chunked_encoding:
            headers.append((b"transfer-encoding", b"chunked"))
        if told.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append((b"connection", b"close"))
        missing = missing_of(told)
        security = _SECURITY_LINES if missing is SECURITY_HEADERS else b"".join(map(_line_of, missing))
        own = lines_of(status, (*self.default_headers, *headers))
        head = b"".join((*own, security, b"x-request-id: ", self._request_id.encode(), b"\r\n\r\n"))
        self._status, self.response_started = status, True
        if self.chunked_encoding:
            self.transport.write(head)
        else:
            self._head = head  # the body is there, or it would have no length

    def _go_on(self, body: bytes, *, more: bool) -> None:
        if self.chunked_encoding:
            piece = _chunk_of(body) if body else b""
            self.transport.write(piece if more else piece + b"0\r\n\r\n")
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0 or (self.expected_content_length and not more):
                raise RuntimeError("the body has another length than the headers say")
            self.transport.writelines((self._head, body))
            self._head = b""
        if not more:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()

    async def _fail(self, error: Exception) -> None:
        """Tell the client; if the answer has begun, a connection that breaks is the only way left."""
        if self.response_started:
            log.error("an answer broke off", path=cast(HTTPScope, self.scope)["path"], exc_info=error)
            return
        answer = told(error, cast(Any, self.scope))
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers_of(answer)})
        await self.send({"type": "http.response.body", "body": answer.body})

    def _call_when_left(self, call: Callable[[], None]) -> Callable[[], None]:
        if self.disconnected:
            call()
        else:
            self._when_left = call
        return self._take_back

    def _take_back(self) -> None:
        self._when_left = None


class _NobodyWaits:
    def set(self) -> None:
        """There is no task that waits for more of the request."""


_NOBODY_WAITS = _NobodyWaits()


def _named(scope: HTTPScope, route: str) -> str:
    """Give a request its id, and its place in the metrics."""
    request_id = new_id("req")
    scope["state"]["request_id"] = request_id
    cast(dict[str, Any], scope)["path_template"] = route
    return request_id
