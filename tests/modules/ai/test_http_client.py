"""Calls over HTTP: whatever a server does with its bytes and its connections, the answer is whole or said not to be."""

import asyncio
import gc
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opencode.modules.ai.adapters.http_client import (
    AnswerTimedOut,
    BrokeOff,
    ConnectTimedOut,
    NotConnected,
    NotHttp,
    Pool,
    Response,
    head_of,
)

PATIENCE_S = 5.0
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n"
Read = Callable[..., Awaitable[bytes]]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def request_of(reader: asyncio.StreamReader) -> bytes:
    """The next request, whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


@asynccontextmanager
async def served(handler: Handler) -> AsyncGenerator[Pool]:
    """A pool of connections to a server that does what the handler says with each."""

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handled, "127.0.0.1", 0)
    pool = Pool(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", connect_s=PATIENCE_S)
    try:
        yield pool
    finally:
        pool.close()
        server.close()


async def ask(pool: Pool, body: bytes = b"{}", patience_s: float = PATIENCE_S) -> Response:
    return await pool.call(head_of(pool, "POST", "/v1/chat", {"x-key": "k"}), body, patience_s)


async def body_of(response: Response, patience_s: float = PATIENCE_S) -> bytes:
    pieces: list[bytes] = []
    while piece := await response.piece(patience_s):
        pieces.append(piece)
    response.close()
    return b"".join(pieces)


async def poured(response: Response, patience_s: float = PATIENCE_S) -> bytes:
    return await _poured(response, patience_s, goes_on=True)


async def poured_with_pauses(response: Response, patience_s: float = PATIENCE_S) -> bytes:
    return await _poured(response, patience_s, goes_on=False)


async def _poured(response: Response, patience_s: float, *, goes_on: bool) -> bytes:
    pieces: list[bytes] = []

    def take(piece: bytes) -> bool:
        pieces.append(piece)
        return goes_on

    while not await response.pour(take, patience_s):
        await asyncio.sleep(0)
    assert all(pieces)
    response.close()
    return b"".join(pieces)


@pytest.fixture(autouse=True, params=["alone", "in a crowd"])
def _streams_are(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a crowd, connections rest between two reads of a stream."""
    if request.param == "in a crowd":
        monkeypatch.setattr("opencode.modules.ai.adapters.pacing._FEW", 0)
        monkeypatch.setattr("opencode.modules.ai.adapters.pacing.READS_PER_S", 50)


in_any_way = pytest.mark.parametrize("read", [body_of, poured, poured_with_pauses])


@in_any_way
@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (WHOLE, b"hello"),
        (CHUNKED, b"hello, world"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + WHOLE, b"hello"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
async def test_answers_come_whole_however_they_are_framed_on_one_connection(
    answer: bytes, body: bytes, read: Read
) -> None:
    connections, requests = 0, list[bytes]()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            requests.append(await request_of(reader))
            writer.write(answer)

    async with served(handler) as pool:
        for _ in range(3):
            response = await ask(pool)
            assert (response.status, await read(response)) == (200, body)
    assert connections == 1
    assert requests[0].startswith(b"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1:")
    assert requests[0].endswith(b"x-key: k\r\ncontent-length: 2\r\n\r\n{}")


@in_any_way
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.sets(st.integers(1, len(CHUNKED) - 1), max_size=20))
def test_an_answer_is_the_same_however_its_bytes_are_cut(cuts: set[int], read: Read) -> None:
    edges = [0, *sorted(cuts), len(CHUNKED)]

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        for begin, end in itertools.pairwise(edges):
            writer.write(CHUNKED[begin:end])
            await writer.drain()
            await asyncio.sleep(0)

    async def asked() -> bytes:
        async with served(handler) as pool:
            return await read(await ask(pool))

    assert asyncio.run(asked()) == b"hello, world"


@in_any_way
async def test_an_answer_without_a_length_goes_on_to_the_end_of_the_connection(read: Read) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello")

    async with served(handler) as pool:
        assert await read(await ask(pool)) == b"hello"


@in_any_way
@pytest.mark.parametrize("sent", [WHOLE[:-2], CHUNKED[:-7], CHUNKED[:-5]])
async def test_an_answer_that_breaks_off_is_never_taken_for_whole(sent: bytes, read: Read) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(sent)

    async with served(handler) as pool:
        response = await ask(pool)
        with pytest.raises(BrokeOff):
            await read(response)


