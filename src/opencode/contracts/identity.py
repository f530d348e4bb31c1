"""What `identity` says and offers: who is calling, guests let in to one thing, and the trail of security events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from opencode.contracts.events import Event
from opencode.kernel.ids import UserId
from opencode.kernel.principal import Principal


class UserRegistered(Event, frozen=True, tag="identity.user_registered.v1"):
    """A person has an account now."""

    user_id: UserId
    registered_at: datetime


class CredentialsRevoked(Event, frozen=True, tag="identity.credentials_revoked.v1"):
    """Sessions, tokens or guest credentials of `principal_id` have ended; open connections must end too."""

    principal_id: str
    revoked_at: datetime


@dataclass(frozen=True, slots=True)
class GuestCredential:
    """What a guest shows from now on: `token` is secret and is shown once."""

    token: str
    expires_at: datetime


class Identity(Protocol):
    """Answers who is calling, and lets guests in."""

    async def authenticate(self, *, session: str | None, bearer: str | None) -> Principal:
        """
        Who shows this cookie or bearer token. Nothing shown is `ANONYMOUS`.

        Raises:
            Unauthenticated: a bearer token was shown and is wrong, expired or revoked. (A stale cookie is nobody,
                so that a browser can still open the sign-in page.)
        """
        ...

    async def admit_guest(self, guest_id: str, *, name: str, audience: str, lifetime_s: int) -> GuestCredential:
        """Make the credential of a guest principal, good for `audience` (such as `int_…`) only."""
        ...

    async def dismiss_guest(self, guest_id: str) -> None:
        """End every credential of a guest. Doing it twice is the same as once."""
        ...

    async def display_names(self, user_ids: frozenset[str]) -> dict[str, str]:
        """The names of accounts; unknown ids are left out."""
        ...

    async def email_addresses(self, user_ids: frozenset[str]) -> dict[str, str]:
        """
        Where accounts get mail, as their holders typed it: it may be no address of any mail server. Unknown ids, and
        accounts without an address, are left out.
        """
        ...

    async def accounts_at(self, addresses: frozenset[str]) -> dict[str, UserId]:
        """The accounts with these e-mail addresses, however they are written; those that nobody has are left out."""
        ...

    async def holders_of(self, permission: str) -> frozenset[UserId]:
        """The accounts whose roles permit this, such as `projects:moderate`."""
        ...

    async def owners_of_tokens(self, token_ids: frozenset[str]) -> dict[str, UserId]:
        """Whose tokens these are; those that do not work, or never were, are left out."""
        ...

    async def names_of_tokens(self, token_ids: frozenset[str]) -> dict[str, str]:
        """What their holders call these tokens; those that are gone are left out."""
        ...

    async def record(self, kind: str, *, actor: Principal, subject_id: str = "", detail: str = "") -> None:
        """Add a line to the audit trail, such as `interview.participant_removed`. Never secrets, never content."""
        ...
