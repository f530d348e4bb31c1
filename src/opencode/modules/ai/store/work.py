"""One transaction of this module, with its stores."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Self

from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import Database, UnitOfWork
from opencode.infra.plugs import Parts
from opencode.modules.ai.store.budgets import BudgetStore
from opencode.modules.ai.store.keys import KeyLimitStore
from opencode.modules.ai.store.ledger import LedgerStore
from opencode.modules.ai.store.limits import LimitStore
from opencode.modules.ai.store.providers import ProviderStore
from opencode.modules.ai.store.usage import UsageStore


class Stores:
    """All stores of the module on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.providers = ProviderStore(connection)
        self.budgets = BudgetStore(connection)
        self.ledger = LedgerStore(connection)
        self.keys = KeyLimitStore(connection)
        self.limits = LimitStore(connection)
        self.usage = UsageStore(connection)


@asynccontextmanager
async def reading(database: Database) -> AsyncGenerator[Stores]:
    """The stores, for reading only."""
    async with database.read() as connection:
        yield Stores(connection)


@asynccontextmanager
async def writing(database: Database) -> AsyncGenerator[Stores]:
    """The stores in a transaction of which nobody needs to hear."""
    async with database.begin() as connection:
        yield Stores(connection)


class AiWork(UnitOfWork):
    """A unit of work with the module's stores."""

    stores: Stores

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.database, parts.clock, wake=parts.wake_relay)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.stores = Stores(self.connection)
        return self