@pytest.mark.parametrize("sent", [b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000])
async def test_what_is_no_http_is_said_to_be_none(sent: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(sent)
        await reader.read()

    async with served(handler) as pool:
        with pytest.raises(NotHttp):
            await ask(pool)


async def test_a_connection_that_was_closed_meanwhile_is_not_the_callers_trouble() -> None:
    connections = 0
    closed = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await request_of(reader)
        writer.write(WHOLE)
        if connections == 1:
            # The second request is read, and the connection closed without a word.
            await request_of(reader)
            closed.set()
            return
        await reader.read()

    async with served(handler) as pool:
        await body_of(await ask(pool))
        assert await body_of(await ask(pool)) == b"hello"
    assert closed.is_set()
    assert connections == 2


async def test_a_new_connection_that_breaks_off_is_not_tried_again_here() -> None:
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await request_of(reader)

    async with served(handler) as pool:
        with pytest.raises(BrokeOff):
            await ask(pool)
    assert connections == 1


@in_any_way
async def test_an_answer_that_does_not_come_is_given_up_and_its_connection_not_used_again(read: Read) -> None:
    ended = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(WHOLE[:-1])
        await reader.read()
        ended.set()

    async with served(handler) as pool:
        response = await ask(pool)
        with pytest.raises(AnswerTimedOut):
            await read(response, 0.01)
        response.close()
        async with asyncio.timeout(PATIENCE_S):
            await ended.wait()


async def test_a_caller_that_gives_up_cuts_the_connection() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        begun.set()
        await reader.read()
        ended.set()

    async with served(handler) as pool, asyncio.timeout(PATIENCE_S):
        call = asyncio.create_task(ask(pool))
        await begun.wait()
        call.cancel()
        await ended.wait()


@in_any_way
async def test_an_answer_that_nobody_reads_does_not_fill_the_memory(read: Read) -> None:
    sent = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n")
        piece = b"x" * 100_000
        for _ in range(400):
            writer.write(piece)
            await writer.drain()
            sent += len(piece)

    async with served(handler) as pool:
        response = await ask(pool)
        first = await response.piece(PATIENCE_S)
        before = -1
        # Until the server cannot send any more: only what the buffers of both machines take is on its way.
        while sent != before:
            before = sent
            await asyncio.sleep(0.05)
        assert sent < 20_000_000
        assert len(first) + len(await read(response)) == 40_000_000


async def test_a_piece_is_taken_in_the_moment_in_which_it_comes() -> None:
    go_on, taken = asyncio.Event(), list[bytes]()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(CHUNKED[:-17])
        await go_on.wait()
        writer.write(CHUNKED[-17:])

    def take(piece: bytes) -> bool:
        taken.append(piece)
        go_on.set()
        return True

    async with served(handler) as pool, asyncio.timeout(PATIENCE_S):
        assert await (await ask(pool)).pour(take, PATIENCE_S)
    assert taken == [b"hello", b", world"]


async def test_in_a_crowd_what_comes_while_a_stream_rests_goes_on_as_one_piece() -> None:
    taken: list[bytes] = []
    sent = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        for letter in b"abcd":
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(0)
        sent.set()

    def take(piece: bytes) -> bool:
        taken.append(piece)
        return True

    async with served(handler) as pool, asyncio.timeout(PATIENCE_S):
        for _ in range(1_000):
            pool.pace.begun()
        response = await ask(pool)
        await sent.wait()
        assert await response.pour(take, PATIENCE_S)
    assert b"".join(taken) == b"abcd"
    assert len(taken) <= 2


async def test_who_leaves_while_a_stream_rests_cuts_it_at_once() -> None:
    ended = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(CHUNKED[:-17])
        assert await reader.read() == b""
        ended.set()

    async with served(handler) as pool, asyncio.timeout(PATIENCE_S):
        for _ in range(100_000):
            pool.pace.begun()
        response = await ask(pool)
        heard = asyncio.Event()

        def take(_piece: bytes) -> bool:
            heard.set()
            return True

        pouring = asyncio.create_task(response.pour(take, PATIENCE_S))
        await heard.wait()
        pouring.cancel()
        await asyncio.wait([pouring])
        response.close()
        await ended.wait()


async def test_the_patience_for_a_piece_begins_anew_with_each() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
        for _ in range(12):
            writer.write(b"x")
            await asyncio.sleep(0.1)

    async with served(handler) as pool:
        assert await poured(await ask(pool), 1.0) == b"x" * 12


async def test_what_goes_wrong_in_whoever_takes_a_piece_reaches_whoever_had_it_poured() -> None:
    ended = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(CHUNKED[:-5])
        await reader.read()
        ended.set()

    def take(_piece: bytes) -> bool:
        raise LookupError("a fault of ours")

    async with served(handler) as pool, asyncio.timeout(PATIENCE_S):
        response = await ask(pool)
        with pytest.raises(LookupError):
            await response.pour(take, PATIENCE_S)
        response.close()
        await ended.wait()


async def test_bytes_that_nobody_asked_for_end_the_connection_they_came_on() -> None:
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await request_of(reader)
        writer.write(WHOLE + (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged" if connections == 1 else b""))
        await reader.read()

    async with served(handler) as pool:
        assert await body_of(await ask(pool)) == b"hello"
        assert await body_of(await ask(pool)) == b"hello"


async def test_nobody_there_and_a_name_that_is_none_are_told_apart_from_silence() -> None:
    async def handler(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None: ...

    async with served(handler) as pool:
        address = f"http://{pool.host}"
    with pytest.raises(NotConnected) as refused:
        await ask(Pool(address, connect_s=PATIENCE_S))
    assert isinstance(refused.value.__cause__, ConnectionRefusedError)
    with pytest.raises(NotConnected):
        await ask(Pool("http://no-such-host.invalid", connect_s=PATIENCE_S))
    with pytest.raises(ConnectTimedOut):
        await ask(Pool(address, connect_s=0))


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "price: 5 €"])
async def test_a_header_that_cannot_be_sent_is_refused(value: str) -> None:
    with pytest.raises(ValueError):
        head_of(Pool("http://127.0.0.1:1", connect_s=1), "POST", "/", {"x-key": value})


async def test_a_connection_that_has_ended_does_not_wait_for_the_garbage_collection() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(WHOLE)
        await reader.read()

    gc.collect()
    gc.disable()
    try:
        async with served(handler) as pool, asyncio.timeout(PATIENCE_S):
            assert await body_of(await ask(pool)) == b"hello"
            assert _lines_alive() == 1
            pool.close()
            while _lines_alive():
                await asyncio.sleep(0)
    finally:
        gc.enable()


def _lines_alive() -> int:
    return sum(type(each).__name__ == "_Line" and isinstance(each, asyncio.Protocol) for each in gc.get_objects())
