"""Timed work."""

from opencode.infra.jobs import Job
from opencode.modules.ai.domain.limits import CALL_LIFETIME_S
from opencode.modules.ai.service.bookkeeping import Tidying
from opencode.modules.ai.service.keys import Keys
from opencode.modules.ai.service.live import Live
from opencode.modules.ai.service.metering import Meter
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


GIVE_BACK_EVERY_S = 0.1
SETTLE_LEFT_EVERY_S = 10.0
TIDY_EVERY_S = 600.0


def metering_jobs(meter: Meter, tidying: Tidying, keys: Keys) -> list[Job]:
    """In every process that has a meter."""
    return [
        Job("give back what is not needed of AI budgets", GIVE_BACK_EVERY_S, meter.give_back),
        Job("say which AI calls are under way", CALL_LIFETIME_S / 3, meter.renew),
        Job("charge AI calls of ended processes", SETTLE_LEFT_EVERY_S, meter.settle_left),
        Job("delete old AI calls", TIDY_EVERY_S, tidying.tidy),
        Job("delete limits of AI keys that have ended", TIDY_EVERY_S, keys.forget_ended),
    ]
