"""
Sockets over a plain ASGI websocket scope: for servers that know nothing of `uvicorn.SocketProtocol`.

The same routes and handlers, at the price of two tasks and a queue a socket. Pings and silent peers are the server's
business here, and so is the goodbye (1012) when it stops.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import structlog

from opencode.infra.observability import metrics
from opencode.infra.websocket.base import Admission, Refusal, SocketRoute, UpgradeRequest
from opencode.infra.websocket.frames import is_text, payload_of
from opencode.infra.websocket.uvicorn import BAD_MESSAGES, CLOSE_TIMEOUT_S, HIGH_WATER_BYTES, LOW_WATER_BYTES
from opencode.kernel.errors import OpenCodeError, Unavailable

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def asgi_sockets(app: AsgiApp, routes: tuple[SocketRoute, ...]) -> AsgiApp:
    """An application that serves these routes and leaves everything else to `app`."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        route = None
        if scope["type"] == "websocket":
            route = next((route for route in routes if scope["path"].startswith(route.prefix)), None)
        if route is None:
            await app(scope, receive, send)
        else:
            await _serve_socket(route, scope, receive, send)

    return serve


async def _serve_socket(route: SocketRoute, scope: Scope, receive: Receive, send: Send) -> None:
    await receive()  # `websocket.connect`
    try:
        admission = await route.admit(_upgrade_of(scope))
    except OpenCodeError as error:
        await _refuse(route.refuse(error), scope, send)
        return
    except Exception:
        log.exception("socket admission failed", path=scope["path"])
        error = Unavailable("The server could not open the socket.", action="Try again in a moment.")
        await _refuse(route.refuse(error), scope, send)
        return
    socket = AsgiSocket(admission, receive, send, route)
    try:
        await send({"type": "websocket.accept", "subprotocol": admission.subprotocol})
        metrics.SOCKETS.inc()
        try:
            await socket.run()
        finally:
            metrics.SOCKETS.dec()
    finally:
        _guard(admission.handler.closed)


class AsgiSocket:
    """One open connection; implements `Socket`."""

    def __init__(self, admission: Admission, receive: Receive, send: Send, route: SocketRoute) -> None:
        self._handler = admission.handler
        self._hear_text = admission.hear_text
        self._receive = receive
        self._send = send
        self._route = route
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._news = asyncio.Event()
        self._ending: tuple[int, str] | None = None
        self._congested = False
        self._bad_messages = 0

    def write(self, frame: bytes) -> None:
        if self._ending:
            return
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        self._news.set()
        if self._queued_bytes > HIGH_WATER_BYTES and not self._congested:
            self._congested = True
            self._call(self._handler.congested)

    def close(self, code: int, reason: str) -> None:
        if self._ending is None:
            self._ending = (code, reason)
            self._news.set()

    def hold(self) -> None:
        self._may_read.clear()

    def go_on(self) -> None:
        self._may_read.set()

    async def run(self) -> None:
        """From the opening to the end of the connection, whoever ends it."""
        self._call(lambda: self._handler.opened(self))
        reading = asyncio.ensure_future(self._read())
        writing = asyncio.ensure_future(self._write())
        try:
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
            if self._ending:
                # A peer that does not take the goodbye does not keep the task.
                await asyncio.wait({writing}, timeout=CLOSE_TIMEOUT_S)
        finally:
            self._ending = self._ending or (1006, "")
            reading.cancel()
            writing.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)

    async def _read(self) -> None:
        while self._ending is None:
            await self._may_read.wait()
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            payload: bytes | str | None = message.get("bytes")
            if payload is None:
                payload = message.get("text")
            if self._route.takes_text:
                payload = payload.encode() if isinstance(payload, str) else payload or b""
            self._take(payload)

    def _take(self, message: bytes | str | None) -> None:
        if self._ending:
            return
        hear_text = self._hear_text
        if (not message and not self._route.takes_text) or (isinstance(message, str) and hear_text is None):
            self._bad_messages += 1
            if self._bad_messages > BAD_MESSAGES:
                self.close(1003, "Only binary messages of the document protocol are understood here.")
        elif message is not None and len(message) > self._route.max_message_bytes:
            self.close(1009, f"A message may have {self._route.max_message_bytes} bytes.")
        elif isinstance(message, bytes):
            self._call(lambda: self._handler.received(message))
        elif hear_text and message is not None:
            self._call(lambda: hear_text(message))

    async def _write(self) -> None:
        while True:
            while self._queue:
                frame = self._queue.popleft()
                payload = payload_of(frame)
                content = {"text": payload.decode()} if is_text(frame) else {"bytes": payload}
                await self._send({"type": "websocket.send", **content})
                self._queued_bytes -= len(frame)
                if self._congested and self._queued_bytes <= LOW_WATER_BYTES:
                    self._congested = False
                    self._call(self._handler.writable)
            if self._ending:
                code, reason = self._ending
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return
            self._news.clear()
            await self._news.wait()

    def _call(self, call: Callable[[], None]) -> None:
        if not _guard(call):
            self.close(1011, "The server made a mistake with this message.")


def _guard(call: Callable[[], None]) -> bool:
    try:
        call()
    except Exception:
        log.exception("socket handler failed")
        return False
    return True


def _upgrade_of(scope: Scope) -> UpgradeRequest:
    client = scope.get("client")
    return UpgradeRequest(
        path=scope["path"],
        query=dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"))),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        subprotocols=tuple(scope.get("subprotocols", ())),
        address=client[0] if client else "unknown",
    )


async def _refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.title})
        return
    headers = [(b"content-type", refusal.media_type.encode()), (b"cache-control", b"no-store")]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", str(refusal.retry_after_s).encode()))
    start = {"type": "websocket.http.response.start", "status": refusal.status, "headers": headers}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": refusal.body})
