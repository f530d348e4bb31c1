"""Timed work."""

from opencode.infra.jobs import Job
from opencode.modules.ai.service.live import Live
from opencode.modules.ai.service.providers import Providers

LOOK_EVERY_S = 0.25
"""A file that changes is loaded at the second look that finds it the same: within a second, with a file's reading."""
STORED_EVERY_S = 30.0
TEST_EVERY_S = 1.0


def jobs(live: Live, providers: Providers) -> list[Job]:
    async def look_at_providers() -> None:
        providers.look()

    return [
        Job("look for changes of the AI configuration", LOOK_EVERY_S, live.look),
        Job("look for changes of stored AI providers", STORED_EVERY_S, live.look_at_stored),
        Job("test connections to AI providers", TEST_EVERY_S, look_at_providers),
    ]
