"""What the update log must offer, whatever keeps it."""

from dataclasses import dataclass
from typing import Protocol

from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain.records import Record


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """
    What is needed to bring a document back.

    Attributes:
        state: the whole document as of `sequence`, or None when no snapshot was made yet.
        seeds: names of the texts that had got their first content by then.
        records: what came after, in order.
    """

    state: bytes | None
    sequence: int
    seeds: frozenset[str]
    records: list[Record]


class UpdateLog(Protocol):
    """
    The append-only log of all documents. Hot appends go to a journal, one row a group commit; `settle` moves them
    from there into one segment a document. Both are the log: what is in either is durable.
    """

    def commit_at_once(self, records: list[Record]) -> bool:
        """
        Durable when it returns True; False means that it cannot be done without waiting, and nothing was kept.
        Any error of the database passes through, and nothing of the batch is kept.
        """
        ...

    async def commit(self, records: list[Record]) -> None:
        """Durable when it returns. Any error of the database passes through, and nothing of the batch is kept."""
        ...

    async def sync(self) -> None:
        """What is committed survives a loss of power too when this returns, if the database can be asked for that."""
        ...

    async def settle(self) -> None:
        """Sort the journal into segments. Cheap when there is nothing to do; safe to be cut off at any point."""
        ...

    async def load(self, document_id: DocumentId) -> StoredDocument:
        """The newest snapshot and every record after it."""
        ...

    async def history(self, document_id: DocumentId) -> list[Record]:
        """Every record, from the first."""
        ...

    async def save_snapshot(self, document_id: DocumentId, sequence: int, seeds: frozenset[str], state: bytes) -> None:
        """Keep a snapshot of what the log holds up to `sequence`; an older one never replaces a newer one."""
        ...

    async def delete(self, document_id: DocumentId) -> None:
        """Delete every trace of a document."""
        ...
