"""
The room's own copy of a document: a Yjs document (yrs, by way of pycrdt) and the bound on its size.

Every keystroke passes `Document.apply`. Of the instructions that pycrdt's public `Doc.apply_update` takes, a third is
its Python wrapper, made for nested and threaded transactions; a room has neither, so this file speaks to the native
classes underneath. They have no promise of staying as they are: pycrdt is pinned, `tests/…/test_document.py` holds
both ways to the same result, and nothing outside this file knows them.
"""

from pycrdt._pycrdt import Doc, Subscription, Transaction, TransactionEvent

from opencode.modules.collaboration.domain.codec import EMPTY_UPDATE
from opencode.modules.collaboration.domain.updates import deletes_only_known

MEASURE_INTERVAL_MS = 1_000
"""A document that seems full is measured so often at the most: that costs an encoding of all of it."""
SPARE_FOR_DELETIONS = 8
"""A full document takes deletions until they make up one part in so many of the limit: how else would it get room."""
MAX_VANISHED = 8
"""Times the limit: bytes of updates that left no trace in the document. Some wait inside the CRDT, out of sight."""


class Document:
    """
    Args:
        max_bytes: the largest document, encoded.

    Attributes:
        size_at_most: an upper bound of the encoded document, in bytes; it only grows, until `has_room` measures anew.
        overgrown: far more was applied than the document shows. What is parked inside can only be let go of by
            loading the document anew.
    """

    __slots__ = ("_doc", "_max_bytes", "_measure_again_ms", "_vanished_bytes", "size_at_most")

    def __init__(self, max_bytes: int) -> None:
        self._doc = Doc(None, None, None)
        self._max_bytes = max_bytes
        self._measure_again_ms = 0
        self._vanished_bytes = 0
        self.size_at_most = 0

    @property
    def overgrown(self) -> bool:
        return self._vanished_bytes > MAX_VANISHED * self._max_bytes

    def apply(self, update: bytes) -> None:
        """
        Take an update. The hot path.

        Raises:
            ValueError: it cannot be read; nothing has changed.
            BaseException: the CRDT library itself failed (`is_panic`); the document cannot be trusted any more.
        """
        transaction = self._doc.create_transaction()
        try:
            self._doc.apply_update(transaction, update)
        finally:
            transaction.drop()
        self.size_at_most += len(update)

    def apply_news(self, update: bytes) -> bool:
        """
        Take an update. Returns whether it may have left anything in the document, in sight or parked: what the
        document holds and the log does not would be in the text that runs, and in nobody's editor.

        Raises:
            ValueError, BaseException: as `apply`.
            Malformed: its deletions cannot be read.
        """
        changes: list[bytes] = []

        def note(event: TransactionEvent) -> None:
            changes.append(event.update)

        subscription: Subscription = self._doc.observe(note)
        size = self.size_at_most
        try:
            self.apply(update)
        finally:
            subscription.drop()
        if any(change != EMPTY_UPDATE for change in changes) or not deletes_only_known(update, self.state_vector()):
            return True
        self.size_at_most = size
        return False

    def state(self) -> bytes:
        """The whole document, encoded."""
        return self.difference(b"\x00")

    def difference(self, state_vector: bytes) -> bytes:
        """
        The update that brings a copy of that state vector up to date.

        Raises:
            ValueError: the state vector cannot be read.
        """
        transaction = self._doc.create_transaction()
        try:
            return self._doc.get_update(transaction, state_vector)
        finally:
            transaction.drop()

    def state_vector(self) -> bytes:
        """How far the document holds the edits of each client."""
        transaction: Transaction = self._doc.create_transaction()
        try:
            return self._doc.get_state(transaction)
        finally:
            transaction.drop()

    def text(self, name: str) -> str:
        """The text of that name; empty when there is none."""
        transaction = self._doc.create_transaction()
        try:
            return self._doc.get_or_insert_text(transaction, name).get_string(transaction)
        finally:
            transaction.drop()

    def is_full_for(self, update: bytes) -> bool:
        """By the bound; `has_room` knows better, and takes longer."""
        return self.size_at_most + len(update) > self._max_bytes

    def has_room(self, update: bytes, now_ms: int) -> bool:
        """
        Whether an update for which the document seems full has room all the same.

        The bound only grows; what the document really needs is worth knowing before anybody is refused.
        """
        limit = self._max_bytes
        if update[:1] == b"\x00":  # nothing but deletions
            limit += limit // SPARE_FOR_DELETIONS
        if now_ms >= self._measure_again_ms:
            self._measure_again_ms = now_ms + MEASURE_INTERVAL_MS
            size = len(self.state())
            self._vanished_bytes += self.size_at_most - size
            self.size_at_most = size
        return self.size_at_most + len(update) <= limit


def is_panic(error: BaseException) -> bool:
    """Whether the CRDT library itself failed. Its panic is no `Exception`, and its class has no public name."""
    return type(error).__name__ == "PanicException"
