"""Other modules' events in."""

from opencode.contracts.collaboration import CloseReason
from opencode.contracts.identity import CredentialsRevoked
from opencode.modules.collaboration.service.documents import SharedDocuments


async def cut_revoked_person(event: CredentialsRevoked, documents: SharedDocuments) -> None:
    """Whoever may not sign in any more may not go on editing either."""
    await documents.disconnect_person(event.principal_id, CloseReason.REVOKED)
