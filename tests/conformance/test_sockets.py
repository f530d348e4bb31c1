"""One suite for both socket transports, on real loopback connections."""

import asyncio
import json
import os
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from opencode.infra.websocket import (
    Admission,
    Refusal,
    Socket,
    SocketRoute,
    UpgradeRequest,
    asgi_sockets,
    binary_frame,
    socket_protocol,
    text_frame,
)
from opencode.infra.websocket import uvicorn as fast
from opencode.kernel.errors import Busy, OpenCodeError, Unauthenticated
from tests.servers import QuietServer, serving

MAX_MESSAGE = 256 * 1024
PATIENCE_S = 20.0


@dataclass(slots=True, eq=False)
class Handler:
    """Echoes, and remembers what happened to it."""

    request: UpgradeRequest
    events: list[str] = field(default_factory=list[str])
    messages: list[bytes] = field(default_factory=list[bytes])
    socket: Socket | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def opened(self, socket: Socket) -> None:
        self.socket = socket
        self._note("opened")
        if "greet" in self.request.query:
            socket.write(binary_frame(b"hello"))
        if "fail-opening" in self.request.query:
            raise RuntimeError("this handler fails when it opens")

    def received(self, message: bytes) -> None:
        assert self.socket
        self.messages.append(message)
        if message == b"fail":
            raise RuntimeError("this handler fails on purpose")
        if message.startswith(b"close "):
            self.socket.close(int(message[6:]), "as you wish")
        elif message == b"hold":
            self.socket.hold()
        elif message == b"hold and close":
            self.socket.hold()
            self.socket.close(4401, "held")
        elif "text" in self.request.query:
            self.socket.write(text_frame(message))
        elif message.startswith(b"flood "):
            for _ in range(int(message[6:])):
                self.socket.write(binary_frame(b"x" * 65_000))
        else:
            self.socket.write(binary_frame(message))
        self._note("received")

    def heard(self, text: str) -> None:
        assert self.socket
        if text == "fail":
            raise RuntimeError("this handler fails on purpose")
        self.socket.write(text_frame(f"heard {text}".encode()))

    def congested(self) -> None:
        self._note("congested")

    def writable(self) -> None:
        self._note("writable")

    def closed(self) -> None:
        self._note("closed")

    def _note(self, event: str) -> None:
        if event != "received":
            self.events.append(event)
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def until_closed(self) -> None:
        await self.until(lambda: "closed" in self.events)


@dataclass(slots=True)
class House:
    """A running server. `gate` decides who is let in; it lets in everybody unless a test says otherwise."""

    port: int
    server: QuietServer
    handlers: list[Handler]
    admitting: asyncio.Event
    gate: asyncio.Event

    async def open(
        self, query: str = "", path: str = "/sockets/one", **options: Any
    ) -> tuple[ClientConnection, Handler]:
        url = f"ws://127.0.0.1:{self.port}{path}?{query}"
        client = await connect(url, compression=None, proxy=None, max_size=None, **options)
        return client, self.handlers[-1]

    async def raw(self, path: str = "/sockets/one", headers: str = "") -> "Raw":
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        request = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
        )
        writer.write(request.encode())
        return Raw(reader, writer)


