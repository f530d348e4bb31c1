"""A room without a network: peers that keep what they are sent, a journal that commits when it is told to."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pycrdt import Doc, Text

from opencode.contracts.collaboration import Entry, PeerRole
from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain import codec
from opencode.modules.collaboration.domain.codec import MessageType, SyncType, read_bytes, read_string, read_var_uint
from opencode.modules.collaboration.domain.peer import Peer
from opencode.modules.collaboration.domain.presence import Announcement, parse_announcements
from opencode.modules.collaboration.domain.records import Record
from opencode.modules.collaboration.domain.room import Room

DOCUMENT = DocumentId("doc_1")


class Editor:
    """A person's copy of a document, and the updates that their typing makes."""

    def __init__(self, client_id: int | None = None) -> None:
        self.doc: Doc[Any] = Doc() if client_id is None else Doc(client_id=client_id)

    def text(self, name: str = "python") -> str:
        return str(self.doc.get(name, type=Text))

    def insert(self, at: int, content: str, name: str = "python") -> bytes:
        return self._change(lambda: self.doc.get(name, type=Text).insert(at, content))

    def delete(self, at: int, length: int, name: str = "python") -> bytes:
        def cut() -> None:
            del self.doc.get(name, type=Text)[at : at + length]

        return self._change(cut)

    def _change(self, change: Callable[[], object]) -> bytes:
        made: list[bytes] = []
        subscription = self.doc.observe(lambda event: made.append(event.update))
        change()
        self.doc.unobserve(subscription)
        return made[-1]


@dataclass(slots=True)
class Wire:
    """
    The outlet of a peer. `limit` is how many bytes it takes before its reader counts as slow.

    Attributes:
        sent: whole messages, in order.
        ending: close code and reason, once closed.
    """

    sent: list[bytes] = field(default_factory=list[bytes])
    ending: tuple[int, str] | None = None
    limit: int | None = None
    on_congestion: Callable[[], None] = lambda: None

    def write(self, frame: bytes) -> None:
        if self.ending is None:
            self.sent.append(frame)
            if self.limit is not None and sum(map(len, self.sent)) > self.limit:
                self.on_congestion()

    def close(self, code: int, reason: str) -> None:
        assert len(reason.encode()) <= 123
        self.ending = self.ending or (code, reason)

    def take(self) -> list[bytes]:
        taken, self.sent = self.sent, []
        return taken

    def sync(self, kind: SyncType) -> list[bytes]:
        """The payloads of the sync messages of that kind."""
        head = bytes((MessageType.SYNC, kind))
        return [read_bytes(message, 2)[0] for message in self.sent if message[:2] == head]

    def acknowledgements(self) -> list[tuple[int, int]]:
        """How many update frames are settled, and where the log stood, of each acknowledgement."""
        found: list[tuple[int, int]] = []
        for message in self.sent:
            if message[0] == MessageType.ACKNOWLEDGEMENT:
                settled, at = read_var_uint(message, 1)
                found.append((settled, read_var_uint(message, at)[0]))
        return found

    def refusals(self) -> list[tuple[int, str]]:
        """Which update frames were refused, and the reasons."""
        found: list[tuple[int, str]] = []
        for message in self.sent:
            if message[0] == MessageType.REFUSED:
                ordinal, at = read_var_uint(message, 1)
                found.append((ordinal, read_string(message, at)[0]))
        return found

    def presence(self) -> dict[int, Announcement]:
        """What this peer knows of everyone's presence; empty keep-alives tell nothing."""
        known: dict[int, Announcement] = {}
        for message in self.sent:
            if message[0] == MessageType.AWARENESS:
                known.update({entry.client_id: entry for entry in parse_announcements(read_bytes(message, 1)[0])})
        return known


