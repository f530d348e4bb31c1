"""
HTTP/1.1 inside uvicorn, with a short way for the calls that are asked thousands of times a second.

uvicorn makes a task for each request and tells an application of it by messages (ASGI). A direct call whose answer is
in memory, or follows from one thing that is under way, needs none of this: it is answered where its last line is read,
or where that thing is done, by one write. Everything else goes uvicorn's way. See docs/adr/0021.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast
from urllib.parse import unquote

import httptools
from litestar.types import HTTPScope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from opencode.infra.http.direct import Answer, Answering, FindDirect, Later, headers_of, told
from opencode.infra.http.marks import SECURITY_HEADERS, count_answer
from opencode.kernel.ids import new_id

_SECURITY_LINES = b"".join(b"%s: %s\r\n" % header for header in SECURITY_HEADERS)
_FORWARDED = (b"x-forwarded-for", b"x-forwarded-proto")


class HttpProtocol(HttpToolsProtocol):
    """One connection. Made by uvicorn; `http_protocol` binds it to calls."""

    calls: Sequence[FindDirect] = ()
    proxies: ProxyHeadersMiddleware

    def on_headers_complete(self) -> None:
        if self._is_unusual() or not self._answers_directly():
            super().on_headers_complete()

    def _is_unusual(self) -> bool:
        parser, cycle = cast(Any, self.parser), cast("RequestResponseCycle | _Exchange | None", self.cycle)
        lasts = parser.get_http_version() == "1.1" and parser.should_keep_alive() and not parser.should_upgrade()
        waits = cycle is not None and not cycle.response_complete
        # Who does not read what they have asked for is told no more until they do.
        return not lasts or waits or self.flow.write_paused or self.expect_100_continue or _has_body(self.headers)

    def _answers_directly(self) -> bool:
        """Answer, or see to it, if this is a direct call that need not wait; else leave it as it is."""
        scope = self._completed_scope()
        found = next((own for find in self.calls if (own := find(scope))), None)
        if found is None or not isinstance(found[1], Answering):
            return False
        exchange = _Exchange(scope, found[0])
        answer = found[1].now(scope)
        if answer is None:
            return False
        self.cycle = cast(Any, exchange)  # uvicorn asks it whether it is over, and tells it of the connection's end
        if isinstance(answer, Later):
            make = answer.make
            answer.after.add_done_callback(lambda after: self._answer_after(after, make, exchange))
        else:
            self._answer(answer, exchange)
        return True

    def _completed_scope(self) -> HTTPScope:
        """What uvicorn would tell an application (https://asgi.readthedocs.io/en/latest/specs/www.html)."""
        scope = cast(HTTPScope, self.scope)
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope["method"] = cast(Any, self.parser).get_method().decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        if any(name in _FORWARDED for name, _ in self.headers):
            _run(self.proxies(self.scope, _no_message, _no_message))
        return scope

    def _answer_after(self, after: "asyncio.Future[None]", make: Callable[[], Answer], exchange: "_Exchange") -> None:
        if after.cancelled() or self.transport.is_closing():
            self.transport.close()
            return
        try:
            answer = make()
        except Exception as error:
            answer = told(error, cast(Any, exchange.scope))
        self._answer(answer, exchange)

    def _answer(self, answer: Answer, exchange: "_Exchange") -> None:
        try:
            written = self._written(answer, exchange)
        except _HeaderBroken as error:
            answer = told(error, cast(Any, exchange.scope))
            written = self._written(answer, exchange)
        self.transport.write(written)
        exchange.response_complete = True
        if not exchange.keep_alive:
            self.transport.close()
        scope = exchange.scope
        count_answer(scope["method"], exchange.route, answer.status, time.perf_counter() - exchange.started)
        self.on_response_complete()

    def _written(self, answer: Answer, exchange: "_Exchange") -> bytes:
        own = headers_of(answer)
        own.append((b"x-request-id", exchange.request_id.encode()))
        if not exchange.keep_alive:
            own.append((b"connection", b"close"))
        pieces = [STATUS_LINE[answer.status]]
        for name, value in (*self.server_state.default_headers, *own):
            if b"\n" in value or b"\r" in value:
                raise _HeaderBroken(f"the header {name.decode()} holds the end of a line")
            pieces += (name, b": ", value, b"\r\n")
        return b"".join((*pieces, _SECURITY_LINES, b"\r\n", answer.body))


class _HeaderBroken(Exception):
    """Whoever wrote the rest of the line would write headers of their own."""


class _Exchange:
    """A direct call that is being answered, with all that uvicorn's protocol asks of one of its own."""

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
        self.request_id = new_id("req")
        scope["state"]["request_id"] = self.request_id
        cast(dict[str, Any], scope)["path_template"] = route
        self.disconnected = False
        self.keep_alive = True
        self.response_complete = False
        self.more_body = False
        self.message_event = _NOBODY_WAITS


class _NobodyWaits:
    def set(self) -> None:
        """There is no task that waits for more of the request."""


_NOBODY_WAITS = _NobodyWaits()


def http_protocol(calls: Sequence[FindDirect], proxy_addresses: str) -> type[HttpProtocol]:
    """
    The class for uvicorn's `http` setting that answers these calls.

    Args:
        proxy_addresses: whose X-Forwarded-For is believed; uvicorn's `forwarded_allow_ips`.
    """
    proxies = ProxyHeadersMiddleware(cast(Any, _nothing), proxy_addresses)
    return type("BoundHttpProtocol", (HttpProtocol,), {"calls": tuple(calls), "proxies": proxies})


def _has_body(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any((name == b"content-length" and value != b"0") or name == b"transfer-encoding" for name, value in headers)


async def _nothing(*_: object) -> None:
    """The application behind the middleware, which is only asked what it sees in the headers."""


async def _no_message(*_: object) -> Any:
    raise AssertionError("the middleware neither reads nor writes")


def _run(call: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing to its end."""
    try:
        call.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")
