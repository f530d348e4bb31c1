"""Releases: publishing them, reading about them, taking them back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from opencode.contracts.marketplace import ProjectChanged, ReleasePublished
from opencode.infra.db import fingerprint
from opencode.kernel.ids import ReleaseId, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.releases import (
    MAX_RELEASES,
    Release,
    ReleaseFile,
    ReleaseSummary,
    checked_release,
)
from opencode.modules.marketplace.domain.versions import ReleaseVersion, version_of
from opencode.modules.marketplace.errors import (
    ReleaseInUse,
    ReleaseNotFound,
    SameKeyOtherProject,
    TooManyReleases,
    VersionTaken,
)
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import Shared, UseCases, require_good
from opencode.modules.marketplace.service.entitling import Entitlements
from opencode.modules.marketplace.store import MarketplaceWork, Stores


@dataclass(frozen=True, slots=True)
class ShownRelease:
    """A release as its page shows it."""

    project: Project
    release: Release
    files: list[ReleaseFile]


class Releasing(UseCases):
    def __init__(
        self,
        shared: Shared,
        entitlements: Entitlements,
    ) -> None:
        super().__init__(shared)
        self._entitlements = entitlements

    async def publish(
        self, slug: str, by: Principal, values: Mapping[str, Any], *, key: str | None = None
    ) -> ShownRelease:
        """
        Args:
            values: `version`, `notes` and `prerelease`; None for the last means what the version says by itself.
            key: the caller's `Idempotency-Key`; the same request with the same key makes nothing new for a day.

        Raises:
            ProjectNotFound, NotYourProject, ProjectRefused, VersionTaken, TooManyReleases, SameKeyOtherProject, …
        """
        policy.require_account(by)
        fields, problems = checked_release(values)
        print_of_request = fingerprint({"slug": slug, **values})
        if key and (earlier := await self._made_before(by, key, print_of_request)):
            return earlier
        await self.brake(by)
        try:
            async with self.unit_of_work() as work:
                project = (await self.find(work.stores, slug, to_change=True)).project
                policy.require(Action.CHANGE, by, project)
                require_good(problems)
                new = self._new(project, fields)
                await self._add(work, project, new)
                if key:
                    await work.stores.requests.add(by.id, key, print_of_request, new.id, new.created_at)
                project = await self._tell(work, project, is_news=True)
                if project.is_listed:
                    work.publish(_published(project, new))
        except BaseException:
            # The same request may have come twice at the same moment; the other one made it then.
            if key and (earlier := await self._made_before(by, key, print_of_request)):
                return earlier
            raise
        await self.catalogue.catch_up([project.id])
        return ShownRelease(project, new, [])

    async def list(self, slug: str, by: Principal, wanted: PageRequest) -> Page[ReleaseSummary]:
        """
        All releases of a project, the newest version first; also those that were taken back.

        Raises:
            ProjectNotFound
        """
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
            policy.require(Action.SEE, by, project)
            return await stores.releases.page_of(project.id, wanted)

    async def get(self, slug: str, version: str, by: Principal) -> ShownRelease:
        """
        Raises:
            ProjectNotFound, ReleaseNotFound
        """
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
            policy.require(Action.SEE, by, project)
            release = await release_of(stores, project, version)
            files = await stores.releases.files_of(release.id)
        if project.repository_url and not await self._entitlements.may_have(by, project):
            # Links of the notes would tell where the code is.
            project = replace(project, repository_url=None)
        return ShownRelease(project, release, files)

    async def change(self, slug: str, version: str, by: Principal, values: Mapping[str, Any]) -> ShownRelease:
        """
        Args:
            values: `notes`, `yanked`, `prerelease`; those that are absent stay.

        Raises:
            ProjectNotFound, NotYourProject, ReleaseNotFound, ProjectRefused, …
        """
        policy.require_account(by)
        fields, problems = checked_release(values)
        await self.brake(by)
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.CHANGE, by, project)
            require_good(problems)
            before = await release_of(work.stores, project, version)
            after = before.changed(fields, self.clock.now())
            if after is not before:
                await work.stores.releases.save(after)
                project = await self._tell(work, project)
            shown = ShownRelease(project, after, await work.stores.releases.files_of(after.id))
        await self.catalogue.catch_up([project.id])
        return shown

    async def delete(self, slug: str, version: str, by: Principal) -> None:
        """
        Delete a release of which nobody has got a file. Its files' names stay theirs, if others could see them.

        Raises:
            ProjectNotFound, NotYourProject, ReleaseNotFound, ReleaseInUse, …
        """
        policy.require_account(by)
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.CHANGE, by, project)
            release = await release_of(work.stores, project, version)
            if project.was_public:
                await work.stores.releases.spend(release, await work.stores.releases.files_of(release.id))
            if not await work.stores.releases.delete_undownloaded(release.id):
                raise ReleaseInUse(release.version)
            project = await self._tell(work, project)
        await self.catalogue.catch_up([project.id])

    def _new(self, project: Project, fields: Mapping[str, Any]) -> Release:
        version: ReleaseVersion = fields["version"]
        now = self.clock.now()
        return Release(
            id=ReleaseId(new_id("rel")),
            project_id=project.id,
            version=version.text,
            version_key=version.key,
            notes=fields["notes"],
            prerelease=version.is_prerelease if fields["prerelease"] is None else fields["prerelease"],
            yanked=False,
            downloaded=False,
            created_at=now,
            updated_at=now,
        )

    async def _add(self, work: MarketplaceWork, project: Project, new: Release) -> None:
        # The project is held until the end of the transaction: nobody else releases it meanwhile.
        if await work.stores.releases.find(project.id, new.version_key):
            raise VersionTaken(new.version)
        if await work.stores.releases.count_of(project.id) >= MAX_RELEASES:
            raise TooManyReleases(MAX_RELEASES)
        await work.stores.releases.add(new)

    async def _tell(self, work: MarketplaceWork, project: Project, *, is_news: bool = False) -> Project:
        """Let the project name its newest version. Its revision stays: nobody's edits of it are outdated by that."""
        latest = await work.stores.releases.latest_of(project.id)
        if latest == project.latest_version and not is_news:
            return project
        after = replace(project, latest_version=latest, updated_at=self.clock.now())
        await work.stores.projects.save(after)
        if after.is_listed:
            work.publish(ProjectChanged(project_id=after.id, owner_id=after.owner_id, at=after.updated_at))
        return after

    async def _made_before(self, by: Principal, key: str, print_of_request: str) -> ShownRelease | None:
        async with self.reading() as stores:
            if (made := await stores.requests.find(by.id, key)) is None:
                return None
            earlier_print, release_id = made
            if earlier_print != print_of_request:
                raise SameKeyOtherProject
            release = await stores.releases.get(release_id)
            shown = await stores.projects.get(release.project_id) if release else None
            if release is None or shown is None:
                raise ReleaseNotFound(release_id)
            return ShownRelease(shown.project, release, await stores.releases.files_of(release.id))


async def release_of(stores: Stores, project: Project, version: str) -> Release:
    """
    The release of a version, however it is written: `1.0` finds `1.0.0`.

    Raises:
        ReleaseNotFound
    """
    wanted = version_of(version)
    release = await stores.releases.find(project.id, wanted.key) if wanted else None
    if release is None:
        raise ReleaseNotFound(version)
    return release


def _published(project: Project, release: Release) -> ReleasePublished:
    return ReleasePublished(
        project_id=project.id,
        owner_id=project.owner_id,
        release_id=release.id,
        version=release.version,
        prerelease=release.prerelease,
        at=release.created_at,
    )
