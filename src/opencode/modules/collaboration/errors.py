"""What can go wrong with shared documents."""

from opencode.kernel.errors import Invalid, NotFound, TooLarge, Unauthenticated, Unavailable


class DocumentNotFound(NotFound):
    """No such document, or none that this person may know of."""

    title = "No such document"

    def __init__(self, document_id: str) -> None:
        super().__init__(f"There is no document {document_id} for you.", action="Check the link, or ask who sent it.")


class TicketRefused(Unauthenticated):
    """The ticket is missing, wrong, expired, or for another document."""

    title = "The ticket is not good"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The ticket {why}.", action="Get a new one from POST /api/v1/documents/{document_id}/tickets."
        )


class RoomFailed(Unavailable):
    """The document could not be loaded; nothing is stored until it can."""

    title = "The document cannot be loaded"

    def __init__(self, document_id: str) -> None:
        super().__init__(
            f"Document {document_id} could not be read from the log. It is unchanged.",
            action="Try again in a moment. If it stays, the server's log says why.",
        )


class DocumentFull(TooLarge):
    """The document has reached its size limit."""

    title = "The document is full"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"A document may have {limit_bytes // 1024} KiB.", action="Delete text that is not needed, or paste less."
        )


class TextInvalid(Invalid):
    """The name or content of a text breaks a rule."""

    title = "The text is not valid"
