"""Document sockets: who is let in, and the life of one connection."""

from opencode.contracts.collaboration import DocumentGate, Entry
from opencode.infra.websocket import Admission, Socket, SocketRoute, UpgradeRequest
from opencode.kernel.errors import Busy
from opencode.modules.collaboration.domain.room import Peer, Room
from opencode.modules.collaboration.service.commit import GroupCommit
from opencode.modules.collaboration.service.online import Online
from opencode.modules.collaboration.service.rooms import Rooms
from opencode.modules.collaboration.service.tickets import Tickets

PREFIX = "/api/v1/documents/"
SUBPROTOCOL = "ocp.v1"
TICKET_SUBPROTOCOL = "ocp.ticket."
MAX_MESSAGE_BYTES = 256 * 1024
MAX_PEERS = 500
MAX_PEERS_PER_PERSON = 20


class DocumentSockets:
    """Lets sockets in to rooms."""

    def __init__(self, rooms: Rooms, commit: GroupCommit, tickets: Tickets, online: Online) -> None:
        self._rooms = rooms
        self._commit = commit
        self._tickets = tickets
        self._online = online
        self._gate: DocumentGate | None = None

    def open_gate(self, gate: DocumentGate) -> None:
        """From now on, ask this owner of documents."""
        self._gate = gate

    @property
    def route(self) -> SocketRoute:
        return SocketRoute(PREFIX, self.admit, MAX_MESSAGE_BYTES)

    async def admit(self, request: UpgradeRequest) -> Admission:
        """
        Check the ticket, then ask again whether the person may still enter: a ticket outlives a removal.

        Raises:
            TicketRefused: no ticket, or not a good one.
            DocumentNotFound, RoomFailed: there is nothing to enter.
            Busy: too many are in there, or edits cannot be written as fast as they come.
        """
        document_id = request.path.removeprefix(PREFIX)
        ticket = self._tickets.check(_ticket_of(request), document_id)
        room = await self._rooms.enter(document_id)
        try:
            if self._gate is None:
                raise Busy("The server is still starting.", action="Try again in a moment.")
            entry = await self._gate.enter_again(ticket.peer_id, room.audience)
            self._require_place(room, entry)
        except BaseException:
            self._rooms.exit(room)
            raise
        acknowledges = SUBPROTOCOL in request.subprotocols
        handler = DocumentSocket(self._rooms, self._online, room, entry, acknowledges=acknowledges)
        return Admission(handler, SUBPROTOCOL if acknowledges else _ticket_subprotocol(request))

    def _require_place(self, room: Room, entry: Entry) -> None:
        own = sum(peer.entry.peer_id == entry.peer_id for peer in room.peers)
        if len(room.peers) >= MAX_PEERS or own >= MAX_PEERS_PER_PERSON:
            raise Busy(
                f"{len(room.peers)} connections are open to this document, {own} of them yours.",
                action="Close a tab that shows it.",
                retry_after_s=10,
            )
        if self._commit.overloaded:
            raise Busy("The server cannot write edits as fast as they come.", action="Try again.", retry_after_s=5)


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


def _ticket_of(request: UpgradeRequest) -> str:
    return request.query.get("ticket") or _ticket_subprotocol_word(request).removeprefix(TICKET_SUBPROTOCOL)


def _ticket_subprotocol_word(request: UpgradeRequest) -> str:
    return next((word for word in request.subprotocols if word.startswith(TICKET_SUBPROTOCOL)), "")


def _ticket_subprotocol(request: UpgradeRequest) -> str | None:
    # A browser that offered subprotocols gives up when none of them is chosen.
    return _ticket_subprotocol_word(request) or None
