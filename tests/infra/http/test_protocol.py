"""The short way for direct calls, over real sockets: the same answers as the long way, and no way around its limits."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import pytest
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Receive, Scope, Send
from prometheus_client import REGISTRY

from opencode.infra.http.cycles import LEFT, POUR, Pour
from opencode.infra.http.direct import Answer, Answering, Later
from opencode.infra.http.marks import SECURITY_HEADERS
from opencode.infra.http.protocol import HttpProtocol, http_protocol
from opencode.kernel.errors import NotFound
from tests.servers import QuietServer, serving


@dataclass
class Calls:
    """
    `/now` is answered at once, `/later` when `gate` is done, `/spoken` by an application of its own, and `/other` by
    the server's.

    Attributes:
        answer: what `/now` and `/later` are answered with.
        fails: what they raise instead.
        longs: asked for by the application (ASGI).
        speak: what `/spoken` does.
        way: what `/spoken` may pour its answer through.
        left: clients that went away before `/spoken` was over.
    """

    answer: Answer = field(default_factory=lambda: Answer(b'{"way":"short"}'))
    fails: Exception | None = None
    gate: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    clients: list[object] = field(default_factory=list[object])
    longs: list[str] = field(default_factory=list[str])
    speak: Callable[[Receive, Send], Awaitable[None]] | None = None
    way: Pour | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def find(self, scope: Scope) -> tuple[str, ASGIApp] | None:
        match scope["path"]:
            case "/now":
                return "/now", Answering(self._long, self._now)
            case "/later":
                return "/later", Answering(self._long, lambda _: Later(self.gate, self._made))
            case "/spoken":
                return "/spoken", self._spoken
            case "/unknown":
                return "/unknown", Answering(self._long, lambda _: None)
            case _:
                return None

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self.find(scope)
        await (found[1] if found else Answering(self._long))(scope, receive, send)

    async def _spoken(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.clients.append(scope["client"])
        assert self.speak
        self.way = cast(Any, scope.get("extensions") or {}).get(POUR)
        if call_when_left := (scope.get("extensions") or {}).get(LEFT):
            take_back = cast(Any, call_when_left)(self.left.set)
            await self.speak(receive, send)
            take_back()
        else:  # the long way
            await self.speak(receive, send)

    def _now(self, scope: Scope) -> Answer:
        self.clients.append(scope["client"])
        return self._made()

    def _made(self) -> Answer:
        if self.fails:
            raise self.fails
        return self.answer

    async def _long(self, scope: Scope) -> Answer:
        self.longs.append(scope["path"])
        self.clients.append(scope["client"])
        return Answer(b'{"way":"long to %s"}' % scope["path"].encode())


@dataclass
class Place:
    calls: Calls
    server: QuietServer
    port: int

    async def says(self, *requests: bytes, answers: int = 1) -> list[bytes]:
        """What comes back on one connection for what is sent at once: bodies."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"".join(requests))
            return [(await read_answer(reader))[1] for _ in range(answers)]
        finally:
            writer.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    return head, await reader.readexactly(length)


