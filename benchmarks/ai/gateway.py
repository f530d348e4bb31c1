"""
A gateway behind a real server: what it adds to a call, how many it carries, how many streams at once, and what it takes
when nobody asks. The provider and the load are on one core, the gateway has the other for itself.
"""

import asyncio
import re
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from benchmarks.ai.contenders import Gateway, straight
from benchmarks.ai.upstream import FRAMES
from benchmarks.collaboration.processes import (
    HOST,
    LOAD_CORE,
    ServerProcess,
    free_port,
    on_core,
    settled_memory,
    start_process,
)
from benchmarks.collaboration.statistics import Figures, percentile
from benchmarks.execution.wire import Connection, RequestFailed, connected

CLIENTS = 16
BEGIN_WITHIN_S = 2.0
"""Streams begin one after the other within this time: a thousand people do not ask in the same moment."""
_MS = 1000.0
_WARM_UP = 50
_STREAMS_LIMIT_S = 120.0
_WORD = re.compile(rb'"content": ?"t(\d+) ')


@dataclass(frozen=True, slots=True)
class Sizes:
    """
    Attributes:
        calls: of one client, one after the other.
        seconds: of all clients at once.
        streams: at once through ours; half as many before.
        streams_of_peers: which break down or take minutes with as many as ours.
    """

    calls: int
    seconds: float
    streams: int
    streams_of_peers: int


FULL = Sizes(calls=2_000, seconds=10, streams=1_000, streams_of_peers=100)
QUICK = Sizes(calls=100, seconds=1, streams=50, streams_of_peers=10)


@asynccontextmanager
async def provider(folder: Path) -> AsyncGenerator[int]:
    """The provider on the load's core; its port."""
    port = free_port()
    with on_core(LOAD_CORE):
        process: ServerProcess = start_process(
            [sys.executable, "-m", "benchmarks.ai.upstream", str(port)], {}, folder / "upstream.log"
        )
    try:
        await process.ready(port, "/v1/models")
        yield port
    finally:
        process.stop()


async def resting(gateway: Gateway) -> Figures:
    """Start it, and see what it takes when nobody asks."""
    figures = {"start_s": await gateway.start()}
    memory = await settled_memory(gateway.running, at_least_s=3, at_most_s=10)
    return {**figures, "at_rest_mb": memory / 1e6}


async def calls(gateway: Gateway, provider_port: int, sizes: Sizes) -> Figures:
    """What one client waits longer for, and how many calls sixteen get through."""
    request = gateway.request()
    async with connected(gateway.port) as connection:
        for _ in range(_WARM_UP):
            await connection.ask(request)
    return {
        **await _added(gateway.port, request, provider_port, sizes.calls),
        **await _carried(gateway, request, sizes.seconds),
    }


async def _added(port: int, request: bytes, provider_port: int, count: int) -> Figures:
    """One client, each call next to the same call without the gateway: what it adds."""
    more: list[float] = []
    async with connected(port) as gateway, connected(provider_port) as upstream:
        for _ in range(count):
            through = await _timed(gateway, request)
            more.append(through - await _timed(upstream, straight()))
    return {"added_p50_ms": percentile(more, 50) * _MS, "added_p99_ms": percentile(more, 99) * _MS}


async def kept(gateway: Gateway, count: int) -> Figures:
    """How long one client waits for an answer that the cache has."""
    request = gateway.request()
    durations: list[float] = []
    async with connected(gateway.port) as connection:
        for _ in range(_WARM_UP):
            await connection.ask(request)
        for _ in range(count):
            durations.append(await _timed(connection, request))
            if b"\r\nx-opencode-cache: hit\r\n" not in connection.head.lower():
                raise RequestFailed(f"the answer is not from the cache: {connection.head!r}")
    return {f"hit_p{percent}_ms": percentile(durations, percent) * _MS for percent in (50, 99)}


async def _carried(gateway: Gateway, request: bytes, seconds: float) -> Figures:
    """`CLIENTS` clients, one call after the other: how many a second, and what each costs the server's processor."""
    durations: list[float] = []
    ends = time.perf_counter() + seconds

    async def client() -> None:
        async with connected(gateway.port) as connection:
            while time.perf_counter() < ends:
                durations.append(await _timed(connection, request))

    began, cpu_ns = time.perf_counter(), gateway.running.cpu_ns()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    took = time.perf_counter() - began
    return {
        "calls_per_s": len(durations) / took,
        "cpu_us_per_call": (gateway.running.cpu_ns() - cpu_ns) / 1000 / len(durations),
        "p50_ms": percentile(durations, 50) * _MS,
        "p99_ms": percentile(durations, 99) * _MS,
    }


async def streams(gateway: Gateway, provider_port: int, count: int) -> Figures:
    """As many streams at once, and before that the same ones without the gateway."""
    beside = await _streamed(provider_port, straight(stream=True), count)
    cpu_ns = gateway.running.cpu_ns()
    through = await _streamed(gateway.port, gateway.request(stream=True), count)
    used_ns = gateway.running.cpu_ns() - cpu_ns
    added = {f"added_{name}": through[name] - beside[name] for name in ("first_word_p50_ms", "first_word_p99_ms")}
    return {
        "at_once": through["at_once"],
        "lost_frames": through["lost_frames"],
        **added,
        "first_word_p99_ms": through["first_word_p99_ms"],
        "straight_first_word_p99_ms": beside["first_word_p99_ms"],
        "word_p99_ms": through["word_p99_ms"],
        "straight_word_p99_ms": beside["word_p99_ms"],
        "cpu_us_per_word": used_ns / 1000 / (count * FRAMES),
    }


async def _streamed(port: int, request: bytes, count: int) -> Figures:
    loop = asyncio.get_running_loop()
    clients: list[_Client] = []
    most = 0

    async def client(number: int) -> None:
        nonlocal most
        await asyncio.sleep(BEGIN_WITHIN_S * number / count)
        _, client = await loop.create_connection(lambda: _Client(request), HOST, port)
        clients.append(client)
        most = max(most, sum(not each.over.done() for each in clients))
        await client.over

    async with asyncio.timeout(_STREAMS_LIMIT_S):
        await asyncio.gather(*(client(number) for number in range(count)))
    first = [client.times[0] for client in clients]
    every = [each for client in clients for each in client.times]
    return {
        "at_once": most,
        "lost_frames": count * FRAMES - len(every),
        "first_word_p50_ms": percentile(first, 50) * _MS,
        "first_word_p99_ms": percentile(first, 99) * _MS,
        "word_p99_ms": percentile(every, 99) * _MS,
    }


class _Client(asyncio.Protocol):
    """
    Reads one stream, and costs next to nothing: it shares its core with the provider.

    Attributes:
        times: how long each word was on its way, in seconds.
        over: raises RequestFailed where the answer is no success, or breaks off.
    """

    def __init__(self, request: bytes) -> None:
        self.times: list[float] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now_ns = time.perf_counter_ns()
        data = self._held + data
        words = list(_WORD.finditer(data))
        self._held = data[words[-1].end() :] if words else data
        self.times += [(now_ns - int(word[1])) / 1e9 for word in words]
        if b"data: [DONE]" in self._held:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(RequestFailed(f"{len(self.times)} words came, then {self._held[-300:]!r}"))

    def _end(self, failure: RequestFailed | None) -> None:
        if self.over.done():
            return
        if failure:
            self.over.set_exception(failure)
        else:
            self.over.set_result(None)
        if self._transport:
            self._transport.close()


async def _timed(connection: Connection, request: bytes) -> float:
    began = time.perf_counter()
    await connection.ask(request)
    return time.perf_counter() - began
