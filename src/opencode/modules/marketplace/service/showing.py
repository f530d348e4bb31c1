"""What everybody may read of projects, for pages that are the same for all. Nothing is counted here."""

import asyncio
from dataclasses import dataclass, replace

from opencode.kernel.principal import ANONYMOUS
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.adapters.readme import render, summary_of
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.repositories import repository_of
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import UseCases


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


class Showing(UseCases):
    async def project(self, slug: str) -> Sheet:
        """
        Raises:
            ProjectNotFound: there is none, or nobody but its owner sees it.
        """
        async with self.reading() as stores:
            shown = await self.find(stores, slug)
        policy.require(Action.SEE, ANONYMOUS, shown.project)
        project = shown.project
        if project.slug != slug:
            return Sheet(project, shown.owner_name, "", "")
        if not policy.may_have(ANONYMOUS, project):
            # Where what is sold is kept, and what leads there, only who paid for it reads.
            project = replace(project, repository_url=None)
        # A long text takes a while, and others are waiting.
        summary, readme = await asyncio.to_thread(_read, project)
        return Sheet(project, shown.owner_name, summary, readme)


def _read(project: Project) -> tuple[str, str]:
    repository = repository_of(project.repository_url) if project.repository_url else None
    return project.summary or summary_of(project.description), render(project.description, repository)
