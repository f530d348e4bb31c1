"""What a configuration takes: 500 models from three layers, and one that changes again and again under load."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.ai.contenders import OpenCode
from benchmarks.collaboration.processes import HOST
from benchmarks.collaboration.statistics import Figures, percentile
from opencode.modules.ai.adapters.files import Places
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID
from opencode.modules.ai.service.configuring import load

PROVIDERS, MODELS_EACH = 25, 20
CLIENTS = 16
SEEN_WITHIN_S = 20.0
_ANSWERED = re.compile(rb"x-opencode-model: bench/m-(\d+)\r", re.IGNORECASE)
_LENGTH = re.compile(rb"content-length: (\d+)\r", re.IGNORECASE)


def loading(folder: Path, times: int) -> Figures:
    """
    Load, merge, fill in and check: half of the models in the file of the system, half in the user's, and over them a
    file with a weight and a time-out for each provider. Every model has a variable in it.
    """
    places = Places(
        system=folder / "system.json",
        user=folder / "user.json",
        working=folder,
        named=folder / "named.json",
        variables={"KEY": "sk-bench", "MOST": "4096"},
    )
    halves = range(PROVIDERS // 2), range(PROVIDERS // 2, PROVIDERS)
    for file, half in zip((places.system, places.user), halves, strict=True):
        _write(file, {f"p-{number}": _provider(number) for number in half})
    named = {f"p-{number}": {"weight": 2, "timeouts": {"connect_s": "${PATIENCE:-3}"}} for number in range(PROVIDERS)}
    _write(folder / "named.json", named)
    took: list[float] = []
    cpu_s = 0.0
    for _ in range(times):
        began, cpu_began = time.perf_counter(), time.process_time()
        loaded = load(places)
        cpu_s += time.process_time() - cpu_began
        took.append(time.perf_counter() - began)
        configuration = loaded.checked.configuration
        assert configuration is not None, loaded.checked.problems[:3]
        assert sum(len(each.models) for each in configuration.providers.values()) == PROVIDERS * MODELS_EACH
    return {
        "p50_ms": percentile(took, 50) * 1000,
        "p99_ms": percentile(took, 99) * 1000,
        "cpu_ms": cpu_s / times * 1000,
    }


def _provider(number: int) -> dict[str, object]:
    models = [
        {
            "name": f"m-{each}",
            "context_window": 128_000,
            "max_output_tokens": "${MOST:-2048}",
            "price": {"input": 1, "output": 2},
            "capabilities": ["chat", "tools"],
        }
        for each in range(MODELS_EACH)
    ]
    return {"type": "custom", "base_url": f"http://{HOST}:{9000 + number}/v1", "api_key": "${KEY}", "models": models}


def _write(file: Path, providers: Mapping[str, Mapping[str, object]]) -> None:
    text = json.dumps({"$schema": SCHEMA_ID, "providers": providers}, indent=2)
    file.write_text(f"// Made by the benchmark.\n{text}\n")


async def reloads(server: OpenCode, count: int) -> Figures:
    """
    So many new configurations under load. Each has a model and a header of its own behind one alias; the provider
    answers 500 where the two are not of one configuration.
    """
    request = server.request(model="any")
    answered, failed, newest, over = 0, 0, 0, False
    seen = asyncio.Event()

    async def client() -> None:
        nonlocal answered, failed, newest
        reader, writer = await asyncio.open_connection(HOST, server.port)
        while not over:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length, of = _LENGTH.search(head), _ANSWERED.search(head)
            assert length
            await reader.readexactly(int(length[1]))
            answered += 1
            if of is None or not head.startswith(b"HTTP/1.1 200"):
                failed += 1
            elif int(of[1]) > newest:
                newest = int(of[1])
                seen.set()
        writer.close()

    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    took: list[float] = []
    for mark in range(1, count + 1):
        server.configure(mark)
        began = time.perf_counter()
        async with asyncio.timeout(SEEN_WITHIN_S):
            while newest < mark:
                seen.clear()
                await seen.wait()
        took.append(time.perf_counter() - began)
    over = True
    await asyncio.gather(*clients)
    return {"reloads": count, "calls": answered, "failed": failed, "in_force_p99_s": percentile(took, 99)}
