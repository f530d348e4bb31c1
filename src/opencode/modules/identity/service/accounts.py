"""Accounts: making them, changing one's own, and who has which role."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from opencode.contracts.identity import CredentialsRevoked, UserRegistered
from opencode.infra.plugs import Parts
from opencode.infra.security import hash_secret
from opencode.kernel.ids import UserId, is_id, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.identity import policy
from opencode.modules.identity.domain import (
    Account,
    Role,
    email_problem,
    name_problem,
    password_problem,
    refuse,
    tidy,
)
from opencode.modules.identity.errors import (
    AccountMissing,
    InviteNeeded,
    InviteNotGood,
    PasswordWrong,
    RegistrationClosed,
)
from opencode.modules.identity.service.base import Service
from opencode.modules.identity.service.passwords import Passwords
from opencode.modules.identity.service.sessions import Sessions, SignedIn
from opencode.modules.identity.settings import IdentitySettings
from opencode.modules.identity.store import Stores, Work


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody who registers gives. `invite` is the secret of an invitation."""

    email: str
    password: str
    display_name: str
    invite: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What somebody changes about themselves; None leaves it as it is."""

    display_name: str | None = None
    email: str | None = None
    new_password: str | None = None
    current_password: str | None = None


class Accounts(Service):
    def __init__(self, parts: Parts, settings: IdentitySettings, passwords: Passwords, sessions: Sessions) -> None:
        super().__init__(parts, settings)
        self._passwords = passwords
        self._sessions = sessions

    async def is_first(self) -> bool:
        """Has nobody an account yet?"""
        async with self._reading() as stores:
            return await stores.accounts.is_empty()

    async def register(self, newcomer: Newcomer, *, address: str) -> SignedIn:
        """
        Make an account and sign it in. The first one is the administrator, whatever the policy.

        Raises:
            FieldsRefused: the address, the password or the name is not accepted.
            RegistrationClosed: this server takes no new accounts.
            InviteNeeded: it takes them by invitation, and none was given.
            InviteNotGood: the invitation was used, has expired, or never was.
            EmailTaken: there is an account with this address.
            TooManyAttempts: too many in the last minute from this address.
            TooManyAtOnce: too many people are signing in right now.
        """
        email, name = tidy(newcomer.email), tidy(newcomer.display_name)
        refuse(
            email=email_problem(email),
            password=password_problem(newcomer.password, email),
            display_name=name_problem(name),
        )
        await self._brake("registration", address)
        await self._refuse_early(newcomer)
        password_hash = await self._passwords.hash(newcomer.password)
        async with self._work() as work:
            account = Account(
                id=UserId(new_id("usr")),
                email=email,
                password_hash=password_hash,
                display_name=name,
                roles=frozenset({await self._role_of(newcomer, work.stores)}),
                created_at=self._now(),
            )
            await self.add(work, account, address=address)
            return await self._sessions.open(work, account)

    async def add(self, work: Work, account: Account, *, address: str) -> None:
        """
        Keep a new account and say so, within the caller's transaction.

        Raises:
            EmailTaken: there is an account with this address.
        """
        await work.stores.accounts.add(account)
        roles = _listed(account.roles)
        await self._note(
            work.stores, "account.registered", actor=account.id, subject=account.id, address=address, detail=roles
        )
        work.publish(UserRegistered(user_id=account.id, registered_at=account.created_at))

    async def me(self, principal: Principal) -> Account:
        """
        Raises:
            Unauthenticated: the caller has no account.
        """
        policy.require_user(principal)
        async with self._reading() as stores:
            return await self._get(stores, principal.id)

    async def change_me(self, principal: Principal, changes: Changes, *, address: str) -> Account:
        """
        Change one's name, address or password. A new password ends all other sessions.

        Raises:
            Unauthenticated: the caller has no account.
            Forbidden: the caller's token does not reach so far.
            FieldsRefused: a field is not accepted.
            PasswordWrong: the current password is not right; it is asked for to change the address or the password.
            EmailTaken: there is another account with this address.
            TooManyAttempts: too many wrong passwords in the last minute.
        """
        policy.require_user(principal)
        principal.require("account:manage")
        before = await self.me(principal)
        changes = _tidied(changes)
        _check(before, changes)
        if changes.email is not None or changes.new_password is not None:
            await self._confirm(before, changes.current_password, address)
        new_hash = await self._passwords.hash(changes.new_password) if changes.new_password is not None else None
        async with self._work() as work:
            current = await self._get(work.stores, principal.id, locked=True)
            if current.password_hash != before.password_hash:
                raise PasswordWrong
            after = replace(
                current,
                display_name=changes.display_name or current.display_name,
                email=changes.email or current.email,
                password_hash=new_hash or current.password_hash,
            )
            await work.stores.accounts.save(after)
            await self._tell(work, current, after, principal, address)
        return after

    async def page(self, principal: Principal, page: PageRequest) -> Page[Account]:
        """
        All accounts, the newest first.

        Raises:
            Forbidden: only administrators see them.
        """
        principal.require("users:manage")
        async with self._reading() as stores:
            return await stores.accounts.page(page)

    async def set_roles(self, principal: Principal, user_id: str, roles: Sequence[Role], *, address: str) -> Account:
        """
        Give an account these roles in place of those it has, from its next request on.

        Raises:
            Forbidden: only administrators may.
            AccountMissing: there is no such account.
            LastAdministrator: nobody would be an administrator any more.
        """
        principal.require("users:manage")
        if not is_id(user_id, "usr"):
            raise AccountMissing(user_id)
        async with self._work() as work:
            # Two administrators who demote each other at once must not both succeed.
            await work.stores.accounts.lock_administrators()
            before = await self._get(work.stores, user_id, locked=True)
            after = before.with_roles(roles)
            if after == before:
                return before
            administrators = await work.stores.accounts.count_administrators()
            policy.require_an_administrator_left(before, after, administrators)
            await work.stores.accounts.save(after)
            change = f"{_listed(before.roles)} -> {_listed(after.roles)}"
            await self._note(
                work.stores, "roles.changed", actor=principal.id, subject=after.id, address=address, detail=change
            )
        return after

    async def _refuse_early(self, newcomer: Newcomer) -> None:
        # Hashing is the costly part: who cannot register anyway is told before it.
        if self._settings.registration == "open" or await self.is_first():
            return
        if self._settings.registration == "closed":
            raise RegistrationClosed
        if not newcomer.invite:
            raise InviteNeeded

    async def _role_of(self, newcomer: Newcomer, stores: Stores) -> Role:
        if await stores.accounts.is_empty():
            await stores.accounts.lock_administrators()
            # Asked again under the lock: of two who register at once only one is the first.
            if await stores.accounts.is_empty():
                return Role.ADMIN
        if self._settings.registration == "closed":
            raise RegistrationClosed
        if newcomer.invite:
            invite = await stores.invites.take(hash_secret(newcomer.invite), self._now())
            if invite is None:
                raise InviteNotGood
            return invite.role
        if self._settings.registration != "open":
            raise InviteNeeded
        return Role(self._settings.default_role)

    async def _confirm(self, account: Account, current_password: str | None, address: str) -> None:
        if account.password_hash is None:
            return
        if current_password is None:
            refuse(current_password="is required to change the e-mail address or the password")  # noqa: S106
        await self._brake("password", address, account.id)
        if not await self._passwords.matches(current_password or "", account.password_hash):
            raise PasswordWrong

    async def _tell(self, work: Work, before: Account, after: Account, by: Principal, address: str) -> None:
        who = {"actor": by.id, "subject": after.id, "address": address}
        if after.email != before.email:
            await self._note(work.stores, "email.changed", **who)
        if after.password_hash != before.password_hash:
            await self._note(work.stores, "password.changed", **who)
            await work.stores.sessions.end_others(after.id, keep=by.credential_id or "")
            work.publish(CredentialsRevoked(principal_id=after.id, revoked_at=self._now()))

    async def _get(self, stores: Stores, account_id: str, *, locked: bool = False) -> Account:
        if (account := await stores.accounts.get(account_id, locked=locked)) is None:
            raise AccountMissing(account_id)
        return account


def _tidied(changes: Changes) -> Changes:
    return replace(
        changes,
        display_name=None if changes.display_name is None else tidy(changes.display_name),
        email=None if changes.email is None else tidy(changes.email),
    )


def _check(account: Account, changes: Changes) -> None:
    email = changes.email or account.email
    no_email = "is required before a password can be set" if changes.new_password is not None and not email else None
    refuse(
        display_name=None if changes.display_name is None else name_problem(changes.display_name),
        email=no_email if changes.email is None else email_problem(changes.email),
        new_password=None if changes.new_password is None else password_problem(changes.new_password, email),
    )


def _listed(roles: frozenset[Role]) -> str:
    return ", ".join(role.value for role in Role if role in roles) or "none"
