"""What was opened and closed leaves nothing behind: counted object by object, in this process."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pycrdt import Doc

from opencode.infra.websocket import SocketProtocol
from opencode.modules.collaboration.domain import room as room_module
from opencode.modules.collaboration.domain.peer import Peer
from opencode.modules.collaboration.domain.room import Room
from opencode.modules.collaboration.service import online as online_module
from opencode.modules.collaboration.settings import CollaborationSettings
from opencode.modules.collaboration.sockets import DocumentSocket
from tests.scenarios.client import Desk, Writer
from tests.scenarios.document_server import DocumentServer

WATCHED = (Room, Peer, Doc, SocketProtocol, DocumentSocket)
ROOMS = 300


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DocumentServer]:
    # The graces after which a lost socket counts as gone, and nothing else, are what keeps a closed room for a while.
    monkeypatch.setattr(room_module, "PRESENCE_GRACE_S", 0.01)
    monkeypatch.setattr(online_module, "PRESENCE_GRACE_S", 0.01)
    # What this process had before is not looked through each time: what tests have loaded is half a million objects.
    gc.collect()
    gc.freeze()
    house = DocumentServer(tmp_path, settings=CollaborationSettings(room_idle_s=0))
    serving = asyncio.create_task(house.serve())
    await house.ready.wait()
    yield house
    house.should_exit = True
    await serving
    gc.unfreeze()


def living() -> Counter[str]:
    gc.collect()
    return Counter(kind.__name__ for kind in WATCHED for each in gc.get_objects() if isinstance(each, kind))


async def test_three_hundred_rooms_that_were_opened_and_closed_leave_nothing_behind(house: DocumentServer) -> None:
    desk = Desk(house.port)
    tend = next(job.work for job in house.module.plug.jobs if job.name == "tend rooms")
    before, tasks_before = living(), len(asyncio.all_tasks())
    for start in range(0, ROOMS, 20):
        await asyncio.gather(*(visit(desk, start + number) for number in range(20)))
    await desk.close()
    # Server and client take their leave of each other in turns; nobody tells when the last word is said.
    for _ in range(100):
        await tend()
        await asyncio.sleep(0.1)
        if not living() - before and len(asyncio.all_tasks()) <= tasks_before:
            break
    assert living() - before == Counter()
    assert len(asyncio.all_tasks()) <= tasks_before


async def visit(desk: Desk, number: int) -> None:
    """Two people type in a room of their own, show a cursor, and leave."""
    room = await desk.create()
    people = [Writer(room, f"usr_{number}_{name}") for name in "ag"]
    await desk.seed(room, "python", "template\n")
    for person in people:
        await person.connect(desk)
        await person.until(lambda person=person: person.all_safe)
        await person.insert("python", 9, "typed")
        await person.until(lambda person=person: person.all_safe)
    await asyncio.gather(*(person.close() for person in people))
    people.clear()
