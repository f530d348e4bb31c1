"""The way into a document: a ticket over HTTP, then the room over a socket, and the owner's leave for both."""

from opencode.contracts.collaboration import DocumentGate, Entry
from opencode.kernel.errors import Busy
from opencode.kernel.principal import Principal
from opencode.modules.collaboration.domain.room import Room
from opencode.modules.collaboration.errors import DocumentNotFound
from opencode.modules.collaboration.service.commit import GroupCommit
from opencode.modules.collaboration.service.rooms import Rooms
from opencode.modules.collaboration.service.tickets import SignedTicket, Tickets

MAX_PEERS = 500
MAX_PEERS_PER_PERSON = 20


class Entrance:
    """Lets people in, as the owner of the document says."""

    def __init__(self, rooms: Rooms, commit: GroupCommit, tickets: Tickets) -> None:
        self._rooms = rooms
        self._commit = commit
        self._tickets = tickets
        self._gate: DocumentGate | None = None

    def open_gate(self, gate: DocumentGate) -> None:
        """From now on, ask this owner of documents."""
        self._gate = gate

    async def issue_ticket(self, document_id: str, principal: Principal) -> SignedTicket:
        """
        Raises:
            DocumentNotFound: there is no such document; and whatever the owner's `DocumentGate.enter` raises.
        """
        row = await self._rooms.row(document_id)
        entry = await self._owner().enter(principal, row.audience)
        return self._tickets.issue(row.id, entry)

    async def enter(self, document_id: str, signed_ticket: str) -> tuple[Room, Entry]:
        """
        Check the ticket, then ask again whether the person may still enter: a ticket outlives a removal. The room
        stays loaded until `Rooms.exit`.

        Raises:
            TicketRefused: no ticket, or not a good one.
            DocumentNotFound, RoomFailed: there is nothing to enter.
            Busy: too many are in there, or edits cannot be written as fast as they come.
        """
        ticket = self._tickets.check(signed_ticket, document_id)
        room = await self._rooms.enter(document_id)
        try:
            entry = await self._leave_of_owner(ticket.peer_id, room)
            self._require_place(room, entry)
        except BaseException:
            self._rooms.exit(room)
            raise
        return room, entry

    async def _leave_of_owner(self, peer_id: str, room: Room) -> Entry:
        while True:
            rulings = room.rulings
            entry = await self._owner().enter_again(peer_id, room.audience)
            if room.gone:
                raise DocumentNotFound(room.document_id)
            # Whoever is removed or frozen just while the gate answers is judged by what holds now.
            if room.rulings == rulings:
                return entry

    def _owner(self) -> DocumentGate:
        if self._gate is None:
            raise Busy("The server is still starting.", action="Try again in a moment.")
        return self._gate

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
