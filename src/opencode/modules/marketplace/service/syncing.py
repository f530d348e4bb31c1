"""Reading a project again from where its code lives."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from opencode.kernel.errors import FieldProblem
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.readings import Offer, Prints, SyncField, offers_of, prints_after
from opencode.modules.marketplace.domain.views import Shown
from opencode.modules.marketplace.errors import NoSource, SourceUnknown
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import Shared, UseCases, require_current
from opencode.modules.marketplace.service.drafting import Drafting
from opencode.modules.marketplace.service.publishing import Publishing


@dataclass(frozen=True, slots=True)
class Reading:
    """
    A project beside what its repository says.

    Attributes:
        told: fields by name; what was not told is empty.
        last: what was read the time before.
        offers: what would be different.
        problems: what could not be told and could have been taken.
    """

    project: Project
    told: Mapping[str, Any]
    last: Prints
    offers: tuple[Offer, ...]
    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True)
class Synced:
    """
    Attributes:
        changed: names of the fields that are different now.
        kept: those that are still the author's, and of which the repository says something else.
        problems: what could not be told and would have been taken.
    """

    shown: Shown
    changed: tuple[SyncField, ...]
    kept: tuple[SyncField, ...]
    problems: tuple[FieldProblem, ...]


class Syncing(UseCases):
    def __init__(self, shared: Shared, drafting: Drafting, publishing: Publishing) -> None:
        super().__init__(shared)
        self._drafting = drafting
        self._publishing = publishing

    async def preview(self, slug: str, by: Principal) -> Reading:
        """
        What a project's repository says otherwise than the project. Nothing is changed.

        Raises:
            ProjectNotFound, NotYourProject, ProjectHeld, NoSource
            DraftsTooFast, SourceMissing, SourcePrivate, SourceBusy, SourceTooLarge, SourceUnreadable, FetchFailed
        """
        return await self._read(slug, by, None)

    async def sync(
        self, slug: str, by: Principal, take: Collection[SyncField] | None = None, *, if_match: str | None = None
    ) -> Synced:
        """
        Take over what a project's repository says of it. What it does not tell stays as it is.

        Args:
            take: these fields and no other, whoever has worded them; None for all that their author has not.
            if_match: the header; nothing is read for another revision than one that it names.

        Raises:
            ProjectNotFound, NotYourProject, ProjectHeld, NoSource
            ProjectOutdated: also when the project was changed while its repository was being read.
            DraftsTooFast, ProjectsTooFast, SourceMissing, SourcePrivate, SourceBusy, SourceTooLarge, SourceUnreadable,
            FetchFailed
        """
        read = await self._read(slug, by, if_match)
        before = read.project
        taken = [each for each in read.offers if (each.field in take if take is not None else not each.by_hand)]
        values = {each.field.value: each.told for each in taken}
        # Nobody waits with a lock for another server's answer, so what was read may be outdated by now.
        shown = await self._publishing.change(slug, by, values, if_match=f'"{before.revision}"')
        prints = prints_after(shown.project, read.told, read.last)
        if prints != read.last:
            # Should this be lost, its author is asked once more, and nothing of theirs is replaced.
            async with self.unit_of_work() as work:
                await work.stores.readings.save(before.id, prints, self.clock.now())
        changed = tuple(
            each.field for each in taken if getattr(before, each.field) != getattr(shown.project, each.field)
        )
        kept = tuple(each.field for each in read.offers if each.by_hand and each not in taken)
        return Synced(shown, changed, kept, read.problems)

    async def _read(self, slug: str, by: Principal, if_match: str | None) -> Reading:
        policy.require_account(by)
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
            last = await stores.readings.last(project.id)
        policy.require(Action.CHANGE, by, project)
        require_current(project.slug, project.revision, if_match)
        if project.repository_url is None:
            raise NoSource(project.slug, None, ())
        try:
            told = await self._drafting.read(by, project.repository_url)
        except SourceUnknown:
            raise NoSource(project.slug, project.repository_url, self._drafting.hosts(by)) from None
        offers = offers_of(project, told.fields, last)
        return Reading(project, told.fields, last, offers, _of_interest(project, told.problems))


def _of_interest(project: Project, problems: tuple[FieldProblem, ...]) -> tuple[FieldProblem, ...]:
    """Of the description, which is expected there, and of what the project does not say."""
    wanted = {SyncField.DESCRIPTION, *(field for field in SyncField if not getattr(project, field))}
    return tuple(problem for problem in problems if problem.pointer.split("/")[1] in wanted)
