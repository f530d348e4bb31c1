"""
The gateway's calls, at the addresses that clients of each dialect put behind their base URL, with each dialect's own
errors. They are answered without the framework: nothing in them is described by our own schemas, and thousands of
pieces of streams pass each second.
"""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import aclosing, contextmanager
from http import HTTPStatus
from typing import Any, cast

import structlog
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from opencode.infra.http import credentials_of
from opencode.infra.http.cycles import LEFT, POUR, Pour
from opencode.infra.observability import metrics
from opencode.kernel.errors import OpenCodeError
from opencode.kernel.principal import Credentials
from opencode.modules.ai.domain.dialects.canonical import Dialect, Failure, FailureKind
from opencode.modules.ai.domain.dialects.decoding import RequestNotUnderstoodError
from opencode.modules.ai.domain.dialects.failures import failure_of
from opencode.modules.ai.domain.dialects.speaking import LINES, write_failure
from opencode.modules.ai.domain.pulls import read_pull
from opencode.modules.ai.domain.refusals import failure_of_refusal
from opencode.modules.ai.errors import BodyTooLarge, NoSuchCall
from opencode.modules.ai.service.callers import Callers, Known
from opencode.modules.ai.service.calling import Streaming
from opencode.modules.ai.service.catalogues import Catalogues
from opencode.modules.ai.service.gateway import Gateway, GatewayFailed
from opencode.modules.ai.service.pulling import Pulling

log = structlog.get_logger(__name__)

PREFIX = "/ai/"
STALLED_S = 60.0
"""A client that has not taken a piece of its stream for so long, or up to twice as long, is taken for gone."""
_DOORS = ("/ai/v1", "/ai/anthropic", "/ai/ollama")
"""What clients take as their base URL. Whatever else begins so is a page for people."""
_ASKING: dict[str, Dialect] = {
    "/ai/v1/chat/completions": Dialect.OPENAI_CHAT,
    "/ai/v1/responses": Dialect.OPENAI_RESPONSES,
    "/ai/v1/embeddings": Dialect.OPENAI_EMBEDDINGS,
    "/ai/anthropic/v1/messages": Dialect.ANTHROPIC,
    "/ai/ollama/api/chat": Dialect.OLLAMA_CHAT,
    "/ai/ollama/api/generate": Dialect.OLLAMA_GENERATE,
    "/ai/ollama/api/embed": Dialect.OLLAMA_EMBED,
    "/ai/ollama/api/embeddings": Dialect.OLLAMA_EMBEDDINGS,
}
_PASSED_ON = (b"anthropic-beta", b"openai-beta")
"""Headers of clients that ask the provider for something; all others are between the client and us."""
_LISTS = frozenset({"/ai/v1/models", "/ai/anthropic/v1/models"})
_MODEL = re.compile(r"/ai/(?:anthropic/)?v1/models/(.+)")
_JSON = "application/json"
_MOST_HEADER = 2_000


Tell = Callable[[Known, bytes], bytes]
_Headers = Mapping[bytes, bytes]
_Answer = Callable[[HTTPScope, Receive, Send], Awaitable[None]]


class _ClientLeft(Exception):
    """The client went away before its request was whole."""


