"""`ocp marketplace rebuild` and `check`: looking after the catalogue as a whole."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opencode.app.command_line import DATA_FOLDER
from opencode.app.console import escape, out, settings_of, show, table_of
from opencode.kernel.errors import Unavailable

if TYPE_CHECKING:  # what takes time to load is loaded by the commands that need it
    from opencode.app.settings import Settings
    from opencode.infra.plugs import Parts
    from opencode.modules.marketplace.domain.agreement import Disagreement
    from opencode.modules.marketplace.domain.errands import Errand, ErrandKind, ErrandReport

TAKEN_UP_S = 10.0
"""Servers look for what is asked every two seconds; where none has after so long, none is running."""
OTHERS_S = 4.0
"""After the first server has taken it up, how long others are waited for."""
DONE_S = 3600.0
LOOK_EVERY_S = 0.2


@click.command()
@DATA_FOLDER
def rebuild(data: Path | None) -> None:
    """Fill the index of every server anew from the database. Searching goes on meanwhile."""
    from opencode.modules.marketplace.domain.errands import ErrandKind, ReportState

    reports = asyncio.run(_run(settings_of(data=data), ErrandKind.REBUILD))
    for report in reports:
        good = report.state is ReportState.DONE
        said = f"{report.agreement.projects} projects" if good else report.message
        out.print(f"{escape(report.process)}: {report.state}, {escape(said)}")
    if not all(report.state is ReportState.DONE for report in reports):
        sys.exit(1)


@click.command()
@DATA_FOLDER
def check(data: Path | None) -> None:
    """Compare the index of every server with the database. Status 1 when a project differs."""
    from opencode.modules.marketplace.domain.errands import ErrandKind, ReportState

    reports = asyncio.run(_run(settings_of(data=data), ErrandKind.CHECK))
    table = table_of("process", "state", "published", "in the index", "missing", "extra", "outdated", "standing")
    for report in reports:
        found = report.agreement
        counts = [str(found.counts[what]) for what in _kinds()]
        state = report.state if report.state is not ReportState.FAILED else f"failed: {report.message}"
        table.add_row(escape(report.process), escape(state), str(found.projects), str(found.indexed), *counts)
    show(table)
    for report in reports:
        for each in report.agreement.first:
            out.print(f"{escape(report.process)}: {each.project_id} is {each.what}")
    if any(report.state is not ReportState.DONE or report.agreement.disagreements for report in reports):
        sys.exit(1)


def _kinds() -> "list[Disagreement]":
    from opencode.modules.marketplace.domain.agreement import Disagreement

    return list(Disagreement)


async def _run(settings: "Settings", kind: "ErrandKind") -> "list[ErrandReport]":
    """Have running servers do it; where none runs, do it here."""
    from opencode.app.data_folder import FolderInUse, sole_use
    from opencode.app.migrate import migrate
    from opencode.app.wiring import wire
    from opencode.modules.marketplace.service.errands import ask

    house = wire(settings)
    parts = house.parts
    try:
        if parts.database.is_sqlite:
            try:
                with sole_use(settings.process.data):
                    await migrate(parts.database)
                    return [await _here(settings, parts, kind)]
            except FolderInUse:
                pass
        await migrate(parts.database)
        errand, _ = await ask(parts, kind)
        return await _watched(parts, errand) or [await _here(settings, parts, kind)]
    finally:
        await parts.pubsub.close()
        await parts.database.close()


async def _here(settings: "Settings", parts: "Parts", kind: "ErrandKind") -> "ErrandReport":
    """Nobody serves: fill an index in this process, or open the one that all share, and look after that."""
    from opencode.app.wiring import catalogue_index, catalogue_snapshots
    from opencode.modules.marketplace.domain.agreement import Agreement
    from opencode.modules.marketplace.domain.errands import ErrandKind, ErrandReport, ReportState
    from opencode.modules.marketplace.service.catalogue import Catalogue

    begun_at = parts.clock.now()
    catalogue = Catalogue(parts, catalogue_index(settings, parts.database), catalogue_snapshots(settings))
    await catalogue.start()
    try:
        await catalogue.filled()
        if kind is ErrandKind.REBUILD:
            count = await catalogue.rebuild()
            found = Agreement(projects=count, indexed=count)
        else:
            found = await catalogue.check()
    finally:
        await catalogue.close()
    return ErrandReport(
        errand_id="",
        process="no server is running; here",
        state=ReportState.DONE,
        agreement=found,
        begun_at=begun_at,
        finished_at=parts.clock.now(),
    )


async def _watched(parts: "Parts", errand: "Errand") -> "list[ErrandReport]":
    """What servers report once all that have taken it up are done; empty when none has."""
    from opencode.modules.marketplace.service.errands import reports_of

    clock = asyncio.get_running_loop().time
    asked_at = clock()
    first_at: float | None = None
    while clock() - asked_at < DONE_S:
        await asyncio.sleep(LOOK_EVERY_S)
        reports = await reports_of(parts, errand)
        if not reports and clock() - asked_at > TAKEN_UP_S:
            return []
        if reports and first_at is None:
            first_at = clock()
        all_came = first_at is not None and (parts.database.is_sqlite or clock() - first_at > OTHERS_S)
        if all_came and all(report.finished_at for report in reports):
            return reports
    raise Unavailable("A server has not finished within an hour.", action="Look at its log, and start it anew.")