def asking(path: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: here", *headers, "", ""]).encode()


@pytest.fixture
async def place() -> AsyncGenerator[Place]:
    calls = Calls()
    http = http_protocol([calls.find], proxy_addresses="127.0.0.1", body_timeout_s=5)
    async with serving(calls.application, stop_s=5, http=http, server_header=False) as server:
        yield Place(calls, server, server.port)
        if not calls.gate.done():
            calls.gate.set_result(None)


def counted(route: str, method: str = "GET") -> float:
    labels = {"method": method, "route": route, "status": "200"}
    return REGISTRY.get_sample_value("opencode_http_requests_total", labels) or 0.0


async def test_an_answer_carries_what_every_answer_carries(place: Place) -> None:
    before = counted("/now")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{place.port}") as client:
        answers = [await client.get("/now") for _ in range(3)]
    assert [answer.json() for answer in answers] == [{"way": "short"}] * 3
    headers = answers[0].headers
    assert headers["content-type"] == "application/json"
    assert headers["x-request-id"].startswith("req_")
    assert "date" in headers
    assert {name.decode(): value.decode() for name, value in SECURITY_HEADERS}.items() <= dict(headers).items()
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3
    assert counted("/now") == before + 3


async def test_what_has_to_wait_is_answered_when_it_is_done(place: Place) -> None:
    waiting = asyncio.create_task(place.says(asking("/later")))
    assert await place.says(asking("/now")) == [b'{"way":"short"}']
    assert not waiting.done()
    place.calls.gate.set_result(None)
    assert await waiting == [b'{"way":"short"}']


async def test_answers_come_in_the_order_of_the_questions(place: Place) -> None:
    asked = (asking("/later"), asking("/now"), asking("/other"), asking("/now"))
    waiting = asyncio.create_task(place.says(*asked, answers=4))
    await place.says(asking("/now"))  # by then the others have been read
    place.calls.gate.set_result(None)
    ways = [b"short", b"long to /now", b"long to /other", b"long to /now"]
    assert await waiting == [b'{"way":"%s"}' % way for way in ways]


@pytest.mark.parametrize("path", ["/now", "/later"])
async def test_a_call_that_is_refused_tells_why(place: Place, path: str) -> None:
    place.calls.fails = NotFound("There is no such thing.", action="Look elsewhere.")
    place.calls.gate.set_result(None)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{place.port}") as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such thing.")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/now", "/later"])
async def test_a_fault_is_answered_without_its_insides(place: Place, path: str) -> None:
    place.calls.fails = RuntimeError("secret insides")
    place.calls.gate.set_result(None)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{place.port}") as client:
        answer = await client.get(path)
        assert (answer.status_code, "secret" in answer.text) == (500, False)
        place.calls.fails = None
        assert (await client.get(path)).status_code == 200


