"""Other modules' events in. Each may come twice, and late."""

from opencode.contracts.collaboration import PeerOnline
from opencode.contracts.identity import CredentialsRevoked
from opencode.modules.interviews.service.control import Control
from opencode.modules.interviews.service.presence import Presence


async def note_presence(event: PeerOnline, presence: Presence) -> None:
    """Somebody opened or closed the document."""
    await presence.note(event.audience, event.peer_id, online=event.online, at=event.at)


async def end_streams_of_revoked_person(event: CredentialsRevoked, control: Control) -> None:
    """A stream was opened with a credential that may be gone now; whoever has another one comes back with it."""
    await control.end_streams(event.principal_id)
