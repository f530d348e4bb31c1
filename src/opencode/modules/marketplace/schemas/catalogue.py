"""The catalogue beside its index."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from opencode.modules.marketplace.domain.agreement import Agreement, Disagreement
from opencode.modules.marketplace.domain.errands import Errand, ErrandReport, ReportState


class DifferenceView(msgspec.Struct, frozen=True):
    """`missing` in the index, `extra` in it, or `outdated` words or `standing`."""

    project_id: str
    what: Disagreement


class AgreementView(msgspec.Struct, frozen=True):
    """Whether index and database agree: what was compared, how many projects differ and how, and the first of them."""

    agree: bool
    projects: int
    indexed: int
    missing: int
    extra: int
    outdated: int
    standing: int
    first: list[DifferenceView]

    @classmethod
    def of(cls, found: Agreement) -> "AgreementView":
        return cls(
            agree=not found.disagreements,
            projects=found.projects,
            indexed=found.indexed,
            missing=found.counts[Disagreement.MISSING],
            extra=found.counts[Disagreement.EXTRA],
            outdated=found.counts[Disagreement.OUTDATED],
            standing=found.counts[Disagreement.STANDING],
            first=[DifferenceView(each.project_id, each.what) for each in found.first],
        )


class ProcessReportView(msgspec.Struct, frozen=True):
    process: str
    state: ReportState
    projects: int
    message: str
    begun_at: datetime
    finished_at: datetime | None


class RebuildView(msgspec.Struct, frozen=True):
    """A rebuild of the catalogue's index, and how far each process is that has taken it up."""

    id: str
    asked_at: datetime
    processes: list[ProcessReportView]

    @classmethod
    def of(cls, errand: Errand, reports: Sequence[ErrandReport]) -> "RebuildView":
        processes = [
            ProcessReportView(
                each.process, each.state, each.agreement.projects, each.message, each.begun_at, each.finished_at
            )
            for each in reports
        ]
        return cls(errand.id, errand.asked_at, processes)
