"""Accounts, invitations, and the link of the first start."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, delete, exists, false, func, insert, or_, select, text, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import InviteId, UserId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.identity.domain import Account, Invite, Role, email_key
from opencode.modules.identity.errors import EmailTaken
from opencode.modules.identity.store.tables import accounts, invites, setup_links

# Any number will do as long as nothing else in this database takes the same advisory lock.
_ADMINISTRATORS_LOCK = 0x0C0DE_0002
_ONLY_ROW = 1


class AccountStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_administrators(self) -> None:
        """
        Until the transaction ends, nobody else decides who is an administrator: neither who is the first, nor who
        is the last. In SQLite whoever writes is alone anyway.
        """
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _ADMINISTRATORS_LOCK})

    async def is_empty(self) -> bool:
        return not (await self._connection.execute(select(exists().select_from(accounts)))).scalar_one()

    async def add(self, account: Account) -> None:
        """
        Raises:
            EmailTaken: somebody has this address.
        """
        await self._write(insert(accounts).values(id=account.id, created_at=account.created_at, **_changing(account)))

    async def save(self, account: Account) -> None:
        """
        Raises:
            EmailTaken: somebody else has this address.
        """
        await self._write(update(accounts).where(accounts.c.id == account.id).values(**_changing(account)))

    async def get(self, account_id: str, *, locked: bool = False) -> Account | None:
        """Args: locked: nobody else changes it until the transaction ends; for whoever saves it afterwards."""
        query = select(accounts).where(accounts.c.id == account_id)
        return await self._one(query.with_for_update() if locked else query)

    async def by_email(self, email: str) -> Account | None:
        return await self._one(select(accounts).where(accounts.c.email_key == email_key(email)))

    async def page(self, page: PageRequest) -> Page[Account]:
        """All accounts, the newest first."""
        query = newest_first(select(accounts), accounts.c.created_at, accounts.c.id, page)
        found = [account_of(row) for row in await self._connection.execute(query)]
        return Page.cut(found, page.limit, lambda account: time_keys(account.created_at, account.id))

    async def names(self, account_ids: frozenset[str]) -> dict[str, str]:
        query = select(accounts.c.id, accounts.c.display_name).where(accounts.c.id.in_(account_ids))
        return {row.id: row.display_name for row in await self._connection.execute(query)}

    async def addresses(self, account_ids: frozenset[str]) -> dict[str, str]:
        query = select(accounts.c.id, accounts.c.email).where(accounts.c.id.in_(account_ids))
        return {row.id: row.email for row in await self._connection.execute(query) if row.email}

    async def at(self, email_keys: frozenset[str]) -> dict[str, UserId]:
        """The accounts of addresses as `email_key` makes them."""
        query = select(accounts.c.email_key, accounts.c.id).where(accounts.c.email_key.in_(email_keys))
        return {row.email_key: UserId(row.id) for row in await self._connection.execute(query)}

    async def count_administrators(self) -> int:
        # No other role has this word in it, and the question is asked only when roles change.
        query = (
            select(func.count())
            .select_from(accounts)
            .where(type_coerce(accounts.c.roles, Text).contains(Role.ADMIN.value))
        )
        return (await self._connection.execute(query)).scalar_one()

    async def with_any_role(self, roles: Collection[Role]) -> frozenset[UserId]:
        """The accounts that have one of these roles."""
        # No role's word is part of another's.
        has_one = [type_coerce(accounts.c.roles, Text).contains(role.value) for role in sorted(roles)]
        query = select(accounts.c.id).where(or_(false(), *has_one))
        return frozenset(UserId(found) for found in (await self._connection.execute(query)).scalars())

    async def _one(self, query: Select[Any]) -> Account | None:
        row = (await self._connection.execute(query)).one_or_none()
        return account_of(row) if row else None

    async def _write(self, statement: Any) -> None:
        try:
            await self._connection.execute(statement)
        except IntegrityError:
            # The only rule of the table that a well-formed account can break.
            raise EmailTaken from None


class InviteStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, invite: Invite) -> None:
        await self._connection.execute(
            insert(invites).values(
                id=invite.id,
                role=invite.role.value,
                secret_hash=invite.secret_hash,
                created_by=invite.created_by,
                expires_at=invite.expires_at,
            )
        )

    async def take(self, secret_hash: str, now: datetime) -> Invite | None:
        """The invitation, which is gone with this; of two who take it at once one gets it."""
        query = delete(invites).where(invites.c.secret_hash == secret_hash).returning(*invites.c)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None or row.expires_at <= now:
            return None
        return Invite(
            id=InviteId(row.id),
            role=Role(row.role),
            secret_hash=row.secret_hash,
            created_by=UserId(row.created_by),
            expires_at=row.expires_at,
        )

    async def sweep(self, now: datetime) -> None:
        await self._connection.execute(delete(invites).where(invites.c.expires_at <= now))


class SetupLinkStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def replace(self, secret_hash: str, expires_at: datetime) -> None:
        """Make this the only link; the one before stops working."""
        await self.clear()
        await self._connection.execute(
            insert(setup_links).values(id=_ONLY_ROW, secret_hash=secret_hash, expires_at=expires_at)
        )

    async def clear(self) -> None:
        await self._connection.execute(delete(setup_links))

    async def take(self, secret_hash: str, now: datetime) -> bool:
        """Was this the link, and still good? It is gone with this."""
        query = delete(setup_links).where(setup_links.c.secret_hash == secret_hash).returning(setup_links.c.expires_at)
        expires_at = (await self._connection.execute(query)).scalar_one_or_none()
        return expires_at is not None and expires_at > now


def account_of(row: Any) -> Account:
    """The account in a row that has all columns of `accounts`."""
    return Account(
        id=UserId(row.id),
        email=row.email,
        password_hash=row.password_hash,
        display_name=row.display_name,
        roles=frozenset(Role(role) for role in row.roles),
        created_at=row.created_at,
    )


def _changing(account: Account) -> dict[str, Any]:
    return {
        "email": account.email,
        "email_key": None if account.email is None else email_key(account.email),
        "password_hash": account.password_hash,
        "display_name": account.display_name,
        "roles": tuple(role.value for role in Role if role in account.roles),
    }
