"""HTTP in: tickets."""

from litestar import post

from opencode.contracts.collaboration import DocumentGate
from opencode.kernel.principal import Principal
from opencode.modules.collaboration.schemas import TicketView
from opencode.modules.collaboration.service.rooms import Rooms
from opencode.modules.collaboration.service.tickets import Tickets


@post(
    "/api/v1/documents/{document_id:str}/tickets",
    operation_id="create_ticket",
    summary="Get a ticket that opens the document's WebSocket",
    tags=["Documents"],
)
async def create_ticket(
    document_id: str, principal: Principal, rooms: Rooms, tickets: Tickets, gate: DocumentGate
) -> TicketView:
    row = await rooms.row(document_id)
    entry = await gate.enter(principal, row.audience)
    signed = tickets.issue(row.id, entry)
    return TicketView(signed.ticket, signed.expires_at)
