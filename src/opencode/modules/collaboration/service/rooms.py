"""The rooms of this process: loaded once, shared by all who enter, unloaded when idle."""

import asyncio
import ctypes
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import structlog

from opencode.infra.db import Database
from opencode.infra.observability import metrics
from opencode.infra.websocket import binary_frame
from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain.document import is_panic
from opencode.modules.collaboration.domain.log import UpdateLog
from opencode.modules.collaboration.domain.room import Room
from opencode.modules.collaboration.errors import DocumentNotFound, RoomFailed
from opencode.modules.collaboration.service.commit import GroupCommit
from opencode.modules.collaboration.settings import CollaborationSettings
from opencode.modules.collaboration.store import DocumentRow, DocumentStore

log = structlog.get_logger(__name__)

SNAPSHOT_EVERY_UPDATES = 500
CONGESTED_SWEEPS = 15
"""Keep-alive sweeps (4 s each) for which a peer may read nothing before it is asked to come back."""


class RoomSlot:
    """A place for one room: whoever opens waits for whoever loads, and loading waits for unloading."""

    __slots__ = ("idle_since", "lock", "room", "saved_sequence", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.room: Room | None = None
        self.users = 0
        self.idle_since = 0.0
        self.saved_sequence = 0


class Rooms:
    """Rooms by document. A room that could not be loaded does not exist: nothing can be stored in its name."""

    def __init__(
        self, database: Database, update_log: UpdateLog, commit: GroupCommit, settings: CollaborationSettings
    ) -> None:
        self._database = database
        self._log = update_log
        self._commit = commit
        self._settings = settings
        self._slots: dict[str, RoomSlot] = {}
        self._unloaded_since_trim = 0

    def loaded(self) -> list[Room]:
        """The rooms in memory now."""
        return [slot.room for slot in self._slots.values() if slot.room]

    def find(self, document_id: str) -> Room | None:
        """The room, if it is in memory."""
        slot = self._slots.get(document_id)
        return slot.room if slot else None

    @asynccontextmanager
    async def use(self, document_id: str) -> AsyncGenerator[Room]:
        """
        The room of a document, which stays loaded meanwhile.

        Raises:
            DocumentNotFound: there is no such document.
            RoomFailed: its log cannot be read.
        """
        room = await self.enter(document_id)
        try:
            yield room
        finally:
            self.exit(room)

    async def enter(self, document_id: str) -> Room:
        """The same, until `exit` is called with the room."""
        while True:
            slot = self._slots.get(document_id)
            if slot is None:
                slot = self._slots[document_id] = RoomSlot()
            async with slot.lock:
                if self._slots.get(document_id) is not slot:
                    continue  # it was unloaded while we waited
                if slot.room is not None and slot.room.broken:
                    self._forget(document_id, slot)  # who is still in there leaves it to itself
                    continue
                if slot.room is None:
                    try:
                        slot.room = await self._load(document_id, slot)
                    except BaseException:
                        self._forget(document_id, slot)
                        raise
                    metrics.ROOMS.set(len(self._slots))
                slot.users += 1
                return slot.room

    def exit(self, room: Room) -> None:
        slot = self._slots.get(room.document_id)
        if slot is None or slot.room is not room:
            return
        slot.users -= 1
        if slot.users == 0:
            slot.idle_since = time.monotonic()

    async def row(self, document_id: str) -> DocumentRow:
        """
        Raises:
            DocumentNotFound: there is no such document.
        """
        async with self._database.read() as connection:
            row = await DocumentStore(connection).find(document_id)
        if row is None:
            raise DocumentNotFound(document_id)
        return row

    async def tend(self) -> None:
        """Unload what is idle, and keep snapshots of what is busy. Called every few seconds."""
        deadline = time.monotonic() - self._settings.room_idle_s
        for document_id, slot in list(self._slots.items()):
            if self._slots.get(document_id) is not slot:
                continue  # it went while others were tended
            try:
                if slot.users == 0 and slot.idle_since <= deadline:
                    await self._unload(document_id, slot)
                elif slot.room and slot.room.complete_to - slot.saved_sequence >= SNAPSHOT_EVERY_UPDATES:
                    async with slot.lock:
                        await self._save(slot.room, slot)
            except Exception:
                log.exception("room cannot be tended", document_id=document_id)
        self._give_memory_back()

    def keep_alive(self) -> None:
        """Say something to every peer that heard nothing lately, and ask those who read nothing to come back."""
        for room in self.loaded():
            room.keep_alive()
            for peer in [peer for peer in room.peers if peer.congested_sweeps > CONGESTED_SWEEPS]:
                peer.outlet.close(1013, "This connection is too slow. Connect again.")
        if self._commit.overloaded:
            # Nobody is let in either, so nothing more is taken until the log can be written again.
            for room in self.loaded():
                for peer in list(room.peers):
                    peer.outlet.close(1013, "The server cannot write edits as fast as they come. Connect again.")

    async def close(self) -> None:
        """Unload everything, whoever is there."""
        for document_id, slot in list(self._slots.items()):
            try:
                await self._unload(document_id, slot)
            except Exception:
                log.exception("no snapshot was kept; the log has everything", document_id=document_id)

    async def drop(self, document_id: DocumentId) -> None:
        """Forget a room without keeping anything of it."""
        slot = self._slots.pop(document_id, None)
        metrics.ROOMS.set(len(self._slots))
        if slot:
            # A snapshot that is being kept would outlive the document.
            async with slot.lock:
                pass

    def _forget(self, document_id: str, slot: RoomSlot) -> None:
        if self._slots.get(document_id) is slot:
            del self._slots[document_id]

    async def _load(self, document_id: str, slot: RoomSlot) -> Room:
        row = await self.row(document_id)
        # What is on its way into the log must be in there before it is read.
        await self._commit.flushed()
        room = Room(
            row.id,
            row.audience,
            row.generation,
            self._commit,
            frame=binary_frame,
            later=_call_later,
            now_ns=time.time_ns,
            max_bytes=self._settings.document_max_bytes,
        )
        try:
            stored = await self._log.load(row.id)
            room.restore(stored.state, stored.sequence, set(stored.seeds), stored.records)
        except BaseException as error:
            if not isinstance(error, Exception) and not is_panic(error):
                raise
            log.exception("document cannot be loaded", document_id=document_id)
            raise RoomFailed(document_id) from error
        slot.saved_sequence = stored.sequence
        return room

    async def _unload(self, document_id: str, slot: RoomSlot) -> None:
        async with slot.lock:
            room = slot.room
            if room is not None and not room.broken:
                await self._commit.flushed()
                await self._save(room, slot)
            # Somebody may have come while this waited; then the room stays.
            if slot.users == 0 and self._slots.get(document_id) is slot:
                self._forget(document_id, slot)
                self._unloaded_since_trim += 1
                metrics.ROOMS.set(len(self._slots))

    async def _save(self, room: Room, slot: RoomSlot) -> None:
        sequence = room.complete_to
        if sequence <= slot.saved_sequence or room.gone or room.broken:
            return
        seeds, state = frozenset(room.seeds), room.document.state()
        # A snapshot must never know more than the log: the log is the truth.
        await self._commit.flushed()
        await self._log.save_snapshot(room.document_id, sequence, seeds, state)
        slot.saved_sequence = sequence

    def _give_memory_back(self) -> None:
        if self._unloaded_since_trim >= 100:
            self._unloaded_since_trim = 0
            _malloc_trim()


def _call_later(seconds: float, call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, call)


def _malloc_trim() -> None:
    """glibc keeps freed memory for itself until it is told to give it back; other C libraries do without."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
