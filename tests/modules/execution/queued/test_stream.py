"""The event stream of a run: complete, in order, resumable, and over with the run."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from opencode.contracts.identity import CredentialsRevoked
from opencode.infra.events import Reactions
from tests.http import application
from tests.modules.interviews.streams import Stream, serving

from .conftest import PATIENCE_S, Json, Person, World, accepted, finished, outcome, program


async def told(person: Person, run_id: str, after: int = 0) -> list[Json]:
    """All events of a run that is finished, as they were told."""
    answer = await person.call("GET", f"/api/v1/runs/{run_id}/events", headers={"last-event-id": str(after)})
    return await Stream(_lines(answer.text)).rest()


async def _lines(text: str) -> AsyncGenerator[str]:
    for line in text.split("\n"):
        yield line


@asynccontextmanager
async def listening(base: str, run_id: str, person: Person) -> AsyncGenerator[Stream]:
    """Follow a run's events on a real server; returns once it has answered."""
    headers = {"authorization": f"Bearer {person.token}"}
    path = f"/api/v1/runs/{run_id}/events"
    async with (
        httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, trust_env=False) as client,
        client.stream("GET", path, headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        yield Stream(answer.aiter_lines())  # pyright: ignore[reportArgumentType]


async def test_a_run_is_told_from_beginning_to_end(world: World) -> None:
    grace = world.person()
    done = await outcome(grace, "out one\nbytes e282\nbytes acff\nexit 3")
    events = await told(grace, done["id"])
    assert [event["type"] for event in events] == ["run.started", "run.output", "run.finished"]
    assert events[0]["attempt"] == 1
    assert (events[1]["stage"], events[1]["stream"], events[1]["text"]) == ("run", "stdout", "one\n€\ufffd")
    assert events[1]["base64"] == "b25lCuKCrP8="
    assert (events[2]["run"]["status"], events[2]["run"]["exit_code"]) == ("error", 3)
    assert await told(grace, done["id"], after=1) == events[1:]
    nothing = await grace.call("GET", f"/api/v1/runs/{done['id']}/events", headers={"last-event-id": "3"})
    assert nothing.status_code == 204


async def test_who_listens_while_it_waits_hears_its_position_and_all_the_rest(world: World) -> None:
    grace = world.person()
    app = application(world.module.plug.routes, world.identity)
    for name in ("one", "two"):
        await accepted(grace, program(f"wait {name}"))
        await world.runner.reached(name)
    await accepted(grace, program("out before"))
    run = await accepted(grace, program("out half\nwait more\nout whole"))
    async with serving(app) as base, listening(base, run["id"], grace) as stream:
        assert await stream.next() == {"type": "run.queued", "at": "2026-01-05T09:00:00Z", "position": 1}
        world.runner.say("one")
        heard = await stream.until("run.output")
        assert heard[-1]["text"] == "half\n"
        world.runner.say("more")
        assert (await stream.until("run.finished"))[-1]["run"]["status"] == "ok"
        assert await stream.next() is None
        assert [number for number in stream.ids if number] == [1, 2, 3, 4]
    world.runner.say("two")


async def test_an_attempt_that_failed_and_the_next_one_are_told_apart(world: World) -> None:
    grace = world.person()
    done = await outcome(grace, "out said\nrefuse sandbox")
    events = [event["type"] for event in await told(grace, done["id"])]
    assert events.count("run.started") == 3
    assert events.count("run.queued") == 2
    assert events[-1] == "run.finished"


async def test_a_stream_ends_with_the_credential_and_with_the_server(world: World) -> None:
    grace = world.person()
    who = await world.identity.authenticate(session=None, bearer=grace.token)
    run = await accepted(grace, program("wait go"))
    await world.runner.reached("go")
    app = application(world.module.plug.routes, world.identity)
    reactions = Reactions()
    world.module.plug.react(reactions)
    async with serving(app) as base:
        async with listening(base, run["id"], grace) as stream:
            await stream.until("run.started")
            event = CredentialsRevoked(principal_id=who.id, revoked_at=world.clock.now())
            payload = f'{{"type":"identity.credentials_revoked.v1","principal_id":"{who.id}",'
            payload += f'"revoked_at":"{event.revoked_at.isoformat()}"}}'
            await reactions.deliver("identity.credentials_revoked.v1", payload)
            assert await stream.next() is None
        async with listening(base, run["id"], grace) as stream:
            await stream.until("run.started")
            assert world.module.plug.drain
            await world.module.plug.drain()
            assert await stream.next() is None
    world.runner.say("go")
    await finished(grace, run["id"])
