"""
`python -m benchmarks.ai.upstream PORT`: a provider of OpenAI's chat dialect that costs next to nothing. A request whose
body holds `"stream":true` is answered with `FRAMES` words, the first at once and then one each `PACE_S`; each word
carries the time at which it was sent, in nanoseconds of the machine's steady clock, so that whoever gets it knows how
long it was on its way. A request with the header `x-mark: N` that asks for a model `m-…` other than `m-N` is answered
with 500.
"""

import asyncio
import re
import sys
import time
from typing import cast

import uvloop

from benchmarks.collaboration.processes import HOST

FRAMES, PACE_S = 150, 0.02
_TURNS = 20
"""Streams have their turns one after the other within `PACE_S`: a timer for each would cost more than its words."""
_ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"small","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello, world."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,'
    b'"completion_tokens":4,"total_tokens":13}}'
)
_MODELS = b'{"object":"list","data":[{"id":"small","object":"model","created":1,"owned_by":"bench"}]}'
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_WORD = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"small","choices":[{"index":0,'
    b'"delta":{"content":"t%d "},"finish_reason":null}]}\n\n'
)
_LAST = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"small","choices":[{"index":0,'
    b'"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"small","choices":[],"usage":'
    b'{"prompt_tokens":9,"completion_tokens":50,"total_tokens":59}}\n\ndata: [DONE]\n\n'
)
_ASKED = re.compile(rb'"model": ?"m-(\d+)"')
_MARK = re.compile(rb"\r\nx-mark: (\d+)")


def _whole(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _is_of_one_configuration(head: bytes, body: bytes) -> bool:
    asked, mark = _ASKED.search(body), _MARK.search(head)
    return asked is None or (mark is not None and mark[1] == asked[1])


class _Turns:
    """Has every stream send a word each `PACE_S`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._streams: list[set[_Provider]] = [set() for _ in range(_TURNS)]
        self._turn = 0
        self._due = self._loop.time()
        self._next()

    def add(self, stream: "_Provider") -> None:
        self._streams[self._turn % _TURNS].add(stream)

    def remove(self, stream: "_Provider") -> None:
        for each in self._streams:
            each.discard(stream)

    def _next(self) -> None:
        self._turn += 1
        for stream in tuple(self._streams[self._turn % _TURNS]):
            stream.word()
        self._due += PACE_S / _TURNS
        self._loop.call_at(self._due, self._next)


class _Provider(asyncio.Protocol):
    def __init__(self, turns: _Turns) -> None:
        self._turns = turns
        self._held = b""
        self._transport: asyncio.Transport | None = None
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._turns.remove(self)

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            found = head.find(b"content-length:")
            length = int(head[found + 15 :].split(b"\r\n", 1)[0]) if found >= 0 else 0
            if len(self._held) < end + 4 + length:
                return
            body, self._held = self._held[end + 4 : end + 4 + length], self._held[end + 4 + length :]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        assert self._transport
        if head.startswith(b"get "):
            self._transport.write(_whole(_MODELS))
        elif not _is_of_one_configuration(head, body):
            self._transport.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
        elif b'"stream":true' in body.replace(b" ", b""):
            self._transport.write(_STREAM_HEAD)
            self._left = FRAMES
            self._turns.add(self)
            self.word()
        else:
            self._transport.write(_whole(_ANSWER))

    def word(self) -> None:
        assert self._transport
        if self._left:
            self._left -= 1
            self._transport.write(_chunk(_WORD % time.perf_counter_ns()))
        else:
            self._turns.remove(self)
            self._transport.write(_chunk(_LAST) + b"0\r\n\r\n")


async def _serve(port: int) -> None:
    turns = _Turns()
    server = await asyncio.get_running_loop().create_server(lambda: _Provider(turns), HOST, port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
