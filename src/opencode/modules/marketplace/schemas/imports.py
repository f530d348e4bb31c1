"""Imports of many projects."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from opencode.modules.marketplace.domain.importing import Import, ImportState, RefusedLine


class RefusedLineView(msgspec.Struct, frozen=True):
    """A line, counted from 1, that was not imported."""

    line: int
    reason: str


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """An import. `refusals` has the first 1,000 of the refused lines."""

    id: str
    state: ImportState
    lines: int
    imported: int
    refused: int
    message: str
    refusals: list[RefusedLineView]
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, current: Import, refused: Sequence[RefusedLine] = ()) -> "ImportView":
        return cls(
            id=current.id,
            state=current.state,
            lines=current.lines,
            imported=current.imported,
            refused=current.refused,
            message=current.message,
            refusals=[RefusedLineView(each.line, each.reason) for each in refused],
            created_at=current.created_at,
            finished_at=current.finished_at,
        )
