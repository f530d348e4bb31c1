"""Events in, of this module and of others. Each may come twice, and late."""

from opencode.contracts.events import Event
from opencode.contracts.identity import UserRegistered
from opencode.contracts.marketplace import (
    PersonRenamed,
    ProjectChanged,
    ProjectPublished,
    ProjectsImported,
    ProjectStood,
    ProjectWithdrawn,
)
from opencode.infra.cache import Cache
from opencode.infra.events import Reactions
from opencode.modules.marketplace.domain.surrogates import OUTDATES, outdated_by
from opencode.modules.marketplace.service.catalogue import Catalogue
from opencode.modules.marketplace.service.people import People
from opencode.modules.marketplace.service.telling import Telling

OneProject = ProjectPublished | ProjectChanged | ProjectWithdrawn


def add_reactions(reactions: Reactions, catalogue: Catalogue, people: People, telling: Telling, cache: Cache) -> None:
    async def drop_outdated(event: Event) -> None:
        await cache.drop(outdated_by([event]))

    async def look_again(event: OneProject) -> None:
        await catalogue.tell([event.project_id])

    async def tell_published(event: ProjectPublished) -> None:
        await telling.tell_published(event.project_id, event.at)

    async def look_at_imported(event: ProjectsImported) -> None:
        await catalogue.tell(event.project_ids)

    async def note_standing(event: ProjectStood) -> None:
        await catalogue.tell(event.project_ids, only_standing=True)

    async def look_at_all_of(event: PersonRenamed) -> None:
        await people.tell_renamed(event.user_id)

    async def welcome(event: UserRegistered) -> None:
        await people.welcome(event.user_id)

    # First of all: what is read anew must not come out of a cache.
    for event_type in OUTDATES:
        reactions.add(event_type, drop_outdated)
    for event_type in (ProjectPublished, ProjectChanged, ProjectWithdrawn):
        reactions.add(event_type, look_again)
    # Only of single publications: an import of thousands must not fill anybody's inbox.
    reactions.add(ProjectPublished, tell_published)
    reactions.add(ProjectsImported, look_at_imported)
    reactions.add(ProjectStood, note_standing)
    reactions.add(PersonRenamed, look_at_all_of)
    reactions.add(UserRegistered, welcome)
