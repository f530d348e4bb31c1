"""Sockets: every message and every goodbye of Piston, and none of its holes."""

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.modules.execution import sockets
from opencode.modules.execution.schemas.messages import SIGNALS
from opencode.modules.execution.settings import PistonSettings
from tests.doubles.runner import PIPE_BYTES

from .cases_connect import COMPLETED, RUN, RUNTIME, SCRIPTS, TIMEOUT, Step, ended, out, typed
from .kit import PATIENCE_S, Line, World, init, on_a_port, piston_world


async def until_first(world: World) -> None:
    """Wait until a run is under way."""
    async with asyncio.timeout(PATIENCE_S):
        while not world.runner.requests:
            await asyncio.sleep(0.005)


async def settled(number: Callable[[], int]) -> int:
    """The number once it has not changed for a while."""
    last, same = -1, 0
    while same < 10:
        await asyncio.sleep(0.02)
        same = same + 1 if number() == last else 0
        last = number()
    return last


async def type_much(line: Line, piece: str, pieces: int) -> None:
    for _ in range(pieces):
        await line.say(typed(piece))


async def until_quiet(world: World) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await world.runner.quiet.wait()


@pytest.mark.parametrize("script", [pytest.param(steps, id=sentence) for sentence, steps in SCRIPTS])
async def test_a_conversation_goes_as_it_is_written_down(
    socket_world: World, script: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    if script[-1] == ("bye", TIMEOUT):
        monkeypatch.setattr(sockets, "INIT_S", 0.1)
    line = await socket_world.open()
    for what, value in script:
        match what:
            case "say":
                await line.say(value)
            case "hear":
                assert await line.hear() == value
            case "word":
                socket_world.runner.say(value)
            case "told":
                await _until_told(socket_world, value)
            case _:
                assert await line.goodbye() == value
    await until_quiet(socket_world)


async def _until_told(world: World, expected: set[tuple[str, object]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(world.runner.told) < len(expected):
            await asyncio.sleep(0.005)
    told = [(what, value) for _, what, value in world.runner.told]
    assert set(told) == expected
    assert [each for each in told if each[0] in {"write", "end_input"}] == [
        ("write", b"a"),
        ("write", b"b"),
        ("end_input", None),
    ]


@pytest.mark.parametrize("path", sockets.PATHS)
async def test_both_prefixes_have_a_socket(socket_world: World, path: str) -> None:
    line = await socket_world.open(path)
    await line.say(init("out a"))
    assert await line.rest() == [RUNTIME, RUN, out("a\n"), ended()]
    assert line.closed == COMPLETED


async def test_a_client_has_a_second_to_say_what_it_wants() -> None:
    assert sockets.INIT_S == 1.0


def test_there_are_as_many_signals_as_linux_has() -> None:
    assert len(SIGNALS) == 62
    assert {"SIGHUP", "SIGSYS", "SIGRTMIN", "SIGRTMIN+15", "SIGRTMAX-14", "SIGRTMAX"} <= set(SIGNALS)


async def test_a_run_is_live_and_gets_its_terminal_and_owner(socket_world: World) -> None:
    line = await socket_world.open()
    await line.say(init("out a", terminal={"columns": 90}, run_timeout=500))
    await line.rest()
    (request,) = socket_world.runner.requests
    assert (request.live, request.owner, request.limits.wall_time_ms) == (True, "address:127.0.0.1", 500)
    assert request.terminal
    assert request.terminal.columns == 90


class TestGoingAway:
    async def test_a_client_that_says_goodbye_ends_its_run_at_once(self, socket_world: World) -> None:
        line = await socket_world.open()
        await line.say(init("wait for ever"))
        await socket_world.runner.reached("for ever")
        await line.socket.close()
        await until_quiet(socket_world)

    async def test_a_client_that_vanishes_ends_its_run_at_once(self, socket_world: World) -> None:
        line = await socket_world.open()
        await line.say(init("wait for ever"))
        await socket_world.runner.reached("for ever")
        line.socket.transport.abort()
        await until_quiet(socket_world)

    async def test_a_client_that_goes_before_it_said_anything_leaves_nothing(self, socket_world: World) -> None:
        line = await socket_world.open()
        await line.socket.close()
        assert socket_world.runner.requests == []

    async def test_a_server_that_stops_ends_the_jobs(self, socket_world: World) -> None:
        line = await socket_world.open()
        await line.say(init("wait for ever"))
        await socket_world.runner.reached("for ever")
        await socket_world.piston.sockets.stop()
        assert socket_world.runner.quiet.is_set()


class TestSlowOnes:
    async def test_a_client_that_types_faster_than_the_program_reads_is_read_no_further(
        self, socket_world: World
    ) -> None:
        line = await socket_world.open()
        await line.say(init("listen"))
        await socket_world.runner.reached("listen")
        piece, pieces = "x" * 50_000, 400
        typing = asyncio.create_task(type_much(line, piece, pieces))
        # Whatever fits into the pipe, our own allowance and the buffers of the kernel is taken; then nothing more.
        written = await settled(lambda: len(socket_world.runner.told))
        assert written < pieces
        assert not typing.done()
        assert (written - 1) * len(piece) <= PIPE_BYTES + len(piece)
        socket_world.runner.say("listen")
        await typing
        await line.say({"type": "eof"})
        assert await line.rest() == [RUNTIME, RUN, out(f"{pieces * len(piece)}\n"), ended()]

    async def test_a_client_that_goes_away_while_it_is_not_read_ends_its_run_with_the_next_ping(
        self, socket_world: World
    ) -> None:
        line = await socket_world.open()
        await line.say(init("listen"))
        await socket_world.runner.reached("listen")
        typing = asyncio.create_task(type_much(line, "x" * 50_000, 400))
        await settled(lambda: len(socket_world.runner.told))
        typing.cancel()
        line.socket.transport.abort()
        async with asyncio.timeout(PATIENCE_S):
            while not socket_world.runner.quiet.is_set():
                for connection in socket_world.connections():
                    connection.sweep(ping=True)
                await asyncio.sleep(0.02)

    async def test_a_client_that_does_not_read_is_let_go_and_its_run_ended(
        self, socket_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sockets, "SLOW_READER_S", 0.2)
        line = await socket_world.open(max_queue=1)
        line.socket.transport.pause_reading()
        await line.say(init(*["much 100000"] * 400, "wait for ever"))
        await until_first(socket_world)
        await until_quiet(socket_world)
        line.socket.transport.resume_reading()
        await line.rest()
        assert line.closed[0] in {1013, 1006}

    async def test_a_client_that_catches_up_misses_nothing(self, socket_world: World) -> None:
        line = await socket_world.open(max_queue=1)
        line.socket.transport.pause_reading()
        await line.say(init(*["much 100000"] * 100))
        await until_first(socket_world)
        await asyncio.sleep(0.05)
        line.socket.transport.resume_reading()
        heard = await line.rest()
        assert sum(len(each["data"]) for each in heard if each["type"] == "data") == 10_000_000
        assert line.closed == COMPLETED


class TestWhoMayConnect:
    async def test_nobody_connects_without_a_token(self, world: World) -> None:
        async with on_a_port(world) as served:
            with pytest.raises(InvalidStatus) as refused:
                await served.open()
        response = refused.value.response
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/json"
        assert json.loads(response.body or b"") == {
            "message": "This needs you to be signed in. Sign in, then try again."
        }

    async def test_a_token_with_the_scope_connects(self, world: World) -> None:
        async with on_a_port(world) as served:
            line = await served.open(additional_headers={"authorization": f"Bearer {served.token}"})
            await line.say(init("out a"))
            assert (await line.rest())[-1] == ended()

    async def test_a_page_of_another_site_cannot_use_the_session(self, world: World) -> None:
        cookie = {"cookie": f"ocp_session={world.identity.add_session(world.token)}"}
        async with on_a_port(world) as served:
            with pytest.raises(InvalidStatus) as refused:
                await served.open(additional_headers=cookie, origin="https://elsewhere.example")
            assert refused.value.response.status_code == 403
            line = await served.open(additional_headers=cookie, origin=f"http://127.0.0.1:{served.port}")
            await line.socket.close()

    async def test_an_open_server_gives_each_address_so_many_jobs_a_minute(
        self, parts: Parts, clock: ManualClock
    ) -> None:
        settings = PistonSettings(piston_open=True, piston_open_runs_per_minute=1)
        async with piston_world(parts, clock, settings) as world, on_a_port(world) as served:
            line = await served.open()
            with pytest.raises(InvalidStatus) as refused:
                await served.open()
            assert refused.value.response.status_code == 429
            assert int(refused.value.response.headers["retry-after"]) >= 1
            await line.socket.close()

    async def test_an_address_that_only_begins_like_ours_is_none(self, socket_world: World) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await socket_world.open("/api/v2/connect2")
        assert refused.value.response.status_code == 404

    async def test_a_plain_request_to_the_socket_finds_nothing(self, socket_world: World) -> None:
        async with httpx.AsyncClient() as client:
            response = await client.get(f"http://127.0.0.1:{socket_world.port}/api/v2/connect")
        assert (response.status_code, response.json()) == (404, {"message": "Not Found"})
