"""Document sockets: who is let in, and the life of one connection."""

from opencode.contracts.collaboration import Entry
from opencode.infra.websocket import (
    Admission,
    Socket,
    SocketRoute,
    UpgradeRequest,
    ticket_of,
    ticket_subprotocol,
)
from opencode.modules.collaboration.domain.peer import Peer
from opencode.modules.collaboration.domain.room import Room
from opencode.modules.collaboration.service.entrance import Entrance
from opencode.modules.collaboration.service.online import Online
from opencode.modules.collaboration.service.rooms import Rooms

PREFIX = "/api/v1/documents/"
SUBPROTOCOL = "ocp.v1"
MAX_MESSAGE_BYTES = 256 * 1024


class DocumentSockets:
    """Lets sockets in to rooms."""

    def __init__(self, entrance: Entrance, rooms: Rooms, online: Online) -> None:
        self._entrance = entrance
        self._rooms = rooms
        self._online = online

    @property
    def route(self) -> SocketRoute:
        return SocketRoute(PREFIX, self.admit, MAX_MESSAGE_BYTES)

    async def admit(self, request: UpgradeRequest) -> Admission:
        """Raises what `Entrance.enter` raises."""
        room, entry = await self._entrance.enter(request.path.removeprefix(PREFIX), ticket_of(request))
        acknowledges = SUBPROTOCOL in request.subprotocols
        handler = DocumentSocket(self._rooms, self._online, room, entry, acknowledges=acknowledges)
        return Admission(handler, SUBPROTOCOL if acknowledges else ticket_subprotocol(request))


class DocumentSocket:
    """One connection; see `infra.websocket.SocketHandler`. Its work is the room's."""

    __slots__ = ("_entry", "_online", "_peer", "_room", "_rooms", "acknowledges")

    def __init__(self, rooms: Rooms, online: Online, room: Room, entry: Entry, *, acknowledges: bool) -> None:
        self._rooms = rooms
        self._online = online
        self._room = room
        self._entry = entry
        self._peer: Peer | None = None
        self.acknowledges = acknowledges

    def opened(self, socket: Socket) -> None:
        self._peer = Peer(self._room, socket, self._entry, acknowledges=self.acknowledges)
        self._room.join(self._peer)
        self._online.came(self._room, self._entry.peer_id)

    def received(self, message: bytes) -> None:
        if self._peer:
            self._room.receive(self._peer, message)

    def congested(self) -> None:
        if self._peer:
            self._peer.fall_behind()

    def writable(self) -> None:
        if self._peer:
            self._peer.catch_up()

    def closed(self) -> None:
        if self._peer:
            self._room.leave(self._peer)
            self._online.went(self._room, self._entry.peer_id)
        self._rooms.exit(self._room)
