"""What visitors do with one project: look at it, star it, download it."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

import structlog

from opencode.contracts.marketplace import ProjectStood
from opencode.kernel.errors import FieldProblem, Invalid, Unavailable
from opencode.kernel.ids import ProjectId, is_id
from opencode.kernel.principal import ANONYMOUS, Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.counting import WEEK_DAYS, Kind, Visitor, date_of, day_of
from opencode.modules.marketplace.domain.project import Counters
from opencode.modules.marketplace.domain.views import Day, Shown
from opencode.modules.marketplace.errors import NothingToDownload, ProjectNotFound
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import Shared, UseCases
from opencode.modules.marketplace.service.counting import Counting
from opencode.modules.marketplace.service.entitling import Entitlements
from opencode.modules.marketplace.service.files import Files

log = structlog.get_logger(__name__)

MOST_COUNTED = 100
"""Projects whose counters are told at once."""


class Visiting(UseCases):
    def __init__(
        self,
        shared: Shared,
        counting: Counting,
        entitlements: Entitlements,
        files: Files,
    ) -> None:
        super().__init__(shared)
        self._counting = counting
        self._entitlements = entitlements
        self._files = files

    async def look(self, slug: str, by: Principal, visitor: Visitor) -> tuple[Shown, bool]:
        """
        A project, and whether the caller has starred it. Looks of others than its owner at a published one are
        counted, unless the slug is an old one: the caller comes again then. Where the code of a paid project is, only
        those see who may have it.

        Raises:
            ProjectNotFound
        """
        shown, starred = await self._read(slug, by) if by.is_user else (await self._known(slug), False)
        project = shown.project
        policy.require(Action.SEE, by, project)
        if project.is_listed and project.slug == slug and project.owner_id != by.id:
            try:
                await self._counting.count(Kind.VIEW, project.id, visitor)
            except Unavailable:
                # Nobody is kept from reading because counting has to wait.
                log.warning("a view was not counted", project_id=project.id)
        if project.repository_url and not await self._entitlements.may_have(by, project):
            shown = replace(shown, project=replace(project, repository_url=None))
        return shown, starred

    def look_now(self, slug: str, visitor: Visitor) -> "tuple[Shown, asyncio.Future[None] | None] | None":
        """
        As `look`, for nobody in particular at what is in memory and free: what there is to see, and what is done when
        the look is counted, if it was not before. A look that cannot be counted is one all the same. None: ask `look`.
        """
        if (shown := self.catalogue.known(slug)) is None or not policy.may_have(ANONYMOUS, shown.project):
            return None
        policy.require(Action.SEE, ANONYMOUS, shown.project)
        return shown, self._counting.note(Kind.VIEW, shown.project.id, visitor)

    def download_now(
        self, slug: str, visitor: Visitor, *, key: str | None = None
    ) -> "tuple[str, asyncio.Future[None] | None] | None":
        """
        As `download`, for nobody in particular of what is in memory, free, and only in its repository: where it is,
        and what is done when the download is counted, if it was not before. None: ask `download`.

        Raises:
            NotPublished
        """
        shown = self.catalogue.known(slug)
        if shown is None or shown.project.latest_version or not shown.project.repository_url:
            return None
        if not policy.may_have(ANONYMOUS, shown.project):
            return None
        policy.require(Action.DOWNLOAD, ANONYMOUS, shown.project)
        return shown.project.repository_url, self._counting.note(Kind.DOWNLOAD, shown.project.id, visitor, key=key)

    async def days(self, slug: str, by: Principal, count: int) -> list[Day]:
        """
        What was counted on each of the last days, the oldest first and today the last.

        Raises:
            ProjectNotFound
        """
        project = (await self._known(slug)).project
        policy.require(Action.SEE, by, project)
        first = day_of(self.clock.now()) - count + 1
        async with self.reading() as stores:
            found = await stores.counting.days_of(project.id, first)
        return [Day(day=date_of(day), **found.get(day, {})) for day in range(first, first + count)]

    async def weeks(self, ids: Collection[ProjectId], count: int) -> dict[ProjectId, list[int]]:
        """People's downloads of published projects in each of the last weeks of seven days; the last ends today."""
        first = day_of(self.clock.now()) - count * WEEK_DAYS + 1
        async with self.reading() as stores:
            found = await stores.counting.weeks_of(ids, first)
        return {each: [own.get(week, 0) for week in range(count)] for each, own in found.items()}

    async def counters(self, ids: Sequence[str]) -> dict[ProjectId, Counters]:
        """
        The counters of those of these projects that everybody sees.

        Raises:
            Invalid: what is asked for are not ids, or more than `MOST_COUNTED`.
        """
        if len(ids) > MOST_COUNTED or not all(is_id(each, "prj") for each in ids):
            problem = FieldProblem("/ids", f"must be 1 to {MOST_COUNTED} ids of projects, separated by commas")
            raise Invalid("These are not ids of projects.", action="Send prj_…,prj_….", problems=(problem,))
        public = policy.ALLOWED[Action.SEE][policy.Relation.NOBODY]
        async with self.reading() as stores:
            return await stores.counting.of_those({ProjectId(each) for each in ids}, public)

    async def star(self, slug: str, by: Principal, *, wanted: bool) -> int:
        """
        Set or take back the caller's star; twice is the same as once. Returns how many stars the project has.

        Raises:
            ProjectNotFound, Unauthenticated, NotPublished
        """
        now = self.clock.now()
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug)).project
            policy.require(Action.STAR, by, project)
            after, changed = await work.stores.counting.star(project.id, by.id, wanted=wanted, at=now)
            if changed:
                work.publish(ProjectStood(project_ids=(project.id,), at=now))
        if changed:
            await self.catalogue.count({project.id: after})
        return after.stars

    async def download(self, slug: str, by: Principal, visitor: Visitor, *, key: str | None = None) -> str:
        """
        Count a download and tell where it is: the file of the newest release that has one, or else the repository. The
        answer comes once the download is safely counted.

        Args:
            key: the caller's `Idempotency-Key`. It is of no use for a file, since whoever then gets the file is counted
                as the same visitor.

        Raises:
            ProjectNotFound, NotPublished, ProjectNotBought, NothingToDownload
        """
        project = (await self._known(slug)).project
        await self._files.require_download(by, project)
        url = await self._files.best_of(project) or project.repository_url
        if url is None:
            raise NothingToDownload(project.slug)
        await self._counting.count(
            Kind.DOWNLOAD, project.id, visitor, key=key if url == project.repository_url else None
        )
        return url

    async def _known(self, slug: str) -> Shown:
        """
        The project as everybody may see it; what other servers have just changed may take a second.

        Raises:
            ProjectNotFound
        """
        if (shown := await self.catalogue.find(slug)) is None:
            raise ProjectNotFound(slug)
        return shown

    async def _read(self, slug: str, by: Principal) -> tuple[Shown, bool]:
        """
        The project as it is now, whichever server has changed it, and whether somebody has starred it.

        Raises:
            ProjectNotFound
        """
        async with self.reading() as stores:
            shown = await self.with_case(stores, await self.find(stores, slug))
            return shown, await stores.counting.has_starred(shown.project.id, by.id)
