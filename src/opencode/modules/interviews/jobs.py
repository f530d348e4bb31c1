"""Timed work."""

from opencode.infra.jobs import Job
from opencode.modules.interviews.domain.run import HEARTBEAT_S
from opencode.modules.interviews.service.assisting import Assisting
from opencode.modules.interviews.service.running import Running
from opencode.modules.interviews.service.steering import Steering
from opencode.modules.interviews.service.summarising import Summarising
from opencode.modules.interviews.service.tidying import Tidying

TIDY_EVERY_S = 30.0


def jobs(
    steering: Steering,
    running: Running,
    assisting: Assisting,
    summarising: Summarising,
    tidying: Tidying,
    *,
    check_s: float,
) -> list[Job]:
    """
    Args:
        check_s: seconds between two looks for interviews whose time is up.
    """
    return [
        Job("end interviews whose time is up", check_s, steering.end_overdue),
        Job("keep runs alive", HEARTBEAT_S, running.keep_alive),
        Job("give up lost runs", HEARTBEAT_S, running.give_up_lost),
        Job("keep answers alive", HEARTBEAT_S, assisting.keep_alive),
        Job("give up lost answers", HEARTBEAT_S, assisting.give_up_lost),
        Job("keep drafts alive", HEARTBEAT_S, summarising.keep_alive),
        Job("give up lost drafts", HEARTBEAT_S, summarising.give_up_lost),
        Job("tidy interviews", TIDY_EVERY_S, tidying.tidy),
    ]
