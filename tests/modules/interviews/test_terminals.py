"""Terminals: what everybody in an interview sees of a run at once, and who may type."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from opencode.contracts.collaboration import Entry, PeerRole
from opencode.contracts.events import tag_of
from opencode.contracts.execution import Terminal
from opencode.contracts.identity import CredentialsRevoked
from opencode.infra.events import Reactions
from opencode.infra.websocket import asgi_sockets
from opencode.infra.websocket.frames import payload_of
from opencode.modules.interviews.domain.run import Run
from opencode.modules.interviews.service.shared_terminal import (
    MAX_UNREAD_KEYS,
    REPLAY_BYTES,
    Cut,
    SharedTerminal,
    Viewer,
)
from opencode.modules.interviews.service.terminals import MAX_VIEWERS_OF_ONE_PERSON, TICKET_LIFETIME
from tests.modules.interviews.conftest import Json, Person, Room, World, admit, create, join
from tests.modules.interviews.streams import PATIENCE_S, serving
from tests.modules.interviews.test_runs import finished, run

SIZE = {"columns": 100, "rows": 30}


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@dataclass(slots=True)
class Screen:
    """One person's view of a terminal."""

    socket: ClientConnection
    words: list[Json] = field(default_factory=list[Json])
    printed: bytes = b""

    async def until(self, text: bytes) -> None:
        while text not in self.printed:
            await self._next()

    async def word(self, kind: str) -> Json:
        """The next word of this kind."""
        while True:
            for word in self.words:
                if word["type"] == kind:
                    self.words.remove(word)
                    return word
            await self._next()

    async def closed(self) -> int:
        with pytest.raises(ConnectionClosed) as ended:
            while True:
                await self._next()
        assert ended.value.rcvd
        return ended.value.rcvd.code

    async def types(self, keys: bytes) -> None:
        await self.socket.send(keys)

    async def says(self, kind: str, **facts: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **facts}))

    async def _next(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            message = await self.socket.recv()
        if isinstance(message, str):
            self.words.append(json.loads(message))
        else:
            self.printed += message


@dataclass(slots=True)
class Theatre:
    """A server with sockets."""

    base: str

    @asynccontextmanager
    async def watching(self, who: Person, run_id: str) -> AsyncGenerator[Screen]:
        answer = await who.post(f"/api/v1/runs/{run_id}/tickets")
        assert answer.status_code == 201, answer.text
        async with self.connecting(run_id, answer.json()["ticket"]) as screen:
            yield screen

    @asynccontextmanager
    async def connecting(self, run_id: str, ticket: str) -> AsyncGenerator[Screen]:
        address = f"{self.base.replace('http', 'ws')}/api/v1/runs/{run_id}/terminal"
        async with connect(address, subprotocols=[Subprotocol(f"ocp.ticket.{ticket}")], proxy=None) as socket:
            yield Screen(socket)


@pytest.fixture
async def theatre(world: World) -> AsyncGenerator[Theatre]:
    async with serving(asgi_sockets(world.app, world.module.sockets)) as base:  # pyright: ignore[reportArgumentType]
        yield Theatre(base)


async def test_everybody_sees_what_is_printed_and_typed_at_once(room: Room, theatre: Theatre) -> None:
    started = await run(room, "out hello\necho", terminal=SIZE)
    assert started["terminal"] == SIZE
    async with theatre.watching(room.candidate, started["id"]) as ada:
        assert await ada.word("state") == {"type": "state", **SIZE, "may_type": True}
        await ada.until(b"hello\n")
        await ada.types(b"abc")
        await ada.until(b"abc")
        async with theatre.watching(room.interviewer, started["id"]) as grace:
            await grace.until(b"hello\nabc")
            await grace.types(b"def")
            await ada.until(b"abcdef")
            await grace.says("eof")
            for person in (ada, grace):
                end = await person.word("exit")
                assert (end["status"], end["exit_code"], end["signal"]) == ("ok", 0, None)
                assert end["message"]
                assert await person.closed() == 1000
    done = await finished(room.interviewer, started["id"])
    assert (done["stdout"], done["terminal"]) == ("hello\nabcdef", SIZE)
    request = room.world.runner.requests[-1]
    assert (request.live, request.terminal) == (True, Terminal(100, 30))


async def test_who_comes_after_the_end_is_shown_how_it_ended(room: Room, theatre: Theatre) -> None:
    started = await run(room, "compile warning\nout hello\nexit 3", terminal=SIZE)
    await finished(room.candidate, started["id"])
    async with theatre.watching(room.interviewer, started["id"]) as grace:
        await grace.until(b"warning\r\nhello\n")
        assert (await grace.word("exit"))["exit_code"] == 3
        assert await grace.closed() == 1000


async def test_sizes_signals_and_the_end_of_input_reach_the_program(room: Room, theatre: Theatre) -> None:
    started = await run(room, "wait go", terminal=SIZE)
    async with (
        theatre.watching(room.candidate, started["id"]) as ada,
        theatre.watching(room.interviewer, started["id"]) as grace,
    ):
        await grace.word("state")
        await ada.says("resize", columns=120, rows=40)
        assert (await grace.word("state"))["columns"] == 120
        await ada.says("signal", signal="SIGINT")
        await ada.types(b"x")
        await ada.says("eof")
        async with asyncio.timeout(PATIENCE_S):
            while len(room.world.runner.told) < 4:
                await asyncio.sleep(0.001)
        room.world.runner.say("go")
        await ada.word("exit")
    told = [(what, value) for _, what, value in room.world.runner.told]
    assert sorted(told, key=str) == sorted(
        [("resize", Terminal(120, 40)), ("signal", "SIGINT"), ("write", b"x"), ("end_input", None)], key=str
    )
    assert told.index(("write", b"x")) < told.index(("end_input", None))


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"resize","columns":0,"rows":5}',
        '{"type":"resize","columns":5}',
        '{"type":"dance"}',
        "[",
        '{"a":"\ud800',
    ],
)
async def test_words_that_are_none_end_the_connection_of_who_said_them(room: Room, theatre: Theatre, text: str) -> None:
    started = await run(room, "wait go", terminal=SIZE)
    async with theatre.watching(room.candidate, started["id"]) as ada:
        await ada.socket.send(text.encode("utf-8", "replace").decode())
        assert await ada.closed() == 1003
    room.world.runner.say("go")


