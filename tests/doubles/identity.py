"""Who is calling, without passwords: people are added by tests, and each has a token."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opencode.contracts.identity import GuestCredential
from opencode.kernel.clock import Clock
from opencode.kernel.errors import Unauthenticated
from opencode.kernel.ids import UserId, new_id
from opencode.kernel.principal import ANONYMOUS, Principal, PrincipalKind

INTERVIEWER_PERMISSIONS = frozenset({"interviews:create", "interviews:read", "interviews:manage"})


@dataclass(frozen=True, slots=True)
class AuditLine:
    kind: str
    actor_id: str
    subject_id: str
    detail: str


class IdentityInMemory:
    """`contracts.identity.Identity`, kept in dictionaries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._principals: dict[str, Principal] = {}
        self._expires: dict[str, datetime] = {}
        self._sessions: dict[str, str] = {}
        self.audit: list[AuditLine] = []
        self.emails: dict[str, str] = {}

    async def authenticate(self, *, session: str | None, bearer: str | None) -> Principal:
        if bearer is None:
            token = self._sessions.get(session or "")
            return self._principals[token] if token else ANONYMOUS
        expires_at = self._expires.get(bearer)
        if bearer not in self._principals or (expires_at and self._clock.now() >= expires_at):
            raise Unauthenticated("The bearer token is not good.", action="Sign in again.")
        return self._principals[bearer]

    async def admit_guest(self, guest_id: str, *, name: str, audience: str, lifetime_s: int) -> GuestCredential:
        token = new_id("tok")
        expires_at = self._clock.now() + timedelta(seconds=lifetime_s)
        self._principals[token] = Principal(guest_id, PrincipalKind.GUEST, name, audience=audience, credential_id=token)
        self._expires[token] = expires_at
        return GuestCredential(token, expires_at)

    async def dismiss_guest(self, guest_id: str) -> None:
        for token, principal in list(self._principals.items()):
            if principal.id == guest_id:
                del self._principals[token]

    async def display_names(self, user_ids: frozenset[str]) -> dict[str, str]:
        return {who.id: who.name for who in self._principals.values() if who.id in user_ids}

    async def email_addresses(self, user_ids: frozenset[str]) -> dict[str, str]:
        return {user_id: self.emails[user_id] for user_id in user_ids if user_id in self.emails}

    async def accounts_at(self, addresses: frozenset[str]) -> dict[str, UserId]:
        ids = {address.lower(): UserId(user_id) for user_id, address in self.emails.items()}
        return {address: ids[address.lower()] for address in addresses if address.lower() in ids}

    async def holders_of(self, permission: str) -> frozenset[UserId]:
        return frozenset(UserId(who.id) for who in self._principals.values() if permission in who.permissions)

    async def owners_of_tokens(self, token_ids: frozenset[str]) -> dict[str, UserId]:
        known = {token: self._principals[token] for token in token_ids if token in self._principals}
        return {token: UserId(who.id) for token, who in known.items() if who.is_user}

    async def names_of_tokens(self, token_ids: frozenset[str]) -> dict[str, str]:
        return dict.fromkeys(await self.owners_of_tokens(token_ids), "a program")

    async def record(self, kind: str, *, actor: Principal, subject_id: str = "", detail: str = "") -> None:
        self.audit.append(AuditLine(kind, actor.id, subject_id, detail))

    # What tests do.

    def revoke(self, token: str) -> None:
        del self._principals[token]

    def add_user(
        self, name: str, *, roles: frozenset[str] = frozenset(), permissions: frozenset[str] = frozenset()
    ) -> str:
        """Give somebody an account; the token that they show."""
        token = new_id("tok")
        self._principals[token] = Principal(
            new_id("usr"), PrincipalKind.USER, name, roles=roles, permissions=permissions, credential_id=token
        )
        return token

    def add_interviewer(self, name: str) -> str:
        return self.add_user(name, roles=frozenset({"interviewer"}), permissions=INTERVIEWER_PERMISSIONS)

    def add_session(self, token: str) -> str:
        """Sign the holder of a token in at a browser; what its cookie holds."""
        session = new_id("ses")
        self._sessions[session] = token
        return session

    def narrowed(self, token: str, permissions: frozenset[str]) -> str:
        """Another token of the same account, with narrower scopes."""
        other = new_id("tok")
        principal = self._principals[token]
        self._principals[other] = replace(
            principal, permissions=principal.permissions & permissions, credential_id=other
        )
        return other

    def who(self, token: str) -> Principal:
        return self._principals[token]

    def knows(self, principal_id: str) -> bool:
        """Has this person a credential that still works?"""
        return any(principal.id == principal_id for principal in self._principals.values())
