"""
`ocp ai mock`: a provider of models to try things with, where there is no model. It speaks the three dialects, has one
model that repeats what it is told, and listens on loopback only.
"""

import asyncio
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from litestar.types import HTTPScope, Message, Receive, Scope, Send

from opencode import __version__
from opencode.app.orderly_server import OrderlyServer
from opencode.kernel.ids import new_id
from opencode.modules.ai.domain.dialects.canonical import (
    Began,
    ChatAnswer,
    ChatRequest,
    Dialect,
    Event,
    Failure,
    FailureKind,
    Finished,
    FinishReason,
    Role,
    Text,
    TextDelta,
    Usage,
)
from opencode.modules.ai.domain.dialects.decoding import CannotBeSaidError, RequestNotUnderstoodError
from opencode.modules.ai.domain.dialects.failures import failure_of
from opencode.modules.ai.domain.dialects.speaking import CLIENTS, write_failure
from opencode.modules.ai.domain.dialects.streaming import Collector

HOST = "127.0.0.1"
MODEL = "parrot"
MOST_BYTES = 32 * 1024 * 1024
MOST_REPEATED = 2_000
"""Characters of a question that are said again."""
MOST_WORDS, MOST_ENTRIES = 12, 3
"""Of a question, in texts and in lists of JSON that has a schema."""
STOP_S = 1

_CHATS = {
    "/v1/chat/completions": Dialect.OPENAI_CHAT,
    "/v1/responses": Dialect.OPENAI_RESPONSES,
    "/v1/messages": Dialect.ANTHROPIC,
    "/api/chat": Dialect.OLLAMA_CHAT,
    "/api/generate": Dialect.OLLAMA_GENERATE,
}
_WORD = re.compile(r"\s*\S+\s*")
_GREETING = "Hello! I am the parrot that comes with OpenCode, and I only repeat what I am told."
_SILENCE = "You have said nothing yet."
_JSON = "application/json"
_CREATED_AT = "2026-01-01T00:00:00Z"


def answer_to(request: ChatRequest) -> str:
    """What the parrot says: the last words of the user again, as JSON where that is wanted."""
    asked = [message for message in request.messages if message.role is Role.USER]
    parts = asked[-1].parts if asked else ()
    question = " ".join(part.text for part in parts if isinstance(part, Text)).strip()[:MOST_REPEATED]
    if request.format:
        properties = (request.format.schema or {}).get("properties")
        said = _filled(properties, question) if isinstance(properties, dict) else {"you_said": question}
        return json.dumps(said, ensure_ascii=False)
    return f"{_GREETING} You said: {question}" if question else f"{_GREETING} {_SILENCE}"


def _filled(properties: dict[str, Any], question: str) -> dict[str, Any]:
    """An object with these properties, as far as they are texts or lists of texts, made of the question's words."""
    words = re.findall(r"[^\W\d_]+", question)
    said: dict[str, Any] = {}
    for name, schema in properties.items():
        kind = schema.get("type") if isinstance(schema, dict) else None
        if kind == "string":
            said[name] = " ".join(words[:MOST_WORDS])
        elif kind == "array":
            said[name] = [word.lower() for word in words[:MOST_ENTRIES]]
    return said


async def _events(request: ChatRequest, pause_s: float) -> AsyncIterator[Event]:
    words = _WORD.findall(answer_to(request))
    told = [part.text for message in request.messages for part in message.parts if isinstance(part, Text)]
    question = sum(len(text.split()) for text in (request.system, *told))
    most = len(words) if request.max_tokens is None else min(len(words), max(request.max_tokens, 0))
    yield Began(new_id("ans"), request.model, int(time.time()), Usage(question))
    for word in words[:most]:
        await asyncio.sleep(pause_s)
        yield TextDelta(word)
    yield Finished(FinishReason.LENGTH if most < len(words) else FinishReason.STOP, Usage(question, most))


class MockProvider:
    """
    The provider, as an application.

    Args:
        pause_s: before each word of a stream.
    """

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if method == "POST" and (dialect := _CHATS.get(path)):
            await self._chat(dialect, receive, send)
            return
        told = _told(path, scope)
        await _send(send, 404 if told is None else 200, _encoded(told or {"error": f"There is no {method} {path}."}))

    async def _chat(self, dialect: Dialect, receive: Receive, send: Send) -> None:
        client = CLIENTS[dialect]
        body = await _body(receive)
        if body is None:
            too_large = Failure(FailureKind.TOO_LARGE, f"A request may have {MOST_BYTES:,} bytes.")
            await _send(send, *write_failure(dialect, too_large))
            return
        try:
            request = client.read(body)
        except (RequestNotUnderstoodError, CannotBeSaidError) as error:
            await _send(send, *write_failure(dialect, failure_of(error)))
            return
        if not request.stream:
            await _send(send, 200, client.write_answer(await _whole(request)))
            return
        writer = client.writer(request.wants_usage)
        await send(_start(200, client.stream_type))
        async for event in _events(request, self._pause_s):
            await send({"type": "http.response.body", "body": writer.write(event), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _whole(request: ChatRequest) -> ChatAnswer:
    collector = Collector()
    async for event in _events(request, 0):
        if isinstance(answer := collector.add(event), ChatAnswer):
            return answer
    raise AssertionError("The last event makes the answer whole.")  # pragma: no cover


def _told(path: str, scope: HTTPScope) -> object:
    """What is told without a question: the model, as each dialect lists it."""
    match path:
        case "/v1/models" if b"anthropic-version" in dict(scope["headers"]):
            model = {"type": "model", "id": MODEL, "display_name": MODEL, "created_at": _CREATED_AT}
            return {"data": [model], "has_more": False, "first_id": MODEL, "last_id": MODEL}
        case "/v1/models":
            return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "opencode"}]}
        case "/api/tags":
            return {"models": [{"name": MODEL, "model": MODEL, "digest": "", "size": 0, "modified_at": _CREATED_AT}]}
        case "/api/show":
            return {"capabilities": ["completion"], "model_info": {"general.architecture": MODEL}, "details": {}}
        case "/api/version":
            return {"version": __version__}
        case _:
            return None


async def _body(receive: Receive) -> bytes | None:
    """None for one that is too large."""
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        pieces.append(message["body"])
        size += len(message["body"])
        more = message.get("more_body", False)
        if size > MOST_BYTES:
            return None
    return b"".join(pieces)


async def _send(send: Send, status: int, body: bytes) -> None:
    await send(_start(status, _JSON, len(body)))
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _start(status: int, media_type: str, length: int | None = None) -> Message:
    headers = [(b"content-type", media_type.encode())]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    return {"type": "http.response.start", "status": status, "headers": headers}


def _encoded(told: object) -> bytes:
    return json.dumps(told).encode()


class _Server(OrderlyServer):
    def __init__(self, config: uvicorn.Config, tell: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell()


def listen(port: int) -> socket.socket:
    """
    A place on loopback for `serve`.

    Raises:
        OSError: the port is taken, or may not be.
    """
    return socket.create_server((HOST, port), backlog=256)


def serve(listening: socket.socket, pause_s: float, tell: Callable[[], None]) -> None:
    """Answer until SIGTERM or SIGINT, and `tell` when it begins."""
    config = uvicorn.Config(
        MockProvider(pause_s),  # pyright: ignore[reportArgumentType]
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )
    _Server(config, tell).run(sockets=[listening])
