"""What everybody may read of projects, for pages that are the same for all. Nothing is counted here."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from opencode.kernel.principal import ANONYMOUS
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.review import Ratings
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import Shared, UseCases
from opencode.modules.marketplace.service.readmes import Readmes

Summarise = Callable[[str], str]
"""What a text in Markdown says first, as one line."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """
    A project as its public page shows it.

    Attributes:
        summary: the owner's, or else what the description says first.
        readme: the description as sanitised HTML.
    """

    project: Project
    owner_name: str
    summary: str
    readme: str
    ratings: Ratings


class Showing(UseCases):
    def __init__(
        self,
        shared: Shared,
        readmes: Readmes,
        summarise: Summarise,
    ) -> None:
        super().__init__(shared)
        self._readmes = readmes
        self._summarise = summarise

    async def project(self, slug: str) -> Sheet:
        """
        Raises:
            ProjectNotFound: there is none, or nobody but its owner sees it.
        """
        async with self.reading() as stores:
            shown = await self.find(stores, slug)
            ratings = await stores.reviews.ratings_of(shown.project.id)
        policy.require(Action.SEE, ANONYMOUS, shown.project)
        project = shown.project
        if project.slug != slug:
            return Sheet(project, shown.owner_name, "", "", Ratings())
        if not policy.may_have(ANONYMOUS, project):
            # Where what is sold is kept, and what leads there, only who paid for it reads.
            project = replace(project, repository_url=None)
        summary = project.summary or await asyncio.to_thread(self._summarise, project.description)
        readme = await self._readmes.html_of(project.description, project.repository_url)
        return Sheet(project, shown.owner_name, summary, readme, ratings)
