"""
Piston over HTTP, as an ASGI application of its own that the server mounts.

Nothing of this dialect is as in the rest of the API: a wrong method is 404, the content type is looked at before
anything else, and errors are `{"message": …}`. And a call that takes three milliseconds in all should not spend a
tenth of one in a framework.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from litestar.exceptions import HTTPException
from litestar.types import Receive, Scope, Send

from opencode.infra.http import credentials_of
from opencode.infra.http.requests import parse_json
from opencode.infra.observability import metrics
from opencode.kernel.errors import OpenCodeError, TooLarge
from opencode.modules.execution.policy import Visitor
from opencode.modules.execution.schemas.refusals import ErrorAnswer, refused

log = structlog.get_logger(__name__)

PREFIX = "/api/v2"
OTHER_PREFIX = "/piston"
"""Below the first one: the public Piston was reached through a proxy that had it."""
MAX_BODY_BYTES = 2 * 1024 * 1024
HANG_UP_S = 0.05
"""A client that hangs up within this time is not noticed before its run is over: most runs take less."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON, ready to be sent."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @classmethod
    def message(cls, status: int, message: str) -> "Answer":
        return cls(msgspec.json.encode(ErrorAnswer(message)), status)


class ClientGone(Exception):
    """Nobody is there to be answered."""


class Call:
    """One request."""

    __slots__ = ("_headers", "_receive", "_scope", "method")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self.method: str = scope["method"]  # type: ignore[typeddict-item]
        self._headers: dict[bytes, bytes] = dict(scope["headers"])

    def header(self, name: str) -> str | None:
        value = self._headers.get(name.encode())
        return None if value is None else value.decode("latin-1")

    def visitor(self) -> Visitor:
        client = self._scope.get("client")
        address = client[0] if client else "unknown"
        return Visitor(address, lambda: credentials_of(self.header, writes=self.method not in _READING))

    async def json(self) -> Any:
        """
        The body; an empty one is an empty object, as in Piston.

        Raises:
            Invalid: it is not JSON.
            TooLarge: it has more than `MAX_BODY_BYTES`.
            ClientGone: it did not come to its end.
        """
        raw = await self._body()
        return parse_json(raw) if raw else {}

    async def _body(self) -> bytes:
        if int(self._headers.get(b"content-length", b"0")) > MAX_BODY_BYTES:
            raise _too_large()
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientGone
            parts.append(message["body"])
            size += len(message["body"])
            if size > MAX_BODY_BYTES:
                raise _too_large()
            if not message["more_body"]:
                return b"".join(parts)

    @contextmanager
    def hanging_up(self, stop: Callable[[], Awaitable[object]]) -> Generator[None]:
        """While inside, after the body was read: a client that hangs up has `stop` called."""
        loop = asyncio.get_running_loop()
        watching: list[asyncio.Task[None]] = []

        async def watch() -> None:
            while (await self._receive())["type"] != "http.disconnect":
                pass
            await stop()

        timer = loop.call_later(HANG_UP_S, lambda: watching.append(loop.create_task(watch())))
        try:
            yield
        finally:
            timer.cancel()
            for task in watching:
                task.cancel()


Handler = Callable[[Call], Awaitable[Answer]]


class PistonApi:
    """
    The application.

    Args:
        handlers: by method and path, such as `("POST", "/execute")`. Both prefixes lead to the same.
    """

    def __init__(self, handlers: Mapping[tuple[str, str], Handler]) -> None:
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "There is no socket here."})
            return
        try:
            answer = await self._answer(Call(scope, receive), scope)
        except ClientGone:
            return
        except OpenCodeError as error:
            answer = _refusal(error)
        except HTTPException as error:  # the front door gave up on a body that did not come
            answer = Answer.message(error.status_code, "The body of the request did not arrive in time.")
        except Exception as error:
            answer = _fault(error, scope)
        length = str(len(answer.body)).encode()
        headers = [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", length),
            (b"cache-control", b"no-store"),
            *answer.headers,
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    async def _answer(self, call: Call, scope: Scope) -> Answer:
        path = _below_prefix(scope["path"].rstrip("/"))
        is_reading = call.method in _READING
        if not is_reading and not (call.header("content-type") or "").startswith("application/json"):
            return Answer.message(415, "requests must be of type application/json")
        handler = self._handlers.get(("GET" if call.method == "HEAD" else call.method, path))
        if handler is None:
            return self._without_handler(call, path)
        scope["path_template"] = PREFIX + path  # for the metrics
        return await handler(call)

    def _without_handler(self, call: Call, path: str) -> Answer:
        methods = [method for method, known in self._handlers if known == path]
        if call.method == "OPTIONS" and methods:
            return Answer(b"", headers=((b"allow", ", ".join(methods).encode()),))
        return Answer.message(404, "Not Found")


def _too_large() -> TooLarge:
    return TooLarge(f"The body of the request has more than {MAX_BODY_BYTES} bytes.", action="Send less.")


def _below_prefix(path: str) -> str:
    """The path without what the public Piston had before it; both prefixes lead to the same."""
    if path == OTHER_PREFIX or path.startswith(OTHER_PREFIX + "/"):
        path = path[len(OTHER_PREFIX) :]
    return path or "/"


def _refusal(error: OpenCodeError) -> Answer:
    refusal = refused(error)
    if refusal.retry_after_s is None:
        return Answer(refusal.body, refusal.status)
    return Answer(refusal.body, refusal.status, ((b"retry-after", str(refusal.retry_after_s).encode()),))


def _fault(error: Exception, scope: Scope) -> Answer:
    """A fault of ours: logged whole here, answered without its insides."""
    log.exception("request failed", path=scope["path"], exc_info=error)
    metrics.ERRORS.labels(route=scope.get("path_template") or "other").inc()
    request_id = scope["state"].get("request_id", "")
    return Answer.message(500, f"The server made a mistake. Tell the operator the request id {request_id}.")
