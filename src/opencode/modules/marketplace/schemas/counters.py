"""What is counted."""

from datetime import date

import msgspec

from opencode.modules.marketplace.domain.project import Counters
from opencode.modules.marketplace.domain.views import Day


class CountersView(msgspec.Struct, frozen=True):
    """What people did with a project, as of now."""

    id: str
    stars: int
    downloads: int
    views: int

    @classmethod
    def of(cls, project_id: str, own: Counters) -> "CountersView":
        return cls(project_id, own.stars, own.downloads, own.views)


class StarView(msgspec.Struct, frozen=True):
    starred: bool
    stars: int


class DayView(msgspec.Struct, frozen=True):
    """What was counted on one day, UTC; `downloads` and `views` are those of people."""

    day: date
    downloads: int
    views: int
    robot_downloads: int
    robot_views: int

    @classmethod
    def of(cls, own: Day) -> "DayView":
        return cls(own.day, own.downloads, own.views, own.robot_downloads, own.robot_views)


class DaysView(msgspec.Struct, frozen=True):
    """The oldest day first; the last is today, and not over yet."""

    days: list[DayView]


class WeeksView(msgspec.Struct, frozen=True):
    """By id, people's downloads in each of the last weeks, the oldest first. Whatever has none is left out."""

    downloads: dict[str, list[int]]


class DownloadView(msgspec.Struct, frozen=True):
    url: str
