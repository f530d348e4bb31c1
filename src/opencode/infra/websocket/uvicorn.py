"""
Sockets inside uvicorn, on its port, beside ASGI.

uvicorn hands an upgrade to a protocol class of our choice. This one reads the short frames of keystrokes by itself
and gives everything else (fragments, control frames, long or broken frames) to the sans-I/O protocol of `websockets`.
Paths that no route serves go on to uvicorn's own class. See docs/adr/0002.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

import structlog
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Protocol, Side, State
from websockets.server import ServerProtocol

from opencode.infra.observability import metrics
from opencode.infra.websocket.base import Admission, Refusal, SocketHandler, SocketRoute, UpgradeRequest
from opencode.infra.websocket.frames import PING, client_frame_bytes, read_keystroke, read_short_messages
from opencode.kernel.errors import OpenCodeError, Unavailable

log = structlog.get_logger(__name__)
_library_log = logging.getLogger("opencode.websocket")

HIGH_WATER_BYTES = 256 * 1024
LOW_WATER_BYTES = 64 * 1024
SWEEP_S = 10.0
SILENT_SWEEPS = 5
"""A peer that sent nothing, not even a pong, for so many sweeps is gone. Pings go out at every second one."""
CLOSE_TIMEOUT_S = 3.0
EARLY_BYTES = 64 * 1024
"""What a client may send before it is let in; it is kept until then."""
UNREAD_BYTES = 4 * 1024 * 1024
"""What a peer that does not read may have waiting while it goes on sending: pings are answered, messages may be."""
BAD_MESSAGES = 8
"""Text or empty messages that are overlooked before the socket is closed."""

FAIR_MESSAGES = 128
"""So many messages of one read are taken before the other sockets have their turn: one read may hold 12,000."""
FAIR_BYTES = 32 * 1024
"""The same for what the library reads."""

_DATA = (Opcode.BINARY, Opcode.TEXT, Opcode.CONT)


class SocketProtocol(asyncio.Protocol):
    """One connection. Made by uvicorn; `socket_protocol` binds it to routes."""

    __slots__ = (
        "_admitting",
        "_at_border",
        "_bad_messages",
        "_congested",
        "_connections",
        "_early",
        "_ended",
        "_fragments",
        "_give_up",
        "_handler",
        "_handshake",
        "_hear_text",
        "_held",
        "_is_text",
        "_passed_on",
        "_receive_at_once",
        "_silent_sweeps",
        "_takes_text",
        "_transport",
        "_unparsed",
        "_uvicorn",
        "_waits_for_turn",
        "_wire",
    )
    routes: tuple[SocketRoute, ...] = ()

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        self._uvicorn: dict[str, Any] = {"config": config, "server_state": server_state, "app_state": app_state}
        self._connections = server_state.connections
        self._handshake: ServerProtocol | None = ServerProtocol(extensions=[], logger=_library_log)
        self._wire: Protocol = self._handshake
        self._handler: SocketHandler | None = None
        self._early = b""
        self._hear_text: Callable[[str], None] | None = None
        self._fragments: list[bytes] | None = None
        self._is_text = False
        self._unparsed = 0
        self._at_border = True
        self._silent_sweeps = 0
        self._bad_messages = 0
        self._congested = False
        self._held = False
        self._waits_for_turn = False
        self._takes_text = False
        self._ended = False
        self._give_up: asyncio.TimerHandle | None = None
        self._admitting: asyncio.Task[None] | None = None
        self._passed_on: asyncio.Protocol | None = None
        # The handler's `received` while a keystroke may go there without a further question; see `_choose_way`.
        self._receive_at_once: Callable[[bytes], None] | None = None

    # --- what handlers use -------------------------------------------------------------------------------------

    def write(self, frame: bytes) -> None:
        if not self._ended:
            self._transport.write(frame)

    def close(self, code: int, reason: str) -> None:
        if self._ended:
            return
        self._end()
        try:
            self._wire.send_close(code, reason)
        except InvalidState:
            self._transport.close()
            return
        self._flush()

    def hold(self) -> None:
        if not self._ended:
            self._held = True
            self._transport.pause_reading()

    def go_on(self) -> None:
        # While the rest of a read waits for its turn, its turn goes on reading.
        if self._held and not self._waits_for_turn and not self._transport.is_closing():
            self._transport.resume_reading()
        self._held = False

    # --- what asyncio and uvicorn call -------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(HIGH_WATER_BYTES, LOW_WATER_BYTES)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._silent_sweeps = 0
        receive = self._receive_at_once
        if receive is not None and (message := read_keystroke(data)) is not None:
            try:
                receive(message)
            except Exception:
                self._blame_handler()
            return
        handler = self._handler
        if handler is None:
            self._receive_early(data)
            return
        if self._congested and self._transport.get_write_buffer_size() > UNREAD_BYTES:
            self._transport.abort()
            return
        if self._at_border and not self._ended:
            messages, taken = read_short_messages(data, FAIR_MESSAGES)
            for message in messages:
                self._give(handler, message)
            if taken == len(data):
                return
            data = data[taken:]
            if len(messages) == FAIR_MESSAGES:
                self._take_later(data)
                return
        self._feed(handler, data[:FAIR_BYTES])
        if len(data) > FAIR_BYTES:
            self._take_later(data[FAIR_BYTES:])

    def pause_writing(self) -> None:
        self._congested = True
        self._choose_way()
        if self._handler and not self._ended:
            self._guard(self._handler.congested)

    def resume_writing(self) -> None:
        self._congested = False
        self._choose_way()
        if self._handler and not self._ended:
            self._guard(self._handler.writable)

    def eof_received(self) -> None:
        self._wire.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._receive_at_once = None
        self._connections.discard(self)
        if self._give_up:
            self._give_up.cancel()
        if self._admitting:
            self._admitting.cancel()
        if self._handler:
            metrics.SOCKETS.dec()
            handler, self._handler = self._handler, None
            self._guard(handler.closed)

    def shutdown(self) -> None:
        """uvicorn calls this when the server stops."""
        self.close(1012, "The server restarts.")

    def sweep(self, *, ping: bool) -> None:
        """Called every `SWEEP_S` seconds for each connection: notices peers that are gone without a word."""
        # Whom we do not listen to is not silent; one that is gone is noticed by the ping.
        self._silent_sweeps += not self._held
        if self._silent_sweeps > SILENT_SWEEPS:
            self._transport.abort()
        elif ping and self._handler:
            self.write(PING)

    def _take_later(self, rest: bytes) -> None:
        """Let the other sockets have their turn; nothing more is read from this one until its rest is taken."""
        if self._transport.is_closing():
            return
        self._waits_for_turn = True
        self._transport.pause_reading()
        asyncio.get_running_loop().call_soon(self._take_rest, rest)

    def _take_rest(self, rest: bytes) -> None:
        self._waits_for_turn = False
        if self._handler and not self._transport.is_closing():
            if not self._held:
                self._transport.resume_reading()
            self.data_received(rest)

    # --- messages ----------------------------------------------------------------------------------------------

    def _feed(self, handler: SocketHandler, data: bytes) -> None:
        self._unparsed += len(data)
        self._wire.receive_data(data)
        for frame in self._wire.events_received():
            if isinstance(frame, Frame):
                self._unparsed -= client_frame_bytes(len(frame.data))
                self._take(handler, frame)
        self._flush()
        if self._wire.state is not State.OPEN and not self._ended:
            self._end()
        # While a frame is here in part, or a message in fragments, only the library knows where we are.
        self._at_border = self._unparsed == 0 and self._wire.current_size is None
        self._choose_way()

    def _choose_way(self) -> None:
        """Called when anything has changed of what decides whether a read may be taken for a message as it is."""
        handler = self._handler
        quick = self._at_border and not self._ended and not self._congested
        self._receive_at_once = handler.received if handler and quick else None

    def _take(self, handler: SocketHandler, frame: Frame) -> None:
        if self._ended or frame.opcode not in _DATA:
            return
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT and self._hear_text is not None
            wanted = self._is_text or frame.opcode is Opcode.BINARY or self._takes_text
            self._fragments = [] if wanted else None
        if self._fragments is not None and frame.data:
            self._fragments.append(bytes(frame.data))
        if not frame.fin:
            return
        parts, self._fragments = self._fragments, None
        message = b"".join(parts or ())
        if not message and not self._takes_text:
            self._overlook()
        elif self._is_text:
            self._give_text(message)
        else:
            self._give(handler, message)

    def _give(self, handler: SocketHandler, message: bytes) -> None:
        if self._ended:
            return
        try:
            handler.received(message)
        except Exception:
            self._blame_handler()

    def _give_text(self, message: bytes) -> None:
        if self._ended or self._hear_text is None:
            return
        try:
            text = message.decode()
        except UnicodeDecodeError:
            self.close(1007, "A text message must be UTF-8.")
            return
        try:
            self._hear_text(text)
        except Exception:
            self._blame_handler()

    def _blame_handler(self) -> None:
        """Called where the handler's exception was caught."""
        log.exception("socket handler failed")
        self.close(1011, "The server made a mistake with this message.")

    def _guard(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            log.exception("socket handler failed")
            self._transport.abort()

    def _end(self) -> None:
        """Nothing more is said or heard. A peer that never answers the goodbye does not keep the descriptor."""
        self.go_on()  # or the answer would not be heard
        self._ended = True
        self._receive_at_once = None
        self._give_up = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._transport.abort)

    def _overlook(self) -> None:
        self._bad_messages += 1
        if self._bad_messages > BAD_MESSAGES:
            self.close(1003, "Only binary messages of the document protocol are understood here.")

    def _flush(self) -> None:
        for data in self._wire.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()

    # --- the upgrade -------------------------------------------------------------------------------------------

    def _receive_early(self, data: bytes) -> None:
        if self._passed_on:
            self._passed_on.data_received(data)
            return
        if self._admitting:
            self._early += data
            if len(self._early) > EARLY_BYTES:
                self._transport.abort()
            return
        self._wire.receive_data(data)
        for request in self._wire.events_received():
            if isinstance(request, Request):
                self._upgrade(request, data)
                return
        self._flush()

    def _upgrade(self, request: Request, raw: bytes) -> None:
        path = unquote(request.path.partition("?")[0])
        route = next((route for route in self.routes if path.startswith(route.prefix)), None)
        if route is None:
            self._pass_on(raw)
            return
        self._admitting = asyncio.get_running_loop().create_task(self._admit(route, request))

    def _pass_on(self, raw: bytes) -> None:
        self._connections.discard(self)
        other = WebSocketsSansIOProtocol(**self._uvicorn)
        other.connection_made(self._transport)
        other.data_received(raw)
        self._passed_on = other
        # uvicorn makes us the transport's protocol right after this call.
        asyncio.get_running_loop().call_soon(self._transport.set_protocol, other)

    async def _admit(self, route: SocketRoute, request: Request) -> None:
        client = get_remote_addr(self._transport)
        path, _, query = request.path.partition("?")
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        upgrade = UpgradeRequest(
            path=unquote(path),
            query=dict(parse_qsl(query)),
            headers={name.lower(): value for name, value in request.headers.raw_items()},
            subprotocols=tuple(word.strip() for word in offered.split(",") if word.strip()),
            address=client[0] if client else "unknown",
        )
        try:
            admission = await route.admit(upgrade)
        except OpenCodeError as error:
            self._refuse(route.refuse(error))
            return
        except Exception:
            log.exception("socket admission failed", path=upgrade.path)
            error = Unavailable("The server could not open the socket.", action="Try again in a moment.")
            self._refuse(route.refuse(error))
            return
        if self._accept(request, admission) and not self._transport.is_closing():
            self._open(route, admission)
        else:
            self._guard(admission.handler.closed)

    def _accept(self, request: Request, admission: Admission) -> bool:
        """Answer the request. Returns whether the handshake is complete; the library may find fault with it."""
        assert self._handshake is not None, "a request is answered once"
        response = self._handshake.accept(request)
        if admission.subprotocol:
            response.headers["Sec-WebSocket-Protocol"] = admission.subprotocol
        self._handshake.send_response(response)
        self._flush()
        return response.status_code == 101

    def _open(self, route: SocketRoute, admission: Admission) -> None:
        # The handshake's protocol keeps the whole request for ever, some 3 KB a socket; frames need none of it.
        self._handshake = None
        self._admitting = None
        self._wire = Protocol(Side.SERVER, max_size=route.max_message_bytes, logger=_library_log)
        self._takes_text = route.takes_text
        metrics.SOCKETS.inc()
        handler = self._handler = admission.handler
        self._hear_text = admission.hear_text
        self._guard(lambda: handler.opened(self))
        self._choose_way()
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def _refuse(self, refusal: Refusal) -> None:
        head = [
            f"HTTP/1.1 {refusal.status} {refusal.title}",
            f"content-type: {refusal.media_type}",
            "cache-control: no-store",
            f"content-length: {len(refusal.body)}",
            "connection: close",
        ]
        if refusal.retry_after_s is not None:
            head.append(f"retry-after: {refusal.retry_after_s}")
        self._transport.write("\r\n".join(head).encode() + b"\r\n\r\n" + refusal.body)
        self._transport.close()


def socket_protocol(routes: tuple[SocketRoute, ...]) -> type[SocketProtocol]:
    """The class for uvicorn's `ws` setting that serves these routes."""
    return type("BoundSocketProtocol", (SocketProtocol,), {"routes": routes, "__slots__": ()})


async def sweep_sockets(connections: set[Any]) -> None:
    """
    Watch over all sockets of a server for ever; ends by cancellation.

    Args:
        connections: uvicorn's `server_state.connections`; what is not a socket of ours is left alone.
    """
    ping = False
    while True:
        await asyncio.sleep(SWEEP_S)
        ping = not ping
        _sweep_all(connections, ping=ping)


def _sweep_all(connections: set[Any], *, ping: bool) -> None:
    # A function of its own: what a loop has looked at last would otherwise stay alive until the next sweep.
    for connection in [each for each in connections if isinstance(each, SocketProtocol)]:
        connection.sweep(ping=ping)
