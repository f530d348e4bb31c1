"""Shared documents without sockets: texts in memory, and a door that can be looked at."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from opencode.contracts.collaboration import CloseReason, DocumentGate, Entry, PeerRole, TextState
from opencode.kernel.clock import Clock
from opencode.kernel.errors import NotFound
from opencode.kernel.ids import DocumentId, new_id
from opencode.kernel.principal import Principal


@dataclass(slots=True)
class _Document:
    audience: str
    texts: dict[str, TextState] = field(default_factory=dict[str, TextState])
    seeded: set[str] = field(default_factory=set[str])
    peers: dict[str, Entry] = field(default_factory=dict[str, Entry])
    cut: dict[str, CloseReason] = field(default_factory=dict[str, CloseReason])


class DocumentsInMemory:
    """`contracts.collaboration.Documents`, kept in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._documents: dict[str, _Document] = {}

    async def create(self, audience: str) -> DocumentId:
        document_id = DocumentId(new_id("doc"))
        self._documents[document_id] = _Document(audience)
        return document_id

    async def seed(self, document_id: DocumentId, name: str, content: str) -> None:
        document = self._get(document_id)
        if name not in document.seeded:
            document.seeded.add(name)
            document.texts.setdefault(name, TextState(content.replace("\r\n", "\n"), None, None))

    async def text(self, document_id: DocumentId, name: str) -> str:
        state = self._get(document_id).texts.get(name)
        return state.content if state else ""

    async def texts(self, document_id: DocumentId) -> dict[str, TextState]:
        return dict(self._get(document_id).texts)

    async def set_role(self, document_id: DocumentId, peer_id: str, role: PeerRole) -> None:
        peers = self._get(document_id).peers
        if peer_id in peers:
            peers[peer_id] = replace(peers[peer_id], role=role)

    async def disconnect(self, document_id: DocumentId, reason: CloseReason, *, peer_id: str | None = None) -> None:
        document = self._get(document_id)
        for connected in list(document.peers):
            if peer_id in (None, connected):
                del document.peers[connected]
                document.cut[connected] = reason

    async def delete(self, document_id: DocumentId) -> None:
        self._documents.pop(document_id, None)

    # What a person with an editor does.

    async def open(self, document_id: DocumentId, principal: Principal, gate: DocumentGate) -> Entry:
        """Get a ticket and use it at once."""
        document = self._get(document_id)
        entry = await gate.enter(principal, document.audience)
        entry = await gate.enter_again(entry.peer_id, document.audience)
        document.peers[entry.peer_id] = entry
        return entry

    def write(self, document_id: DocumentId, peer_id: str, name: str, content: str) -> bool:
        """Replace a text; False when this person is not connected, or may only read."""
        document = self._get(document_id)
        entry = document.peers.get(peer_id)
        if entry is None or entry.role is not PeerRole.WRITE:
            return False
        document.texts[name] = TextState(content, self._clock.now(), peer_id)
        return True

    def put(self, document_id: DocumentId, name: str, content: str, modified_at: datetime | None = None) -> None:
        """Let a text have this content, whoever wrote it."""
        self._get(document_id).texts[name] = TextState(content, modified_at, None)

    def role_of(self, document_id: DocumentId, peer_id: str) -> PeerRole | None:
        """How somebody is connected; None when they are not."""
        entry = self._get(document_id).peers.get(peer_id)
        return entry.role if entry else None

    def cut_because(self, document_id: DocumentId, peer_id: str) -> CloseReason | None:
        """Why somebody's socket was cut."""
        return self._get(document_id).cut.get(peer_id)

    @property
    def count(self) -> int:
        return len(self._documents)

    def holds(self, document_id: DocumentId) -> bool:
        return document_id in self._documents

    def _get(self, document_id: str) -> _Document:
        if document_id not in self._documents:
            raise NotFound(f"There is no document {document_id}.")
        return self._documents[document_id]
