"""Sessions, tokens and guests: what is shown with a request, found by the hash of its secret."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Text, delete, exists, func, insert, literal, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import newest_first, time_keys
from opencode.kernel.ids import SessionId, TokenId, UserId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.identity.domain import Account, Guest, Session, Token
from opencode.modules.identity.store.accounts import account_of
from opencode.modules.identity.store.tables import accounts, guests, sessions, tokens

_SESSION_COLUMNS = [
    sessions.c[name].label(f"session_{name}") for name in ("id", "secret_hash", "touched_at", "expires_at")
]
_TOKEN_FIELDS = tuple(column.name for column in tokens.c)
_TOKEN_COLUMNS = [column.label(f"token_{column.name}") for column in tokens.c]


class SessionStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, session: Session) -> None:
        await self._connection.execute(
            insert(sessions).values(
                id=session.id,
                account_id=session.account_id,
                secret_hash=session.secret_hash,
                touched_at=session.touched_at,
                expires_at=session.expires_at,
            )
        )

    async def touch(self, session: Session) -> None:
        values = {"touched_at": session.touched_at, "expires_at": session.expires_at}
        await self._connection.execute(update(sessions).where(sessions.c.id == session.id).values(values))

    async def holder(self, secret_hash: str, now: datetime) -> tuple[Session, Account] | None:
        """The session of this secret while it lasts, and whose it is: one query by index."""
        query = (
            select(accounts, *_SESSION_COLUMNS)
            .join(sessions, sessions.c.account_id == accounts.c.id)
            .where(sessions.c.secret_hash == secret_hash, sessions.c.expires_at > now)
        )
        row = (await self._connection.execute(query)).one_or_none()
        return (_session_of(row), account_of(row)) if row else None

    async def end(self, session_id: str) -> UserId | None:
        """Returns whose it was; None when there is no such session."""
        query = delete(sessions).where(sessions.c.id == session_id).returning(sessions.c.account_id)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def end_by_secret(self, secret_hash: str) -> None:
        await self._connection.execute(delete(sessions).where(sessions.c.secret_hash == secret_hash))

    async def end_others(self, account_id: UserId, *, keep: str) -> None:
        """End all sessions of an account but one."""
        others = (sessions.c.account_id == account_id, sessions.c.id != keep)
        await self._connection.execute(delete(sessions).where(*others))

    async def has_any(self, account_id: UserId, now: datetime) -> bool:
        mine = exists().where(sessions.c.account_id == account_id, sessions.c.expires_at > now)
        return (await self._connection.execute(select(mine))).scalar_one()

    async def sweep(self, now: datetime) -> None:
        await self._connection.execute(delete(sessions).where(sessions.c.expires_at <= now))


class TokenStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, token: Token) -> None:
        await self._connection.execute(
            insert(tokens).values(
                id=token.id,
                account_id=token.account_id,
                name=token.name,
                scopes=token.scopes,
                secret_hash=token.secret_hash,
                created_at=token.created_at,
                expires_at=token.expires_at,
                last_used_at=token.last_used_at,
            )
        )

    async def touch(self, token_id: TokenId, now: datetime) -> None:
        await self._connection.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=now))

    async def holder(self, secret_hash: str, now: datetime) -> tuple[Token, Account] | None:
        """The token of this secret while it lasts, and whose it is: one query by index."""
        query = (
            select(accounts, *_TOKEN_COLUMNS)
            .join(tokens, tokens.c.account_id == accounts.c.id)
            .where(tokens.c.secret_hash == secret_hash, tokens.c.expires_at > now)
        )
        row = (await self._connection.execute(query)).one_or_none()
        return (_token_of(row, "token_"), account_of(row)) if row else None

    async def owners(self, token_ids: Collection[str], now: datetime) -> dict[str, UserId]:
        """The accounts of those of the tokens that still work."""
        query = select(tokens.c.id, tokens.c.account_id).where(tokens.c.id.in_(token_ids), tokens.c.expires_at > now)
        return {row.id: row.account_id for row in await self._connection.execute(query)}

    async def names(self, token_ids: Collection[str]) -> dict[str, str]:
        query = select(tokens.c.id, tokens.c.name).where(tokens.c.id.in_(token_ids))
        return {row.id: row.name for row in await self._connection.execute(query)}

    async def count(self, account_id: UserId) -> int:
        query = select(func.count()).select_from(tokens).where(tokens.c.account_id == account_id)
        return (await self._connection.execute(query)).scalar_one()

    async def page(self, account_id: str | None, now: datetime, page: PageRequest, *, scope: str = "") -> Page[Token]:
        """The tokens that still work, of an account or of all, the newest first. Args: scope: only those with it."""
        wanted = select(tokens).where(tokens.c.expires_at > now)
        if account_id is not None:
            wanted = wanted.where(tokens.c.account_id == account_id)
        if scope:
            # Words side by side: one is found between blanks.
            words = literal(" ").concat(type_coerce(tokens.c.scopes, Text)).concat(" ")
            wanted = wanted.where(words.contains(f" {scope} ", autoescape=True))
        query = newest_first(wanted, tokens.c.created_at, tokens.c.id, page)
        found = [_token_of(row, "") for row in await self._connection.execute(query)]
        return Page.cut(found, page.limit, lambda token: time_keys(token.created_at, token.id))

    async def revoke(self, token_id: str, account_id: str | None) -> UserId | None:
        """Whose it was, of an account or of anybody; None when there is no such token."""
        ended = delete(tokens).where(tokens.c.id == token_id)
        if account_id is not None:
            ended = ended.where(tokens.c.account_id == account_id)
        return (await self._connection.execute(ended.returning(tokens.c.account_id))).scalar_one_or_none()

    async def sweep(self, now: datetime) -> None:
        await self._connection.execute(delete(tokens).where(tokens.c.expires_at <= now))


class GuestStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, guest: Guest) -> None:
        await self._connection.execute(
            insert(guests).values(
                secret_hash=guest.secret_hash,
                guest_id=guest.guest_id,
                name=guest.name,
                audience=guest.audience,
                expires_at=guest.expires_at,
            )
        )

    async def holder(self, secret_hash: str, now: datetime) -> Guest | None:
        """Who holds this secret, while it lasts."""
        query = select(guests).where(guests.c.secret_hash == secret_hash, guests.c.expires_at > now)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        return Guest(row.guest_id, row.name, row.audience, row.secret_hash, row.expires_at)

    async def dismiss(self, guest_id: str) -> bool:
        """False when the guest holds nothing."""
        return (await self._connection.execute(delete(guests).where(guests.c.guest_id == guest_id))).rowcount > 0

    async def sweep(self, now: datetime) -> None:
        await self._connection.execute(delete(guests).where(guests.c.expires_at <= now))


def _session_of(row: Any) -> Session:
    return Session(
        id=SessionId(row.session_id),
        account_id=UserId(row.id),
        secret_hash=row.session_secret_hash,
        touched_at=row.session_touched_at,
        expires_at=row.session_expires_at,
    )


def _token_of(row: Any, prefix: str) -> Token:
    values = {name: getattr(row, prefix + name) for name in _TOKEN_FIELDS}
    return Token(**values)
