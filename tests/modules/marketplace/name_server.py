"""A name server: real, on loopback, over UDP and TCP; says what a test wants, and lies when asked to."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Lie = Callable[[bytes], list[bytes]]


@dataclass(slots=True)
class NameServer:
    """
    Attributes:
        texts: TXT records by name.
        aliases: names that stand for others.
        lie: what goes over the wire instead of an answer.
        cuts: answers over UDP are truncated, as large ones are.
    """

    texts: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    lie: Lie | None = None
    cuts: bool = False
    code: int = 0
    port: int = 0
    asked: list[str] = field(default_factory=list[str])

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def answers_to(self, query: bytes, *, over_udp: bool) -> list[bytes]:
        name, end = _name_at(query, 12)
        self.asked.append(name)
        question = query[12 : end + 4]
        alias = self.aliases.get(name)
        records = [_record(5, _wire(alias))] if alias else []
        records += [_record(16, text) for text in self.texts.get(alias or name, [])]
        code = self.code or (0 if records else 3)
        if over_udp and self.cuts:
            return [query[:2] + struct.pack("!5H", 0x8380, 1, 0, 0, 0) + question]
        answer = query[:2] + struct.pack("!5H", 0x8180 | code, 1, len(records), 0, 0) + question + b"".join(records)
        return self.lie(answer) if self.lie else [answer]

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2))
        for answer in self.answers_to(await reader.readexactly(size), over_udp=False):
            writer.write(len(answer).to_bytes(2) + answer)
        await writer.drain()
        writer.close()


def text_record(*parts: bytes) -> bytes:
    return b"".join(bytes([len(part)]) + part for part in parts)


def _record(kind: int, data: bytes) -> bytes:
    return b"\xc0\x0c" + struct.pack("!2HIH", kind, 1, 60, len(data)) + data


def _wire(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _name_at(query: bytes, at: int) -> tuple[str, int]:
    labels: list[str] = []
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels), at + 1


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | bytes, int]) -> None:
        assert self._transport is not None
        for answer in self._server.answers_to(data, over_udp=True):
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def naming() -> AsyncGenerator[NameServer]:
    server = NameServer()
    streams = await asyncio.start_server(server.take, "127.0.0.1", 0)
    server.port = streams.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(server), local_addr=server.address
    )
    yield server
    transport.close()
    streams.close()