@dataclass(slots=True)
class Raw:
    """A connection without a library that would keep us from being rude."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def head(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode()

    async def frame(self) -> tuple[int, bytes]:
        async with asyncio.timeout(PATIENCE_S):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(size)

    async def message(self) -> bytes:
        """The next binary message."""
        while True:
            opcode, payload = await self.frame()
            if opcode == 2:
                return payload

    async def close_code(self) -> int | None:
        """The code of the server's goodbye, or None when the connection ended without one."""
        try:
            while True:
                opcode, payload = await self.frame()
                if opcode == 8:
                    return int.from_bytes(payload[:2], "big")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def end(self) -> None:
        """Wait until the server has ended the connection."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                while await self.reader.read(65_536):
                    pass
            except ConnectionError:
                return


MASK = b"\x01\x02\x03\x04"


def client_frame(payload: bytes, *, opcode: int = 2, fin: bool = True, mask: bytes | None = MASK) -> bytes:
    first = opcode | (0x80 if fin else 0)
    bit = 0x80 if mask else 0
    size = len(payload)
    if size <= 125:
        head = bytes((first, bit | size))
    elif size < 1 << 16:
        head = bytes((first, bit | 126)) + struct.pack("!H", size)
    else:
        head = bytes((first, bit | 127)) + struct.pack("!Q", size)
    if mask is None:
        return head + payload
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return head + mask + masked


async def nothing(scope: Any, _receive: Any, send: Any) -> None:
    """The application behind the sockets: it knows no address."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4999})
        return
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def running(transport: str) -> AsyncGenerator[House]:
    handlers: list[Handler] = []
    admitting, gate = asyncio.Event(), asyncio.Event()
    gate.set()

    async def admit(request: UpgradeRequest) -> Admission:
        if "refuse" in request.query:
            raise Unauthenticated("The ticket is missing.", action="Get one.")
        if "busy" in request.query:
            raise Busy("Full.", retry_after_s=7)
        if "crash" in request.query:
            raise RuntimeError("the gate fails on purpose")
        admitting.set()
        await gate.wait()
        handler = Handler(request)
        handlers.append(handler)
        subprotocol = "good" if "good" in request.subprotocols else None
        return Admission(handler, subprotocol, handler.heard if "hears" in request.query else None)

    def refuse(error: OpenCodeError) -> Refusal:
        return Refusal(418, "Short and stout", "text/plain", error.detail.encode())

    routes = (
        SocketRoute("/sockets/", admit, MAX_MESSAGE),
        SocketRoute("/texts/", admit, MAX_MESSAGE, takes_text=True, refuse=refuse),
    )
    is_fast = transport == "uvicorn"
    async with serving(
        nothing if is_fast else asgi_sockets(nothing, routes),
        stop_s=5,
        ws=socket_protocol(routes) if is_fast else "websockets-sansio",
        ws_max_size=MAX_MESSAGE,
    ) as server:
        yield House(server.port, server, handlers, admitting, gate)
        gate.set()
    for handler in handlers:
        await handler.until_closed()
        assert handler.events.count("closed") == 1
        assert handler.events[-1] == "closed"


@pytest.fixture(params=["uvicorn", "asgi"])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    async with running(request.param) as house:
        yield house


@pytest.fixture
async def fast_house() -> AsyncIterator[House]:
    """For promises that under plain ASGI the server makes, not we."""
    async with running("uvicorn") as house:
        yield house


