"""
The people: sockets that type and listen, cheap enough to share two cores with the server that they load.

Sending is handing over bytes that were encoded before; receiving is, for nearly all frames, one look into a table of
the frames that can arrive. Only what is not in it (merged or re-encoded updates, acknowledgements) is decoded.
"""

import asyncio
import time
from array import array
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,  # pyright: ignore[reportUnknownVariableType]
)

from benchmarks.collaboration.contenders import Door, Room
from benchmarks.collaboration.updates import Chain, clocks_reached
from benchmarks.collaboration.wire import (
    ACKNOWLEDGEMENT,
    REFUSED,
    STEP_1,
    STEP_1_OF_NOTHING,
    STEP_2,
    STEP_2_OF_NOTHING,
    SYNC,
    Reader,
)

CONNECT_LIMIT_S = 30.0
SYNC_LIMIT_S = 120.0
DRAIN_LIMIT_S = 10.0
CONNECTING_AT_ONCE = 32
LARGEST_FRAME = 256 * 1024 * 1024  # a step 2 may hold a whole document
TICK_S = 0.001  # uvloop's timers are no finer

Known = Mapping[bytes, tuple[int, int]]  # frame → (client id, clock after it)


class LoadFailed(Exception):
    """The load could not be applied as planned, so there is nothing to report."""


@dataclass
class Tally:
    """What the people saw. Times are seconds; only what falls into the measured window is kept."""

    measuring: bool = False
    deliveries: int = 0
    propagation: "array[float]" = field(default_factory=lambda: array("d"))
    acknowledgement: "array[float]" = field(default_factory=lambda: array("d"))
    lateness: "array[float]" = field(default_factory=lambda: array("d"))  # of the load itself, behind its schedule
    refused: int = 0
    lost_sockets: int = 0

    def delivered(self, now: float, sent: Sequence[float], first: int, end: int) -> None:
        """The updates `first` up to `end` of one sender have reached one receiver."""
        if self.measuring:
            self.deliveries += end - first
            self.propagation.extend([now - sent[clock] for clock in range(first, end)])

    def acknowledged(self, now: float, sent: Sequence[float]) -> None:
        if self.measuring:
            self.acknowledgement.extend([now - at for at in sent])


SentTimes = dict[int, list[float]]  # of one room: client id → when its k-th update went out


class Person(WSListener):
    """
    One person's socket in one room.

    Answers the handshake as y-websocket's client does: step 1 on opening, step 2 (here always empty) to a step 1.
    """

    def __init__(self, tally: Tally, sent: SentTimes, known: Known, chain: Chain | None) -> None:
        self.tally, self.sent, self.known, self.chain = tally, sent, known, chain
        self.transport: WSTransport | None = None
        self.synced_at = 0.0
        self.step_2 = b""
        self.seen: dict[int, int] = {}  # client id → clock up to which its updates have arrived
        self.update_frames: list[float] = []  # when each frame that the server will acknowledge went out
        self.settled = 0
        self.leaving = False
        self._synced: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self._send(STEP_1_OF_NOTHING)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.BINARY:
            return
        now = time.perf_counter()
        payload = frame.get_payload_as_bytes()
        known = self.known.get(payload)
        if known is not None:
            self._arrived(known[0], known[1], now)
        else:
            self._read(payload, now)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.leaving:
            self.tally.lost_sockets += 1
            if not self._synced.done():
                self._synced.set_exception(LoadFailed("a socket was closed before it was synced"))

    async def until_synced(self) -> None:
        async with asyncio.timeout(SYNC_LIMIT_S):
            await self._synced

    def type_next(self) -> None:
        """Send the next letter of the chain."""
        assert self.chain is not None
        sent = self.sent[self.chain.client_id]
        frame = self.chain.frames[len(sent)]
        now = time.perf_counter()
        sent.append(now)
        self.update_frames.append(now)
        self._send(frame)

    def send_update(self, frame: bytes) -> None:
        """Send an update that is not part of the typing."""
        self.update_frames.append(time.perf_counter())
        self._send(frame)

    async def leave(self) -> None:
        self.leaving = True
        if self.transport is not None:
            self.transport.send_close(WSCloseCode.OK)
            self.transport.disconnect()
            await self.transport.wait_disconnected()

    def missing(self) -> int:
        """How many updates of the others in the room have not come."""
        others = (client_id for client_id in self.sent if self.chain is None or client_id != self.chain.client_id)
        return sum(len(self.sent[client_id]) - self.seen.get(client_id, 0) for client_id in others)

    def _send(self, frame: bytes) -> None:
        if self.transport is not None:
            self.transport.send(WSMsgType.BINARY, frame)

    def _arrived(self, client_id: int, end: int, now: float) -> None:
        if self.chain is not None and client_id == self.chain.client_id:
            return  # an echo of one's own update is not a delivery
        first = self.seen.get(client_id, 0)
        if end > first and client_id in self.sent:
            self.seen[client_id] = end
            self.tally.delivered(now, self.sent[client_id], first, end)

    def _read(self, payload: bytes, now: float) -> None:
        reader = Reader(payload)
        kind = reader.var_uint()
        if kind == SYNC:
            self._read_sync(reader, now)
        elif kind == ACKNOWLEDGEMENT:
            settled = reader.var_uint()
            self.tally.acknowledged(now, self.update_frames[self.settled : settled])
            self.settled = settled
        elif kind == REFUSED:
            self.tally.refused += 1

    def _read_sync(self, reader: Reader, now: float) -> None:
        step, body = reader.var_uint(), reader.var_bytes()
        if step == STEP_1:
            self.send_update(STEP_2_OF_NOTHING)
        elif step == STEP_2 and not self._synced.done():
            self.synced_at, self.step_2 = now, body
            self._synced.set_result(None)
        elif self.sent:
            for client_id, end in clocks_reached(body):
                self._arrived(client_id, end, now)


