"""A client that costs next to nothing: one connection, requests that are encoded before the clock starts."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.collaboration.processes import HOST

Json = dict[str, Any]


class RequestFailed(Exception):
    """The answer was not the one that the measurement needs."""


def encoded(method: str, path: str, body: Json | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """A request on the wire."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(content)}"]
    lines += [
        f"{name}: {value}" for name, value in ({"Content-Type": "application/json"} | dict(headers or {})).items()
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass
class Connection:
    """
    One connection that is kept open.

    Attributes:
        head: of the last answer, as it came.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes = b""

    async def ask(self, request: bytes) -> Json:
        """
        Send a request, and read its answer.

        Raises:
            RequestFailed: it is not a success.
        """
        self.writer.write(request)
        head = self.head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-le")
        )
        content = await self.reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 2"):
            raise RequestFailed(f"{head[:40]!r} {content[:300]!r}")
        return json.loads(content)


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[Connection]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
