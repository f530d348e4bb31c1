"""Timed work."""

from opencode.infra.jobs import Job
from opencode.modules.execution.domain.runs import BEATS_A_LEASE
from opencode.modules.execution.service.tidying import Tidying
from opencode.modules.execution.service.working import Worker

FORGET_EVERY_S = 600.0


def worker_jobs(worker: Worker, *, lease_s: float) -> list[Job]:
    """What a worker does in time, in a server and by itself."""
    return [Job("keep queued runs", lease_s / BEATS_A_LEASE, worker.beat)]


def jobs(tidying: Tidying, *, lease_s: float) -> list[Job]:
    return [
        Job("queue runs that nobody has", lease_s, tidying.queue_again),
        Job("forget old runs", FORGET_EVERY_S, tidying.forget),
    ]
