"""
WebSockets without tasks and queues: a handler is called with each message and writes ready-made frames.

One frame is encoded once and the same bytes go to every peer. Two transports drive the same handlers: `uvicorn`, the
fast one, and `asgi`, which works under any ASGI server; one conformance suite holds both.
"""

from opencode.infra.websocket.asgi import asgi_sockets
from opencode.infra.websocket.base import (
    Admission,
    Refusal,
    Socket,
    SocketHandler,
    SocketRoute,
    UpgradeRequest,
    problem_document,
    ticket_of,
    ticket_subprotocol,
)
from opencode.infra.websocket.frames import binary_frame, text_frame
from opencode.infra.websocket.uvicorn import SocketProtocol, socket_protocol

__all__ = [
    "Admission",
    "Refusal",
    "Socket",
    "SocketHandler",
    "SocketProtocol",
    "SocketRoute",
    "UpgradeRequest",
    "asgi_sockets",
    "binary_frame",
    "problem_document",
    "socket_protocol",
    "text_frame",
    "ticket_of",
    "ticket_subprotocol",
]
