"""Whatever one peer sends, nobody else notices: other rooms keep delivering, and memory stays bounded."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from opencode.modules.collaboration.domain import codec
from opencode.modules.collaboration.domain.codec import MessageType, SyncType
from tests.modules.collaboration.kit import Editor
from tests.scenarios.client import Desk, Writer

MEGABYTE = 1024 * 1024
FRAMES = 4_000


@asynccontextmanager
async def canary(desk: Desk) -> AsyncGenerator[list[float]]:
    """Two people type to each other in a room of their own meanwhile; yields how long each keystroke took."""
    room = await desk.create()
    ada, grace = Writer(room, "usr_canary_ada"), Writer(room, "usr_canary_grace")
    await asyncio.gather(ada.connect(desk), grace.connect(desk))
    await grace.until(lambda: grace.all_safe)
    await ada.until(lambda: ada.all_safe)
    delays: list[float] = []
    loop = asyncio.get_running_loop()

    async def sing() -> None:
        while True:
            started = loop.time()
            await ada.insert("python", 0, "x")
            await grace.until(lambda: grace.text("python") == ada.text("python"))
            delays.append(loop.time() - started)
            await asyncio.sleep(0.01)

    singing = asyncio.create_task(sing())
    try:
        yield delays
        assert not singing.done(), singing.exception()
        sung = len(delays)
        await ada.until(lambda: len(delays) > sung, 20)
    finally:
        singing.cancel()
        await asyncio.gather(singing, return_exceptions=True)
        await asyncio.gather(ada.close(), grace.close())
    assert ada.close_code == grace.close_code == 1000
    assert ada.refused == []
    assert await desk.texts(room) == {"python": ada.text("python")}


async def drain(socket: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in socket:
            pass


def mutated_frames(chance: random.Random, count: int) -> list[bytes]:
    """Honest messages with bytes changed, cut, doubled, and pure noise."""
    editor = Editor()
    honest = [
        codec.sync_message(SyncType.STEP_1, editor.doc.get_state()),
        codec.awareness_message(b"\x01\x07\x01" + codec.write_string('{"cursor": {"anchor": 1}}')),
        bytes((MessageType.QUERY_AWARENESS,)),
    ]
    for at in range(40):
        honest.append(codec.sync_message(SyncType.UPDATE, editor.insert(at, chance.choice("ab🎉"))))
        honest.append(codec.sync_message(chance.choice(list(SyncType)), editor.doc.get_update()))
    honest.append(codec.sync_message(SyncType.UPDATE, editor.delete(3, 5)))
    frames: list[bytes] = []
    for _ in range(count):
        frame = bytearray(chance.choice(honest))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(frame))
            match chance.randrange(4):
                case 0:
                    frame[at] = chance.randrange(256)
                case 1:
                    frame[at] ^= 1 << chance.randrange(8)
                case 2:
                    frame[at:at] = bytes(chance.choices((0x00, 0x7F, 0x80, 0xFF), k=chance.randint(1, 5)))
                case _:
                    del frame[at + 1 :]
        frames.append(bytes(frame) if chance.random() < 0.9 else chance.randbytes(chance.randint(1, 200)))
    return frames


async def test_thousands_of_mutated_frames_harm_nobody_and_cost_no_memory(desk: Desk) -> None:
    room = await desk.create()
    before = (await desk.memory())["rss_bytes"]
    async with canary(desk) as delays:
        frames = mutated_frames(random.Random(7), FRAMES)
        while frames:
            socket = await desk.open(room, await desk.ticket(room, "usr_mallory"), "ocp.v1")
            draining = asyncio.create_task(drain(socket))
            with suppress(ConnectionClosed):
                while frames:
                    await socket.send(frames.pop())
                    if len(frames) % 8 == 0:
                        await asyncio.sleep(0)
            await socket.close()
            await draining
    assert max(delays) < 2
    assert (await desk.memory())["rss_bytes"] - before < 100 * MEGABYTE


async def test_somebody_joining_a_room_after_garbage_sees_what_its_log_says(desk: Desk) -> None:
    room = await desk.create()
    mallory, ada = Writer(room, "usr_mallory"), Writer(room, "usr_ada")
    await asyncio.gather(mallory.connect(desk), ada.connect(desk))
    await ada.insert("python", 0, "honest ")
    chance = random.Random(11)
    for frame in mutated_frames(chance, 200):
        if mallory.connected and frame[:2] == b"\x00\x02":
            await mallory.send_update(frame[3:])
    await ada.insert("python", 7, "work")
    await ada.until(lambda: ada.all_safe)
    texts = await desk.texts(room)
    late = Writer(room, "usr_late")
    await late.connect(desk)
    await late.until(lambda: late.text("python") == texts["python"])
    await asyncio.gather(ada.close(), late.close(), mallory.close())


async def test_wrong_expired_and_foreign_tickets_open_nothing(desk: Desk) -> None:
    room, other = await desk.create(), await desk.create()
    good = await desk.ticket(room, "usr_ada")
    for document, ticket in ((room, ""), (room, "x"), (room, good[:-3] + "abc"), (other, good), ("doc_no", good)):
        with pytest.raises(InvalidStatus) as refused:
            await desk.open(document, ticket)
        assert refused.value.response.status_code == 401
    socket = await desk.open(room, "", f"ocp.ticket.{good}", "ocp.v1")
    assert socket.subprotocol == "ocp.v1"
    await socket.close()
    socket = await desk.open(room, "", f"ocp.ticket.{good}")
    assert socket.subprotocol == f"ocp.ticket.{good}"
    await socket.close()
    # Two seconds over the five that this server gives; nothing tells when a ticket has expired.
    await asyncio.sleep(7)
    with pytest.raises(InvalidStatus) as refused:
        await desk.open(room, good)
    assert refused.value.response.status_code == 401


async def test_somebody_who_never_reads_costs_little_and_holds_up_nobody(desk: Desk) -> None:
    room = await desk.create()
    ada, grace = Writer(room, "usr_ada"), Writer(room, "usr_grace")
    await asyncio.gather(ada.connect(desk), grace.connect(desk))
    sleepers: list[ClientConnection] = []
    for number in range(10):
        socket = await desk.open(room, await desk.ticket(room, f"usr_sleeper{number}"))
        await socket.send(codec.sync_message(SyncType.STEP_1, codec.EMPTY_STATE_VECTOR))
        socket.transport.pause_reading()
        sleepers.append(socket)
    before = (await desk.memory())["rss_bytes"]
    page = "0123456789abcde\n" * 2_000
    for _ in range(60):
        await ada.insert("python", 0, page)
        await ada.delete("python", 0, len(page))
    await grace.until(lambda: ada.all_safe and grace.text("python") == "")
    # Two megabytes went to each; 10 sleepers with a queue each would hold 20.
    assert (await desk.memory())["rss_bytes"] - before < 30 * MEGABYTE
    for socket in sleepers:
        socket.transport.abort()
    await asyncio.gather(ada.close(), grace.close())


async def test_a_thousand_connections_that_open_and_drop_leave_nothing_behind(desk: Desk) -> None:
    room = await desk.create()
    ada = Writer(room, "usr_ada")
    await ada.connect(desk)
    before = (await desk.memory())["rss_bytes"]
    async with canary(desk):
        for start in range(0, 1_000, 20):
            ticket = await desk.ticket(room, f"usr_{start}")
            sockets = await asyncio.gather(*(desk.open(room, ticket, "ocp.v1") for _ in range(10)))
            sockets += await asyncio.gather(*(desk.open(room, ticket) for _ in range(10)))
            for number, socket in enumerate(sockets):
                if number % 2:
                    socket.transport.abort()
                else:
                    await socket.close()
            await settled(desk, sockets=3)
    await ada.insert("python", 0, "still here")
    await ada.until(lambda: ada.all_safe)
    assert (await desk.memory())["rss_bytes"] - before < 40 * MEGABYTE
    await ada.close()
    await settled(desk, sockets=0)


async def test_forged_cursors_move_nobodys_cursor(desk: Desk) -> None:
    room = await desk.create()
    ada, mallory, watcher = [await desk.open(room, await desk.ticket(room, f"usr_{name}")) for name in "amw"]
    for socket in (ada, mallory, watcher):
        await socket.send(codec.sync_message(SyncType.STEP_1, codec.EMPTY_STATE_VECTOR))
    await ada.send(cursor_of(7, 1, "honest"))
    assert b"honest" in await next_cursor(watcher)
    for clock in range(2, 200):
        await mallory.send(cursor_of(7, clock, "forged"))
    await ada.send(cursor_of(7, 2, "moved"))
    seen = await next_cursor(watcher)
    assert b"moved" in seen
    assert b"forged" not in seen
    for socket in (ada, mallory, watcher):
        await socket.close()


async def test_ten_thousand_edits_that_hang_on_a_lost_one_end_that_socket_only(desk: Desk) -> None:
    room = await desk.create()
    editor = Editor()
    editor.insert(0, "lost")
    async with canary(desk):
        before = (await desk.memory())["rss_bytes"]
        socket = await desk.open(room, await desk.ticket(room, "usr_mallory"), "ocp.v1")
        draining = asyncio.create_task(drain(socket))
        with suppress(ConnectionClosed):
            for at in range(10_000):
                await socket.send(codec.sync_message(SyncType.UPDATE, editor.insert(at, "x")))
        await draining
        assert socket.close_code == 1008
        assert (await desk.memory())["rss_bytes"] - before < 30 * MEGABYTE


async def test_asking_for_the_whole_document_again_and_again_ends_that_socket_only(desk: Desk) -> None:
    room = await desk.create()
    ada = Writer(room, "usr_ada")
    await ada.connect(desk)
    await ada.until(lambda: ada.all_safe)
    for _ in range(10):
        await ada.insert("python", 0, "x" * 200_000)
    await ada.until(lambda: ada.all_safe)
    async with canary(desk) as delays:
        socket = await desk.open(room, await desk.ticket(room, "usr_mallory"), "ocp.v1")
        draining = asyncio.create_task(drain(socket))
        with suppress(ConnectionClosed):
            for _ in range(500):
                await socket.send(codec.sync_message(SyncType.STEP_1, codec.EMPTY_STATE_VECTOR))
        await draining
        assert socket.close_code == 1008
    assert max(delays) < 2
    await ada.close()


async def test_a_document_takes_eight_megabytes_and_not_more(desk: Desk) -> None:
    room = await desk.create()
    ada = Writer(room, "usr_ada")
    await ada.connect(desk)
    await ada.until(lambda: ada.all_safe)
    page = "0123456789abcdef" * 15_000
    async with canary(desk) as delays:
        while not ada.refused:
            await ada.insert("python", 0, page)
            await ada.until(lambda: ada.all_safe)
    assert ada.refused[0] == "document-full"
    text = (await desk.texts(room))["python"]
    assert 8 * MEGABYTE - 2 * len(page) < len(text) <= 8 * MEGABYTE
    assert max(delays) < 2
    await ada.close()


def cursor_of(client_id: int, clock: int, cursor: str) -> bytes:
    state = codec.write_string(f'{{"cursor":"{cursor}"}}')
    entry = codec.write_var_uint(client_id) + codec.write_var_uint(clock) + state
    return codec.awareness_message(codec.write_var_uint(1) + entry)


async def next_cursor(socket: ClientConnection) -> bytes:
    async with asyncio.timeout(20):
        while True:
            message = await socket.recv()
            assert isinstance(message, bytes)
            if message[0] == MessageType.AWARENESS and len(message) > 4:
                return message


async def settled(desk: Desk, *, sockets: int) -> None:
    """Wait until the server has noticed who went away; it tells nobody when it has."""
    async with asyncio.timeout(20):
        while (await desk.memory())["sockets"] > sockets:
            await asyncio.sleep(0.02)
