"""What an operator asks of every process that has the catalogue, and what each of them reports."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from opencode.modules.marketplace.domain.agreement import Agreement

FRESH = timedelta(hours=1)
"""An errand that nobody has taken up for so long is forgotten."""


class ErrandKind(StrEnum):
    REBUILD = "rebuild"
    CHECK = "check"


class ReportState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Errand:
    id: str
    kind: ErrandKind
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrandReport:
    """
    What one process did about an errand.

    Attributes:
        process: host and process id; `all` where all processes share one index.
        message: why it failed, in words; empty otherwise.
    """

    errand_id: str
    process: str
    state: ReportState
    agreement: Agreement = field(default_factory=Agreement)
    message: str = ""
    begun_at: datetime
    finished_at: datetime | None = None
