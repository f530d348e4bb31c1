"""Two generations of stock y-websocket, and pycrdt's own client, work unchanged."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Provider, Text, TextEvent
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.clients.conftest import STAY_S
from tests.clients.piped import PipedClients
from tests.scenarios.processes import ServerProcess, running_server

_numbers = itertools.count(1)
Opener = Callable[..., str]


@pytest.fixture(params=[2, 3])
def version(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(autouse=True)
def _somebody_waits_meanwhile(lonely_since: float) -> None:
    assert lonely_since


@pytest.fixture
def room(document_server: ServerProcess) -> str:
    return document_server.create()


@pytest.fixture
def open_person(
    node_clients: PipedClients, document_server: ServerProcess, room: str, version: int
) -> Iterator[Opener]:
    opened: list[str] = []

    def open_person(person: str, version: int = version, *, at: tuple[ServerProcess, str] | None = None) -> str:
        server, document = at or (document_server, room)
        name = f"{person} {next(_numbers)}"
        opened.append(name)
        ticket = server.ticket(document, person)
        node_clients("open", name=name, version=version, url=server.sockets_url, room=document, ticket=ticket)
        node_clients("synced", name=name)
        return name

    yield open_person
    for name in opened:
        node_clients("close", name=name)


def test_somebody_connects_with_a_ticket_and_sees_what_is_there(
    node_clients: PipedClients, document_server: ServerProcess, room: str, open_person: Opener
) -> None:
    document_server.seed(room, "python", "print('läuft 🎉')\r\n")
    ada = open_person("usr_ada")
    assert node_clients("text", name=ada, text="python") == "print('läuft 🎉')\n"


def test_two_people_see_what_the_other_types_emoji_and_pasted_windows_lines_too(
    node_clients: PipedClients, document_server: ServerProcess, room: str, open_person: Opener, version: int
) -> None:
    ada, grace = open_person("usr_ada"), open_person("usr_grace", version=5 - version)
    pasted = "first 👩‍💻\r\nsecond 🎉\r\n"
    node_clients("insert", name=ada, text="python", at=0, content=pasted)
    node_clients("shows", name=grace, text="python", content=pasted)
    # Places are counted in UTF-16 there, and an emoji may be four of them.
    at = len(pasted[: pasted.index("\r")].encode("utf-16-le")) // 2
    node_clients("insert", name=grace, text="python", at=at, content="!")
    node_clients("shows", name=ada, text="python", content="first 👩‍💻!\r\nsecond 🎉\r\n")
    assert document_server.text(room, "python") == node_clients("text", name=ada, text="python")


def test_two_people_who_type_at_the_same_place_end_with_the_same_text(
    node_clients: PipedClients, document_server: ServerProcess, room: str, open_person: Opener
) -> None:
    ada, grace = open_person("usr_ada"), open_person("usr_grace")
    for name in (ada, grace):
        node_clients("disconnect", name=name)
    for index in range(20):
        node_clients("insert", name=ada, text="python", at=index, content="a")
        node_clients("insert", name=grace, text="python", at=index, content="g")
    for name in (ada, grace):
        node_clients("connect", name=name)
        node_clients("synced", name=name, times=2)
    text = document_server.text(room, "python")
    assert sorted(text) == ["a"] * 20 + ["g"] * 20
    for name in (ada, grace):
        node_clients("shows", name=name, text="python", content=document_server.text(room, "python"))


def test_undo_takes_back_only_what_one_typed_oneself(
    node_clients: PipedClients, document_server: ServerProcess, room: str, open_person: Opener
) -> None:
    ada, grace = open_person("usr_ada"), open_person("usr_grace")
    node_clients("watchUndo", name=ada, text="python")
    node_clients("insert", name=ada, text="python", at=0, content="ada ")
    node_clients("shows", name=grace, text="python", content="ada ")
    node_clients("insert", name=grace, text="python", at=2, content="GRACE")
    node_clients("shows", name=ada, text="python", content="adGRACEa ")
    node_clients("undo", name=ada, text="python")
    node_clients("shows", name=grace, text="python", content="GRACE")
    assert document_server.text(room, "python") == "GRACE"


def test_edits_made_offline_arrive_when_the_connection_is_back(
    node_clients: PipedClients, document_server: ServerProcess, room: str, open_person: Opener
) -> None:
    ada, grace = open_person("usr_ada"), open_person("usr_grace")
    node_clients("disconnect", name=ada)
    node_clients("insert", name=ada, text="python", at=0, content="offline 🎉")
    node_clients("insert", name=grace, text="java", at=0, content="meanwhile")
    node_clients("connect", name=ada)
    node_clients("shows", name=grace, text="python", content="offline 🎉")
    node_clients("shows", name=ada, text="java", content="meanwhile")
    assert document_server.text(room, "python") == "offline 🎉"


def test_cursors_are_seen_under_the_name_that_the_server_knows(node_clients: PipedClients, open_person: Opener) -> None:
    ada, grace = open_person("usr_ada"), open_person("usr_grace")
    node_clients("cursor", name=ada, cursor={"anchor": 1, "head": 2})
    state = node_clients("sees", name=grace, clientId=node_clients("clientId", name=ada))
    assert state["user"] == {"id": "usr_ada", "name": "ada", "role": "interviewer", "colour": 7}
    late = open_person("usr_late")
    assert node_clients("sees", name=late, clientId=node_clients("clientId", name=ada))["user"]["id"] == "usr_ada"


def test_a_stock_client_that_may_not_write_any_more_cannot_change_the_text(
    node_clients: PipedClients, document_server: ServerProcess, room: str, open_person: Opener
) -> None:
    ada, grace = open_person("usr_reader_ada"), open_person("usr_grace")
    document_server.set_role(room, "usr_reader_ada", "write")
    node_clients("insert", name=ada, text="python", at=0, content="allowed ")
    node_clients("shows", name=grace, text="python", content="allowed ")
    document_server.set_role(room, "usr_reader_ada", "read")
    node_clients("insert", name=ada, text="python", at=8, content="frozen")
    assert node_clients("dropped", name=ada)[0] == 1012
    node_clients("synced", name=ada, times=2)
    node_clients("insert", name=grace, text="python", at=8, content="and on")
    assert document_server.text(room, "python") == node_clients("text", name=grace, text="python") == "allowed and on"


def test_everyone_comes_back_after_a_restart_and_nothing_is_doubled(
    node_clients: PipedClients, open_person: Opener, tmp_path: Path
) -> None:
    with running_server(tmp_path) as server:
        room = server.create()
        server.seed(room, "python", "template\n")
        ada = open_person("usr_ada", at=(server, room))
        grace = open_person("usr_grace", at=(server, room))
        node_clients("insert", name=ada, text="python", at=9, content="before ")
        node_clients("shows", name=grace, text="python", content="template\nbefore ")
        assert server.stop() == 0
        assert node_clients("dropped", name=ada)[0] == 1012
        node_clients("insert", name=ada, text="python", at=16, content="meanwhile")
        server.start()
        for name in (ada, grace):
            node_clients("shows", name=name, text="python", content="template\nbefore meanwhile")
        assert server.text(room, "python") == "template\nbefore meanwhile"


def test_who_is_lonely_for_a_minute_stays_connected(node_clients: PipedClients, lonely_since: float) -> None:
    time.sleep(max(0.0, lonely_since + STAY_S - time.monotonic()))
    for version in (2, 3):
        status = node_clients("status", name=f"lonely {version}")
        assert status["connected"]
        assert status["drops"] == 0
        assert status["syncs"] == 1


class PycrdtChannel:
    """pycrdt's `Channel` on a real socket."""

    def __init__(self, socket: ClientConnection, path: str) -> None:
        self._socket = socket
        self.path = path

    def __aiter__(self) -> "PycrdtChannel":
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self.recv()
        except ConnectionClosed:
            raise StopAsyncIteration from None

    async def send(self, message: bytes) -> None:
        await self._socket.send(message)

    async def recv(self) -> bytes:
        message = await self._socket.recv()
        assert isinstance(message, bytes)
        return message


async def test_pycrdts_own_client_syncs_with_a_stock_one(
    node_clients: PipedClients, document_server: ServerProcess, room: str, open_person: Opener
) -> None:
    ada = open_person("usr_ada")
    node_clients("insert", name=ada, text="python", at=0, content="from JavaScript 🎉 ")
    doc: Doc[Any] = Doc()
    text = doc.get("python", type=Text)
    url = f"{document_server.sockets_url}/{room}?ticket={document_server.ticket(room, 'usr_snake')}"
    changed = asyncio.Event()

    def note(_event: TextEvent) -> None:
        changed.set()

    subscription = text.observe(note)
    async with connect(url, proxy=None) as socket, Provider(doc, PycrdtChannel(socket, room)):
        async with asyncio.timeout(20):
            await changed.wait()
        assert str(text) == "from JavaScript 🎉 "
        text.unobserve(subscription)
        text += "and Python 🎉"
        await asyncio.to_thread(
            node_clients, "shows", name=ada, text="python", content="from JavaScript 🎉 and Python 🎉"
        )
    assert document_server.text(room, "python") == "from JavaScript 🎉 and Python 🎉"
