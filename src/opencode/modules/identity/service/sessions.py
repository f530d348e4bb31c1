"""Signing in and out."""

from dataclasses import dataclass, replace
from datetime import timedelta

from opencode.contracts.identity import CredentialsRevoked
from opencode.infra.plugs import Parts
from opencode.infra.security import hash_secret, new_secret
from opencode.kernel.ids import SessionId, new_id
from opencode.kernel.principal import Principal
from opencode.modules.identity import policy
from opencode.modules.identity.domain import Account, Session, email_key, email_problem, tidy
from opencode.modules.identity.errors import SignInFailed
from opencode.modules.identity.service.base import Service
from opencode.modules.identity.service.passwords import Passwords
from opencode.modules.identity.settings import IdentitySettings
from opencode.modules.identity.store import Work

_ACTION = "sign_in"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody, and the secret of their new session: it is in no other place."""

    account: Account
    secret: str


class Sessions(Service):
    def __init__(self, parts: Parts, settings: IdentitySettings, passwords: Passwords) -> None:
        super().__init__(parts, settings)
        self._passwords = passwords

    async def sign_in(self, email: str, password: str, *, address: str, replaces: str | None) -> SignedIn:
        """
        Args:
            replaces: the session cookie that the browser had, if any; that session ends. The new one always has a
                secret of its own, so nobody can plant a session on somebody else and wait for them to sign in.

        Raises:
            SignInFailed: wrong address or password; the error does not tell which.
            TooManyAttempts: too many in the last minute, from this address or for this account.
            TooManyAtOnce: too many people are signing in right now.
        """
        key = email_key(email)
        await self._brake(_ACTION, address, key)
        account = await self._find(email)
        if not await self._passwords.matches(password, account.password_hash if account else None) or account is None:
            await self._failed(account, address)
            raise SignInFailed
        await self._parts.limiter.forget(self._account_brake(_ACTION, key))
        fresh = await self._rehashed(account, password)
        async with self._work() as work:
            # Between checking and here the password may have been changed, by whoever wants this sign-in to fail.
            current = await work.stores.accounts.get(account.id, locked=True)
            if current is None or current.password_hash != account.password_hash:
                raise SignInFailed
            if fresh:
                await work.stores.accounts.save(replace(current, password_hash=fresh))
            if replaces:
                await work.stores.sessions.end_by_secret(hash_secret(replaces))
            await self._note(work.stores, "sign_in.ok", actor=account.id, subject=account.id, address=address)
            return await self.open(work, current)

    async def sign_out(self, principal: Principal, *, address: str) -> None:
        """
        End the session that the call came with. Connections that were opened elsewhere, with sessions and tokens
        that are still good, stay.

        Raises:
            Unauthenticated: nobody is signed in.
            NotASession: the call came with a token.
        """
        policy.require_session(principal)
        async with self._work() as work:
            account_id = await work.stores.sessions.end(principal.credential_id or "")
            if account_id is None:
                return
            await self._note(work.stores, "sign_out", actor=account_id, subject=account_id, address=address)
            if not await work.stores.sessions.has_any(account_id, self._now()):
                work.publish(CredentialsRevoked(principal_id=account_id, revoked_at=self._now()))

    async def open(self, work: Work, account: Account) -> SignedIn:
        """Sign an account in, within the transaction that says why."""
        secret = new_secret("ocs")
        now = self._now()
        await work.stores.sessions.add(
            Session(
                id=SessionId(new_id("ses")),
                account_id=account.id,
                secret_hash=hash_secret(secret),
                touched_at=now,
                expires_at=now + timedelta(days=self._settings.session_days),
            )
        )
        return SignedIn(account, secret)

    async def _find(self, email: str) -> Account | None:
        if email_problem(tidy(email)):
            return None
        async with self._reading() as stores:
            return await stores.accounts.by_email(email)

    async def _failed(self, account: Account | None, address: str) -> None:
        async with self._work() as work:
            await self._note(work.stores, "sign_in.failed", subject=account.id if account else "", address=address)

    async def _rehashed(self, account: Account, password: str) -> str | None:
        if account.password_hash is None or not self._passwords.is_outdated(account.password_hash):
            return None
        return await self._passwords.hash(password)
