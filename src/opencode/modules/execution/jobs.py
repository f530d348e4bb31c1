"""Timed work."""

from opencode.infra.jobs import Job
from opencode.modules.execution.domain.runs import BEATS_A_LEASE
from opencode.modules.execution.service.hooking import Hooking
from opencode.modules.execution.service.tidying import Tidying
from opencode.modules.execution.service.working import Worker

FORGET_EVERY_S = 600.0
CALL_EVERY_S = 1.0
"""How often servers look for webhooks that are due: an end is told about a second later at the most."""


def worker_jobs(worker: Worker, *, lease_s: float) -> list[Job]:
    """What a worker does in time, in a server and by itself."""
    return [Job("keep queued runs", lease_s / BEATS_A_LEASE, worker.beat)]


def jobs(tidying: Tidying, hooking: Hooking, *, lease_s: float) -> list[Job]:
    return [
        Job("queue runs that nobody has", lease_s, tidying.queue_again),
        Job("call webhooks", CALL_EVERY_S, hooking.deliver_due),
        Job("forget old runs", FORGET_EVERY_S, tidying.forget),
    ]