class GatewayCalls:
    """See `infra.http.direct.FindDirect`."""

    def __init__(
        self, callers: Callers, gateway: Gateway, catalogues: Catalogues, pulls: Pulling, most_bytes: int
    ) -> None:
        """Args: most_bytes: of a request."""
        self._callers = callers
        self._gateway = gateway
        self._catalogues = catalogues
        self._pulls = pulls
        self._most_bytes = most_bytes

    def find(self, scope: Scope) -> tuple[str, ASGIApp] | None:
        if scope["type"] != "http" or not scope["path"].startswith(_DOORS):
            return None
        path, method = scope["path"], scope["method"]
        if method == "POST" and (dialect := _ASKING.get(path)):
            return path, self._asking(dialect)
        if path == "/ai/ollama/api/pull" and method == "POST":
            return path, self._pulling()
        if path == "/ai/ollama/api/delete" and method == "DELETE":
            return path, self._deleting()
        return self._telling(path, method, scope)

    def _telling(self, path: str, method: str, scope: HTTPScope) -> tuple[str, ASGIApp]:
        """Calls for which no provider is asked."""
        dialect = _dialect_at(path)
        if path in _LISTS or _MODEL.fullmatch(path):
            # Both dialects have the same address for it.
            if b"anthropic-version" in dict(scope["headers"]):
                dialect = Dialect.ANTHROPIC
            name = found[1] if (found := _MODEL.fullmatch(path)) else ""
            where = path[: -len(name)] + "{model}" if name else path
            tell = self._catalogues.anthropic if dialect is Dialect.ANTHROPIC else self._catalogues.openai
            return where, self._answering(method, "GET", dialect, lambda known, _body: tell(known, name))
        catalogues = self._catalogues
        match path:
            case "/ai/ollama/api/tags":
                return path, self._answering(method, "GET", dialect, lambda known, _body: catalogues.ollama(known))
            case "/ai/anthropic/v1/messages/count_tokens":
                return path, self._answering(method, "POST", dialect, catalogues.anthropic_tokens)
            case "/ai/ollama/api/show":
                return path, self._answering(method, "POST", dialect, catalogues.ollama_model)
            case "/ai/ollama/api/version" | "/ai/ollama/":
                return path, self._answering(method, "GET", dialect, lambda _known, _body: catalogues.version())
            case _:
                return PREFIX, self._answering(method, "", dialect, lambda _known, _body: b"")

    def _answering(self, method: str, wanted: str, dialect: Dialect, tell: Tell) -> ASGIApp:
        async def answer(scope: HTTPScope, receive: Receive, send: Send) -> None:
            if method not in (wanted, "HEAD" if wanted == "GET" else wanted):
                raise NoSuchCall(method, scope["path"])
            headers = dict(scope["headers"])
            known = await self._callers.known(_shown(headers, method))
            body = await self._body(headers, receive) if wanted == "POST" else b""
            await _send(send, HTTPStatus.OK, _JSON, tell(known, body), [])

        return _guarded(dialect, answer)

    def _asking(self, dialect: Dialect) -> ASGIApp:
        async def answer(scope: HTTPScope, receive: Receive, send: Send) -> None:
            said = dict(scope["headers"])
            known = await self._callers.known(_shown(said, scope["method"]))
            body = await self._body(said, receive)
            with _Reader(scope, receive) as reader:
                reply = await self._gateway.answer(
                    dialect, body, known, _passed_on(said), may_be_kept=_may_be_kept(said)
                )
                headers = [(b"x-opencode-model", _printable(reply.model))]
                if reply.cache:
                    headers.append((b"x-opencode-cache", reply.cache.encode()))
                if reply.similarity is not None:
                    headers.append((b"x-opencode-cache-similarity", b"%.4f" % reply.similarity))
                if isinstance(reply.body, bytes):
                    await _send(send, HTTPStatus.OK, reply.media_type, reply.body, headers)
                    return
                try:
                    await send(_start(HTTPStatus.OK, reply.media_type, headers))
                    await _handed_on(reply.body, _extension(scope, POUR), send, reader)
                finally:
                    await reply.body.close()

        return _guarded(dialect, answer)

    def _pulling(self) -> ASGIApp:
        async def answer(scope: HTTPScope, receive: Receive, send: Send) -> None:
            headers = dict(scope["headers"])
            known = await self._callers.known(_shown(headers, scope["method"]))
            asked = read_pull(await self._body(headers, receive))
            with _Reader(scope, receive) as reader:
                async with aclosing(self._pulls.pull(asked, known.principal)) as pieces:
                    # What is refused is refused before the first piece: until then the status can still say so.
                    first = await anext(pieces, b"")
                    if not asked.stream:
                        last = b"".join([first, *[piece async for piece in pieces]]).strip().rpartition(b"\n")[2]
                        await _send(send, HTTPStatus.OK, _JSON, last, [])
                        return
                    await send(_start(HTTPStatus.OK, LINES, []))
                    await _stream(_chained(first, pieces), send, reader)

        return _guarded(Dialect.OLLAMA_CHAT, answer)

    def _deleting(self) -> ASGIApp:
        async def answer(scope: HTTPScope, receive: Receive, send: Send) -> None:
            headers = dict(scope["headers"])
            known = await self._callers.known(_shown(headers, scope["method"]))
            await self._pulls.delete(read_pull(await self._body(headers, receive)), known.principal)
            await _send(send, HTTPStatus.OK, _JSON, b"", [])

        return _guarded(Dialect.OLLAMA_CHAT, answer)

    async def _body(self, headers: _Headers, receive: Receive) -> bytes:
        """
        Raises:
            BodyTooLarge
        """
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > self._most_bytes:
            raise BodyTooLarge(self._most_bytes)
        pieces: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise _ClientLeft
            pieces.append(message["body"])
            size += len(message["body"])
            more = message.get("more_body", False)
            if size > self._most_bytes:
                raise BodyTooLarge(self._most_bytes)
        return b"".join(pieces)