async def test_nobody_writes_headers_of_their_own_through_one_of_ours(place: Place) -> None:
    place.calls.answer = Answer(b"{}", 308, {"location": "/here\r\nset-cookie: a=b"})
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{place.port}") as client:
        answer = await client.get("/now")
    assert answer.status_code == 500
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "request_",
    [
        asking("/unknown"),
        asking("/other"),
        asking("/now", "Connection: close"),
        asking("/now", version="1.0"),
        asking("/now", "Content-Length: 2", method="POST") + b"{}",
        asking("/now", "Transfer-Encoding: chunked", method="POST") + b"2\r\n{}\r\n0\r\n\r\n",
        asking("/now", "Connection: Upgrade", "Upgrade: h2c"),
    ],
    ids=["not in memory", "none of them", "the last", "HTTP/1.0", "with a body", "in pieces", "with an upgrade"],
)
async def test_what_is_unusual_goes_the_long_way(place: Place, request_: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(request_)
    head, _ = await read_answer(reader)
    writer.close()
    assert head.startswith(b"HTTP/1.1 200")
    assert len(place.calls.longs) == 1


async def echo(receive: Receive, send: Send) -> None:
    """The body of the request, with its length, and in how many pieces it came."""
    pieces = [await receive()]
    while cast(Any, pieces[-1]).get("more_body"):
        pieces.append(await receive())
    body = b"".join(cast(Any, piece)["body"] for piece in pieces)
    await send(start(length=len(body)))
    await send({"type": "http.response.body", "body": body, "more_body": False})


def start(length: int | None = None, *headers: tuple[bytes, bytes]) -> Any:
    own = [(b"content-length", b"%d" % length)] if length is not None else []
    return {"type": "http.response.start", "status": 200, "headers": [*own, *headers]}


def piece(body: bytes, *, more: bool = True) -> Any:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def test_a_body_is_read_whether_it_comes_at_once_or_later(place: Place) -> None:
    place.calls.speak = echo
    before = counted("/spoken", "POST")
    whole = asking("/spoken", "Content-Length: 5", method="POST") + b"hello"
    assert await place.says(whole, whole, answers=2) == [b"hello", b"hello"]
    chunked = asking("/spoken", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n0\r\n\r\n"
    assert await place.says(chunked) == [b"hello"]
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(whole[:-3])
    await place.says(asking("/now"))
    writer.write(whole[-3:])
    head, body = await read_answer(reader)
    writer.close()
    assert (body, b"x-request-id: req_" in head, b"x-content-type-options: nosniff" in head) == (b"hello", True, True)
    assert counted("/spoken", "POST") >= before + 3
    assert not place.calls.longs


async def test_a_body_that_never_comes_is_given_up(place: Place) -> None:
    async def speak(receive: Receive, send: Send) -> None:
        try:
            await echo(receive, send)
        except HTTPException as error:
            await send(start(3))
            await send(piece(str(error.status_code).encode(), more=False))

    place.calls.speak = speak
    cast(Any, place.server.config.http_protocol_class).body_timeout_s = 0.05
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(asking("/spoken", "Content-Length: 5", method="POST"))
    assert (await read_answer(reader))[1] == b"408"
    writer.close()


async def test_an_answer_in_pieces_comes_as_it_is_made(place: Place) -> None:
    turn = asyncio.Event()

    async def speak(receive: Receive, send: Send) -> None:
        await send(start())
        await send(piece(b"one"))
        await turn.wait()
        await send(piece(b""))
        await send(piece(b"two", more=False))

    place.calls.speak = speak
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(asking("/spoken"))
    head = await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(8) == b"3\r\none\r\n"
    turn.set()
    assert await reader.readexactly(13) == b"3\r\ntwo\r\n0\r\n\r\n"
    assert b"transfer-encoding: chunked" in head
    writer.write(asking("/now"))
    assert (await read_answer(reader))[1] == b'{"way":"short"}'
    writer.close()
    assert not place.calls.left.is_set()


async def leave_after_one(place: Place, speak: Callable[[Receive, Send], Awaitable[None]], over: asyncio.Event) -> None:
    """A client that goes away once it has read `one`; waits until the answer is over."""
    place.calls.speak = speak
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(asking("/spoken"))
    await reader.readuntil(b"one")
    writer.transport.abort()
    async with asyncio.timeout(5):
        await over.wait()


async def test_who_leaves_in_the_middle_is_noticed_at_once(place: Place) -> None:
    over = asyncio.Event()

    async def speak(receive: Receive, send: Send) -> None:
        await send(start())
        await send(piece(b"one"))
        await place.calls.left.wait()
        await send(piece(b"into the void", more=False))
        over.set()

    await leave_after_one(place, speak, over)


async def test_who_reads_slowly_is_waited_for(place: Place) -> None:
    sent = 0

    async def speak(receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(start())
        for _ in range(1_000):
            await send(piece(b"x" * 50_000))
            sent += 1
        await send(piece(b"", more=False))

    place.calls.speak = speak
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1_000)
    writer.write(asking("/spoken"))
    await reader.readuntil(b"xxx")
    await place.says(asking("/now"))
    assert sent < 500
    while b"\r\n0\r\n\r\n" not in (last := await reader.read(1_000_000)):
        assert last
    assert sent == 1_000
    writer.close()


async def test_what_is_poured_comes_whole_and_waits_for_who_reads_slowly(place: Place) -> None:
    sent = waits = 0

    async def speak(receive: Receive, send: Send) -> None:
        nonlocal sent, waits
        await send(start())
        assert place.calls.way
        for _ in range(1_000):
            sent += 1
            if not place.calls.way.pour(b"x" * 50_000):
                waits += 1
                await place.calls.way.poured()
        await send(piece(b"", more=False))

    place.calls.speak = speak
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1_000)
    writer.write(asking("/spoken"))
    await reader.readuntil(b"xxx")
    await place.says(asking("/now"))
    assert sent < 500
    came = 3
    while b"\r\n0\r\n\r\n" not in (last := await reader.read(1_000_000)):
        came += last.count(b"x")
        assert last
    assert (came + last.count(b"x"), sent, waits > 0) == (50_000_000, 1_000, True)
    writer.close()


async def test_nothing_is_poured_to_who_has_left(place: Place) -> None:
    over = asyncio.Event()

    async def speak(receive: Receive, send: Send) -> None:
        await send(start())
        assert place.calls.way
        assert place.calls.way.pour(b"one")
        await place.calls.left.wait()
        assert not place.calls.way.pour(b"into the void")
        await place.calls.way.poured()
        over.set()

    await leave_after_one(place, speak, over)


async def test_what_is_over_does_not_wait_for_the_garbage_collection(place: Place) -> None:
    async def speak(receive: Receive, send: Send) -> None:
        await send(start())
        await send(piece(b"one", more=False))

    place.calls.speak = speak
    gc.collect()
    gc.disable()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(asking("/spoken"))
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(asking("/now"))
        await reader.readuntil(b'{"way":"short"}')
        writer.close()
        async with asyncio.timeout(5):
            while place.server.server_state.connections:
                await asyncio.sleep(0)
        place.calls.way = None
        await asyncio.sleep(0)
        assert (_alive("BoundHttpProtocol"), _alive("Spoken"), _alive("Told")) == (0, 0, 0)
    finally:
        gc.enable()


def _alive(kind: str) -> int:
    return sum(type(each).__name__ == kind for each in gc.get_objects())


async def test_what_fails_before_its_answer_is_told_and_what_fails_in_it_breaks_off(place: Place) -> None:
    async def fail(receive: Receive, send: Send) -> None:
        raise RuntimeError("secret insides")

    async def fail_later(receive: Receive, send: Send) -> None:
        await send(start())
        await send(piece(b"one"))
        raise RuntimeError("secret insides")

    async def promise(receive: Receive, send: Send) -> None:
        await send(start(10))
        await send(piece(b"too short", more=False))

    async def say_nothing(receive: Receive, send: Send) -> None:
        pass

    place.calls.speak = fail
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(asking("/spoken"))
    head, body = await read_answer(reader)
    assert (head[:12], b"secret" in body) == (b"HTTP/1.1 500", False)
    writer.close()
    for broken in (fail_later, promise, say_nothing):
        place.calls.speak = broken
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(asking("/spoken"))
        said = await reader.read()
        writer.close()
        assert not said.endswith(b"\r\n0\r\n\r\n")
        assert b"secret" not in said


async def test_an_application_that_closes_the_connection_has_it_closed(place: Place) -> None:
    async def speak(receive: Receive, send: Send) -> None:
        await send(start(2, (b"connection", b"close")))
        await send(piece(b"{}", more=False))

    place.calls.speak = speak
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(asking("/spoken"))
    assert (await reader.read()).endswith(b"{}")
    writer.close()


async def test_who_asks_and_does_not_read_is_told_no_more_until_they_do(place: Place) -> None:
    place.calls.answer = Answer(b"x" * 100_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1_000)
    count = 500
    for _ in range(count):
        writer.write(asking("/now"))
    await place.says(asking("/now"))
    connections = cast(set[HttpProtocol], place.server.server_state.connections)
    kept = max(each.transport.get_write_buffer_size() for each in connections)
    assert 0 < kept < 1_000_000, "of 50 MB that were asked for"
    sizes = [len((await read_answer(reader))[1]) for _ in range(count)]
    assert len(sizes) == count
    writer.close()


async def test_who_leaves_while_waiting_disturbs_nobody(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(asking("/later"))
    await place.says(asking("/now"))
    writer.transport.abort()
    other = asyncio.create_task(place.says(asking("/later")))
    await place.says(asking("/now"))
    with caplog.at_level(logging.ERROR):
        place.calls.gate.set_result(None)
        assert await other == [b'{"way":"short"}']
    assert not caplog.records


async def test_a_connection_whose_answer_will_never_come_ends(place: Place) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(asking("/later"))
    await place.says(asking("/now"))
    place.calls.gate.cancel()
    assert await reader.read() == b""
    writer.close()


async def test_a_server_that_stops_still_answers_what_it_has_begun(place: Place) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(asking("/later"))
    await place.says(asking("/now"))
    place.server.leaving.set()
    with contextlib.suppress(OSError):
        while True:  # until it listens no more
            _, other = await asyncio.open_connection("127.0.0.1", place.port)
            other.close()
    place.calls.gate.set_result(None)
    head, body = await read_answer(reader)
    assert (b"connection: close" in head, body) == (True, b'{"way":"short"}')
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("path", ["/now", "/unknown"])
async def test_a_proxy_is_believed_as_to_who_asks(place: Place, path: str) -> None:
    await place.says(asking(path, "X-Forwarded-For: 198.51.100.7"))
    assert [client[0] for client in cast(list[tuple[str, int]], place.calls.clients)] == ["198.51.100.7"]
