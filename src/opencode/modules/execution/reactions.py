"""Other modules' events in. Each may come twice, and late; doing it twice is the same as once."""

from opencode.contracts.identity import CredentialsRevoked
from opencode.modules.execution.policy import Door
from opencode.modules.execution.service.control import Control, EndStreams


async def end_streams_of_revoked_person(event: CredentialsRevoked, control: Control) -> None:
    """A stream was opened with a credential that may be gone now; whoever has another one comes back with it."""
    await control.say(EndStreams(event.principal_id))


async def forget_revoked_person(event: CredentialsRevoked, door: Door) -> None:
    """A token that was revoked runs nothing any more."""
    door.forget(event.principal_id)
