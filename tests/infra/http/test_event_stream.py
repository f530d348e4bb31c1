"""An answer that stays open."""

import asyncio
from collections.abc import AsyncGenerator
from importlib import import_module
from typing import cast

import pytest

from opencode.infra.http import ServerEvent, event_stream


def chunks_of(events: AsyncGenerator[ServerEvent]) -> AsyncGenerator[bytes]:
    return cast("AsyncGenerator[bytes]", event_stream(events).iterator)


async def test_events_are_written_as_the_standard_says_and_the_stream_ends_with_them() -> None:
    async def events() -> AsyncGenerator[ServerEvent]:
        yield ServerEvent("7", "chat.message", b'{"text":"hi"}')

    assert [chunk async for chunk in chunks_of(events())] == [
        b": welcome\n\n",
        b'id: 7\nevent: chat.message\ndata: {"text":"hi"}\n\n',
    ]


@pytest.mark.parametrize("after", [1, 2])
async def test_a_reader_who_leaves_closes_the_source_at_once(after: int) -> None:
    closed: list[bool] = []

    async def events() -> AsyncGenerator[ServerEvent]:
        try:
            while True:
                yield ServerEvent("1", "x", b"{}")
        finally:
            closed.append(True)

    stream = chunks_of(events())
    for _ in range(after + 1):
        await anext(stream)
    await stream.aclose()
    assert closed == [True]


async def test_a_silent_stream_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("opencode.infra.http.event_stream"), "HEARTBEAT_S", 0.001)

    async def silent() -> AsyncGenerator[ServerEvent]:
        await asyncio.Event().wait()
        yield ServerEvent("1", "x", b"{}")

    stream = chunks_of(silent())
    assert await anext(stream) == b": welcome\n\n"
    assert await anext(stream) == b": still here\n\n"
    await stream.aclose()
