"""What is counted, and how often: a download or a view is a fact, and the same fact counts once."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from opencode.kernel.ids import ProjectId

# What names itself as one of these fetches pages for an index or a preview; nobody looked. Programs that people run
# themselves, such as curl, are people.
_ROBOT = re.compile(
    r"bot\b|bot[/;-]|crawl|spider|slurp|scrap|headless|facebookexternalhit|preview|monitor|archiver", re.IGNORECASE
)
WEEK_DAYS = 7
_HOUR_S = 3_600
_DAY_S = 86_400
_FIRST_DAY = date(1970, 1, 1)


class Kind(StrEnum):
    DOWNLOAD = "download"
    VIEW = "view"


@dataclass(frozen=True, slots=True)
class Visitor:
    """
    Who does something, as far as counting needs to know.

    Attributes:
        key: an account's id, or a network address with a browser's name; only its salted hash is kept.
        agent: the `User-Agent`.
        user_id: the account, if there is one: that somebody has used a project is kept.
    """

    key: str
    agent: str = ""
    user_id: str | None = None

    @property
    def is_robot(self) -> bool:
        return bool(_ROBOT.search(self.agent))


@dataclass(frozen=True, slots=True)
class Fact:
    """
    Somebody did something with a project.

    Attributes:
        id: the same for what is to count once: the `Idempotency-Key`, or visitor and hour.
        hour, day: whole hours and days since 1970, UTC.
        visitor: a hash that nobody can turn back, another one each hour.
        user_id: who has used the project by this; not kept with the fact.
    """

    id: str
    project_id: ProjectId
    kind: Kind
    hour: int
    visitor: str
    robot: bool
    at: datetime
    user_id: str | None = None

    @property
    def day(self) -> int:
        return self.hour // (_DAY_S // _HOUR_S)


def fact_of(
    kind: Kind, project_id: ProjectId, visitor: Visitor, at: datetime, *, salt: str, key: str | None = None
) -> Fact:
    """
    Args:
        salt: a secret of this server.
        key: the caller's `Idempotency-Key`.
    """
    hour = int(at.timestamp()) // _HOUR_S
    who = _hash("visitor", salt, str(hour), visitor.key)
    parts = ("key", key) if key is not None else ("hour", str(hour), who)
    used_by = visitor.user_id if kind is Kind.DOWNLOAD and not visitor.is_robot else None
    return Fact(_hash(kind, project_id, *parts), project_id, kind, hour, who[:16], visitor.is_robot, at, used_by)


def day_of(at: datetime) -> int:
    """Whole days since 1970, UTC."""
    return int(at.timestamp()) // _DAY_S


def date_of(day: int) -> date:
    """
    Args:
        day: whole days since 1970, UTC.
    """
    return _FIRST_DAY + timedelta(days=day)


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
