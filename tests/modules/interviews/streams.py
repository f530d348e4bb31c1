"""A real server on loopback, and a reader of its event streams."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from litestar import Litestar

from opencode.infra.websocket.asgi import AsgiApp
from tests import servers

PATIENCE_S = 20.0


@asynccontextmanager
async def serving(app: Litestar | AsgiApp) -> AsyncGenerator[str]:
    """Serve the application on a free port of loopback; its address."""
    async with servers.serving(app, ws="websockets-sansio") as server:
        yield f"http://127.0.0.1:{server.port}"


class Stream:
    """An open event stream."""

    def __init__(self, lines: AsyncGenerator[str]) -> None:
        self._lines = lines
        self.ids: list[int] = []

    async def next(self) -> dict[str, Any] | None:
        """The next event's data; None when the stream ended."""
        async with asyncio.timeout(PATIENCE_S):
            fields: dict[str, str] = {}
            async for line in self._lines:
                if line.startswith(":"):
                    continue
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    if "id" in fields:
                        self.ids.append(int(fields["id"]))
                    data = msgspec.json.decode(fields["data"])
                    assert data["type"] == fields["event"]
                    return data
            return None

    async def until(self, event_type: str) -> list[dict[str, Any]]:
        """All events up to and with the next one of that type."""
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1]["type"] != event_type:
            event = await self.next()
            assert event is not None, f"the stream ended before {event_type}: {[item['type'] for item in heard]}"
            heard.append(event)
        return heard

    async def rest(self) -> list[dict[str, Any]]:
        """All events until the stream ends."""
        heard: list[dict[str, Any]] = []
        while event := await self.next():
            heard.append(event)
        return heard


@asynccontextmanager
async def watching(
    base: str, interview_id: str, token: str | None, *, after: int | None = None, last_id: int | None = None
) -> AsyncGenerator[Stream]:
    """Follow an interview's events; returns once the server has answered."""
    headers = {"authorization": f"Bearer {token}"}
    if last_id is not None:
        headers["last-event-id"] = str(last_id)
    params = {} if after is None else {"after": after}
    timeout = httpx.Timeout(PATIENCE_S)
    async with httpx.AsyncClient(base_url=base, timeout=timeout) as client:
        path = f"/api/v1/interviews/{interview_id}/events"
        async with client.stream("GET", path, headers=headers, params=params) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()
            yield Stream(lines)  # pyright: ignore[reportArgumentType]
