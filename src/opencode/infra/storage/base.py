"""What a place for files promises."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from opencode.kernel.errors import Unavailable


class TooManyBytes(Exception):
    """More came than was to be taken; nothing of it is kept."""


class WrongContent(Exception):
    """
    What came is not what was announced; nothing of it is kept.

    Attributes:
        sha256: of what came, in hex.
    """

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256)
        self.sha256 = sha256


class StorageFull(Unavailable):
    """The server has no room left for files."""

    title = "No room for files"

    def __init__(self) -> None:
        super().__init__("The server has no room left for files.", action="Tell its operator.")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is safe: `sha256` in hex is its key from now on."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is there, and when it was stored last."""

    sha256: str
    stored_at: datetime


class Storage(Protocol):
    """
    Files by the SHA-256 of their content, in hex. The same content twice is one file. What `put` answered survives the
    end of the process and of the machine's power.
    """

    async def put(self, pieces: AsyncIterator[bytes], *, most_bytes: int, sha256: str | None = None) -> Stored:
        """
        Keep what comes. It is never whole in memory, and nothing can be read before all of it is safe.

        Args:
            pieces: may raise; then nothing is kept, and the error goes on.
            sha256: what it must be, in hex.

        Raises:
            TooManyBytes, WrongContent, StorageFull
        """
        ...

    async def size_of(self, sha256: str) -> int | None:
        """In bytes; None when there is no such file."""
        ...

    async def read(self, sha256: str, start: int = 0, length: int | None = None) -> AsyncGenerator[bytes]:
        """
        The file's bytes, or some of them, piece by piece. It is found, or not, before this returns.

        Raises:
            FileNotFoundError
        """
        ...

    async def delete_old(self, sha256: str, before: datetime) -> bool:
        """Delete the file, unless the same content was stored (again) since. Returns whether it is gone."""
        ...

    def all_before(self, moment: datetime) -> AsyncIterator[Kept]:
        """Files that were stored before, in no order."""
        ...

    async def sweep(self, before: datetime) -> None:
        """Take away what uploads have left that ended halfway before that moment."""
        ...
