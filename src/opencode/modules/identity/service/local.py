"""The contract `Identity`, answered in this process."""

from datetime import timedelta

from opencode.contracts.identity import CredentialsRevoked, GuestCredential
from opencode.infra.security import hash_secret, new_secret
from opencode.kernel.ids import UserId
from opencode.kernel.principal import ANONYMOUS, Principal
from opencode.modules.identity.domain import Guest, email_key, guest_principal, principal_of, roles_with
from opencode.modules.identity.errors import TokenNotGood
from opencode.modules.identity.service.base import Service

_SECRET_MAX = 100
"""Characters; ours have 47. What is longer is none of them and is not worth hashing."""


class LocalIdentity(Service):
    """See `contracts.identity.Identity`."""

    async def authenticate(self, *, session: str | None, bearer: str | None) -> Principal:
        # On the path of every request: one query by index, and a write at most once an hour.
        if bearer is not None:
            return await self._holder_of(bearer)
        if session is not None and len(session) <= _SECRET_MAX:
            return await self._visitor_of(session)
        return ANONYMOUS

    async def admit_guest(self, guest_id: str, *, name: str, audience: str, lifetime_s: int) -> GuestCredential:
        secret = new_secret("ocg")
        expires_at = self._now() + timedelta(seconds=lifetime_s)
        async with self._work() as work:
            await work.stores.guests.add(Guest(guest_id, name, audience, hash_secret(secret), expires_at))
        return GuestCredential(secret, expires_at)

    async def dismiss_guest(self, guest_id: str) -> None:
        async with self._work() as work:
            if await work.stores.guests.dismiss(guest_id):
                work.publish(CredentialsRevoked(principal_id=guest_id, revoked_at=self._now()))

    async def display_names(self, user_ids: frozenset[str]) -> dict[str, str]:
        if not user_ids:
            return {}
        async with self._reading() as stores:
            return await stores.accounts.names(user_ids)

    async def email_addresses(self, user_ids: frozenset[str]) -> dict[str, str]:
        if not user_ids:
            return {}
        async with self._reading() as stores:
            return await stores.accounts.addresses(user_ids)

    async def accounts_at(self, addresses: frozenset[str]) -> dict[str, UserId]:
        if not addresses:
            return {}
        async with self._reading() as stores:
            found = await stores.accounts.at(frozenset(email_key(address) for address in addresses))
        return {address: found[key] for address in addresses if (key := email_key(address)) in found}

    async def holders_of(self, permission: str) -> frozenset[UserId]:
        async with self._reading() as stores:
            return await stores.accounts.with_any_role(roles_with(permission, self._settings.of_every_role))

    async def owners_of_tokens(self, token_ids: frozenset[str]) -> dict[str, UserId]:
        if not token_ids:
            return {}
        async with self._reading() as stores:
            return await stores.tokens.owners(token_ids, self._now())

    async def names_of_tokens(self, token_ids: frozenset[str]) -> dict[str, str]:
        if not token_ids:
            return {}
        async with self._reading() as stores:
            return await stores.tokens.names(token_ids)

    async def record(self, kind: str, *, actor: Principal, subject_id: str = "", detail: str = "") -> None:
        async with self._work() as work:
            await self._note(work.stores, kind, actor=actor.id, subject=subject_id, detail=detail)

    async def _visitor_of(self, secret: str) -> Principal:
        now = self._now()
        async with self._reading() as stores:
            found = await stores.sessions.holder(hash_secret(secret), now)
        if found is None:
            return ANONYMOUS
        session, account = found
        if touched := session.touch(now, timedelta(days=self._settings.session_days)):
            async with self._work() as work:
                await work.stores.sessions.touch(touched)
        return principal_of(account, session.id, of_every_role=self._settings.of_every_role)

    async def _holder_of(self, secret: str) -> Principal:
        if len(secret) > _SECRET_MAX:
            raise TokenNotGood
        if secret.startswith("ocg_"):
            return await self._guest_of(secret)
        now = self._now()
        async with self._reading() as stores:
            found = await stores.tokens.holder(hash_secret(secret), now)
        if found is None:
            raise TokenNotGood
        token, account = found
        if token.is_stale(now):
            async with self._work() as work:
                await work.stores.tokens.touch(token.id, now)
        return principal_of(account, token.id, token.scopes, self._settings.of_every_role)

    async def _guest_of(self, secret: str) -> Principal:
        async with self._reading() as stores:
            guest = await stores.guests.holder(hash_secret(secret), self._now())
        if guest is None:
            raise TokenNotGood
        return guest_principal(guest)
