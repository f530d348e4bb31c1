"""The tables of this module and all of its SQL; what comes out are domain structs."""

from typing import Self

from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import UnitOfWork
from opencode.modules.identity.store.accounts import AccountStore, InviteStore, SetupLinkStore
from opencode.modules.identity.store.audit import AuditStore
from opencode.modules.identity.store.credentials import GuestStore, SessionStore, TokenStore


class Stores:
    """All stores on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.accounts = AccountStore(connection)
        self.invites = InviteStore(connection)
        self.setup_links = SetupLinkStore(connection)
        self.sessions = SessionStore(connection)
        self.tokens = TokenStore(connection)
        self.guests = GuestStore(connection)
        self.audit = AuditStore(connection)


class Work(UnitOfWork):
    """One transaction of this module: `work.stores` write in it."""

    stores: Stores

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.stores = Stores(self.connection)
        return self


__all__ = ["Stores", "Work"]