@dataclass
class Crowd:
    """People connected to rooms, and what they saw."""

    tally: Tally
    people: list[Person]

    @property
    def typists(self) -> list[Person]:
        return [person for person in self.people if person.chain is not None]

    async def leave(self) -> None:
        await a_few_at_once(person.leave() for person in self.people)


async def fill(rooms: Sequence[Room], people: int, chains: Sequence[Chain]) -> Crowd:
    """
    Seat `people` in each room and wait until all are synced. The first ones type, each their own chain.

    The second person of a room comes when the first is in: pycrdt-websocket starts a room twice when two arrive at
    the same moment, and never answers the second one.

    Raises:
        LoadFailed: a socket was refused, or closed too early.
    """
    tally, known = Tally(), frames_of(chains)
    sent: list[SentTimes] = [{chain.client_id: [] for chain in chains} for _ in rooms]
    crowd = Crowd(tally, [])
    for number in range(people):
        chain = chains[number] if number < len(chains) else None
        arriving = [Person(tally, sent_here, known, chain) for sent_here in sent]
        crowd.people += arriving
        await a_few_at_once(_walk_in(person, room, number) for person, room in zip(arriving, rooms, strict=True))
    return crowd


async def connect(person: Person, door: Door) -> None:
    """Open the person's socket."""
    headers = {"Sec-WebSocket-Protocol": door.subprotocol} if door.subprotocol else None
    transport, _ = await ws_connect(
        lambda: person,
        door.url,
        extra_headers=headers,
        websocket_handshake_timeout=CONNECT_LIMIT_S,
        max_frame_size=LARGEST_FRAME,
        use_aiofastnet=False,  # its readers and uvloop disagree about a file number that is used again
    )
    agreed = transport.response.headers.get("Sec-WebSocket-Protocol")
    if agreed != door.subprotocol:
        raise LoadFailed(f"asked for the subprotocol {door.subprotocol}, got {agreed}")


async def type_evenly(typists: Sequence[Person], rate_per_s: float, seconds: float) -> None:
    """
    Let each typist send `rate_per_s` letters a second, their turns spread evenly over time.

    The schedule is fixed in advance: when the load falls behind it catches up, and its lateness is recorded.
    """
    interval = 1 / (len(typists) * rate_per_s)
    began = time.perf_counter()
    for turn in range(int(seconds / interval)):
        due = began + turn * interval
        while (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(max(early, TICK_S))
        if turn % 64 == 0:
            await asyncio.sleep(0)  # however late: let what has arrived be read
        typist = typists[turn % len(typists)]
        typist.type_next()
        if typist.tally.measuring:
            typist.tally.lateness.append(-early)


async def type_in_step(typists: Sequence[Person], rate_per_s: float, seconds: float) -> None:
    """
    Let all typists send `rate_per_s` letters a second in the same moments, as a load with one timer does.

    Lateness is that of the whole beat: how long after its time the last letter of it went out.
    """
    began = time.perf_counter()
    for beat in range(int(seconds * rate_per_s)):
        due = began + beat / rate_per_s
        while (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(max(early, TICK_S))
        for typist in typists:
            typist.type_next()
        if typists[0].tally.measuring:
            typists[0].tally.lateness.append(time.perf_counter() - due)
        await asyncio.sleep(0)  # however late: let what has arrived be read


async def until_delivered(crowd: Crowd) -> int:
    """Wait until all have seen all; how many deliveries are still missing when patience ends."""
    deadline = time.perf_counter() + DRAIN_LIMIT_S
    while (missing := sum(person.missing() for person in crowd.people)) and time.perf_counter() < deadline:
        await asyncio.sleep(0.1)
    return missing


def frames_of(chains: Sequence[Chain]) -> Known:
    return {frame: (chain.client_id, clock + 1) for chain in chains for clock, frame in enumerate(chain.frames)}


async def _walk_in(person: Person, room: Room, number: int) -> None:
    await connect(person, await room.door(number))
    await person.until_synced()


async def a_few_at_once(work: "Iterable[Coroutine[Any, Any, None]]") -> None:
    """Run all of it, `CONNECTING_AT_ONCE` at a time; the first failure ends the rest."""
    queue = iter(work)

    async def take() -> None:
        for one in queue:
            await one

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTING_AT_ONCE):
                group.create_task(take())
    except* Exception as failures:
        raise failures.exceptions[0] from None
    finally:
        for one in queue:
            one.close()