class _Reader:
    """
    The client of a call. What is done within it is cut short when the client goes away, and so is what it asked of a
    provider. One that stays, and takes no piece of a stream any more, is as good as gone: it would hold a provider's
    place for ever.
    """

    def __init__(self, scope: HTTPScope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._work: asyncio.Task[Any] | None = None
        self._has_left = False
        self._waits = 0  # how often there was a wait until now
        self._waits_now = False
        self._looking: asyncio.TimerHandle | None = None

    def __enter__(self) -> "_Reader":
        self._work = asyncio.current_task()
        self._watched_no_more = _watched(self._scope, self._receive, self._cut_short)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        work, self._work = self._work, None
        self._watched_no_more()
        if work is None or not self._has_left or not isinstance(error, asyncio.CancelledError):
            return False
        return not work.uncancel()

    def _cut_short(self) -> None:
        if self._work:
            self._has_left = True
            self._work.cancel()

    @contextmanager
    def watched(self) -> Generator[None]:
        """Around a stream: it is cut short when nothing of it is taken."""
        self._look_later()
        try:
            yield
        finally:
            if self._looking:
                self._looking.cancel()
            self._looking = None

    def _look_later(self) -> None:
        wait = self._waits if self._waits_now else None
        self._looking = asyncio.get_running_loop().call_later(STALLED_S, self._look, wait)

    def _look(self, wait_before: int | None) -> None:
        if self._waits_now and self._waits == wait_before:
            self._cut_short()
        else:
            self._look_later()

    async def take(self, send: Send, piece: bytes) -> None:
        await self.waited(send({"type": "http.response.body", "body": piece, "more_body": True}))

    async def waited(self, taking: Awaitable[None]) -> None:
        self._waits += 1
        self._waits_now = True
        await taking
        self._waits_now = False


class _StreamBroke(Exception):
    """A stream cannot go on, by a fault of ours. A connection that breaks is no clean end, and tells the client so."""


async def _handed_on(body: Streaming, way: Pour | None, send: Send, reader: _Reader) -> None:
    if way is None:
        await _stream(body.pieces(), send, reader)
        return
    try:
        with reader.watched():
            while not await body.pour(way.pour):
                await reader.waited(way.poured())
    except Exception as error:
        raise _StreamBroke from error
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _stream(sent: AsyncGenerator[bytes], send: Send, reader: _Reader) -> None:
    try:
        with reader.watched():
            async with aclosing(sent) as pieces:
                async for piece in pieces:
                    await reader.take(send, piece)
    except Exception as error:
        raise _StreamBroke from error
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _chained(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _printable(text: str) -> bytes:
    """Where a provider has not listed its models, their names are what callers wrote."""
    plain = text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)
    return plain.encode("ascii", "replace")


def _dialect_at(path: str) -> Dialect:
    """In which errors are told there."""
    if path.startswith("/ai/anthropic/"):
        return Dialect.ANTHROPIC
    return Dialect.OLLAMA_CHAT if path.startswith("/ai/ollama/") else Dialect.OPENAI_CHAT


def _shown(headers: _Headers, method: str) -> Credentials:
    """
    What a client shows. Those of Anthropic send the key in a header of its own.

    Raises:
        Forbidden: a session's cookie came from another site.
    """
    if (key := headers.get(b"x-api-key")) and b"authorization" not in headers:
        return Credentials(bearer=key.decode("latin-1"))

    def header(name: str) -> str | None:
        value = headers.get(name.encode("latin-1"))
        return None if value is None else value.decode("latin-1")

    return credentials_of(header, writes=method not in ("GET", "HEAD"))


def _passed_on(headers: _Headers) -> dict[str, str]:
    return {
        name.decode("latin-1"): headers[name].decode("latin-1")
        for name in _PASSED_ON
        if name in headers and len(headers[name]) <= _MOST_HEADER
    }


def _may_be_kept(headers: _Headers) -> bool:
    """Clients opt out as they do with any cache (RFC 9111 §5.2.1)."""
    said = headers.get(b"cache-control", b"").lower()
    return b"no-store" not in said and b"no-cache" not in said


def _extension(scope: HTTPScope, name: str) -> Any:
    return cast(dict[str, Any], scope.get("extensions") or {}).get(name)


def _watched(scope: HTTPScope, receive: Receive, left: Callable[[], None]) -> Callable[[], object]:
    """Have it called when the client goes away. Returns what takes that back."""
    if call_when_left := _extension(scope, LEFT):
        return call_when_left(left)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left()

    return asyncio.create_task(watch()).cancel


def _guarded(dialect: Dialect, answer: _Answer) -> ASGIApp:
    """An application that tells whatever goes wrong in a dialect, and faults of ours without their insides."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        scope = cast(HTTPScope, scope)
        if dialect is Dialect.ANTHROPIC:
            send = _naming(_request_id(scope), send)
        tried = False
        try:
            await answer(scope, receive, send)
            return
        except _ClientLeft:
            return
        except _StreamBroke:
            raise
        except GatewayFailed as error:
            failure, tried = error.failure, error.tried
        except RequestNotUnderstoodError as error:
            failure = failure_of(error)
        except OpenCodeError as error:
            failure = failure_of_refusal(error)
        except HTTPException as error:
            slow = error.status_code == HTTPStatus.REQUEST_TIMEOUT
            failure = Failure(FailureKind.BAD_REQUEST, "The request did not arrive in time." if slow else error.detail)
        except Exception as error:
            failure = _fault(error, scope)
        await _fail(send, dialect, failure, tried=tried)

    return guarded


def _naming(request_id: str, send: Send) -> Send:
    """Tell a request's id also under the name by which clients of Anthropic look for it, and show it in errors."""

    async def send_named(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"request-id", request_id.encode())]}
        await send(message)

    return send_named


