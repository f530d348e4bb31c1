"""What is read together: a project with its counters and its owner's name, and the card of one in a list."""

from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.moderation import Case
from opencode.modules.marketplace.domain.money import Price
from opencode.modules.marketplace.domain.project import Counters, Project, ProjectStatus
from opencode.modules.marketplace.domain.proofs import Verified


@dataclass(frozen=True, slots=True)
class Shown:
    """
    A project as its page shows it.

    Attributes:
        case: the one that keeps it out of sight, for whoever still sees it; None for all others.
    """

    project: Project
    counters: Counters
    owner_name: str
    case: Case | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What was counted on one day, UTC, people and robots apart."""

    day: date
    downloads: int = 0
    views: int = 0
    robot_downloads: int = 0
    robot_views: int = 0


class Card(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A project in a list: under 1 kB, and no cycles. Thousands are kept (see `domain.catalog`)."""

    id: ProjectId
    slug: str
    name: str
    title: str
    summary: str
    owner_handle: str
    owner_name: str
    technologies: tuple[str, ...]
    license: str
    price: Price
    tags: tuple[str, ...]
    status: ProjectStatus
    latest_version: str | None = None
    stars: int
    downloads: int
    created_at: datetime
    published_at: datetime | None
    updated_at: datetime
    featured: bool
    verified: Verified | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a project is, and since when its page is as it is."""

    id: ProjectId
    slug: str
    updated_at: datetime
