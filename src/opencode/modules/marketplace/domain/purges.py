"""Surrogate keys of which caches in front of the server are to be told, until they have been."""

from dataclasses import dataclass
from datetime import timedelta

LEASE = timedelta(minutes=1)
"""How long a process has for telling; a process that dies leaves its keys due again afterwards."""
_LONGEST_WAIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Purge:
    """
    A key that is outdated.

    Attributes:
        mark: another one each time that it is outdated: what happens while it is being told is told again.
    """

    key: str
    mark: str
    attempts: int


def wait_after(attempts: int) -> timedelta:
    """How long until the next attempt, after so many that failed: twice as long each time, to five minutes."""
    return min(timedelta(seconds=2 ** min(attempts, 10)), _LONGEST_WAIT)
