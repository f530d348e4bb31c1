"""The bulk door: many projects in one request, one JSON object a line."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST_LINES = 1_000_000
LONGEST_LINE_BYTES = 300_000
BATCH_LINES = 500
"""Lines that are imported in one transaction."""
REPORTED_REFUSALS = 1_000
"""Refused lines that are told with their reason; all are counted."""
SILENCE = timedelta(seconds=60)
"""An import that has said nothing for so long has died with its server."""


class ImportState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """
    One use of the bulk door.

    Attributes:
        lines: how many there are to read; empty ones are not counted.
        message: why it failed, in words; empty otherwise.
    """

    id: str
    by_id: str
    state: ImportState
    lines: int
    imported: int = 0
    refused: int = 0
    message: str = ""
    created_at: datetime
    alive_at: datetime
    finished_at: datetime | None = None

    def seen_at(self, now: datetime) -> "tuple[ImportState, str]":
        """State and message as of now: nobody is left to say that a server has died."""
        if self.state is ImportState.RUNNING and now - self.alive_at > SILENCE:
            return ImportState.FAILED, "The server that imported has stopped. Send the lines that are missing again."
        return self.state, self.message


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line, counted from 1, that was not imported."""

    line: int
    reason: str
