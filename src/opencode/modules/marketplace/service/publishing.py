"""Making projects, changing them, deleting them, and listing one's own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opencode.contracts.marketplace import ArchivedProjectChanged, ProjectPublished, ProjectWithdrawn
from opencode.infra.db import fingerprint
from opencode.kernel.ids import ProjectId, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.profile import Profile
from opencode.modules.marketplace.domain.project import Counters, Project, ProjectStatus, checked, may_become
from opencode.modules.marketplace.domain.proofs import same_repository
from opencode.modules.marketplace.domain.slugs import name_of
from opencode.modules.marketplace.domain.views import Card, Shown
from opencode.modules.marketplace.errors import (
    NameTaken,
    ProjectNotFound,
    ProjectSold,
    SameKeyOtherProject,
    StatusNotPossible,
    TooManyProjects,
)
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import (
    DRAWS,
    UseCases,
    listing_events,
    require_current,
    require_good,
    subject_of,
)
from opencode.modules.marketplace.service.cases import note_deleted
from opencode.modules.marketplace.store import MarketplaceWork

_LEAVING = {ProjectStatus.PUBLISHED: ProjectWithdrawn, ProjectStatus.ARCHIVED: ArchivedProjectChanged}
"""What is said when a project is deleted that others could read."""


_NOTHING_TO_DELIVER = (
    "Nobody can order this project yet: whoever pays for it would get nothing. Add a release with a file, or the "
    "address of a repository."
)


class Publishing(UseCases):
    async def create(self, by: Principal, values: Mapping[str, Any], *, key: str | None = None) -> Shown:
        """
        Make a project of the caller's; its name is made from the title.

        Args:
            values: the fields, as `domain.project.checked` takes them; all but `name` and `featured`.
            key: the caller's `Idempotency-Key`; the same request with the same key makes nothing new for a day.

        Raises:
            Unauthenticated, Forbidden: this person may not make projects.
            ProjectRefused, TooManyProjects, SameKeyOtherProject, ProjectsTooFast
        """
        policy.require_writer(by)
        fields, problems = checked(values)
        require_good(problems)
        print_of_request = fingerprint(values)
        if key and (earlier := await self._made_before(by, key, print_of_request)):
            return earlier
        await self.brake(by)
        owner = await self.own_profile(by)
        new = self._draft(owner, fields)
        try:
            made = await self._save_new(new, owner, by, key, print_of_request)
        except BaseException:
            # The same request may have come twice at the same moment; the other one made it then.
            if key and (earlier := await self._made_before(by, key, print_of_request)):
                return earlier
            raise
        await self.catalogue.catch_up([made.project.id])
        return made

    async def change(
        self, slug: str, by: Principal, values: Mapping[str, Any], *, if_match: str | None = None
    ) -> Shown:
        """
        Change what a project says of itself. Its slug changes only with `name`; the old one goes on leading to it.

        Args:
            values: the fields that are to change, as `domain.project.checked` takes them.
            if_match: the header; the change is made only for a revision that it names.

        Raises:
            ProjectNotFound, NotYourProject, ProjectOutdated, ProjectRefused, NameTaken, StatusNotPossible, …
        """
        policy.require_account(by)
        fields, problems = checked(values)
        await self.brake(by)
        async with self.unit_of_work() as work:
            shown = await self.find(work.stores, slug, to_change=True)
            before = shown.project
            for action in _actions(fields):
                policy.require(action, by, before)
            require_good(problems)
            require_current(before.slug, before.revision, if_match)
            after = before.changed(fields, self.clock.now())
            if not may_become(before.status, after.status):
                raise StatusNotPossible(before.status, after.status)
            shown = await self.with_case(work.stores, shown)
            if after is before:
                return shown
            if after.name != before.name:
                await work.stores.projects.rename(after)
            await work.stores.projects.save(after)
            if not same_repository(before.repository_url, after.repository_url):
                await work.stores.proofs.void_all(after.id, "The project names another repository since.")
            for event in listing_events(before, after, after.updated_at):
                work.publish(event)
        await self.catalogue.catch_up([after.id])
        if after.featured is not before.featured:
            kind = "project.featured" if after.featured else "project.unfeatured"
            await self.identity.record(kind, actor=by, subject_id=after.id)
        return replace(shown, project=after)

    async def delete(self, slug: str, by: Principal, *, if_match: str | None = None) -> None:
        """
        Delete a project with all that belongs to it.

        Raises:
            ProjectNotFound, NotYourProject, ProjectOutdated, ProjectSold, …
        """
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.DELETE, by, project)
            require_current(project.slug, project.revision, if_match)
            if await work.stores.orders.keeps(project.id):
                raise ProjectSold(project.slug)
            await work.stores.projects.delete(project.id)
            await note_deleted(work, subject_of(project), by.id, self.clock.now())
            if kind := _LEAVING.get(project.status):
                work.publish(kind(project_id=project.id, owner_id=project.owner_id, at=self.clock.now()))
        await self.catalogue.catch_up([project.id])
        await self.identity.record("project.deleted", actor=by, subject_id=project.id)

    async def notices_for(self, project: Project) -> list[str]:
        """What the owner of a project with a price should know of it."""
        if project.price.is_free:
            return []
        async with self.reading() as stores:
            return [] if await self.delivers(stores, project) else [_NOTHING_TO_DELIVER]

    async def list_own(self, by: Principal, wanted: PageRequest) -> Page[Card]:
        """One's own projects in all states, newest first."""
        policy.require_account(by)
        async with self.reading() as stores:
            return await stores.projects.page_of(by.id, wanted)

    def _draft(self, owner: Profile, fields: Mapping[str, Any]) -> Project:
        now = self.clock.now()
        return Project(
            id=ProjectId(new_id("prj")),
            owner_id=owner.user_id,
            handle=owner.handle,
            name=name_of(fields["title"]),
            featured=False,
            revision=1,
            created_at=now,
            updated_at=now,
            published_at=now if fields["status"] is ProjectStatus.PUBLISHED else None,
            **fields,
        )

    async def _save_new(
        self, wanted: Project, owner: Profile, by: Principal, key: str | None, print_of_request: str
    ) -> Shown:
        for _ in range(DRAWS):
            try:
                async with self.unit_of_work() as work:
                    if await work.stores.projects.count_of(owner.user_id) >= self.settings.projects_per_person:
                        raise TooManyProjects(self.settings.projects_per_person)
                    new = await work.stores.projects.add_under_free_name(wanted)
                    if key:
                        await work.stores.requests.add(by.id, key, print_of_request, new.id, new.created_at)
                    if new.repository_url:
                        await _note_draft(work, new, new.repository_url)
                    if new.is_listed:
                        work.publish(_published(new))
                return Shown(new, Counters(), owner.display_name)
            except NameTaken:
                continue
        raise NameTaken(wanted.name)

    async def _made_before(self, by: Principal, key: str, print_of_request: str) -> Shown | None:
        async with self.reading() as stores:
            if (made := await stores.requests.find(by.id, key)) is None:
                return None
            earlier_print, project_id = made
            if earlier_print != print_of_request:
                raise SameKeyOtherProject
            found = await stores.projects.get(project_id)
        if found is None:
            raise ProjectNotFound(project_id)
        return found


def _actions(fields: Mapping[str, Any]) -> list[Action]:
    """What somebody does who sends these fields."""
    actions = [Action.FEATURE] if "featured" in fields else []
    return [Action.CHANGE, *actions] if fields.keys() - {"featured"} or not fields else actions


async def _note_draft(work: MarketplaceWork, new: Project, repository_url: str) -> None:
    """What its owner has read for it follows the repository; what they word otherwise is theirs."""
    if prints := await work.stores.readings.of_draft(new.owner_id, repository_url):
        await work.stores.readings.save(new.id, prints, new.created_at)


def _published(project: Project) -> ProjectPublished:
    return ProjectPublished(project_id=project.id, owner_id=project.owner_id, at=project.created_at)
