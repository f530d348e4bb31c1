"""The event stream of a run: what was said, then what is being said, and meanwhile how many come first."""

from collections.abc import AsyncGenerator

import msgspec

from opencode.contracts.execution import CodeRunner
from opencode.infra.plugs import Parts
from opencode.infra.pubsub import Listener, Listeners
from opencode.kernel.errors import Unavailable
from opencode.kernel.ids import RunId
from opencode.kernel.principal import Principal
from opencode.modules.execution.domain.queue import RunQueue
from opencode.modules.execution.domain.runs import RunEventType, Said
from opencode.modules.execution.errors import RunNotFound, TooManyRunStreams
from opencode.modules.execution.service.base import UseCases
from opencode.modules.execution.settings import ExecutionSettings
from opencode.modules.execution.store import topic_of

PAGE = 200
STREAMS_OF_ONE_PERSON = 50
LOOK_AGAIN_S = 15.0
"""Pub/sub delivers at most once. What it lost without noticing, the table tells within this time."""
POSITION_S = 1.0
"""How often a run that waits is told how many come before it, where that has changed."""


class Streaming(UseCases):
    def __init__(self, parts: Parts, settings: ExecutionSettings, runner: CodeRunner, queue: RunQueue) -> None:
        super().__init__(parts, settings, runner, queue)
        self._listeners = Listeners(Said)

    async def open(self, run_id: str, by: Principal, *, after: int) -> AsyncGenerator[Said] | None:
        """
        Follow a run's events from the one after number `after`, without a gap and without repeating, up to
        `run.finished`. While it waits, `run.queued` tells how many come first; these have the number of the event
        before them. None when there is nothing to come back for.

        Raises:
            Unauthenticated, RunNotFound, TooManyRunStreams
        """
        async with self.reading() as stores:
            run = await self.own(stores, run_id, by)
            if run is None:
                raise RunNotFound(run_id)
            if run.is_finished and not await stores.runs.events_after(run.id, after, limit=1):
                return None
        if self._listeners.count(by.id) >= STREAMS_OF_ONE_PERSON:
            raise TooManyRunStreams(STREAMS_OF_ONE_PERSON)
        return self._follow(run.id, by.id, after)

    def end_here(self, principal_id: str) -> None:
        """End the streams that this person holds open on this server; who may comes back by itself."""
        self._listeners.end_here(principal_id)

    def close(self) -> None:
        """End all streams: the server goes down, and readers go on elsewhere, after the event they have."""
        self._listeners.close()

    async def _follow(self, run_id: RunId, principal_id: str, after: int) -> AsyncGenerator[Said]:
        async with self.parts.pubsub.subscribe(topic_of(run_id)) as subscription:
            with self._listeners.listening(principal_id, subscription) as listener:
                async for said in self._all(run_id, after, listener):
                    yield said
                    if said.type is RunEventType.RUN_FINISHED:
                        return

    async def _all(self, run_id: RunId, after: int, listener: Listener[Said]) -> AsyncGenerator[Said]:
        """
        The subscription is there before the table is read, so nothing falls between the two; a number that is missing
        means that the table knows more.
        """
        told: int | None = None
        while not listener.ended:
            page = await self._read(run_id, after)
            for said in page:
                after, told = said.seq, None
                yield said
            if len(page) == PAGE:
                continue
            position = await self._position(run_id)
            if position is not None and position != told:
                told = position
                yield self._queued(run_id, after, position)
            patience_s = LOOK_AGAIN_S if position is None else POSITION_S
            while (said := await listener.hear(patience_s)) and said.seq <= after + 1:
                if said.seq == after + 1:
                    after, told, patience_s = said.seq, None, LOOK_AGAIN_S
                    yield said

    async def _read(self, run_id: RunId, after: int) -> list[Said]:
        async with self.reading() as stores:
            return await stores.runs.events_after(run_id, after, limit=PAGE)

    async def _position(self, run_id: RunId) -> int | None:
        try:
            return await self.queue.ahead(run_id)
        except (OSError, Unavailable):
            return None

    def _queued(self, run_id: RunId, seq: int, position: int) -> Said:
        at = self.clock.now()
        data = {"type": RunEventType.RUN_QUEUED, "at": at, "position": position}
        return Said(run_id, seq, RunEventType.RUN_QUEUED, at, msgspec.json.encode(data).decode())
