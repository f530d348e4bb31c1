"""An answer that stays open."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from opencode.infra.http import ServerEvent
from opencode.infra.http import event_stream as module


async def test_events_are_written_as_the_standard_says_and_the_stream_ends_with_them() -> None:
    async def events() -> AsyncGenerator[ServerEvent]:
        yield ServerEvent("7", "chat.message", b'{"text":"hi"}')

    body = module.event_stream(events())
    assert [chunk async for chunk in body.iterator] == [
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

    stream = module._with_heartbeat(events())
    for _ in range(after + 1):
        await anext(stream)
    await stream.aclose()  # pyright: ignore[reportAttributeAccessIssue]
    assert closed == [True]


async def test_a_silent_stream_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_S", 0.001)

    async def silent() -> AsyncGenerator[ServerEvent]:
        await asyncio.Event().wait()
        yield ServerEvent("1", "x", b"{}")

    stream = module._with_heartbeat(silent())
    assert await anext(stream) == b": welcome\n\n"
    assert await anext(stream) == b": still here\n\n"
    await stream.aclose()  # pyright: ignore[reportAttributeAccessIssue]