def _request_id(scope: HTTPScope) -> str:
    return str(scope["state"].get("request_id", ""))


def _fault(error: Exception, scope: HTTPScope) -> Failure:
    log.exception("AI call failed", path=scope["path"], exc_info=error)
    metrics.ERRORS.labels(route=str(scope.get("path_template", PREFIX))).inc()
    told = f"Something failed inside the server. If it stays, tell the operator the request id {_request_id(scope)}."
    return Failure(FailureKind.UPSTREAM_FAILED, told)


async def _fail(send: Send, dialect: Dialect, failure: Failure, *, tried: bool) -> None:
    status, body = write_failure(dialect, failure)
    headers: list[tuple[bytes, bytes]] = []
    if failure.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % math.ceil(failure.retry_after_s)))
    if tried:
        # Providers have been asked as often as makes sense; clients' own retries would multiply that.
        headers.append((b"x-should-retry", b"false"))
    await _send(send, status, _JSON, body, headers)


async def _send(send: Send, status: int, media_type: str, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send(_start(status, media_type, [*headers, length]))
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _start(status: int, media_type: str, headers: list[tuple[bytes, bytes]]) -> Message:
    told = [*headers, (b"content-type", media_type.encode("latin-1")), (b"cache-control", b"no-store")]
    return {"type": "http.response.start", "status": status, "headers": told}
