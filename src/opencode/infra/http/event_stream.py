"""Server-Sent Events (WHATWG HTML, section 9.2)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from opencode.infra.observability import metrics

HEARTBEAT_S = 10.0
MAX_SEQ = 2**31 - 1

LastEventId = Annotated[
    int | None, HeaderParameter(name="Last-Event-ID", ge=0, le=MAX_SEQ, description="go on after this event")
]
After = Annotated[int | None, QueryParameter(ge=0, le=MAX_SEQ, description="the same, where no header can be sent")]
"""Where a stream goes on; `LastEventId` counts where both are given."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: `id` to resume after, empty when nobody can; `event` its type, `data` one line of JSON."""

    id: str
    event: str
    data: bytes

    def encode(self) -> bytes:
        number = b"id: %b\n" % self.id.encode() if self.id else b""
        return b"%bevent: %b\ndata: %b\n\n" % (number, self.event.encode(), self.data)


def event_stream(events: AsyncGenerator[ServerEvent]) -> Stream:
    """An answer that stays open: events as they come, and a comment when nothing came for 10 s."""
    return Stream(
        _with_heartbeat(events),
        media_type="text/event-stream",
        # Proxies that gather an answer before they pass it on would turn a live stream into none.
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _with_heartbeat(events: AsyncGenerator[ServerEvent]) -> AsyncIterator[bytes]:
    pending: asyncio.Task[ServerEvent] | None = None
    with metrics.EVENT_STREAMS.track_inprogress():
        try:
            yield b": welcome\n\n"
            while True:
                pending = pending or asyncio.ensure_future(anext(events))
                done, _ = await asyncio.wait({pending}, timeout=HEARTBEAT_S)
                if not done:
                    yield b": still here\n\n"
                    continue
                event, pending = pending.result(), None
                yield event.encode()
        except StopAsyncIteration:
            return
        finally:
            if pending:
                pending.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await pending
            # Left to the garbage collector, a generator would keep its subscription until some time later.
            await events.aclose()
