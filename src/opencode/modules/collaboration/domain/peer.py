"""
A peer: one connection in a room, and where it stands when it reads too slowly.

It is a cursor (a state vector) into the document, never a queue: while its socket is congested it gets nothing, and
then one difference.
"""

from typing import Any, Protocol

from opencode.contracts.collaboration import Entry, PeerRole
from opencode.modules.collaboration.domain.document import Document
from opencode.modules.collaboration.domain.records import Record

MAX_OWED_BYTES = 256 * 1024
"""Answers to a peer that goes on asking and does not read, before its socket is closed."""


class PeersRoom(Protocol):
    """What a peer needs of the `Room` that it is in."""

    document: Document
    sequence: int

    def resume(self, peer: "Peer", behind: bytes, wanted: bytes | None) -> None: ...

    def settle(self, peer: "Peer", ordinal: int, sequence: int) -> None: ...


class Outlet(Protocol):
    """Where a peer's frames go; see `infra.websocket.Socket`."""

    def write(self, frame: bytes) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


class Journal(Protocol):
    """Makes updates durable. Neither call waits; the room's `settle` is called after the commit."""

    def append(self, record: Record, peer: "Peer", ordinal: int) -> None: ...

    def pass_through(self, peer: "Peer", ordinal: int) -> None:
        """Nothing to write for this update frame, but its acknowledgement must not overtake earlier ones."""
        ...

    def refused(self, reason: str) -> None:
        """An update was not taken; for whoever counts."""
        ...


class Peer:
    """
    One connection in a room.

    Attributes:
        acknowledges: speaks `ocp.v1`.
        live: gets updates as they happen. Not before its first sync, and not while it is congested.
        received: update frames so far, and `received_before` those until the last keep-alive sweep.
        idle: nothing was written to it since the last keep-alive sweep.
    """

    __slots__ = (
        "_behind",
        "_owed",
        "_wanted",
        "acknowledges",
        "congested_sweeps",
        "entry",
        "full_syncs",
        "idle",
        "live",
        "may_write",
        "outlet",
        "parked_state",
        "received",
        "received_before",
        "room",
        "strikes",
        "user",
    )

    def __init__(self, room: PeersRoom, outlet: Outlet, entry: Entry, *, acknowledges: bool) -> None:
        self.room = room
        self.outlet = outlet
        self.entry = entry
        self.user: dict[str, Any] = {
            "id": entry.peer_id,
            "name": entry.name,
            "role": entry.kind,
            "colour": entry.colour,
        }
        self.may_write = entry.role is PeerRole.WRITE
        self.acknowledges = acknowledges
        self.live = False
        self.idle = True
        self.received = 0
        self.received_before = 0
        self.strikes = 0
        self.full_syncs = 0
        self.congested_sweeps = 0
        self.parked_state: bytes | None = None
        self._behind: bytes | None = None
        self._wanted: bytes | None = None
        self._owed = 0

    @property
    def congested(self) -> bool:
        return self._behind is not None

    def write(self, frame: bytes) -> None:
        self.idle = False
        if self._behind is not None:
            self._owed += len(frame)
            if self._owed > MAX_OWED_BYTES:
                self.outlet.close(1013, "This connection reads too slowly. Connect again.")
                return
        self.outlet.write(frame)

    def fall_behind(self) -> None:
        """The socket is congested. All that was written until now will arrive; nothing is written until `catch_up`."""
        if self._behind is None:
            self._behind = self.room.document.state_vector()
            self.live = False

    def catch_up(self) -> None:
        """The socket takes bytes again: one difference brings the peer up to date."""
        behind, self._behind = self._behind, None
        wanted, self._wanted = self._wanted, None
        self._owed = 0
        self.congested_sweeps = 0
        if behind is not None:
            self.room.resume(self, behind, wanted)

    def rewind(self, state_vector: bytes) -> None:
        """What a congested peer was sent last reaches only up to here."""
        self._behind = state_vector

    def ask_later(self, state_vector: bytes) -> None:
        """Remember a step 1 that came while the socket was congested."""
        self._wanted = state_vector
