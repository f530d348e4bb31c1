"""Somebody else's web server: real, on loopback, and says word for word what a test wants."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class WebServer:
    """
    Attributes:
        says: the whole answer, head and all, by path and query; None stands for silence. Others are not found.
        got: the heads of the requests, in order.
    """

    says: dict[str, bytes | None] = field(default_factory=dict[str, bytes | None])
    scheme: str = "http"
    port: int = 0
    got: list[str] = field(default_factory=list[str])
    is_endless: bool = False

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.got.append(head)
            answer = self.says.get(head.split(" ")[1], answer_of(b"", status="404 Not Found"))
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                while self.is_endless:
                    writer.write(answer.partition(b"\r\n\r\n")[2])
                    await writer.drain()
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller has heard enough
        finally:
            writer.close()


def answer_of(body: bytes, *, status: str = "200 OK", headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def redirect_to(url: str, status: str = "302 Found") -> bytes:
    return answer_of(b"", status=status, headers={"Location": url})


@asynccontextmanager
async def serving(
    says: Mapping[str, bytes | None] | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[WebServer]:
    web = WebServer(dict(says or {}), scheme="https" if tls else "http")
    server = await asyncio.start_server(web.take, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    yield web
    server.close()
