"""Other modules' events in. Each may come twice, and late; doing it twice is the same as once."""

from opencode.contracts.identity import CredentialsRevoked
from opencode.contracts.notifications import NoticeGiven
from opencode.infra.events import Reactions
from opencode.modules.notifications.service.receiving import Receiving
from opencode.modules.notifications.service.streaming import Streaming


def add_reactions(reactions: Reactions, receiving: Receiving, streaming: Streaming) -> None:
    async def end_streams_of_revoked_person(event: CredentialsRevoked) -> None:
        # A stream was opened with a credential that may be gone now; whoever has another one comes back with it.
        await streaming.end_of(event.principal_id)

    reactions.add(NoticeGiven, receiving.take)
    reactions.add(CredentialsRevoked, end_streams_of_revoked_person)
