"""One transaction of this module, with its stores."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import Database, RequestStore, UnitOfWork
from opencode.infra.plugs import Parts
from opencode.modules.marketplace.domain.surrogates import outdated_by
from opencode.modules.marketplace.errors import SameKeyOtherProject
from opencode.modules.marketplace.store.collections import CollectionStore
from opencode.modules.marketplace.store.counting import CountingStore
from opencode.modules.marketplace.store.entitlements import EntitlementStore
from opencode.modules.marketplace.store.errands import ErrandStore
from opencode.modules.marketplace.store.following import FollowingStore
from opencode.modules.marketplace.store.imports import ImportStore
from opencode.modules.marketplace.store.ledger import LedgerStore
from opencode.modules.marketplace.store.moderation import ModerationStore
from opencode.modules.marketplace.store.orders import OrderStore
from opencode.modules.marketplace.store.payments import PaymentStore
from opencode.modules.marketplace.store.profiles import ProfileStore
from opencode.modules.marketplace.store.projects import ProjectStore
from opencode.modules.marketplace.store.proofs import ProofStore
from opencode.modules.marketplace.store.purges import PurgeStore
from opencode.modules.marketplace.store.readings import ReadingStore
from opencode.modules.marketplace.store.releases import ReleaseStore
from opencode.modules.marketplace.store.reputation import ReputationStore
from opencode.modules.marketplace.store.reviews import ReviewStore
from opencode.modules.marketplace.store.tables import requests

log = structlog.get_logger(__name__)


class Stores:
    """All stores of the module on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.projects = ProjectStore(connection)
        self.profiles = ProfileStore(connection)
        self.counting = CountingStore(connection)
        self.collections = CollectionStore(connection)
        self.following = FollowingStore(connection)
        self.imports = ImportStore(connection)
        self.orders = OrderStore(connection)
        self.payments = PaymentStore(connection)
        self.ledger = LedgerStore(connection)
        self.entitlements = EntitlementStore(connection)
        self.reviews = ReviewStore(connection)
        self.moderation = ModerationStore(connection)
        self.proofs = ProofStore(connection)
        self.reputation = ReputationStore(connection)
        self.purges = PurgeStore(connection)
        self.readings = ReadingStore(connection)
        self.releases = ReleaseStore(connection)
        self.errands = ErrandStore(connection)
        self.requests = RequestStore(connection, requests, SameKeyOtherProject)


@asynccontextmanager
async def reading(database: Database) -> AsyncGenerator[Stores]:
    """Stores for looking only; nothing is locked."""
    async with database.read() as connection:
        yield Stores(connection)


class MarketplaceWork(UnitOfWork):
    """A unit of work with this module's stores. What it changes is outdated in all caches when it is left."""

    stores: Stores

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.database, parts.clock, wake=parts.wake_relay)
        self._cache = parts.cache

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.stores = Stores(self.connection)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        if kind is not None or not (keys := outdated_by(self._events)):
            return
        try:
            # Before the answer goes out, so that the next one who asks sees the change.
            await self._cache.drop(keys)
        except Exception:
            # The change is safe, so a failure here is none of the caller's: the events say it again, until it is heard.
            log.exception("caches lag behind", keys=keys[:20])
