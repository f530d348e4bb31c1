"""
HTTP/1.1 inside uvicorn, with a short way for the calls that are asked thousands of times a second.

uvicorn makes a task for each request and tells an application of it by messages (ASGI). A direct call whose answer is
in memory, or follows from one thing that is under way, needs none of this: it is answered where its last line is read,
or where that thing is done, by one write. One that has more to do gets a task and its application, and nothing in
between. Everything else goes uvicorn's way. See docs/adr/0021.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast
from urllib.parse import unquote

import httptools
from litestar.types import ASGIApp, HTTPScope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from opencode.infra.http.cycles import Spoken, Told
from opencode.infra.http.direct import Answer, Answering, FindDirect, Later, told

_FORWARDED = (b"x-forwarded-for", b"x-forwarded-proto")


class HttpProtocol(HttpToolsProtocol):
    """One connection. Made by uvicorn; `http_protocol` binds it to calls."""

    calls: Sequence[FindDirect] = ()
    body_timeout_s: float
    proxies: ProxyHeadersMiddleware
    _spoken: Spoken | None = None
    _rests_until_s: float | None = None

    def on_headers_complete(self) -> None:
        if self._is_unusual() or not self._goes_the_short_way():
            super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._spoken:
            self._spoken.leave()
        # Each of them leads back here.
        self._spoken = self.cycle = cast(Any, None)
        if self.timeout_keep_alive_task:
            self.timeout_keep_alive_task.cancel()

    def on_response_complete(self) -> None:
        """As uvicorn's own, but with one timer for a connection: to make one for each request costs 3 microseconds."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._rests_until_s = self.loop.time() + self.timeout_keep_alive
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_at(self._rests_until_s, self._look_whether_it_rests)

    def _unset_keepalive_if_required(self) -> None:
        self._rests_until_s = None

    def _look_whether_it_rests(self) -> None:
        self.timeout_keep_alive_task = None
        if self._rests_until_s is None:
            return
        if self.loop.time() < self._rests_until_s:
            self.timeout_keep_alive_task = self.loop.call_at(self._rests_until_s, self._look_whether_it_rests)
        else:
            self.timeout_keep_alive_handler()

    def _is_unusual(self) -> bool:
        parser, cycle = cast(Any, self.parser), cast("RequestResponseCycle | Told | None", self.cycle)
        lasts = parser.get_http_version() == "1.1" and parser.should_keep_alive() and not parser.should_upgrade()
        waits = cycle is not None and not cycle.response_complete
        # Who does not read what they have asked for is told no more until they do.
        return not lasts or waits or self.flow.write_paused or self.expect_100_continue

    def _goes_the_short_way(self) -> bool:
        """Answer, or see to it, if this is a direct call; else leave it as it is."""
        scope = self._completed_scope()
        found = next((own for find in self.calls if (own := find(scope))), None)
        if found is None or scope["method"] == "HEAD":
            return False
        route, app = found
        if isinstance(app, Answering):
            return not _has_body(self.headers) and self._tells(scope, route, app)
        self._speaks(scope, route, app)
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

    def _speaks(self, scope: HTTPScope, route: str, app: ASGIApp) -> None:
        cycle = self.cycle = self._spoken = Spoken(
            scope,
            route,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            default_headers=self.server_state.default_headers,
            on_response=self.on_response_complete,
        )
        task = self.loop.create_task(cycle.run(app, self.body_timeout_s))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _tells(self, scope: HTTPScope, route: str, app: Answering) -> bool:
        cycle = Told(scope, route)
        answer = app.now(scope)
        if answer is None:
            return False
        self.cycle = cast(Any, cycle)  # uvicorn asks it whether it is over, and tells it of the connection's end
        if isinstance(answer, Later):
            make = answer.make
            answer.after.add_done_callback(lambda after: self._tell_after(after, make, cycle))
        else:
            self._tell(answer, cycle)
        return True

    def _tell_after(self, after: "asyncio.Future[None]", make: Callable[[], Answer], cycle: Told) -> None:
        if after.cancelled() or self.transport.is_closing():
            self.transport.close()
            return
        try:
            answer = make()
        except Exception as error:
            answer = told(error, cast(Any, cycle.scope))
        self._tell(answer, cycle)

    def _tell(self, answer: Answer, cycle: Told) -> None:
        self.transport.write(cycle.over(answer, self.server_state.default_headers))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()


def http_protocol(calls: Sequence[FindDirect], *, proxy_addresses: str, body_timeout_s: float) -> type[HttpProtocol]:
    """
    The class for uvicorn's `http` setting that answers these calls.

    Args:
        proxy_addresses: whose X-Forwarded-For is believed; uvicorn's `forwarded_allow_ips`.
        body_timeout_s: what `patient` gives the body of a request.
    """
    proxies = ProxyHeadersMiddleware(cast(Any, _nothing), proxy_addresses)
    bound = {"calls": tuple(calls), "proxies": proxies, "body_timeout_s": body_timeout_s}
    return type("BoundHttpProtocol", (HttpProtocol,), bound)


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
