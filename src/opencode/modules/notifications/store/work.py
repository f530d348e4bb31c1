"""One transaction of this module, with its stores; whoever follows an inbox is told of it once it is committed."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import StrEnum
from types import TracebackType
from typing import Self

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import Database, UnitOfWork
from opencode.infra.plugs import Parts
from opencode.infra.pubsub import PubSub
from opencode.modules.notifications.store.deliveries import DeliveryStore
from opencode.modules.notifications.store.mails import MailStore
from opencode.modules.notifications.store.notices import NoticeStore
from opencode.modules.notifications.store.preferences import PreferenceStore
from opencode.modules.notifications.store.webhooks import WebhookStore

log = structlog.get_logger(__name__)


class Heard(StrEnum):
    """What whoever follows an inbox is told."""

    CHANGED = "changed"
    """Look again."""
    ENDED = "ended"
    """Come back with another credential."""


class Stores:
    """All stores of the module on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.notices = NoticeStore(connection)
        self.preferences = PreferenceStore(connection)
        self.mails = MailStore(connection)
        self.webhooks = WebhookStore(connection)
        self.deliveries = DeliveryStore(connection)


@asynccontextmanager
async def reading(database: Database) -> AsyncGenerator[Stores]:
    """Stores for looking only; nothing is locked."""
    async with database.read() as connection:
        yield Stores(connection)


class NotificationsWork(UnitOfWork):
    """A unit of work with this module's stores."""

    stores: Stores

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.database, parts.clock, wake=parts.wake_relay)
        self._pubsub = parts.pubsub
        self._changed: set[str] = set()

    def changes_inbox_of(self, user_id: str) -> None:
        """Whoever follows this inbox is to look again once the change is safe."""
        self._changed.add(user_id)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.stores = Stores(self.connection)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        if kind is None:
            await self._tell_open_streams()

    async def _tell_open_streams(self) -> None:
        for user_id in sorted(self._changed):
            try:
                await tell(self._pubsub, user_id, Heard.CHANGED)
            except Exception:
                # The change is saved, and streams find it when they next look at the table.
                log.exception("change of an inbox could not be published", user_id=user_id)
                return


async def tell(pubsub: PubSub, user_id: str, what: Heard) -> None:
    """Tell all streams of this person, wherever they are open."""
    await pubsub.publish(topic_of(user_id), msgspec.msgpack.encode(what))


def topic_of(user_id: str) -> str:
    """Where changes of an inbox are published."""
    return f"notifications.inbox.{user_id}"
