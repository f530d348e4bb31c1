"""What a queue of runs must offer. The table of runs is the truth; a queue only says who comes next."""

from dataclasses import dataclass
from typing import Protocol

from opencode.kernel.ids import RunId


@dataclass(frozen=True, slots=True)
class Ticket:
    """A run's place in the queue, or a worker's hold on it. `hold` is the queue's own mark of the second."""

    run_id: RunId
    owner_id: str
    hold: str = ""


class RunQueue(Protocol):
    """
    Runs that wait, in a fair order: turns go round among owners. Whoever takes a ticket holds it until `done`,
    `give_back`, or their lease ends without a `beat`; then somebody else gets it. A queue may forget everything (a
    server that starts again, a Redis without a disk): what the table knows is put in once more.
    """

    async def put(self, run_id: RunId, owner_id: str) -> None:
        """Let a run wait. One that waits or is held already stays where it is."""
        ...

    async def take(self, worker_id: str) -> Ticket:
        """The next run; waits until there is one."""
        ...

    async def beat(self, worker_id: str, tickets: list[Ticket]) -> None:
        """Say that this worker still holds these."""
        ...

    async def done(self, ticket: Ticket) -> None:
        """Let go of a run for good. A worker that lost its hold meanwhile takes it from nobody."""
        ...

    async def give_back(self, ticket: Ticket) -> None:
        """Let a run that was taken wait again, at the end of its owner's line."""
        ...

    async def drop(self, run_id: RunId) -> bool:
        """Take a run that waits out of the queue. False when it did not wait."""
        ...

    async def ahead(self, run_id: RunId) -> int | None:
        """How many runs come before it if no other arrives; None when it does not wait."""
        ...

    async def size(self) -> int:
        """How many runs wait."""
        ...

    async def close(self) -> None: ...
