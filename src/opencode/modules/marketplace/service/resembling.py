"""
Names that could be taken for those of well used projects of other people. Owners are told, moderators see it, and
nothing is refused.
"""

from dataclasses import dataclass

import structlog

from opencode.contracts.notifications import NoticeGiven, NoticeKind
from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import ProjectId, UserId
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.moderation import CaseKind
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.similarity import MOST_SHOWN, Likeness, candidates, resembled
from opencode.modules.marketplace.domain.slugs import name_of
from opencode.modules.marketplace.domain.text import line_problem
from opencode.modules.marketplace.domain.views import Card
from opencode.modules.marketplace.errors import CatalogueFilling, ProjectRefused
from opencode.modules.marketplace.service.base import UseCases, subject_of
from opencode.modules.marketplace.service.cases import open_case

log = structlog.get_logger(__name__)

MAX_ASKED = 120
_MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class Similar:
    """A well used project of somebody else whose name resembles another one."""

    card: Card
    likeness: Likeness

    def told_of(self, name: str) -> str:
        return f"The name {name} is {self.likeness} of {self.card.slug}, which many people use."


@dataclass(frozen=True, slots=True)
class NameChecked:
    """
    What is to be known of a name before one takes it.

    Attributes:
        name: as it would be in the address.
        is_available: has none of the caller's projects this name, or had it?
    """

    name: str
    is_available: bool
    similar: list[Similar]


class Resembling(UseCases):
    async def check(self, wanted: str, by: Principal) -> NameChecked:
        """
        Raises:
            Unauthenticated: nobody is signed in.
            ProjectRefused: it is no title.
            CatalogueFilling
        """
        policy.require_account(by)
        if problem := line_problem(wanted.strip(), MAX_ASKED, least=1):
            raise ProjectRefused((FieldProblem("/name", problem),))
        name = name_of(wanted)
        async with self.reading() as stores:
            taken = await stores.projects.taken([(by.id, name)])
        return NameChecked(name, not taken, await self._similar({wanted, name}, by.id))

    async def notices_for(self, project: Project) -> list[str]:
        """
        What its owner should know of a published project's name. Nothing while the catalogue is being read; moderators
        see it all the same when it is there.
        """
        try:
            return [each.told_of(project.slug) for each in await self._similar_to(project)]
        except CatalogueFilling:
            return []

    async def examine(self, project_id: ProjectId) -> None:
        """
        Show moderators a project whose name resembles another one; once for each name.

        Raises:
            CatalogueFilling: to be tried again.
        """
        async with self.reading() as stores:
            found = await stores.projects.get(project_id)
        if found is None or not (similar := await self._similar_to(found.project)):
            return
        project, told = found.project, similar[0].told_of(found.project.slug)
        moderators = await self.identity.holders_of(policy.TO_MODERATE)
        async with self.unit_of_work() as work:
            subject = subject_of(project)
            before = await work.stores.moderation.of_subject(subject, to_change=True)
            if before and any(step.text == told for step in await work.stores.moderation.latest_steps(before.id)):
                return
            now = self.clock.now()
            case = await open_case(work, subject, CaseKind.SIMILAR, told, now)
            if recipients := tuple(sorted(moderators - {UserId(project.owner_id)})):
                notice = NoticeGiven(
                    kind=NoticeKind.REPORT_FILED,
                    key=f"{case.id}:similar:{case.decisions}",
                    recipient_ids=recipients,
                    title=told,
                    path=f"/moderation/{case.id}",
                    at=now,
                )
                work.publish(notice)
        log.info("similar name published", project_id=project.id, resembles=similar[0].card.id)

    async def _similar_to(self, project: Project) -> list[Similar]:
        if not project.is_listed:
            return []
        async with self.reading() as stores:
            own = (await stores.counting.of([project.id])).get(project.id)
        popularity = own.standing.popularity if own else 0.0
        return await self._similar({project.name, project.title}, project.owner_id, popularity)

    async def _similar(self, names: set[str], owner_id: str, popularity: float = 0.0) -> list[Similar]:
        wanted: dict[str, Likeness] = {}
        for name in sorted(names):
            for each, likeness in candidates(name).items():
                wanted[each] = min(likeness, wanted.get(each, likeness), key=list(Likeness).index)
        namesakes = await self.catalogue.named(wanted, _MOST_FOUND)
        found = resembled(wanted, namesakes, self.settings.similar_popularity, popularity)
        async with self.reading() as stores:
            cards = await stores.projects.cards([each.project_id for each in found])
            own = set(await stores.projects.owned_among([each.project_id for each in found], owner_id))
        others = [each for each in found if each.project_id in cards and each.project_id not in own]
        return [Similar(cards[each.project_id], each.likeness) for each in others[:MOST_SHOWN]]
