"""Timed work."""

from opencode.infra.jobs import Job
from opencode.modules.notifications.service.tidying import Tidying

TIDY_EVERY_S = 3600.0


def jobs(tidying: Tidying) -> list[Job]:
    return [Job("forget old notices", TIDY_EVERY_S, tidying.forget)]
