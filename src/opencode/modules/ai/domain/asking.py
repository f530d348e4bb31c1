"""What must be offered by whoever carries requests to providers."""

from collections.abc import Callable, Mapping
from typing import Protocol

from opencode.modules.ai.domain.dialects.canonical import Failure
from opencode.modules.ai.domain.registry import Upstream

Take = Callable[[bytes], bool]
"""Takes a piece of an answer, and tells whether more can be taken now."""


class AskingFailed(Exception):
    """A provider could not be asked, refused, or broke off."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Asked(Protocol):
    """
    A provider that has begun to answer, and does not refuse.

    Attributes:
        media_type: of the answer, in lower case, without parameters.
        first_byte_s: how long the first bytes took; 0 before they came.
    """

    media_type: str
    first_byte_s: float

    async def piece(self) -> bytes:
        """
        What has come, as soon as something has; empty at the end.

        Raises:
            AskingFailed: the connection broke, or nothing came for too long.
        """
        ...

    async def pour(self, take: Take) -> bool:
        """
        Have each piece taken in the moment in which it comes, without a task that wakes up for it; not an empty one at
        the end. Returns whether it came to its end: otherwise `take` could take no more, and this is called again when
        it can.

        Raises:
            AskingFailed: as `piece`.
            Whatever `take` raises.
        """
        ...

    async def whole(self) -> bytes:
        """
        All of the answer.

        Raises:
            AskingFailed: as `piece`, or it is larger than any answer.
        """
        ...

    async def close(self) -> None:
        """Done with it. Where the answer has not come to its end, it is broken off."""
        ...


class Asking(Protocol):
    """Asks providers."""

    async def ask(self, upstream: Upstream, path: str, body: bytes, headers: Mapping[str, str]) -> Asked:
        """
        Send a request, and wait until its answer begins. Cancelled, it breaks the connection off.

        Args:
            headers: of this call, in lower case.

        Raises:
            AskingFailed: it cannot be reached, takes too long, or refuses.
        """
        ...
