"""
What `collaboration` offers to whoever owns a document, and what it asks of them.

A document belongs to an audience (such as an interview, by its id), which `collaboration` knows nothing about:
it asks the audience's `DocumentGate` who may enter and who may write.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from opencode.contracts.events import Event
from opencode.kernel.errors import Conflict, Forbidden
from opencode.kernel.ids import DocumentId
from opencode.kernel.principal import Principal


class PeerOnline(Event, frozen=True, tag="collaboration.peer_online.v1"):
    """A person's first connection to a document was made, or (`online=False`) their last was lost, after a grace."""

    document_id: DocumentId
    audience: str
    peer_id: str
    online: bool
    at: datetime


class PeerRole(StrEnum):
    WRITE = "write"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Entry:
    """
    The leave to enter a document.

    Attributes:
        peer_id: the person, `usr_…` or `par_…`; updates are attributed to it.
        name: what the others see beside the cursor.
        kind: the person's part in the audience's own word, such as `interviewer`; shown, not interpreted.
        colour: 0 to 7, an index into the palette of people.
    """

    peer_id: str
    name: str
    kind: str
    colour: int
    role: PeerRole


class NotAdmitted(Forbidden):
    """The person is known to the audience and not let in: not yet, or not any more."""

    title = "Not let in"


class DocumentEnded(Conflict):
    """What the document belongs to is over; whoever could edit it no longer can."""

    title = "It is over"


class DocumentGate(Protocol):
    """Answered by the owner of documents."""

    async def enter(self, principal: Principal, audience: str) -> Entry:
        """
        May this principal enter the documents of this audience now, and how?

        Raises:
            NotFound: no such audience, or none that this principal may know of.
            NotAdmitted: known, but not let in (yet, or any more).
            DocumentEnded: it is over; nobody edits it any more.
        """
        ...

    async def enter_again(self, peer_id: str, audience: str) -> Entry:
        """The same for a person whose ticket was checked before; asked when the ticket is used."""
        ...


class CloseReason(StrEnum):
    REVOKED = "revoked"
    ENDED = "ended"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class TextState:
    """The text of one language: its content, and who changed it last and when (None: only the server's template)."""

    content: str
    modified_at: datetime | None
    modified_by: str | None


class Documents(Protocol):
    """The shared documents."""

    async def create(self, audience: str) -> DocumentId:
        """Make an empty document that belongs to an audience. The same audience may own several."""
        ...

    async def seed(self, document_id: DocumentId, name: str, content: str) -> None:
        """
        Give the text `name` its first content, once: later calls for the same name do nothing, whatever the text
        has become. Line ends become LF. Durable when this returns, and seen by everyone who is connected.
        """
        ...

    async def text(self, document_id: DocumentId, name: str) -> str:
        """The text of that name as the server has it now; empty when nobody wrote in it."""
        ...

    async def texts(self, document_id: DocumentId) -> dict[str, TextState]:
        """All texts of a document that are or were not empty, by name."""
        ...

    async def set_role(self, document_id: DocumentId, peer_id: str, role: PeerRole) -> None:
        """Change whether a connected person may write, at once: the next update they send is judged by it."""
        ...

    async def disconnect(self, document_id: DocumentId, reason: CloseReason, *, peer_id: str | None = None) -> None:
        """Cut the sockets of one person, or of everybody, at once; tickets given to them stop working."""
        ...

    async def delete(self, document_id: DocumentId) -> None:
        """Cut everybody and delete the document with its log. Doing it twice is the same as once."""
        ...
