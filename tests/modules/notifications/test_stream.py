"""An inbox, live: over a real socket, across servers, and on from where one was."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from opencode.contracts.identity import CredentialsRevoked
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.notifications.service import streaming
from opencode.modules.notifications.settings import NotificationsSettings
from opencode.modules.notifications.store import NotificationsWork
from tests.modules.interviews.streams import PATIENCE_S, Stream, serving
from tests.modules.notifications.conftest import NOTICES, Person, World, running


@pytest.fixture
def database_kind() -> str:
    """What streams read, the tests of the inbox hold on every database."""
    return "sqlite"


@asynccontextmanager
async def following(base: str, person: Person, *, last_id: int | None = None) -> AsyncGenerator[Stream]:
    headers = {"authorization": f"Bearer {person.token}"}
    if last_id is not None:
        headers["last-event-id"] = str(last_id)
    async with (
        httpx.AsyncClient(base_url=base, timeout=PATIENCE_S) as client,
        client.stream("GET", f"{NOTICES}/events", headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        yield Stream(answer.aiter_lines())  # pyright: ignore[reportArgumentType]


async def heard(stream: Stream) -> dict[str, Any]:
    event = await stream.next()
    assert event is not None
    return event


async def test_a_notice_appears_while_one_looks_and_what_another_page_reads_is_counted(world: World) -> None:
    ada = world.person()
    await world.tell(ada, title="Before")
    async with serving(world.app) as base, following(base, ada) as stream:
        assert await heard(stream) == {"type": "notices.counted", "unread": 1}
        await world.tell(ada, title="Live")
        news = await heard(stream)
        assert (news["type"], news["notice"]["title"], news["unread"]) == ("notice.given", "Live", 2)
        await ada.post(f"{NOTICES}/read", {"all": True})
        assert await heard(stream) == {"type": "notices.counted", "unread": 0}


async def test_whoever_comes_back_gets_what_came_meanwhile_once_and_in_order(world: World) -> None:
    ada, grace = world.person("Ada"), world.person("Grace")
    async with serving(world.app) as base:
        async with following(base, ada) as stream:
            await heard(stream)
            await world.tell(ada, title="First")
            await heard(stream)
            last = stream.ids[-1]
        for title in ("Second", "Third"):
            await world.tell(ada, grace, title=title)
        async with following(base, ada, last_id=last) as stream:
            assert [(await heard(stream))["notice"]["title"] for _ in range(2)] == ["Second", "Third"]
            await world.tell(ada, title="Fourth")
            assert (await heard(stream))["notice"]["title"] == "Fourth"
        async with following(base, ada, last_id=2**31 - 1) as stream:
            assert (await heard(stream))["unread"] == 4
            await world.tell(ada, title="Fifth")
            assert (await heard(stream))["notice"]["title"] == "Fifth"


async def test_a_notice_that_another_server_took_in_appears_here(
    world: World, parts: Parts, clock: ManualClock, settings: NotificationsSettings
) -> None:
    ada = world.person()
    async with (
        running(parts, clock, settings, world.identity) as other,
        serving(world.app) as base,
        following(base, ada) as stream,
    ):
        await heard(stream)
        await other.tell(ada, title="From there")
        assert (await heard(stream))["notice"]["title"] == "From there"


async def test_streams_end_with_the_credentials_of_their_person_and_with_the_server(world: World) -> None:
    ada, grace = world.person("Ada"), world.person("Grace")
    async with serving(world.app) as base, following(base, ada) as hers, following(base, grace) as others:
        await heard(hers)
        await heard(others)
        async with NotificationsWork(world.parts) as work:
            work.publish(CredentialsRevoked(principal_id=ada.id, revoked_at=world.clock.now()))
        await world.deliver()
        assert await hers.rest() == []
        await world.tell(ada, grace)
        assert (await heard(others))["type"] == "notice.given"
        assert world.module.plug.drain
        await world.module.plug.drain()
        assert await others.rest() == []


async def test_one_person_cannot_hold_streams_without_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "STREAMS_OF_ONE_PERSON", 3)
    ada = world.person()
    async with serving(world.app) as base, AsyncExitStack() as stack:
        # Kept: a stream that nobody holds is closed.
        streams = [await stack.enter_async_context(following(base, ada)) for _ in range(3)]
        for stream in streams:
            await heard(stream)
        answer = await ada.get(f"{NOTICES}/events")
        assert answer.status_code == 429
        assert answer.headers["retry-after"]