class ManualJournal:
    """Implements `domain.room.Journal`; nothing is durable before `commit`."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.refusals: list[str] = []
        self._waiting: dict[Peer, tuple[int, int]] = {}
        self._open: list[Record] = []

    def append(self, record: Record, peer: Peer, ordinal: int) -> None:
        self._open.append(record)
        self._waiting[peer] = (ordinal, record.sequence)

    def pass_through(self, peer: Peer, ordinal: int) -> None:
        self._waiting[peer] = (ordinal, peer.room.sequence)

    def refused(self, reason: str) -> None:
        self.refusals.append(reason)

    def commit(self) -> None:
        waiting, self._waiting = self._waiting, {}
        self.records += self._open
        self._open = []
        for peer, (ordinal, sequence) in waiting.items():
            peer.room.settle(peer, ordinal, sequence)


class Stage:
    """One room and the people in it. Time stands still until `pass_time`."""

    def __init__(self, *, max_bytes: int = 8 * 1024 * 1024, document_id: DocumentId = DOCUMENT) -> None:
        self.journal = ManualJournal()
        self.now_ms = 1_000_000
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self.room = Room(
            document_id,
            "int_1",
            "gen_1",
            self.journal,
            frame=lambda message: message,
            later=lambda seconds, call: self._timers.append((self.now_ms + seconds * 1000, call)),
            now_ns=lambda: self.now_ms * 1_000_000,
            max_bytes=max_bytes,
        )

    def pass_time(self, seconds: float) -> None:
        end = self.now_ms + seconds * 1000
        while due := [timer for timer in self._timers if timer[0] <= end]:
            timer = min(due, key=lambda timer: timer[0])
            self._timers.remove(timer)
            self.now_ms = max(self.now_ms, round(timer[0]))
            timer[1]()
        self.now_ms = round(end)

    def enter(
        self,
        person: str = "usr_ada",
        *,
        role: PeerRole = PeerRole.WRITE,
        acknowledges: bool = True,
        synced: bool = True,
        editor: Editor | None = None,
    ) -> "Person":
        """Somebody opens the document; `synced` also shakes hands, as an honest client does at once."""
        wire = Wire()
        entry = Entry(person, person.removeprefix("usr_").title(), "interviewer", 3, role)
        peer = Peer(self.room, wire, entry, acknowledges=acknowledges)
        wire.on_congestion = peer.fall_behind
        self.room.join(peer)
        someone = Person(self, peer, wire, editor or Editor())
        if synced:
            someone.shake_hands()
        return someone


@dataclass(slots=True)
class Person:
    """Somebody in a room, with the copy of the text in their editor."""

    stage: Stage
    peer: Peer
    wire: Wire
    editor: Editor

    def send(self, message: bytes) -> None:
        self.stage.room.receive(self.peer, message)

    def send_update(self, update: bytes) -> None:
        self.send(codec.sync_message(SyncType.UPDATE, update))

    def type(self, content: str, at: int = 0, name: str = "python") -> bytes:
        """Type, and send it. Returns the update."""
        update = self.editor.insert(at, content, name)
        self.send_update(update)
        return update

    def shake_hands(self) -> None:
        """Ask for what is lacking, and answer the room's own question, as y-protocols does."""
        asked = self.wire.sync(SyncType.STEP_1)[-1]
        self.send(codec.sync_message(SyncType.STEP_1, self.editor.doc.get_state()))
        self.send(codec.sync_message(SyncType.STEP_2, self.editor.doc.get_update(asked)))

    def announce(self, client_id: int, clock: int, state: str) -> None:
        entry = codec.write_var_uint(client_id) + codec.write_var_uint(clock) + codec.write_string(state)
        self.send(codec.awareness_message(codec.write_var_uint(1) + entry))

    def read(self) -> str:
        """Take in all that has arrived, and look at the text."""
        for message in self.wire.take():
            if message[:2] in {b"\x00\x01", b"\x00\x02"}:
                self.editor.doc.apply_update(read_bytes(message, 2)[0])
        return self.editor.text()

    def leave(self) -> None:
        self.stage.room.leave(self.peer)


async def until(condition: Callable[[], bool]) -> None:
    """Give the event loop turns until something in this process has become true."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)
