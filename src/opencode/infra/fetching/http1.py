"""
One call over HTTP/1.1, on asyncio's own streams.

By hand, for calls where it matters to what address the connection goes, how long everything takes and how much of an
answer is read. There are no redirects, no proxies and no decompression here, so nothing has to be switched off.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult

LONGEST_LINE = 8 * 1024
_MOST_HEADERS = 100
_MOST_HEAD_BYTES = 64 * 1024
_MOST_INTERIM_ANSWERS = 4
_READ_BYTES = 64 * 1024
_TOO_MUCH = 2**63
_HEX = frozenset(b"0123456789abcdefABCDEF")


class NotHttp(Exception):
    """What came is no answer of HTTP/1, has more bytes than allowed, or broke off. The message says which."""


class TooMuch(NotHttp):
    """The body of the answer has more bytes than are read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` have names in small letters; of several with one name the last is there."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def port_of(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


@asynccontextmanager
async def connection(
    parts: SplitResult, *, to: Sequence[str] = (), tls: ssl.SSLContext | None = None
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """
    A connection to where a URL leads, over TLS for `https`. It is cut when left: nobody waits for a farewell.

    Args:
        to: addresses of the URL's host that were chosen before, tried in turn; the name is kept for TLS.
        tls: whom to trust; by default whom this machine trusts.
    """
    host = parts.hostname or ""
    trust = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
    reader, writer = await _open(to or [host], port_of(parts), host, trust)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _open(
    places: Sequence[str], port: int, host: str, trust: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    name = host.rstrip(".") if trust else None
    for place in places[:-1]:
        with suppress(OSError):
            return await asyncio.open_connection(place, port, ssl=trust, server_hostname=name, limit=LONGEST_LINE)
    return await asyncio.open_connection(places[-1], port, ssl=trust, server_hostname=name, limit=LONGEST_LINE)


def request(method: str, parts: SplitResult, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """
    A request as it is sent.

    Raises:
        UnicodeEncodeError: something in it is not ASCII.
    """
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


async def read_status(reader: asyncio.StreamReader) -> int:
    """
    Raises:
        NotHttp: this is no answer of HTTP/1.
        ValueError: its first line has no end.
    """
    words = (await reader.readline()).split(maxsplit=2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not (words[1].isdigit() and len(words[1]) == 3):
        raise NotHttp("the answer is not HTTP")
    return int(words[1])


async def read_answer(reader: asyncio.StreamReader, most_bytes: int) -> Answer:
    """
    Read a whole answer, but no more of its body than `most_bytes`.

    Raises:
        NotHttp
    """
    try:
        for _ in range(_MOST_INTERIM_ANSWERS):
            status = await read_status(reader)
            headers = await _read_headers(reader)
            if status >= 200:
                return Answer(status, headers, await _read_body(reader, headers, most_bytes))
    except asyncio.IncompleteReadError:
        raise NotHttp("the answer broke off") from None
    except ValueError:  # what `readline` says of a line that is too long
        raise NotHttp("the answer is not HTTP") from None
    raise NotHttp("the answer does not come to its point")


async def read_beginning(reader: asyncio.StreamReader, most_bytes: int, into: bytearray) -> None:
    """
    Read the headers after `read_status`, and no more of the body than `most_bytes`. What came before something went
    wrong is in `into`.

    Raises:
        NotHttp
        asyncio.IncompleteReadError, ValueError: the answer broke off, or has a line without an end.
    """
    headers = await _read_headers(reader)
    chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    length = headers.get("content-length")
    left = _TOO_MUCH if length is None else _size(length.encode(), 10)
    while len(into) < most_bytes:
        if chunked and (left := _size((await reader.readline()).partition(b";")[0].strip(), 16)) == 0:
            return
        while left and len(into) < most_bytes:
            piece = await reader.read(min(left, most_bytes - len(into)))
            if not piece:
                return
            into += piece
            left -= len(piece)
        if not chunked:
            return
        await reader.readline()


async def _read_headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    head_bytes = 0
    for _ in range(_MOST_HEADERS):
        line = await reader.readline()
        head_bytes += len(line)
        if head_bytes > _MOST_HEAD_BYTES:
            raise NotHttp(f"the answer has more than {_MOST_HEAD_BYTES} bytes of headers")
        if not line.endswith(b"\n"):
            raise NotHttp("the answer broke off")
        if not line.strip():
            return headers
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    raise NotHttp(f"the answer has more than {_MOST_HEADERS} headers")


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str], most_bytes: int) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader, most_bytes)
    length = headers.get("content-length")
    if length is not None:
        size = _size(length.encode(), 10)
        if size > most_bytes:
            raise _too_much(most_bytes)
        return await reader.readexactly(size)
    body = bytearray()
    while piece := await reader.read(_READ_BYTES):
        body += piece
        if len(body) > most_bytes:
            raise _too_much(most_bytes)
    return bytes(body)


async def _read_chunks(reader: asyncio.StreamReader, most_bytes: int) -> bytes:
    body = bytearray()
    while True:
        size = _size((await reader.readline()).partition(b";")[0].strip(), 16)
        if len(body) + size > most_bytes:
            raise _too_much(most_bytes)
        if not size:
            return bytes(body)  # what may follow, trailers, is of no use to anybody
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise NotHttp("the answer is not HTTP")


def _size(digits: bytes, base: int) -> int:
    # `int` takes signs, blanks and underscores, too.
    if not digits or not (set(digits) <= _HEX if base == 16 else digits.isdigit()):
        raise NotHttp("the answer is not HTTP")
    # More digits than this are too much in any case, and `int` refuses thousands of them.
    return int(digits, base) if len(digits) < 20 else _TOO_MUCH


def _too_much(most_bytes: int) -> TooMuch:
    return TooMuch(f"the answer has more than the {most_bytes} bytes that are read")
