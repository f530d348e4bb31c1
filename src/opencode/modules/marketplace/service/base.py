"""What all use cases share: their transactions, the catalogue, and how revisions are compared."""

import re
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime

from opencode.contracts.events import Event
from opencode.contracts.identity import Identity
from opencode.contracts.marketplace import (
    ArchivedProjectChanged,
    ProfileChanged,
    ProjectChanged,
    ProjectPublished,
    ProjectWithdrawn,
)
from opencode.infra.plugs import Parts
from opencode.infra.security import Rate
from opencode.kernel.errors import FieldProblem
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.moderation import Subject, SubjectKind
from opencode.modules.marketplace.domain.profile import MAX_DISPLAY_NAME, Profile
from opencode.modules.marketplace.domain.project import HELD, Project, ProjectStatus
from opencode.modules.marketplace.domain.slugs import handle_of, handle_problem, parts_of
from opencode.modules.marketplace.domain.text import line_problem, tidy_line
from opencode.modules.marketplace.domain.views import Shown
from opencode.modules.marketplace.errors import (
    ActsTooFast,
    HandleTaken,
    ProfileNotFound,
    ProjectNotFound,
    ProjectOutdated,
    ProjectRefused,
    ProjectsTooFast,
)
from opencode.modules.marketplace.service.catalogue import Catalogue
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.marketplace.store import MarketplaceWork, Stores, reading

DRAWS = 20
"""How often a name or handle is chosen anew when somebody takes it at the same moment."""

# What nobody in particular was shown has a tag of its bytes behind the revision.
_ETAG = re.compile(r'"(\d{1,18})(?:-[0-9a-f]{1,64})?"')
_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Shared:
    """What all use cases are given."""

    parts: Parts
    settings: MarketplaceSettings
    identity: Identity
    catalogue: Catalogue


class UseCases:
    """Base of the module's use cases."""

    def __init__(self, shared: Shared) -> None:
        self.parts = shared.parts
        self.settings = shared.settings
        self.clock = shared.parts.clock
        self.identity = shared.identity
        self.catalogue = shared.catalogue

    def unit_of_work(self) -> MarketplaceWork:
        return MarketplaceWork(self.parts)

    def reading(self) -> AbstractAsyncContextManager[Stores]:
        return reading(self.parts.database)

    async def find(self, stores: Stores, slug: str, *, to_change: bool = False) -> Shown:
        """
        The project that has, or had, this slug.

        Raises:
            ProjectNotFound
        """
        parts = parts_of(slug)
        found = await stores.projects.find(*parts, to_change=to_change) if parts else None
        if found is None:
            raise ProjectNotFound(slug)
        return found

    async def with_case(self, stores: Stores, shown: Shown) -> Shown:
        """The same, with the case that keeps it out of sight, if one does."""
        if shown.project.status not in HELD:
            return shown
        return replace(shown, case=await stores.moderation.of_subject(subject_of(shown.project)))

    async def own_profile(self, by: Principal) -> Profile:
        """The caller's profile, made when they have none yet."""
        return await self.profile_of(by.id, by.name)

    async def profile_of(self, user_id: str, name: str) -> Profile:
        for _ in range(DRAWS):
            async with self.reading() as stores:
                if found := await stores.profiles.of(user_id):
                    return found
            try:
                return await self._new_profile(user_id, name)
            except HandleTaken:
                continue
        raise HandleTaken(handle_of(name))

    async def _new_profile(self, user_id: str, name: str) -> Profile:
        now = self.clock.now()
        display_name = tidy_line(name)
        if line_problem(display_name, MAX_DISPLAY_NAME, least=1):
            display_name = "Somebody"
        async with self.unit_of_work() as work:
            handle = await work.stores.profiles.free_handle(handle_of(display_name))
            new = Profile(user_id=user_id, handle=handle, display_name=display_name, created_at=now, updated_at=now)
            await work.stores.profiles.add([new])
            work.publish(ProfileChanged(user_id=user_id, at=now))
        return new

    async def brake(self, by: Principal) -> None:
        """
        Raises:
            ProjectsTooFast: this person made or changed too many projects within this minute already.
        """
        rate = Rate(self.settings.project_writes_per_minute, _MINUTE_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:write:{by.id}", rate):
            raise ProjectsTooFast(wait_s)

    async def slow_down(self, by: Principal) -> None:
        """
        Raises:
            ActsTooFast: this person followed, reviewed or collected too much within this minute already.
        """
        rate = Rate(self.settings.acts_per_minute, _MINUTE_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:act:{by.id}", rate):
            raise ActsTooFast(wait_s)

    async def delivers(self, stores: Stores, project: Project) -> bool:
        """Is there anything that buyers of this project get: a repository, a file of a release, or licence keys?"""
        if project.repository_url or await stores.releases.best_file(project.id):
            return True
        return await stores.entitlements.has_keys(project.id)

    async def person(self, stores: Stores, handle: str, *, to_change: bool = False) -> Profile:
        """
        The profile that has, or had, this handle.

        Raises:
            ProfileNotFound
        """
        found = None if handle_problem(handle) else await stores.profiles.find(handle, to_change=to_change)
        if found is None:
            raise ProfileNotFound(handle)
        return found


def subject_of(project: Project) -> Subject:
    """A project as something that moderators decide about."""
    return Subject(SubjectKind.PROJECT, project.id, project.owner_id, project.slug, f"/projects/{project.slug}")


def listing_events(before: Project, after: Project, at: datetime) -> list[Event]:
    """What a change of a project is to the catalogue, and to whoever keeps pages of it. Drafts concern nobody."""
    if not (before.is_listed or after.is_listed):
        was_read = ProjectStatus.ARCHIVED in {before.status, after.status}
        return [ArchivedProjectChanged(project_id=after.id, owner_id=after.owner_id, at=at)] if was_read else []
    kind = ProjectChanged if before.is_listed else ProjectPublished
    kind = kind if after.is_listed else ProjectWithdrawn
    return [kind(project_id=after.id, owner_id=after.owner_id, at=at)]


def require_good(problems: Collection[FieldProblem]) -> None:
    """
    Raises:
        ProjectRefused: there are problems; all of them are named.
    """
    if problems:
        raise ProjectRefused(tuple(problems))


def require_current(what: str, revision: int, if_match: str | None) -> None:
    """
    Args:
        if_match: the header `If-Match` (RFC 9110 §13.1.1), None when it was not sent.

    Raises:
        ProjectOutdated: it names other revisions than the present one.
    """
    if if_match is None or if_match.strip() == "*":
        return
    # A weak tag (`W/"3"`) never matches here: it does not promise the same bytes.
    tags = [tag.strip() for tag in if_match.split(",")]
    shown = {int(found[1]) for tag in tags if (found := _ETAG.fullmatch(tag))}
    if revision not in shown:
        raise ProjectOutdated(what, revision, if_match)
