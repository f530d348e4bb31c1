"""What a socket offers, what a handler answers, and who is let in."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from opencode.infra.http.problems import problem_of
from opencode.kernel.errors import Busy, OpenCodeError
from opencode.kernel.ids import new_id

TICKET_SUBPROTOCOL = "ocp.ticket."


class Socket(Protocol):
    """One open connection, as its handler sees it."""

    def write(self, frame: bytes) -> None:
        """Send what `binary_frame` or `text_frame` made. Never waits; after the end it does nothing."""
        ...

    def hold(self) -> None:
        """
        Read no more, so that the other side is slowed down, until `go_on`. What has been read already still comes. A
        peer that goes away is noticed only at the next ping, so hold for short times.
        """
        ...

    def go_on(self) -> None:
        """Read again."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Say goodbye (RFC 6455 §7.4; the reason has at most 123 bytes) and end, at once if the peer is silent."""
        ...


class SocketHandler(Protocol):
    """Called by the transport, in order, never concurrently. A call that raises ends this socket and no other."""

    def opened(self, socket: Socket) -> None: ...

    def received(self, message: bytes) -> None:
        """One whole message."""
        ...

    def congested(self) -> None:
        """The other side reads too slowly: what is written from now on only fills memory, until `writable`."""
        ...

    def writable(self) -> None:
        """The other side has caught up."""
        ...

    def closed(self) -> None:
        """The last call, exactly once for each handler that was admitted, even if its socket never opened."""
        ...


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """A request to become a socket: `path` is decoded, `query` has the last value of each name."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    subprotocols: tuple[str, ...]
    address: str


def ticket_of(request: UpgradeRequest) -> str:
    """The ticket that a client shows, as `?ticket=` or as the subprotocol `ocp.ticket.<ticket>`; empty without one."""
    return request.query.get("ticket") or _ticket_word(request).removeprefix(TICKET_SUBPROTOCOL)


def ticket_subprotocol(request: UpgradeRequest) -> str | None:
    """What to choose when nothing else was offered: a browser gives up when none of its subprotocols is chosen."""
    return _ticket_word(request) or None


def _ticket_word(request: UpgradeRequest) -> str:
    return next((word for word in request.subprotocols if word.startswith(TICKET_SUBPROTOCOL)), "")


@dataclass(frozen=True, slots=True)
class Admission:
    """
    Leave to open.

    Attributes:
        subprotocol: the one chosen among those offered.
        hear_text: called with each whole text message, as `handler.received` is with a binary one; without it text is
            overlooked a few times, and then ends the socket with 1003.
    """

    handler: SocketHandler
    subprotocol: str | None
    hear_text: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to an upgrade that was not let in."""

    status: int
    title: str
    media_type: str
    body: bytes
    retry_after_s: int | None = None


def problem_document(error: OpenCodeError) -> Refusal:
    """A refusal in the house's own dialect (RFC 9457)."""
    problem = problem_of(error, new_id("req"))
    body = msgspec.json.encode(problem)
    return Refusal(problem.status, problem.title, "application/problem+json", body, retry_after_of(error))


def retry_after_of(error: OpenCodeError) -> int | None:
    return error.retry_after_s if isinstance(error, Busy) else None


@dataclass(frozen=True, slots=True)
class SocketRoute:
    """
    Attributes:
        prefix: paths that begin with it are served here.
        admit: lets in, or raises an `OpenCodeError` that is answered with what `refuse` makes of it, before the
            upgrade.
        max_message_bytes: a larger message ends the socket with 1009.
        takes_text: text messages are passed on like binary ones, and so are empty ones. Whether a text is UTF-8 is for
            the handler to find out.
    """

    prefix: str
    admit: Callable[[UpgradeRequest], Awaitable[Admission]]
    max_message_bytes: int
    takes_text: bool = False
    refuse: Callable[[OpenCodeError], Refusal] = problem_document