async def test_a_signal_that_does_not_exist_is_refused(room: Room, theatre: Theatre) -> None:
    started = await run(room, "wait go", terminal=SIZE)
    async with theatre.watching(room.candidate, started["id"]) as ada:
        await ada.says("signal", signal="NOTHING")
        assert await ada.closed() == 1003
    room.world.runner.say("go")


async def test_a_frozen_candidate_watches_and_types_nothing_until_the_freeze_is_lifted(
    room: Room, theatre: Theatre
) -> None:
    started = await run(room, "echo", terminal=SIZE)
    async with (
        theatre.watching(room.candidate, started["id"]) as ada,
        theatre.watching(room.interviewer, started["id"]) as grace,
    ):
        await ada.word("state")
        await room.interviewer.patch(room.path, {"frozen": True})
        assert (await ada.word("state"))["may_type"] is False
        await ada.types(b"refused")
        await ada.says("signal", signal="SIGKILL")
        await grace.types(b"from Grace")
        await ada.until(b"from Grace")
        await room.interviewer.patch(room.path, {"frozen": False})
        assert (await ada.word("state"))["may_type"] is True
        await ada.types(b"again")
        await grace.until(b"again")
        assert b"refused" not in grace.printed
        assert room.world.runner.told[-1][1] == "write"
        await grace.says("eof")
        await ada.word("exit")


async def test_whoever_is_removed_sees_nothing_more(room: Room, theatre: Theatre) -> None:
    started = await run(room, "echo", terminal=SIZE)
    async with theatre.watching(room.candidate, started["id"]) as ada:
        await ada.word("state")
        await room.interviewer.post(f"{room.path}/participants/{room.candidate.id}/remove")
        assert await ada.closed() == 4401
    await room.interviewer.post(f"/api/v1/runs/{started['id']}/stop")


