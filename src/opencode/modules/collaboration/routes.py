"""HTTP in: tickets."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath

from opencode.kernel.principal import Principal
from opencode.modules.collaboration.schemas import TicketView
from opencode.modules.collaboration.service.entrance import Entrance


@post(
    "/api/v1/documents/{document_id:str}/tickets",
    operation_id="create_ticket",
    summary="Get a ticket that opens the document's WebSocket",
    tags=["Documents"],
)
async def create_ticket(
    document_id: FromPath[str], principal: NamedDependency[Principal], entrance: NamedDependency[Entrance]
) -> TicketView:
    signed = await entrance.issue_ticket(document_id, principal)
    return TicketView(signed.ticket, signed.expires_at)
