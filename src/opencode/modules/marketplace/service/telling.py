"""
Telling people of what they follow. It happens after the fact, from its event, so that whoever publishes waits for none
of it. What is told is public: a project is looked at again before anybody hears of it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from opencode.contracts.notifications import MAX_RECIPIENTS, NoticeGiven, NoticeKind
from opencode.kernel.ids import ProjectId, UserId
from opencode.modules.marketplace.domain.addresses import page_of_project
from opencode.modules.marketplace.domain.digest import words_of_listing
from opencode.modules.marketplace.domain.following import FollowKind, keys_of
from opencode.modules.marketplace.domain.project import Project, listing_of
from opencode.modules.marketplace.domain.views import Shown
from opencode.modules.marketplace.service.base import UseCases


@dataclass(frozen=True, slots=True)
class News:
    """What is told of a project. `key` names what happened, such as `prj_…:released:1.2.0`."""

    kind: NoticeKind
    key: str
    title: str
    body: str = ""


class Telling(UseCases):
    async def tell_published(self, project_id: ProjectId, at: datetime) -> None:
        """
        Tell of a project's first publication: its owner's followers, and whoever follows a search that it fits.

        Args:
            at: when; what was published before, archived and published again is no news.
        """
        if (shown := await self._public(project_id)) is None or shown.project.published_at != at:
            return
        project = shown.project
        of_person = News(
            NoticeKind.PROJECT_PUBLISHED,
            f"{project.id}:published",
            f"{shown.owner_name} has published {project.title}",
            project.summary,
        )
        of_search = News(
            NoticeKind.SEARCH_MATCHED,
            f"{project.id}:matched",
            f"{project.title} fits a search that you follow",
            project.summary,
        )
        await self._tell(self._followers(FollowKind.PERSON, project.owner_id), project, of_person)
        await self._tell(self._searching(project), project, of_search)

    async def tell_released(self, project_id: ProjectId, version: str) -> None:
        """Tell those who follow a project of its release."""
        if shown := await self._public(project_id):
            title = f"{shown.project.title} {version} is released"
            await self.tell_followers(
                project_id, News(NoticeKind.PROJECT_RELEASED, f"{project_id}:released:{version}", title)
            )

    async def tell_followers(self, project_id: ProjectId, news: News) -> None:
        """Tell those who follow a project, such as of a release. Nobody hears of one that is not public."""
        if shown := await self._public(project_id):
            await self._tell(self._followers(FollowKind.PROJECT, project_id), shown.project, news)

    async def _public(self, project_id: ProjectId) -> Shown | None:
        async with self.reading() as stores:
            shown = await stores.projects.get(project_id)
        return shown if shown and shown.project.is_listed else None

    async def _tell(self, audience: AsyncIterator[Sequence[str]], project: Project, news: News) -> None:
        async for some in audience:
            # Each part by itself: an event that comes again tells all again, and the key keeps it to once.
            if recipients := sorted({UserId(user_id) for user_id in some if user_id != project.owner_id}):
                async with self.unit_of_work() as work:
                    work.publish(
                        NoticeGiven(
                            kind=news.kind,
                            key=news.key,
                            recipient_ids=tuple(recipients),
                            title=news.title,
                            body=news.body,
                            path=page_of_project(project.slug),
                            at=self.clock.now(),
                        )
                    )

    async def _followers(self, kind: FollowKind, target_id: str) -> AsyncIterator[Sequence[str]]:
        after: str | None = ""
        while after is not None:
            async with self.reading() as stores:
                some = await stores.following.followers_after(kind, target_id, after, MAX_RECIPIENTS)
            yield some
            after = some[-1] if some else None

    async def _searching(self, project: Project) -> AsyncIterator[Sequence[str]]:
        words = words_of_listing(listing_of(project))
        async with self.reading() as stores:
            keys = await stores.following.keys_in_use(keys_of(words))
        for key in keys:
            after: str | None = ""
            while after is not None:
                async with self.reading() as stores:
                    some = await stores.following.searches_under(key, after, MAX_RECIPIENTS)
                yield [search.user_id for search in some if search.fits(words)]
                after = some[-1].id if some else None
                await asyncio.sleep(0)  # requests come in between
