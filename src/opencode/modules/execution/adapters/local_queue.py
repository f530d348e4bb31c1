"""The queue within one process: the default product. It forgets everything with the process; the table does not."""

import asyncio

from opencode.kernel.ids import RunId
from opencode.modules.execution.domain.lines import FairLine
from opencode.modules.execution.domain.queue import Ticket


class LocalQueue:
    """
    See `RunQueue`. A lease never ends here: whoever takes from this queue lives and dies with it.
    """

    def __init__(self) -> None:
        self._line: FairLine[RunId] = FairLine()
        self._held: set[RunId] = set()
        self._arrived = asyncio.Event()

    async def put(self, run_id: RunId, owner_id: str) -> None:
        if run_id in self._held:
            return
        self._line.push(owner_id, run_id)
        self._arrived.set()

    async def take(self, worker_id: str) -> Ticket:
        while (taken := self._line.pop()) is None:
            self._arrived.clear()
            await self._arrived.wait()
        run_id, owner_id = taken
        self._held.add(run_id)
        return Ticket(run_id, owner_id)

    async def beat(self, worker_id: str, tickets: list[Ticket]) -> None:
        pass

    async def done(self, ticket: Ticket) -> None:
        self._held.discard(ticket.run_id)

    async def give_back(self, ticket: Ticket) -> None:
        self._held.discard(ticket.run_id)
        await self.put(ticket.run_id, ticket.owner_id)

    async def drop(self, run_id: RunId) -> bool:
        return self._line.remove(run_id)

    async def ahead(self, run_id: RunId) -> int | None:
        return self._line.ahead(run_id)

    async def size(self) -> int:
        return len(self._line)

    async def close(self) -> None:
        pass