class TestMessages:
    @pytest.mark.parametrize("size", [1, 125, 126, 127, 65_535, 65_536, MAX_MESSAGE])
    async def test_a_message_of_any_length_arrives_and_comes_back_as_it_was(self, house: House, size: int) -> None:
        client, _ = await house.open()
        message = os.urandom(size)
        await client.send(message)
        assert await client.recv() == message
        await client.close()

    async def test_a_message_in_many_fragments_arrives_as_one(self, house: House) -> None:
        client, handler = await house.open()
        await client.send([b"one ", b"two ", b"", b"three"])
        assert await client.recv() == b"one two three"
        assert handler.messages == [b"one two three"]
        await client.close()

    async def test_a_handshake_and_frames_cut_at_every_byte_arrive_whole(self, house: House) -> None:
        raw = await house.raw()
        assert "101" in await raw.head()
        payloads = [b"a", b"b" * 125, b"c" * 130, b"d"]
        stream = b"".join(client_frame(payload) for payload in payloads) + client_frame(b"hi", opcode=9)
        for index in range(len(stream)):
            raw.writer.write(stream[index : index + 1])
            await asyncio.sleep(0)
        assert [await raw.message() for _ in payloads] == payloads
        raw.writer.close()

    async def test_a_hundred_keystrokes_in_one_segment_arrive_in_order(self, house: House) -> None:
        raw = await house.raw()
        await raw.head()
        payloads = [f"key {number}".encode() for number in range(100)]
        raw.writer.write(b"".join(map(client_frame, payloads)))
        assert [await raw.message() for _ in payloads] == payloads
        raw.writer.close()

    @pytest.mark.parametrize("size", [4, 200], ids=["keystrokes", "lines"])
    async def test_a_flood_of_one_socket_leaves_the_others_their_turn_and_arrives_whole(
        self, fast_house: House, size: int
    ) -> None:
        raw = await fast_house.raw()
        await raw.head()
        flooding = fast_house.handlers[-1]
        neighbour, _ = await fast_house.open()
        payloads = [number.to_bytes(4, "big") * (size // 4) for number in range(240_000 // (size + 6))]
        raw.writer.write(b"".join(map(client_frame, payloads)))
        await flooding.until(lambda: len(flooding.messages) > 0)
        await neighbour.send(b"mine")
        assert await neighbour.recv() == b"mine"
        assert len(flooding.messages) < len(payloads)
        assert [await raw.message() for _ in payloads] == payloads
        raw.writer.close()

    async def test_control_frames_between_the_fragments_of_a_message_do_no_harm(self, house: House) -> None:
        raw = await house.raw()
        await raw.head()
        raw.writer.write(
            client_frame(b"before")
            + client_frame(b"one ", fin=False)
            + client_frame(b"ping", opcode=9)
            + client_frame(b"two ", opcode=0, fin=False)
            + client_frame(b"", opcode=10)
            + client_frame(b"three", opcode=0)
            + client_frame(b"after")
        )
        frames = [await raw.frame() for _ in range(4)]
        assert (10, b"ping") in frames
        assert [payload for opcode, payload in frames if opcode == 2] == [b"before", b"one two three", b"after"]
        raw.writer.close()

    async def test_keystrokes_around_a_page_in_one_segment_keep_their_order(self, house: House) -> None:
        raw = await house.raw()
        await raw.head()
        payloads = [b"a", b"p" * 70_000, b"b", b"c" * 126, b"d", b"e"]
        raw.writer.write(b"".join(map(client_frame, payloads)))
        assert [await raw.message() for _ in payloads] == payloads
        # From here on keystrokes take the short way again.
        raw.writer.write(client_frame(b"f") + client_frame(b"g"))
        assert [await raw.message(), await raw.message()] == [b"f", b"g"]
        raw.writer.close()

    async def test_a_length_written_longer_than_needed_is_understood_or_refused_and_never_mixed_up(
        self, house: House
    ) -> None:
        raw = await house.raw()
        await raw.head()
        mask = b"\x00\x00\x00\x00"
        raw.writer.write(b"\x82\xfe\x00\x03" + mask + b"abc" + client_frame(b"next") + client_frame(b"last"))
        assert [await raw.message() for _ in range(3)] == [b"abc", b"next", b"last"]
        raw.writer.close()

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        messages=st.lists(st.tuples(st.integers(1, 300), st.integers(1, 4), st.booleans()), min_size=1, max_size=8),
        cuts=st.lists(st.integers(1, 2_000), max_size=6),
    )
    async def test_however_messages_are_split_and_segmented_they_arrive_whole_and_in_order(
        self, house: House, messages: list[tuple[int, int, bool]], cuts: list[int]
    ) -> None:
        raw = await house.raw()
        await raw.head()
        expected: list[bytes] = []
        stream = b""
        for number, (size, pieces, ping) in enumerate(messages):
            payload = bytes((number,)) * size
            expected.append(payload)
            step = -(-size // pieces)
            parts = [payload[start : start + step] for start in range(0, size, step)]
            for index, part in enumerate(parts):
                stream += client_frame(part, opcode=0 if index else 2, fin=index == len(parts) - 1)
                if ping:
                    stream += client_frame(b"", opcode=9)
        start = 0
        for cut in [*sorted(cuts), len(stream)]:
            raw.writer.write(stream[start:cut])
            await raw.writer.drain()
            await asyncio.sleep(0)
            start = max(start, cut)
        assert [await raw.message() for _ in expected] == expected
        raw.writer.close()

    async def test_a_handler_that_hears_text_gets_it_in_its_turn_and_may_answer_with_text(self, house: House) -> None:
        client, _ = await house.open("hears=1")
        await client.send(b"one")
        await client.send("zwei \u00fc")
        await client.send(["dr", "ei"])
        await client.send(b"four")
        assert [await client.recv() for _ in range(4)] == [b"one", "heard zwei \u00fc", "heard drei", b"four"]
        await client.close()

    async def test_text_on_which_the_handler_fails_ends_its_socket(self, house: House) -> None:
        client, _ = await house.open("hears=1")
        await client.send("fail")
        with pytest.raises(ConnectionClosed) as ended:
            await client.recv()
        assert ended.value.rcvd
        assert ended.value.rcvd.code == 1011

    async def test_text_that_is_none_is_refused(self, house: House) -> None:
        raw = await house.raw("/sockets/one?hears=1")
        await raw.head()
        raw.writer.write(client_frame(b"\xff", opcode=1))
        assert await raw.close_code() in {1007, None}

    async def test_text_and_empty_messages_are_overlooked_a_few_times(self, house: House) -> None:
        client, handler = await house.open()
        await client.send("text")
        await client.send(b"")
        await client.send(["te", "xt"])
        await client.send(b"binary")
        assert await client.recv() == b"binary"
        assert handler.messages == [b"binary"]
        await client.close()

    async def test_somebody_who_goes_on_sending_text_is_told_that_this_is_not_our_protocol(self, house: House) -> None:
        client, _ = await house.open()
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(fast.BAD_MESSAGES + 1):
                await client.send("text")
            await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1003

    async def test_what_is_sent_while_the_gate_still_thinks_is_kept_until_the_socket_opens(self, house: House) -> None:
        house.gate.clear()
        raw = await house.raw()
        async with asyncio.timeout(PATIENCE_S):
            await house.admitting.wait()
        raw.writer.write(client_frame(b"early") + client_frame(b"bird"))
        await raw.writer.drain()
        await asyncio.sleep(0.02)
        house.gate.set()
        assert "101" in await raw.head()
        assert [await raw.message(), await raw.message()] == [b"early", b"bird"]
        raw.writer.close()


class TestTexts:
    async def test_texts_arrive_where_they_are_wanted_and_are_answered_as_texts(self, house: House) -> None:
        client, handler = await house.open("text=1", "/texts/one")
        for text in ("größe", "", "x" * 70_000):
            await client.send(text)
            assert await client.recv() == text
        await client.send(["in ", "pieces"])
        assert await client.recv() == "in pieces"
        assert handler.messages == ["größe".encode(), b"", b"x" * 70_000, b"in pieces"]
        await client.close()

    async def test_bytes_arrive_there_too(self, house: House) -> None:
        client, _ = await house.open("text=1", "/texts/one")
        await client.send(b"short")
        assert await client.recv() == "short"
        await client.send(b"y" * 70_000)
        assert await client.recv() == "y" * 70_000
        await client.close()

    async def test_a_route_may_refuse_in_a_dialect_of_its_own(self, house: House) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await house.open("refuse=1", "/texts/one")
        response = refused.value.response
        assert (response.status_code, response.headers["content-type"]) == (418, "text/plain")
        assert response.body == b"The ticket is missing."


class TestHolding:
    async def test_nothing_more_is_read_from_a_socket_that_is_held_until_it_goes_on(self, house: House) -> None:
        client, handler = await house.open()
        await client.send(b"hold")
        await handler.until(lambda: handler.messages == [b"hold"])
        sending = asyncio.create_task(self._send(client, 400))
        await asyncio.sleep(0.2)
        assert not sending.done()
        assert len(handler.messages) < 100
        assert handler.socket
        handler.socket.go_on()
        for _ in range(400):
            assert len(await client.recv()) == 60_000
        await sending
        await client.close()

    async def test_a_socket_that_is_held_can_be_closed_and_the_goodbye_is_answered(self, house: House) -> None:
        client, handler = await house.open()
        await client.send(b"hold and close")
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 4401
        await handler.until_closed()

    async def test_a_flood_that_waits_for_its_turn_is_held_too_and_arrives_whole(self, fast_house: House) -> None:
        raw = await fast_house.raw()
        await raw.head()
        payloads = [b"hold", *(number.to_bytes(4, "big") for number in range(2_000))]
        raw.writer.write(b"".join(map(client_frame, payloads)))
        handler = fast_house.handlers[-1]
        await handler.until(lambda: len(handler.messages) == len(payloads))
        assert handler.messages == payloads
        raw.writer.write(client_frame(b"later"))
        await asyncio.sleep(0.05)
        assert handler.messages == payloads
        assert handler.socket
        handler.socket.go_on()
        await handler.until(lambda: handler.messages[-1] == b"later")
        raw.writer.close()

    @staticmethod
    async def _send(client: ClientConnection, times: int) -> None:
        for _ in range(times):
            await client.send(b"x" * 60_000)


class TestBadFrames:
    @pytest.mark.parametrize(
        ("what", "code"),
        [
            (client_frame(b"x" * (MAX_MESSAGE + 1)), 1009),
            (b"\x82\xff" + struct.pack("!Q", 1 << 40) + b"\x00" * 4, 1009),
            (client_frame(b"unmasked", mask=None), 1002),
            (client_frame(b"x", opcode=3), 1002),
            (client_frame(b"x", opcode=11), 1002),
            (b"\xc2\x81\x00\x00\x00\x00x", 1002),
            (client_frame(b"x", opcode=0), 1002),
            (client_frame(b"one", fin=False) + client_frame(b"two"), 1002),
            (client_frame(b"p" * 126, opcode=9), 1002),
            (client_frame(b"", opcode=9, fin=False), 1002),
        ],
        ids=[
            "too large",
            "absurdly large",
            "unmasked",
            "reserved data opcode",
            "reserved control opcode",
            "RSV bit",
            "continuation of nothing",
            "message within a message",
            "long ping",
            "fragmented ping",
        ],
    )
    async def test_a_frame_against_the_rules_ends_that_socket_with_the_right_code(
        self, house: House, what: bytes, code: int
    ) -> None:
        other, _ = await house.open()
        raw = await house.raw()
        await raw.head()
        raw.writer.write(client_frame(b"fine"))
        assert await raw.message() == b"fine"
        raw.writer.write(what)
        assert await raw.close_code() == code
        raw.writer.close()
        await house.handlers[-1].until_closed()
        await other.send(b"undisturbed")
        assert await other.recv() == b"undisturbed"
        await other.close()

    async def test_a_message_that_grows_too_large_in_fragments_ends_with_1009(self, house: House) -> None:
        raw = await house.raw()
        await raw.head()
        raw.writer.write(client_frame(b"x" * 60_000, fin=False))
        for _ in range(5):
            raw.writer.write(client_frame(b"x" * 60_000, opcode=0, fin=False))
        assert await raw.close_code() == 1009
        raw.writer.close()

    async def test_a_peer_that_breaks_the_rules_and_goes_on_sending_does_not_keep_its_place(
        self, fast_house: House
    ) -> None:
        raw = await fast_house.raw()
        await raw.head()
        raw.writer.write(client_frame(b"x", opcode=3))

        async def go_on() -> None:
            while not raw.writer.is_closing():
                raw.writer.write(b"\x00" * 100)
                await raw.writer.drain()
                await asyncio.sleep(0.05)

        sending = asyncio.create_task(go_on())
        await fast_house.handlers[-1].until_closed()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        raw.writer.close()

    @pytest.mark.parametrize("path", ["//[", "/sockets/%ff%fe", "/sockets/one?%ff=%fe&=&&a", "/sockets/" + "x" * 4_000])
    async def test_no_address_however_strange_takes_the_server_down(self, house: House, path: str) -> None:
        raw = await house.raw(path)
        await asyncio.sleep(0)
        raw.writer.write_eof()
        await raw.end()
        client, _ = await house.open()
        await client.send(b"alive")
        assert await client.recv() == b"alive"
        await client.close()
        raw.writer.close()


class TestGoodbyes:
    async def test_a_client_that_says_goodbye_gets_its_goodbye_back(self, house: House) -> None:
        client, handler = await house.open()
        await client.close(1000, "done")
        assert client.close_code == 1000
        await handler.until_closed()

    async def test_a_client_that_just_vanishes_is_noticed(self, house: House) -> None:
        raw = await house.raw()
        await raw.head()
        raw.writer.write(client_frame(b"x"))
        await raw.message()
        raw.writer.transport.abort()
        await house.handlers[-1].until_closed()

    @pytest.mark.parametrize("code", [1012, 1013, 4401, 4410])
    async def test_the_server_says_goodbye_with_its_code_and_a_reason(self, house: House, code: int) -> None:
        client, handler = await house.open()
        with pytest.raises(ConnectionClosed) as closed:
            await client.send(f"close {code}".encode())
            await client.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, "as you wish")
        await handler.until_closed()

    async def test_after_the_goodbye_nothing_is_given_to_the_handler_any_more(self, house: House) -> None:
        raw = await house.raw()
        await raw.head()
        raw.writer.write(client_frame(b"close 4401") + client_frame(b"too late") + client_frame(b"x" * 200))
        assert await raw.close_code() == 4401
        assert house.handlers[-1].messages == [b"close 4401"]
        raw.writer.close()

    async def test_a_peer_that_never_answers_the_goodbye_does_not_keep_its_place(self, fast_house: House) -> None:
        raw = await fast_house.raw()
        await raw.head()
        raw.writer.write(client_frame(b"close 4401"))
        assert await raw.close_code() == 4401
        await fast_house.handlers[-1].until_closed()
        raw.writer.close()

    async def test_a_stopping_server_asks_everybody_to_come_back(self, house: House) -> None:
        clients = [(await house.open())[0] for _ in range(5)]
        house.server.leaving.set()
        for client in clients:
            with pytest.raises(ConnectionClosed) as closed:
                async with asyncio.timeout(PATIENCE_S):
                    await client.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012

    async def test_writing_to_a_socket_that_is_gone_does_nothing(self, house: House) -> None:
        client, handler = await house.open()
        await client.close()
        await handler.until_closed()
        assert handler.socket
        handler.socket.write(binary_frame(b"anyone?"))
        handler.socket.close(4401, "again")


class TestFaults:
    async def test_a_handler_that_fails_ends_its_own_socket_and_no_other(self, house: House) -> None:
        other, _ = await house.open()
        client, handler = await house.open()
        with pytest.raises(ConnectionClosed) as closed:
            await client.send(b"fail")
            await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011
        await handler.until_closed()
        await other.send(b"undisturbed")
        assert await other.recv() == b"undisturbed"
        await other.close()

    async def test_a_handler_that_fails_while_it_opens_is_closed_all_the_same(self, house: House) -> None:
        with pytest.raises((ConnectionClosed, EOFError, InvalidStatus)):
            client, _ = await house.open("fail-opening=1")
            await client.recv()
        await house.handlers[-1].until_closed()


class TestAdmission:
    async def test_a_refusal_is_a_problem_document_and_no_upgrade(self, house: House) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await house.open("refuse=1")
        response = refused.value.response
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert response.body is not None
        problem = json.loads(response.body)
        assert problem["detail"] == "The ticket is missing."
        assert problem["action"] == "Get one."
        assert problem["request_id"].startswith("req_")

    async def test_a_full_server_says_when_to_come_back(self, house: House) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await house.open("busy=1")
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["retry-after"] == "7"

    async def test_a_gate_that_fails_is_an_answer_and_not_a_hanging_connection(self, house: House) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await house.open("crash=1")
        assert refused.value.response.status_code == 503

    async def test_the_chosen_subprotocol_is_told_and_the_request_reaches_the_gate_whole(self, house: House) -> None:
        offered = [Subprotocol("other"), Subprotocol("good")]
        client, handler = await house.open("ticket=a%20b&x=1&x=2&greet=1", subprotocols=offered)
        assert client.subprotocol == "good"
        assert await client.recv() == b"hello"
        assert handler.request.path == "/sockets/one"
        assert handler.request.query == {"ticket": "a b", "x": "2", "greet": "1"}
        assert handler.request.subprotocols == ("other", "good")
        assert handler.request.headers["host"].startswith("127.0.0.1")
        assert handler.request.address == "127.0.0.1"
        await client.close()

    async def test_addresses_that_are_not_ours_go_on_to_the_application(self, house: House) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{house.port}/elsewhere", proxy=None)
        assert refused.value.response.status_code == 403
        raw = await house.raw("/health", headers="")
        assert raw.reader
        raw.writer.close()

    async def test_who_goes_away_while_the_gate_thinks_leaves_no_handler_open(self, house: House) -> None:
        house.gate.clear()
        raw = await house.raw()
        async with asyncio.timeout(PATIENCE_S):
            await house.admitting.wait()
        raw.writer.transport.abort()
        await asyncio.sleep(0.02)
        house.gate.set()
        await asyncio.sleep(0.02)
        client, _ = await house.open()
        await client.close()

    async def test_who_sends_a_lot_before_being_let_in_is_cut_off(self, fast_house: House) -> None:
        fast_house.gate.clear()
        raw = await fast_house.raw()
        async with asyncio.timeout(PATIENCE_S):
            await fast_house.admitting.wait()
        raw.writer.write(client_frame(b"x" * (fast.EARLY_BYTES + 1_000)))
        await raw.end()
        fast_house.gate.set()
        raw.writer.close()


class TestSlowReaders:
    async def test_the_handler_hears_of_a_slow_reader_and_of_its_catching_up(self, house: House) -> None:
        raw = await house.raw()
        await raw.head()
        raw.writer.write(client_frame(b"flood 300"))
        handler = house.handlers[-1]
        await handler.until(lambda: "congested" in handler.events)
        for _ in range(300):
            assert len(await raw.message()) == 65_000
        await handler.until(lambda: handler.events[-1] == "writable")
        assert handler.events.count("congested") == handler.events.count("writable")
        raw.writer.write(client_frame(b"still here"))
        assert await raw.message() == b"still here"
        raw.writer.close()

    async def test_a_peer_that_pings_and_never_reads_is_cut_before_it_fills_the_memory(self, fast_house: House) -> None:
        raw = await fast_house.raw()
        await raw.head()
        raw.writer.write(client_frame(b"flood 300"))
        handler = fast_house.handlers[-1]
        await handler.until(lambda: "congested" in handler.events)
        pings = client_frame(b"p" * 125, opcode=9) * 1_000
        with pytest.raises((ConnectionError, TimeoutError)):
            async with asyncio.timeout(PATIENCE_S):
                for _ in range(2_000):
                    raw.writer.write(pings)
                    await raw.writer.drain()
        assert raw.writer.transport.is_closing() or "closed" in handler.events
        await handler.until_closed()
        raw.writer.close()


class TestSilence:
    async def test_a_peer_that_answers_pings_stays_and_a_silent_one_is_swept(self, fast_house: House) -> None:
        alive, alive_handler = await fast_house.open()
        raw = await fast_house.raw()
        await raw.head()
        silent_handler = fast_house.handlers[-1]
        connections = fast_house.server.server_state.connections
        protocols = [each for each in connections if isinstance(each, fast.SocketProtocol)]
        assert len(protocols) == 2
        for _ in range(fast.SILENT_SWEEPS + 1):
            for protocol in protocols:
                protocol.sweep(ping=True)
            pong = await alive.ping()
            async with asyncio.timeout(PATIENCE_S):
                await pong
        await silent_handler.until_closed()
        assert alive_handler.events == ["opened"]
        await alive.close()
        raw.writer.close()

    async def test_the_watch_over_sockets_notices_them_by_itself(
        self, fast_house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fast, "SWEEP_S", 0.02)
        watch = asyncio.create_task(fast.sweep_sockets(fast_house.server.server_state.connections))
        raw = await fast_house.raw()
        await raw.head()
        opcode, _ = await raw.frame()
        assert opcode == 9
        await fast_house.handlers[-1].until_closed()
        watch.cancel()
        raw.writer.close()
