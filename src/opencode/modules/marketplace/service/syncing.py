"""Reading a project again from where its code lives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opencode.kernel.errors import FieldProblem
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.views import Shown
from opencode.modules.marketplace.errors import NoSource, SourceUnknown
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import Shared, UseCases, require_current
from opencode.modules.marketplace.service.drafting import Drafting
from opencode.modules.marketplace.service.publishing import Publishing

_REPLACED = ("description",)
_FILLED = ("summary", "technologies", "license")
"""Only where the project says nothing of its own yet: these its author words otherwise than the repository does."""


@dataclass(frozen=True, slots=True)
class Synced:
    """
    Attributes:
        changed: names of the fields that are different now.
        problems: what could not be told and would have been taken.
    """

    shown: Shown
    changed: tuple[str, ...]
    problems: tuple[FieldProblem, ...]


class Syncing(UseCases):
    def __init__(self, shared: Shared, drafting: Drafting, publishing: Publishing) -> None:
        super().__init__(shared)
        self._drafting = drafting
        self._publishing = publishing

    async def sync(self, slug: str, by: Principal, *, if_match: str | None = None) -> Synced:
        """
        Take the README of a project's repository as its description, and fill in what the project does not say. What
        the repository does not tell stays as it is.

        Args:
            if_match: the header; nothing is read for another revision than one that it names.

        Raises:
            ProjectNotFound, NotYourProject, ProjectHeld, NoSource
            ProjectOutdated: also when the project was changed while its repository was being read.
            DraftsTooFast, ProjectsTooFast, SourceMissing, SourcePrivate, SourceBusy, SourceTooLarge, SourceUnreadable,
            FetchFailed
        """
        policy.require_account(by)
        async with self.reading() as stores:
            before = (await self.find(stores, slug)).project
        policy.require(Action.CHANGE, by, before)
        require_current(before.slug, before.revision, if_match)
        if before.repository_url is None:
            raise NoSource(before.slug, None, ())
        try:
            told = await self._drafting.read(by, before.repository_url)
        except SourceUnknown:
            raise NoSource(before.slug, before.repository_url, self._drafting.hosts(by)) from None
        values = _taken(before, told.fields)
        # Nobody waits with a lock for another server's answer, so what is empty may be filled by now.
        shown = await self._publishing.change(slug, by, values, if_match=f'"{before.revision}"')
        changed = tuple(name for name in values if getattr(before, name) != getattr(shown.project, name))
        return Synced(shown, changed, _of_interest(before, told.problems))


def _wanted(project: Project) -> tuple[str, ...]:
    return (*_REPLACED, *(name for name in _FILLED if not getattr(project, name)))


def _taken(project: Project, told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in _wanted(project) if told[name]}


def _of_interest(project: Project, problems: tuple[FieldProblem, ...]) -> tuple[FieldProblem, ...]:
    wanted = _wanted(project)
    return tuple(problem for problem in problems if problem.pointer.split("/")[1] in wanted)