async def test_a_ticket_outlives_no_removal(room: Room, theatre: Theatre) -> None:
    started = await run(room, "echo", terminal=SIZE)
    ticket = (await room.candidate.post(f"/api/v1/runs/{started['id']}/tickets")).json()["ticket"]
    await room.interviewer.post(f"{room.path}/participants/{room.candidate.id}/remove")
    with pytest.raises(InvalidStatus) as refused:
        async with theatre.connecting(started["id"], ticket):
            pass
    assert refused.value.response.status_code == 403
    await room.interviewer.post(f"/api/v1/runs/{started['id']}/stop")


async def test_the_end_of_the_interview_ends_its_terminals(room: Room, theatre: Theatre) -> None:
    started = await run(room, "out before\necho", terminal=SIZE)
    async with (
        theatre.watching(room.candidate, started["id"]) as ada,
        theatre.watching(room.interviewer, started["id"]) as grace,
    ):
        await ada.until(b"before")
        await room.interviewer.post(f"{room.path}/end")
        assert await ada.closed() in {4410, 1000}
        assert (await grace.word("exit"))["status"] == "stopped"
    assert (await room.interviewer.get(f"/api/v1/runs/{started['id']}")).json()["stdout"] == "before\n"


async def test_revoked_credentials_cut_the_terminals_of_their_person_alone(room: Room, theatre: Theatre) -> None:
    reactions = Reactions()
    room.world.module.plug.react(reactions)
    started = await run(room, "echo", terminal=SIZE)
    async with (
        theatre.watching(room.candidate, started["id"]) as ada,
        theatre.watching(room.interviewer, started["id"]) as grace,
    ):
        await ada.word("state")
        revoked = CredentialsRevoked(principal_id=room.interviewer.id, revoked_at=room.world.clock.now())
        await reactions.deliver(tag_of(CredentialsRevoked), msgspec.json.encode(revoked).decode())
        assert await grace.closed() == 4401
        await ada.types(b"still here")
        await ada.until(b"still here")
        await ada.says("eof")
        await ada.word("exit")


async def test_strangers_the_waiting_and_administrators_get_no_ticket(room: Room) -> None:
    started = await run(room, "echo", terminal=SIZE)
    world = room.world
    path = f"/api/v1/runs/{started['id']}/tickets"
    waiting = await join(world, room.interview, "Alan")
    other = await create(world.interviewer("Edsger"))
    elsewhere = await join(world, other, "Barbara")
    assert (await waiting.post(path)).status_code == 403
    assert (await elsewhere.post(path)).status_code == 404
    assert (await world.interviewer("Edsger").post(path)).status_code == 404
    assert (await world.person(None).post(path)).status_code == 401
    await admit(room.interviewer, room.interview, waiting)
    assert (await waiting.post(path)).status_code == 201
    await room.interviewer.post(f"/api/v1/runs/{started['id']}/stop")


async def test_a_run_with_pipes_has_no_terminal(room: Room) -> None:
    started = await run(room, "wait go")
    answer = await room.candidate.post(f"/api/v1/runs/{started['id']}/tickets")
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/no-terminal")
    room.world.runner.say("go")


async def test_tickets_are_for_one_run_and_two_minutes(room: Room, theatre: Theatre) -> None:
    first = await run(room, "echo", terminal=SIZE)
    second = await run(room, "echo", terminal=SIZE)
    ticket = (await room.candidate.post(f"/api/v1/runs/{first['id']}/tickets")).json()["ticket"]

    async def status(run_id: str, shown: str) -> int:
        with pytest.raises(InvalidStatus) as refused:
            async with theatre.connecting(run_id, shown):
                pass
        return refused.value.response.status_code

    assert await status(second["id"], ticket) == 401
    assert await status(first["id"], "made-up") == 401
    assert await status("run_unknown", ticket) == 401
    room.world.clock.advance(TICKET_LIFETIME.total_seconds() + 1)
    assert await status(first["id"], ticket) == 401
    for started in (first, second):
        await room.interviewer.post(f"/api/v1/runs/{started['id']}/stop")


