"""What `marketplace` says aloud."""

from datetime import datetime

from opencode.contracts.events import Event
from opencode.kernel.ids import ProjectId, ReleaseId


class ProjectPublished(Event, frozen=True, tag="marketplace.project_published.v1"):
    """A project is in the catalogue from now on."""

    project_id: ProjectId
    owner_id: str
    at: datetime


class ProjectChanged(Event, frozen=True, tag="marketplace.project_changed.v1"):
    """A project that is in the catalogue says something else of itself."""

    project_id: ProjectId
    owner_id: str
    at: datetime


class ProjectWithdrawn(Event, frozen=True, tag="marketplace.project_withdrawn.v1"):
    """A project has left the catalogue: archived or deleted."""

    project_id: ProjectId
    owner_id: str
    at: datetime


class ReleasePublished(Event, frozen=True, tag="marketplace.release_published.v1"):
    """A project that is in the catalogue has a new release. Its files may still be on their way."""

    project_id: ProjectId
    owner_id: str
    release_id: ReleaseId
    version: str
    prerelease: bool
    at: datetime


class ProjectsImported(Event, frozen=True, tag="marketplace.projects_imported.v1"):
    """One batch of an import is in the catalogue: as many `ProjectPublished`."""

    project_ids: tuple[ProjectId, ...]
    at: datetime


class ProjectStood(Event, frozen=True, tag="marketplace.project_stood.v1"):
    """
    Counters of these projects have moved. Said about one project at most once a second, so the numbers are not in it:
    whoever needs them reads those of now.
    """

    project_ids: tuple[ProjectId, ...]
    at: datetime


class PersonRenamed(Event, frozen=True, tag="marketplace.person_renamed.v1"):
    """A person has another handle, so all their projects have other slugs; or another name, which cards show."""

    user_id: str
    at: datetime


class ProfileChanged(Event, frozen=True, tag="marketplace.profile_changed.v1"):
    """A person has a profile now, or says something else in it than their handle and name."""

    user_id: str
    at: datetime


class ProjectRated(Event, frozen=True, tag="marketplace.project_rated.v1"):
    """What people give a project is different: a review is new, rates otherwise, is gone, is held, or is back."""

    project_id: ProjectId
    at: datetime


class ArchivedProjectChanged(Event, frozen=True, tag="marketplace.archived_project_changed.v1"):
    """
    A project that is not in the catalogue, but read by everybody who has its address, says something else of itself;
    or it is read no longer, or again.
    """

    project_id: ProjectId
    owner_id: str
    at: datetime
