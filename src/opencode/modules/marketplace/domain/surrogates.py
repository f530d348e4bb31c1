"""
Surrogate keys: names for what a page or an answer was made of. When one of them changes, whatever carries it is
outdated, in our own caches and in those in front of the server. `OUTDATES` is the one place that says which event
changes what.
"""

from collections.abc import Callable, Iterable
from typing import Any

from opencode.contracts.events import Event
from opencode.contracts.identity import UserRegistered
from opencode.contracts.marketplace import (
    ArchivedProjectChanged,
    PersonRenamed,
    ProfileChanged,
    ProjectChanged,
    ProjectPublished,
    ProjectRated,
    ProjectsImported,
    ProjectWithdrawn,
)

ALL_PROJECTS = "all-projects"
"""What shows lists of projects."""
ALL_PEOPLE = "all-people"
UNKNOWN_PROJECTS = "unknown-projects"
"""Answers that there is no such project. They do not name the one that was asked for: it may be a draft."""
UNKNOWN_PEOPLE = "unknown-people"


def project_key(project_id: str) -> str:
    return f"project/{project_id}"


def user_key(user_id: str) -> str:
    return f"user/{user_id}"


_OneProject = ProjectPublished | ProjectChanged | ProjectWithdrawn | ArchivedProjectChanged


def _of_project(event: _OneProject) -> Iterable[str]:
    # With another name it is where nothing was.
    return project_key(event.project_id), user_key(event.owner_id), ALL_PROJECTS, UNKNOWN_PROJECTS


def _of_rated(event: ProjectRated) -> Iterable[str]:
    # No card shows a rating.
    return (project_key(event.project_id),)


def _of_import(event: ProjectsImported) -> Iterable[str]:
    return *map(project_key, event.project_ids), ALL_PROJECTS, ALL_PEOPLE, UNKNOWN_PROJECTS, UNKNOWN_PEOPLE


def _of_renamed(event: PersonRenamed) -> Iterable[str]:
    # Their name is on all cards of theirs, their handle in all addresses.
    return user_key(event.user_id), ALL_PROJECTS, UNKNOWN_PROJECTS, UNKNOWN_PEOPLE


def _of_person(event: ProfileChanged) -> Iterable[str]:
    return user_key(event.user_id), UNKNOWN_PEOPLE


def _of_new_person(event: UserRegistered) -> Iterable[str]:
    del event
    return (UNKNOWN_PEOPLE,)


OUTDATES: dict[type[Event], Callable[[Any], Iterable[str]]] = {
    ProjectPublished: _of_project,
    ProjectChanged: _of_project,
    ProjectWithdrawn: _of_project,
    ArchivedProjectChanged: _of_project,
    ProjectRated: _of_rated,
    ProjectsImported: _of_import,
    PersonRenamed: _of_renamed,
    ProfileChanged: _of_person,
    UserRegistered: _of_new_person,
}
"""What an event changes. `ProjectStood` and `ReleasePublished` are not here: counters and releases are on no page."""


def outdated_by(events: Iterable[Event]) -> list[str]:
    """The surrogate keys that these events drop, each once."""
    keys = (key for event in events if (of := OUTDATES.get(type(event))) for key in of(event))
    return list(dict.fromkeys(keys))