async def test_one_person_holds_so_many_connections_and_no_more(room: Room, theatre: Theatre) -> None:
    started = await run(room, "echo", terminal=SIZE)
    ticket = (await room.candidate.post(f"/api/v1/runs/{started['id']}/tickets")).json()["ticket"]
    address = f"{theatre.base.replace('http', 'ws')}/api/v1/runs/{started['id']}/terminal?ticket={ticket}"
    open_ones = [await connect(address, proxy=None) for _ in range(MAX_VIEWERS_OF_ONE_PERSON)]
    for socket in open_ones:
        await socket.recv()
    with pytest.raises(InvalidStatus) as refused:
        await connect(address, proxy=None)
    assert refused.value.response.status_code == 429
    for socket in open_ones:
        await socket.close()
    await room.interviewer.post(f"/api/v1/runs/{started['id']}/stop")


@pytest.mark.parametrize("terminal", [{"columns": 0, "rows": 1}, {"columns": 1, "rows": 1001}, {"columns": 80}, 5])
async def test_a_terminal_of_no_size_is_refused_by_name(room: Room, terminal: Any) -> None:
    answer = await room.candidate.post(f"{room.path}/runs", {"terminal": terminal})
    assert answer.status_code == 400
    assert "/terminal" in json.dumps(answer.json()["errors"])


# --- readers that are slow, and people who type more than anything reads -------------------------------------------


@dataclass(slots=True)
class Outlet:
    """Where a viewer's frames go: into a list."""

    frames: list[bytes] = field(default_factory=list[bytes])
    code: int | None = None

    def write(self, frame: bytes) -> None:
        self.frames.append(frame)

    def close(self, code: int, reason: str) -> None:
        self.code = self.code or code

    def hold(self) -> None:
        """It reads nothing anyway."""

    def go_on(self) -> None:
        """It reads nothing anyway."""

    @property
    def printed(self) -> bytes:
        return b"".join(payload_of(frame) for frame in self.frames if frame[0] == 0x82)


@pytest.fixture
def shared(world: World) -> SharedTerminal:
    async def everybody(_peer_id: str, _interview_id: str) -> bool | Cut:
        return True

    now = world.clock.now()
    of_a_run = Run(
        id="run_1",  # pyright: ignore[reportArgumentType]
        interview_id="int_1",  # pyright: ignore[reportArgumentType]
        language="python",
        source="",
        stdin="",
        args=(),
        requested_by_id="par_1",
        requested_by_name="Ada",
        created_at=now,
        alive_at=now,
    )
    return SharedTerminal(of_a_run, Terminal(), world.runner, world.parts.pubsub, everybody)


def viewer_of(shared: SharedTerminal, outlet: Outlet, role: PeerRole = PeerRole.WRITE) -> Viewer:
    viewer = Viewer(shared, outlet, Entry(peer_id="par_1", name="Ada", kind="candidate", colour=1, role=role))
    shared.join(viewer)
    return viewer


async def test_a_slow_reader_gets_what_it_missed_and_holds_up_nobody(shared: SharedTerminal) -> None:
    slow, quick = Outlet(), Outlet()
    reader = viewer_of(shared, slow)
    viewer_of(shared, quick)
    reader.congested()
    for _ in range(100):
        shared.printed("run", b"x" * 1000)
    assert quick.printed == b"x" * 100_000
    assert slow.printed == b""
    reader.writable()
    assert slow.printed == b"x" * 100_000
    assert len(slow.frames) == 2


async def test_a_reader_that_falls_too_far_behind_is_asked_to_come_back(shared: SharedTerminal) -> None:
    slow = Outlet()
    reader = viewer_of(shared, slow)
    reader.congested()
    for _ in range(30):
        shared.printed("run", b"x" * (REPLAY_BYTES // 10))
    assert shared.tape.end - shared.tape.start <= 2 * REPLAY_BYTES + REPLAY_BYTES // 10
    reader.writable()
    assert slow.code == 1013
    back = Outlet()
    viewer_of(shared, back)
    assert 0 < len(back.printed) <= 2 * REPLAY_BYTES + REPLAY_BYTES // 10


async def test_somebody_who_types_more_than_the_program_reads_is_cut_off(shared: SharedTerminal) -> None:
    greedy = Outlet()
    typist = viewer_of(shared, greedy)
    for _ in range(MAX_UNREAD_KEYS // 1000):
        typist.typed(b"y" * 1000)
    assert greedy.code is None
    typist.typed(b"y" * 1000)
    assert greedy.code == 1013
    typist.close()
