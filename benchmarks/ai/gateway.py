"""
The gateway behind a real server: what it adds to a call, how many it carries, and how many streams at once. The
provider and the load are on the other core, the gateway has one for itself. Keys, a budget, breakers and the ledger are
on, as they always are.
"""

import asyncio
import json
import os
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.ai.upstream import FRAMES, PACE_S
from benchmarks.collaboration.ours import API, Ours
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
from benchmarks.execution.wire import Connection, connected, encoded
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID

PATH = "/ai/v1/chat/completions"
MODEL = "bench/small"
CLIENTS = 16
_MS = 1000.0
_CONVERSATION = [{"role": "user", "content": "Say hello, please, and say it as briefly as you can. " * 4}]


class Gateway(Ours):
    """Ours with one provider."""

    def __init__(self, provider_port: int) -> None:
        super().__init__()
        self._provider_port = provider_port
        self.token = ""

    def command(self) -> tuple[Sequence[str | Path], dict[str, str]]:
        command, environment = super().command()
        price = {"input": 1, "output": 2}
        provider = {
            "type": "custom",
            "base_url": f"http://{HOST}:{self._provider_port}/v1",
            "models": [{"name": "small", "price": price, "max_output_tokens": 100}],
        }
        configuration = {
            "$schema": SCHEMA_ID,
            "providers": {"bench": provider},
            "limits": {
                "requests_per_minute": 1_000_000_000,
                "tokens_per_minute": 1_000_000_000,
                "concurrency": 100_000,
                "budget": {"amount_usd": 1_000_000, "period": "month"},
            },
        }
        file = self.folder / "opencode.json"
        file.write_text(json.dumps(configuration))
        return command, {**environment, "OCP_MODULES": "identity,ai", "OCP_AI_CONFIG": str(file)}

    async def start(self, *, pinned: bool = True) -> float:
        seconds = await super().start(pinned=pinned)
        made = await self.call("POST", f"{API}/tokens", {"name": "bench", "scopes": ["ai"], "expires_in_days": 1})
        self.token = made["token"]
        return seconds


@asynccontextmanager
async def provider(folder: Path) -> AsyncGenerator[int]:
    """The mock upstream on the load's core; its port."""
    import sys

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


def request_for(path: str, model: str, token: str, *, stream: bool = False) -> bytes:
    body = {"model": model, "messages": _CONVERSATION, "stream": stream}
    return encoded("POST", path, body, {"Authorization": f"Bearer {token}"})


async def added(port: int, request: bytes, provider_port: int, straight: bytes, calls: int) -> Figures:
    """One client, each call next to the same call without the gateway: what it adds."""
    through: list[float] = []
    beside: list[float] = []
    async with connected(port) as gateway, connected(provider_port) as upstream:
        for number in range(calls + calls // 10):
            took = await _timed(gateway, request), await _timed(upstream, straight)
            if number >= calls // 10:
                through.append(took[0])
                beside.append(took[1])
    more = [a - b for a, b in zip(through, beside, strict=True)]
    return {"added_p50_ms": percentile(more, 50) * _MS, "added_p99_ms": percentile(more, 99) * _MS}


async def carried(server: ServerProcess, port: int, request: bytes, seconds: float) -> Figures:
    """`CLIENTS` clients, one call after the other: how many a second, and what each costs the server's processor."""
    durations: list[float] = []
    ends = time.perf_counter() + seconds

    async def client() -> None:
        async with connected(port) as connection:
            while time.perf_counter() < ends:
                durations.append(await _timed(connection, request))

    began, cpu_ns = time.perf_counter(), server.cpu_ns()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    took = time.perf_counter() - began
    return {
        "calls_per_s": len(durations) / took,
        "cpu_us_per_call": (server.cpu_ns() - cpu_ns) / 1000 / len(durations),
        "p50_ms": percentile(durations, 50) * _MS,
        "p99_ms": percentile(durations, 99) * _MS,
    }


async def streams(port: int, request: bytes, count: int) -> Figures:
    """So many streams at once, begun within one pace of each other: frames that are lost, and what each takes longer."""
    first: list[float] = []
    every: list[float] = []
    lost = 0

    async def client(number: int) -> None:
        nonlocal lost
        await asyncio.sleep(2.0 * number / count)
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            writer.write(request)
            times = await _frames(reader)
        finally:
            writer.close()
        lost += FRAMES - len(times)
        first.extend(times[:1])
        every.extend(times)

    await asyncio.gather(*(client(number) for number in range(count)))
    return {
        "streams": count,
        "lost_frames": lost,
        "first_word_p50_ms": percentile(first, 50) * _MS,
        "first_word_p99_ms": percentile(first, 99) * _MS,
        "word_p99_ms": percentile(every, 99) * _MS,
    }


async def _frames(reader: asyncio.StreamReader) -> list[float]:
    """How long each word was on its way, in seconds."""
    times: list[float] = []
    held = b""
    while True:
        data = await reader.read(65_536)
        now = time.perf_counter_ns()
        if not data:
            return times
        held += data
        *lines, held = held.split(b"\n")
        for line in lines:
            at = line.find(b'"content":"t')
            if at >= 0:
                times.append((now - int(line[at + 12 :].split(b" ", 1)[0])) / 1e9)
            if line.startswith(b"data: [DONE]"):
                return times


async def _timed(connection: Connection, request: bytes) -> float:
    began = time.perf_counter()
    await connection.ask(request)
    return time.perf_counter() - began


async def measured(folder: Path, *, calls: int, seconds: float, streams_at_once: int) -> dict[str, Figures]:
    """All of them, of ours."""
    os.sched_setaffinity(0, {LOAD_CORE})
    async with provider(folder) as provider_port:
        server = Gateway(provider_port)
        try:
            await server.start()
            memory = await settled_memory(server.running, at_least_s=3, at_most_s=10)
            request = request_for(PATH, MODEL, server.token)
            straight = request_for("/v1/chat/completions", "small", "")
            found = {"added": await added(server.port, request, provider_port, straight, calls)}
            found["carried"] = await carried(server.running, server.port, request, seconds)
            stream = request_for(PATH, MODEL, server.token, stream=True)
            found["streams"] = await streams(server.port, stream, streams_at_once)
            found["memory"] = {"at_rest_mb": memory / 1e6}
            return found
        finally:
            await server.close()
