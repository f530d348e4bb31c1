"""What an operator may tune of shared documents."""

from dataclasses import dataclass

from opencode.infra.settings import setting


@dataclass(frozen=True, slots=True)
class CollaborationSettings:
    """Limits and times of rooms."""

    document_max_bytes: int = setting(
        8 * 1024 * 1024, "largest document, in bytes of its encoded state", minimum=64 * 1024, maximum=1024**3
    )
    commit_window_ms: int = setting(
        10, "milliseconds for which edits are gathered before they are written down together", minimum=0, maximum=10
    )
    room_idle_s: int = setting(20, "seconds that an empty room stays in memory", minimum=0, maximum=86_400)
    ticket_s: int = setting(120, "seconds that a ticket for a document is good", minimum=5, maximum=3600)
    durability: str = setting(
        "process",
        "what every acknowledged edit survives in the embedded database: process (its end at any moment; a loss of "
        "power may cost the last second, which open editors bring back) or power (that as well, for more CPU time)",
        choices=("process", "power"),
    )
