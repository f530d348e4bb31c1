"""What execution does when something happens elsewhere. Each may run twice; doing it twice is the same as once."""

from opencode.contracts.identity import CredentialsRevoked
from opencode.modules.execution.policy import Door


async def forget_revoked_person(event: CredentialsRevoked, door: Door) -> None:
    """A token that was revoked runs nothing any more."""
    door.forget(event.principal_id)
