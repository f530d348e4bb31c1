"""The `Documents` contract: what the owner of a document can do with it."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from pycrdt import Doc, Text, TextEvent

from opencode.contracts.collaboration import CloseReason, PeerRole, TextState
from opencode.kernel.clock import Clock
from opencode.kernel.ids import DocumentId, new_id
from opencode.modules.collaboration.domain.log import UpdateLog
from opencode.modules.collaboration.domain.records import Record, RecordKind
from opencode.modules.collaboration.domain.room import GONE, Room
from opencode.modules.collaboration.errors import TextInvalid
from opencode.modules.collaboration.service.commit import GroupCommit
from opencode.modules.collaboration.service.rooms import Rooms
from opencode.modules.collaboration.store import DocumentRow, Work

MAX_NAME = 200
MAX_SEED_BYTES = 256 * 1024

_CLOSE = {
    CloseReason.REVOKED: (4401, "Your access to this document has ended."),
    CloseReason.ENDED: (4410, "This document is closed."),
    CloseReason.GONE: GONE,
}


class SharedDocuments:
    """Implements `contracts.collaboration.Documents` in this process."""

    def __init__(
        self,
        rooms: Rooms,
        update_log: UpdateLog,
        commit: GroupCommit,
        clock: Clock,
        unit_of_work: Callable[[], Work],
    ) -> None:
        self._rooms = rooms
        self._log = update_log
        self._commit = commit
        self._clock = clock
        self._unit_of_work = unit_of_work
        self._seeding: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def create(self, audience: str) -> DocumentId:
        row = DocumentRow(DocumentId(new_id("doc")), audience, new_id("gen"), self._clock.now())
        async with self._unit_of_work() as work:
            await work.documents.add(row)
        return row.id

    async def seed(self, document_id: DocumentId, name: str, content: str) -> None:
        content = content.replace("\r\n", "\n").replace("\r", "\n")
        if not 0 < len(name) <= MAX_NAME or len(content.encode()) > MAX_SEED_BYTES:
            raise TextInvalid(f"A text has a name of 1 to {MAX_NAME} characters and starts with 256 KiB at the most.")
        async with self._rooms.use(document_id) as room, self._seeding.setdefault(document_id, asyncio.Lock()):
            # Somebody who wrote there first needs no template any more.
            if name in room.seeds or room.document.text(name):
                return
            # Somebody who asked and went away does not leave the room without what the log has.
            await asyncio.shield(asyncio.ensure_future(self._plant(room, name, content)))

    async def _plant(self, room: Room, name: str, content: str) -> None:
        record = room.next_seed(name, seed_update(room.document_id, name, content))
        await self._commit.write(record)
        room.take_seed(record)

    async def text(self, document_id: DocumentId, name: str) -> str:
        async with self._rooms.use(document_id) as room:
            return room.document.text(name)

    async def texts(self, document_id: DocumentId) -> dict[str, TextState]:
        await self._rooms.row(document_id)
        await self._commit.flushed()
        history = await self._log.history(document_id)
        # A document may be used by the thread that made it only, so all of this happens over there.
        return await asyncio.to_thread(replay_texts, history)

    async def set_role(self, document_id: DocumentId, peer_id: str, role: PeerRole) -> None:
        if room := self._rooms.find(document_id):
            room.set_role(peer_id, role)

    async def disconnect(self, document_id: DocumentId, reason: CloseReason, *, peer_id: str | None = None) -> None:
        code, sentence = _CLOSE[reason]
        if room := self._rooms.find(document_id):
            room.disconnect(code, sentence, peer_id=peer_id)

    async def disconnect_person(self, peer_id: str, reason: CloseReason) -> None:
        """Cut a person's sockets to all documents."""
        for room in self._rooms.loaded():
            await self.disconnect(room.document_id, reason, peer_id=peer_id)

    async def delete(self, document_id: DocumentId) -> None:
        if room := self._rooms.find(document_id):
            room.gone = True
        await self.disconnect(document_id, CloseReason.GONE)
        async with self._unit_of_work() as work:
            await work.documents.delete(document_id)
        await self._commit.flushed()
        await self._rooms.drop(document_id)
        await self._log.delete(document_id)


def seed_update(document_id: str, name: str, content: str) -> bytes:
    """
    The update that gives a text its first content. The same arguments give the same bytes, with the same client id,
    so that even a seed that is made twice merges into one.
    """
    digest = hashlib.sha256(f"{document_id}\n{name}".encode()).digest()
    doc: Doc[Any] = Doc(client_id=int.from_bytes(digest[:4], "big"))
    doc.get(name, type=Text).insert(0, content)
    return doc.get_update()


def replay_texts(history: list[Record]) -> dict[str, TextState]:
    """Play a document's log, and say of each text what it holds, and who changed it last and when."""
    doc: Doc[Any] = Doc()
    touched: dict[str, tuple[datetime, str] | None] = {}
    changed: set[str] = set()
    # An observer lives as long as the object that it was given to.
    texts: dict[str, Text] = {}

    def watch(name: str) -> None:
        def note(_event: TextEvent) -> None:
            changed.add(name)

        texts[name] = doc.get(name, type=Text)
        texts[name].observe(note)

    for record in history:
        changed.clear()
        doc.apply_update(record.update)
        for name in [name for name in doc.keys() if name not in texts]:  # noqa: SIM118, a Doc is no dict
            changed.add(name)
            watch(name)
        by = None if record.kind is RecordKind.SEED else (_moment(record.at_ms), record.author)
        for name in changed:
            touched[name] = by or touched.get(name)
    return {name: _text_state(texts[name], touched.get(name)) for name in sorted(texts)}


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _text_state(text: Text, touched: tuple[datetime, str] | None) -> TextState:
    at, by = touched or (None, None)
    return TextState(str(text), at, by)
