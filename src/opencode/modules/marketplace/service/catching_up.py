"""What the store has otherwise than an index that was kept: found by versions, without reading a single project."""

from dataclasses import dataclass, field

from opencode.infra.db import Database
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.snapshots import Look
from opencode.modules.marketplace.store import reading

_ROWS = 10_000
"""Projects of one query: some milliseconds for whoever waits for the same connection, or for the event loop."""


@dataclass(slots=True)
class Changes:
    """
    Since an index was kept.

    Attributes:
        outdated: projects that came, changed or went; `stood` those that stand otherwise with people.
    """

    outdated: list[ProjectId] = field(default_factory=list[ProjectId])
    stood: list[ProjectId] = field(default_factory=list[ProjectId])


async def changes_since(look: Look, database: Database) -> Changes:
    """What changes meanwhile may be among them or not: whoever asks hears of it anyway."""
    found = Changes()
    after = ""
    while True:
        async with reading(database) as stores:
            versions = await stores.projects.versions_after(after, _ROWS)
        if versions is None:
            break
        found.outdated += await look.outdated(versions.ids, versions.versions)
        after = versions.last
    found.outdated += await look.unpublished()
    after = ""
    while True:
        async with reading(database) as stores:
            standings = await stores.counting.standings_after(after, _ROWS)
        if standings is None:
            return found
        found.stood += await look.standing_otherwise(standings.ids, standings.popularity, standings.trending)
        after = standings.last
