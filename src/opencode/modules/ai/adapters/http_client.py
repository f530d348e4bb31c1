"""
Calls over HTTP/1.1 on connections that are kept open: the way that every call of the gateway takes, and the pieces of
every stream. Parsing is llhttp's (`httptools`); there are no redirects, no proxies, no cookies and no decompression
here, so that nothing has to be switched off, and a key goes to the address that is called and to no other.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import cast
from urllib.parse import SplitResult, urlsplit

import httptools

from opencode.modules.ai.adapters.pacing import Pace

KEEP_ALIVE_S = 30.0
"""Connections that nobody has used for so long are closed: many servers close theirs after a minute."""
MOST_IDLE = 1_000
_MOST_HEAD_BYTES = 64 * 1024
_MOST_HELD_BYTES = 256 * 1024
"""Of an answer that is not read as fast as it comes; then the provider has to wait."""
_FINAL = 200
_FORBIDDEN = frozenset("\r\n\0")

Take = Callable[[bytes], bool]


class CallFailed(Exception):
    """A call over HTTP failed; its cause tells how where it could not be begun."""


class ConnectTimedOut(CallFailed):
    """Nobody took the connection in time."""


class NotConnected(CallFailed):
    """There is no connection; the cause is an `OSError`, of TLS as well."""


class AnswerTimedOut(CallFailed):
    """The next part of an answer did not come in time."""


class BrokeOff(CallFailed):
    """The connection ended before the answer did."""


class NotHttp(CallFailed):
    """What came is no answer of HTTP/1."""


class TooMuch(Exception):
    """An answer has more bytes than there is use for."""


class Response:
    """
    An answer that has begun.

    Attributes:
        status: of HTTP.
        headers: names in small letters; of several with one name the last.
        first_byte_s: from the request to the first byte of the answer.
    """

    def __init__(self, line: "_Line", status: int, headers: dict[str, str], first_byte_s: float) -> None:
        self.status = status
        self.headers = headers
        self.first_byte_s = first_byte_s
        self._line: _Line | None = line

    @property
    def media_type(self) -> str:
        """In small letters, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def piece(self, patience_s: float) -> bytes:
        """
        What has come of the body, as soon as something has; empty at its end.

        Raises:
            AnswerTimedOut, BrokeOff, NotHttp
        """
        return await self._line.piece(patience_s) if self._line else b""

    async def pour(self, take: Take, patience_s: float) -> bool:
        """
        Have each piece of the body taken in the moment in which it comes: what wakes up a task for each would take half
        of the time that a stream has. Returns whether the body came to its end; otherwise `take` wants no more for now.

        Args:
            take: is given a piece, and tells whether it can take more.
            patience_s: how long the next piece may take.

        Raises:
            AnswerTimedOut, BrokeOff, NotHttp
            Whatever `take` raises.
        """
        return await self._line.pour(take, patience_s) if self._line else True

    def close(self) -> None:
        """Done with it. Where the body has not come to its end, the connection is cut. Closed twice is as once."""
        line, self._line = self._line, None
        if line:
            line.let_go()


