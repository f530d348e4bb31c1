"""One transaction of this module: its stores, and what is said on the event stream of a run."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.infra.db import Database, RequestStore, UnitOfWork
from opencode.infra.plugs import Parts
from opencode.kernel.ids import RunId
from opencode.modules.execution.domain.runs import Run, RunEventType, Said
from opencode.modules.execution.errors import RunKeyReused
from opencode.modules.execution.store.runs import RunStore
from opencode.modules.execution.store.tables import requests
from opencode.modules.execution.store.webhooks import WebhookStore

log = structlog.get_logger(__name__)


class Stores:
    """All stores of the module on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.runs = RunStore(connection)
        self.requests = RequestStore(connection, requests, RunKeyReused)
        self.webhooks = WebhookStore(connection)


@asynccontextmanager
async def reading(database: Database) -> AsyncGenerator[Stores]:
    """Stores for looking only; nothing is locked."""
    async with database.read() as connection:
        yield Stores(connection)


@dataclass(frozen=True, slots=True)
class News:
    """Something to say on the stream of a run: what it is, and the JSON object that it adds to `type` and `at`."""

    type: RunEventType
    adds: dict[str, object] = field(default_factory=dict[str, object])


class ExecutionWork(UnitOfWork):
    """A unit of work with this module's stores; what was said in it reaches open streams once it is committed."""

    stores: Stores

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.database, parts.clock, wake=parts.wake_relay)
        self._now = parts.clock.now
        self._pubsub = parts.pubsub
        self._said: list[Said] = []

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

    async def change(self, was: Run, run: Run, news: Sequence[News]) -> bool:
        """Save a run and say what is new. False, and nothing is said, when `was` is not how it stands any more."""
        return await self._write(run.id, await self.stores.runs.change(was, run, len(news)), news)

    async def tell(self, run: Run, news: Sequence[News]) -> bool:
        """Say something of an attempt that is under way. False when it is not any more."""
        return await self._write(run.id, await self.stores.runs.number(run, len(news)), news)

    async def _write(self, run_id: RunId, last: int | None, news: Sequence[News]) -> bool:
        if last is None:
            return False
        if news:
            at = self._now()
            said = [
                Said(
                    run_id=run_id,
                    seq=seq,
                    type=item.type,
                    at=at,
                    data=msgspec.json.encode({"type": item.type, "at": at, **item.adds}).decode(),
                )
                for seq, item in enumerate(news, start=last - len(news) + 1)
            ]
            await self.stores.runs.add_events(said)
            self._said += said
        return True

    async def _tell_open_streams(self) -> None:
        for said in self._said:
            try:
                await self._pubsub.publish(topic_of(said.run_id), msgspec.msgpack.encode(said))
            except Exception:
                # The events are saved, and streams find them when they next look at the table.
                log.exception("event could not be published", run_id=said.run_id, seq=said.seq)
                return


def topic_of(run_id: str) -> str:
    """Where the events of a run are published."""
    return f"execution.events.{run_id}"
