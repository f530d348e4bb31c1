"""The unit of work: what a person does is one transaction, and what is said about it is in the same one."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.contracts.events import Event, tag_of
from opencode.infra.db.database import Database
from opencode.infra.db.tables import outbox
from opencode.kernel.clock import Clock


class UnitOfWork:
    """
    One transaction: `async with service.unit_of_work() as work`. Leaving it commits, leaving it by an error undoes
    everything. Events given to `publish` are rows of the same transaction: they exist if and only if the change does.
    Modules derive their own with their stores as attributes.
    """

    connection: AsyncConnection

    def __init__(self, database: Database, clock: Clock, *, wake: Callable[[], None] = lambda: None) -> None:
        """
        Args:
            wake: called after a commit that published something, so that the relay need not poll.
        """
        self._database = database
        self._clock = clock
        self._wake = wake
        self._events: list[Event] = []
        self._after_commit: list[Callable[[], None]] = []

    def publish(self, event: Event) -> None:
        """Say that something happened, once this transaction is committed."""
        self._events.append(event)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Do something quick in this process once the change is safe; it is skipped if the transaction fails."""
        self._after_commit.append(action)

    async def __aenter__(self) -> Self:
        self._transaction = self._database.begin()
        self.connection = await self._transaction.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._events:
            await self._write_events()
        await self._transaction.__aexit__(kind, error, trace)
        if kind is not None:
            return
        for action in self._after_commit:
            action()
        if self._events:
            self._wake()

    async def _write_events(self) -> None:
        now = self._clock.now()
        rows = [
            {
                "tag": tag_of(type(event)),
                "payload": msgspec.json.encode(event).decode(),
                "published_at": now,
                "due_at": now,
            }
            for event in self._events
        ]
        try:
            await self.connection.execute(insert(outbox), rows)
        except BaseException as failure:
            await self._transaction.__aexit__(type(failure), failure, failure.__traceback__)
            raise
