"""Servers that fail in every way they can: whoever runs a program hears which server and why, and waits for no one."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from opencode.contracts.execution import (
    ExecutionBusy,
    Finished,
    LanguageUnknown,
    Output,
    RunEvent,
    RunRefused,
    RunRequest,
    SandboxUnavailable,
    SourceFile,
    Terminal,
    Verdict,
)
from opencode.modules.execution.adapters.piston import runner as runner_module
from opencode.modules.execution.adapters.piston import server as server_module
from opencode.modules.execution.adapters.piston.runner import PistonRunner
from opencode.modules.execution.adapters.piston.server import PistonServer
from opencode.modules.execution.adapters.toolchains import load
from opencode.modules.execution.errors import ServerUnreachable
from opencode.modules.execution.settings import ExecutionSettings

Json = dict[str, Any]
Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]

OWN = load()
SETTINGS = ExecutionSettings(run_wall_time_ms=100, compile_wall_time_ms=100)
RUNTIMES = [{"language": "python", "version": "3.12.0", "aliases": ["py"]}]
FINE: Json = {"run": {"stdout": "hi\n", "stderr": "", "output": "hi\n", "code": 0, "signal": None}}


def answer(body: Any, status: str = "200 OK", *headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *headers, "", ""]).encode() + data


class Played:
    """A server that lists Python, and answers `execute` as it is told."""

    def __init__(self, on_execute: Handler | bytes) -> None:
        self._on_execute = on_execute
        self.requests: list[tuple[str, bytes]] = []
        self.hung_up = asyncio.Event()
        self.url = ""

    @property
    def bodies(self) -> list[Json]:
        return [json.loads(body) for head, body in self.requests if head.startswith("POST")]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
            body = await reader.readexactly(length)
            self.requests.append((head, body))
            if head.startswith("GET"):
                writer.write(answer(RUNTIMES))
            elif isinstance(self._on_execute, bytes):
                writer.write(self._on_execute)
            else:
                await self._on_execute(body, writer)
            await writer.drain()
            await reader.read()
            self.hung_up.set()
        except ConnectionError:
            self.hung_up.set()
        finally:
            writer.close()


@asynccontextmanager
async def playing(on_execute: Handler | bytes) -> AsyncGenerator[Played]:
    played = Played(on_execute)
    listening = await asyncio.start_server(played.serve, "127.0.0.1", 0)
    played.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield played
    finally:
        listening.close()


def runner_of(url: str, token: str = "") -> PistonRunner:
    return PistonRunner(PistonServer(url, token), SETTINGS, OWN)


def a_request(**changes: Any) -> RunRequest:
    return replace(RunRequest("run_1", "python", (SourceFile("main.py", b"print()"),)), **changes)


async def events_of(runner: PistonRunner, request: RunRequest | None = None) -> list[RunEvent]:
    async with asyncio.timeout(10), aclosing(runner.run(request or a_request())) as events:
        return [event async for event in events]


async def test_stock_piston_is_asked_in_its_own_words() -> None:
    async with playing(answer(FINE)) as played:
        events = await events_of(runner_of(played.url, "secret"), a_request(stdin=b"a", args=("b",)))
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.verdict is Verdict.OK
    assert played.bodies == [
        {
            "language": "python",
            "version": "3.12.0",
            "files": [{"name": "main.py", "content": "print()"}],
            "args": ["b"],
            "stdin": "a",
        }
    ]
    assert all("Authorization: Bearer secret\r\n" in head for head, _ in played.requests)
    assert played.requests[1][0].startswith("POST /api/v2/execute HTTP/1.1\r\n")


async def test_a_token_is_in_no_text_about_a_server() -> None:
    assert "secret" not in repr(runner_of("http://runner:2000", "secret"))


async def test_chunks_are_put_together() -> None:
    body = json.dumps(FINE).encode()
    pieces = b"".join(b"%x;odd=1\r\n%s\r\n" % (len(piece), piece) for piece in (body[:5], body[5:]))
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    async with playing(chunked) as played:
        events = await events_of(runner_of(played.url))
    assert [event.data for event in events if isinstance(event, Output)] == [b"hi\n"]


async def _hang(_body: bytes, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def _hang_up(_body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _die_in_the_middle(_body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(FINE)[:-10])
    await writer.drain()
    writer.transport.abort()


async def _end_in_the_middle(_body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(FINE)[:-10])
    writer.close()


async def _never_end(_body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 1_000_000)
        await writer.drain()


async def _chunks_without_end(_body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n")
        await writer.drain()


async def _headers_without_end(_body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"a: b\r\n" * 1000)
        await writer.drain()


FAILURES: list[tuple[str, Handler | bytes, str]] = [
    ("hangs up", _hang_up, "hung up|broke off|not HTTP"),
    ("dies in the middle", _die_in_the_middle, "hung up|broke off"),
    ("ends in the middle", _end_in_the_middle, "broke off"),
    ("speaks no HTTP", b"220 mail.example.org ESMTP\r\n", "not HTTP"),
    ("speaks a long line", b"HTTP/1.1 200 " + b"x" * 100_000, "not HTTP"),
    ("answers no JSON", answer(b"<html>"), "Piston would not say"),
    ("answers other JSON", answer([1, 2]), "Piston would not say"),
    ("says it has 10 GB", b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", "more than the"),
    ("says a negative length", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not HTTP"),
    ("sends without end", _never_end, "more than the"),
    ("sends chunks without end", _chunks_without_end, "more than the"),
    ("sends headers without end", _headers_without_end, "more than 100 headers"),
    ("leads elsewhere", answer({}, "302 Found", "Location: http://127.0.0.1:1/"), "redirects are not followed"),
    ("has a fault", answer(b"", "500 Internal Server Error"), "answered with 500"),
    ("wants a token", answer({"message": "no"}, "401 Unauthorized"), "does not let this server"),
]


@pytest.mark.parametrize(("on_execute", "words"), [pytest.param(*case[1:], id=case[0]) for case in FAILURES])
async def test_a_server_that_fails_is_named_and_the_reason_is_told(on_execute: Handler | bytes, words: str) -> None:
    async with playing(on_execute) as played:
        with pytest.raises(SandboxUnavailable, match=words) as failure:
            await events_of(runner_of(played.url))
    assert failure.value.detail.startswith(played.url.removeprefix("http://"))
    assert len(played.requests) == 2


async def test_a_server_that_hangs_is_waited_for_until_the_program_must_have_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner_module, "PATIENCE_S", 0.0)
    async with playing(_hang) as played:
        with pytest.raises(SandboxUnavailable, match=r"no answer within 0\.2 s"):
            await events_of(runner_of(played.url))


async def test_a_server_that_is_not_there_is_marked_until_it_is_back() -> None:
    async with playing(answer(FINE)) as played:
        port = played.url.rpartition(":")[2]
    runner = runner_of(played.url)
    with pytest.raises(ServerUnreachable, match=f"127.0.0.1:{port} cannot be reached"):
        await events_of(runner)
    assert runner.trouble
    back = await asyncio.start_server(played.serve, "127.0.0.1", int(port))
    await runner.check()
    assert runner.trouble is None
    assert runner.has("py", "3")
    back.close()


async def test_a_server_that_takes_no_connection_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "CONNECT_S", 0.05)

    async def never(*_: object, **__: object) -> None:
        await asyncio.sleep(3600)

    # No machine within reach drops packets on request.
    monkeypatch.setattr(asyncio, "open_connection", never)
    with pytest.raises(ServerUnreachable, match="no connection within"):
        await events_of(runner_of("http://127.0.0.1:1"))


async def test_refusals_are_passed_on_in_the_words_of_the_server() -> None:
    async with playing(answer({"message": "run_timeout cannot exceed"}, "400 Bad Request")) as played:
        with pytest.raises(RunRefused, match="run_timeout cannot exceed"):
            await events_of(runner_of(played.url))
    async with playing(answer({"message": "python-3.12.0 runtime is unknown"}, "400 Bad Request")) as played:
        with pytest.raises(LanguageUnknown):
            await events_of(runner_of(played.url))


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_a_busy_server_says_when_to_come_back(status: str) -> None:
    async with playing(answer({"message": "no"}, status, "Retry-After: 7")) as played:
        with pytest.raises(ExecutionBusy) as busy:
            await events_of(runner_of(played.url))
    assert busy.value.retry_after_s == 7


async def test_stop_hangs_up() -> None:
    async with playing(_hang) as played:
        runner = runner_of(played.url)
        listening = asyncio.create_task(events_of(runner))
        async with asyncio.timeout(10):
            while len(played.requests) < 2:
                await asyncio.sleep(0)
        assert await runner.stop("run_1")
        (finished,) = await listening
        assert isinstance(finished, Finished)
        assert finished.verdict is Verdict.STOPPED


@pytest.mark.parametrize(
    "changes",
    [
        {"stdin": b"\xff"},
        {"files": (SourceFile("main.py", b"\xff"),)},
        {"live": True, "terminal": Terminal()},
        {"terminal": Terminal()},
    ],
)
async def test_what_stock_piston_has_no_words_for_is_refused(changes: Json) -> None:
    async with playing(answer(FINE)) as played:
        with pytest.raises(RunRefused):
            await events_of(runner_of(played.url), a_request(**changes))
    assert played.bodies == []


@pytest.mark.parametrize(
    "url",
    [
        "runner:2000",
        "ftp://runner",
        "http://",
        "http://a:b@runner",
        "http://runner/?a",
        "http://runner/#a",
        "http://r\xe4",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="it must be"):
        PistonServer(url)


@asynccontextmanager
async def talking(*messages: Json | bytes, code: int = 4999) -> AsyncGenerator[PistonRunner]:
    """A runner whose server lists Python, and says these words to whoever connects."""

    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        for message in messages:
            await socket.send(message if isinstance(message, bytes) else json.dumps(message))
        await socket.close(code)

    async with playing(answer(FINE)) as played, serve(talk, "127.0.0.1", 0) as sockets:
        runner = runner_of(played.url)
        await runner.check()
        port = next(iter(sockets.sockets)).getsockname()[1]
        runner.server = PistonServer(f"http://127.0.0.1:{port}")
        yield runner


RUN = {"type": "stage", "stage": "run"}


async def live(runner: PistonRunner) -> list[RunEvent]:
    return await events_of(runner, a_request(live=True))


async def test_a_live_run_on_stock_piston_is_heard_to_its_end() -> None:
    words = {"type": "runtime", "language": "python", "version": "3.12.0"}, RUN
    said = (
        {"type": "data", "stream": "stdout", "data": "hi"},
        {"type": "exit", "stage": "run", "code": 3, "signal": None},
    )
    async with talking(*words, *said) as runner:
        events = await live(runner)
    assert isinstance(events[-1], Finished)
    assert (events[-1].verdict, events[-1].exit_code) == (Verdict.ERROR, 3)


async def test_a_socket_that_says_why_is_believed() -> None:
    async with talking({"type": "error", "message": "version is required"}, code=4002) as runner:
        with pytest.raises(RunRefused, match="version is required"):
            await live(runner)


@pytest.mark.parametrize("messages", [(), (RUN,), (b"\xff",), ({"type": 5},), ([],)])
async def test_a_socket_that_ends_too_early_or_says_nonsense_is_told(messages: tuple[Json | bytes, ...]) -> None:
    async with talking(*messages) as runner:
        with pytest.raises(SandboxUnavailable, match=r"hung up|would not say"):
            await live(runner)


async def test_a_socket_that_prints_without_end_is_cut() -> None:
    much = {"type": "data", "stream": "stdout", "data": "x" * 600_000}
    async with talking(RUN, much, much, much) as runner:
        events = await live(runner)
    assert isinstance(events[-1], Finished)
    assert events[-1].verdict is Verdict.OUTPUT
    assert sum(len(event.data) for event in events if isinstance(event, Output)) == SETTINGS.run_output_bytes


async def test_a_socket_that_leads_elsewhere_is_not_followed() -> None:
    async with playing(answer(FINE)) as played, playing(answer(FINE)) as elsewhere:
        runner = runner_of(played.url)
        await runner.check()

        async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            location = elsewhere.url.replace("http", "ws")
            writer.write(answer(b"", "302 Found", f"Location: {location}/api/v2/connect"))
            await writer.drain()

        leading = await asyncio.start_server(redirect, "127.0.0.1", 0)
        runner.server = PistonServer(f"http://127.0.0.1:{leading.sockets[0].getsockname()[1]}", "secret")
        with pytest.raises(SandboxUnavailable, match="redirects are not followed"):
            await live(runner)
        leading.close()
        assert elsewhere.requests == []