class Pool:
    """The connections to one address."""

    def __init__(self, address: str, *, connect_s: float, pace: Pace | None = None) -> None:
        """
        Args:
            address: `http://host:port` or `https://…`; what stands behind it does not matter.
            pace: of all streams, these among them.
        """
        self.pace = pace or Pace()
        self._parts: SplitResult = urlsplit(address)
        self._connect_s = connect_s
        self._idle: deque[_Line] = deque()
        self._is_closed = False
        self.host = self._parts.netloc

    async def call(self, head: bytes, body: bytes, patience_s: float) -> Response:
        """
        Send a request and wait until its answer begins. Cancelled, it cuts the connection.

        Args:
            head: as `head_of` makes it, without the end of the headers.

        Raises:
            CallFailed
        """
        request = b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)
        while True:
            line = self._kept()
            is_new = line is None
            if line is None:
                line = await self._connected()
            try:
                return await line.call(request, patience_s)
            except BrokeOff:
                # A server may close a connection in the very moment in which it is used again.
                if is_new or line.has_heard:
                    raise

    def close(self) -> None:
        """Close what nobody uses, and the rest as soon as nobody does."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().cut()

    def keep(self, line: "_Line") -> None:
        """A connection can be used again."""
        if self._is_closed or len(self._idle) >= MOST_IDLE:
            line.cut()
        else:
            self._idle.append(line)

    def forget(self, line: "_Line") -> None:
        """A connection has ended."""
        with suppress(ValueError):
            self._idle.remove(line)

    def _kept(self) -> "_Line | None":
        """The one that was used last, so that those that are not needed grow old."""
        now_s = time.monotonic()
        while self._idle and now_s - self._idle[0].idle_since_s > KEEP_ALIVE_S:
            self._idle.popleft().cut()
        return self._idle.pop() if self._idle else None

    async def _connected(self) -> "_Line":
        parts = self._parts
        secure = parts.scheme == "https"
        host = parts.hostname or ""
        try:
            async with asyncio.timeout(self._connect_s):
                _, line = await asyncio.get_running_loop().create_connection(
                    lambda: _Line(self),
                    host,
                    parts.port or (443 if secure else 80),
                    ssl=_trust() if secure else None,
                    server_hostname=host.rstrip(".") if secure else None,
                )
        except TimeoutError as error:
            raise ConnectTimedOut from error
        except (OSError, UnicodeError) as error:
            raise NotConnected from error
        return line


class _Line(asyncio.Protocol):
    """One connection, and the one call that is under way on it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._is_lost = False
        self._timer: asyncio.TimerHandle | None = None
        self._patient_until_s = 0.0
        self.idle_since_s = 0.0
        # One for all answers: a connection is used again only where the last one came to its end.
        self._parser = httptools.HttpResponseParser(self)
        self._begin()

    def _begin(self) -> None:
        self._status = 0
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._held = 0
        self._has_head = False
        self._is_over = False
        self._may_stay = False
        self._is_paused = False
        self._rests = False
        self._failure: CallFailed | None = None
        self._take: Take | None = None
        self._pour_patience_s = 0.0
        self._fault: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.has_heard = False

    async def call(self, request: bytes, patience_s: float) -> Response:
        self._begin()
        if self._is_lost:
            raise BrokeOff
        started = time.perf_counter()
        self._transport.write(request)
        try:
            while not self._has_head:
                await self._more(patience_s)
        except BaseException:
            self.cut()
            raise
        first_byte_s = time.perf_counter() - started
        return Response(self, self._status, self._headers, first_byte_s)

    async def piece(self, patience_s: float) -> bytes:
        while not self._pieces:
            if self._is_over:
                return b""
            await self._more(patience_s)
        return self._released()

    async def pour(self, take: Take, patience_s: float) -> bool:
        if self._pieces and not take(self._released()):
            return False
        self._take, self._pour_patience_s = take, patience_s
        self._pool.pace.begun()
        try:
            while self._is_pouring() and not self._is_over:
                await self._more(patience_s)
            if self._fault:
                raise self._fault
            return self._is_pouring()
        finally:
            self._take = None
            self._pool.pace.ended()

    def _is_pouring(self) -> bool:
        return self._take is not None

    def _released(self) -> bytes:
        piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return piece

    def _poured(self, take: Take) -> None:
        self._patient_until_s = self._loop.time() + self._pour_patience_s
        try:
            if not take(self._released()):
                self._take = None
        except Exception as error:
            self._fault, self._take = error, None

    def rest(self) -> None:
        """See `pacing.Reading`."""
        self._rests = True
        self._transport.pause_reading()

    def go_on(self) -> None:
        """See `pacing.Reading`."""
        if self._rests and not self._is_lost:
            self._rests = False
            self._transport.resume_reading()

    def let_go(self) -> None:
        if self._is_over and self._may_stay and not self._is_lost and not self._is_paused:
            self.idle_since_s = time.monotonic()
            self._pool.keep(self)
        else:
            self.cut()

    def cut(self) -> None:
        self._is_lost = True
        self._transport.abort()

    async def _more(self, patience_s: float) -> None:
        if self._failure:
            raise self._failure
        self.go_on()
        waiter = self._waiter = self._loop.create_future()
        self._wait_until(self._loop.time() + patience_s)
        try:
            await waiter
        finally:
            self._waiter = None

    def _wait_until(self, moment_s: float) -> None:
        """One timer serves all that is waited for: to make one for each piece would cost a tenth of the piece."""
        self._patient_until_s = moment_s
        if self._timer and self._timer.when() > moment_s:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(moment_s, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._patient_until_s:
            self._timer = self._loop.call_at(self._patient_until_s, self._look)
        else:
            self._waiter.set_exception(AnswerTimedOut())

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            if self._failure and not self._pieces:
                waiter.set_exception(self._failure)
            else:
                waiter.set_result(None)

    def _fail(self, failure: CallFailed) -> None:
        if not self._is_over:
            self._failure = self._failure or failure
        self._wake()

    # ------------------------------------------------------------------------------------------------- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.has_heard = True
        if self._is_over:
            # Nothing may come when nothing was asked.
            self._is_lost = True
            self._transport.abort()
            return
        if not self._has_head:
            self._held += len(data)
        is_http = self._is_http(data)
        if self._take and self._pieces:
            self._poured(self._take)
        if not is_http or (not self._has_head and self._held > _MOST_HEAD_BYTES):
            self._fail(NotHttp())
            self._transport.abort()
        elif self._take is None or self._is_over:
            if self._held > _MOST_HELD_BYTES and not self._is_paused and not self._is_over:
                self._is_paused = True
                self._transport.pause_reading()
            self._wake()
        else:
            self._pool.pace.has_read(self, len(data))

    def _is_http(self, data: bytes) -> bool:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, UnicodeDecodeError):
            return False
        return True

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._pool.forget(self)
        self._parser = cast(httptools.HttpResponseParser, None)  # it leads back here
        if self._has_head and exc is None and self._ends_with_the_connection():
            self._is_over = True
        self._fail(BrokeOff())

    def _ends_with_the_connection(self) -> bool:
        """RFC 9112 §6.3: without a length and without chunks the body goes on to the end of the connection."""
        return "content-length" not in self._headers and "transfer-encoding" not in self._headers

    # ----------------------------------------------------------------------------------- httptools.HttpResponseParser

    def on_message_begin(self) -> None:
        if self._is_over:
            # Whatever comes behind an answer is the answer to nothing.
            self._may_stay = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_head:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._has_head:
            return
        status = self._parser.get_status_code()
        if status < _FINAL:
            # An interim answer comes before the one that counts.
            self._headers = {}
        else:
            self._has_head, self._held, self._status = True, 0, status

    def on_body(self, data: bytes) -> None:
        if self._has_head and not self._is_over:
            self._pieces.append(data)
            self._held += len(data)

    def on_message_complete(self) -> None:
        if self._has_head and not self._is_over:
            self._is_over, self._may_stay = True, self._parser.should_keep_alive()


async def whole_of(piece: Callable[[], Awaitable[bytes]], most_bytes: int) -> bytes:
    """
    All pieces of a body.

    Args:
        piece: the next one; empty at the end.

    Raises:
        TooMuch: it has more bytes than that.
        Whatever `piece` raises.
    """
    pieces: list[bytes] = []
    size = 0
    while came := await piece():
        pieces.append(came)
        size += len(came)
        if size > most_bytes:
            raise TooMuch
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def head_of(pool: Pool, method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """
    The beginning of a request, which the end of the headers and the body follow.

    Raises:
        ValueError: a header cannot be sent: it holds the end of a line, or letters that HTTP does not have.
    """
    lines = [f"{method} {target} HTTP/1.1", f"host: {pool.host}", *(f"{name}: {headers[name]}" for name in headers)]
    if any(not _FORBIDDEN.isdisjoint(line) for line in lines):
        raise ValueError("a header holds the end of a line")
    return "\r\n".join([*lines, ""]).encode("latin-1")


@cache
def _trust() -> ssl.SSLContext:
    """Whom this machine trusts. It takes some 20 ms to read."""
    return ssl.create_default_context()
