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
    ReleasePublished,
)
from opencode.infra.cache import Cache
from opencode.infra.events import Reactions
from opencode.modules.marketplace.domain.surrogates import OUTDATES, outdated_by
from opencode.modules.marketplace.service.catalogue import Catalogue
from opencode.modules.marketplace.service.people import People
from opencode.modules.marketplace.service.purging import Purging
from opencode.modules.marketplace.service.resembling import Resembling
from opencode.modules.marketplace.service.telling import Telling

OneProject = ProjectPublished | ProjectChanged | ProjectWithdrawn


def outdate(reactions: Reactions, cache: Cache) -> None:
    """Drop from the cache what events outdate. Added first of all: what is read anew must not come out of it."""

    async def drop_outdated(event: Event) -> None:
        await cache.drop(outdated_by([event]))

    for event_type in OUTDATES:
        reactions.add(event_type, drop_outdated)


def purge(reactions: Reactions, purging: Purging) -> None:
    """Let a cache in front of the server hear of the same. Added last: it is to read anew what is new by then."""
    if not purging.is_set_up:
        return

    async def note_outdated(event: Event) -> None:
        await purging.note(outdated_by([event]))

    for event_type in OUTDATES:
        reactions.add(event_type, note_outdated)


def add_reactions(
    reactions: Reactions, catalogue: Catalogue, people: People, telling: Telling, resembling: Resembling
) -> None:
    _keep_in_step(reactions, catalogue, people)

    async def tell_published(event: ProjectPublished) -> None:
        await telling.tell_published(event.project_id, event.at)

    async def tell_released(event: ReleasePublished) -> None:
        await telling.tell_released(event.project_id, event.version)

    async def examine_name(event: ProjectPublished | ProjectChanged) -> None:
        await resembling.examine(event.project_id)

    async def welcome(event: UserRegistered) -> None:
        await people.welcome(event.user_id)

    # Only of single publications: an import of thousands must not fill anybody's inbox.
    reactions.add(ProjectPublished, tell_published)
    reactions.add(ReleasePublished, tell_released)
    for event_type in (ProjectPublished, ProjectChanged):
        reactions.add(event_type, examine_name)
    reactions.add(UserRegistered, welcome)


def _keep_in_step(reactions: Reactions, catalogue: Catalogue, people: People) -> None:
    """Let the index of every server look at what has changed."""

    async def look_again(event: OneProject) -> None:
        await catalogue.tell([event.project_id])

    async def look_at_imported(event: ProjectsImported) -> None:
        await catalogue.tell(event.project_ids)

    async def note_standing(event: ProjectStood) -> None:
        await catalogue.tell(event.project_ids, only_standing=True)

    async def look_at_all_of(event: PersonRenamed) -> None:
        await people.tell_renamed(event.user_id)

    for event_type in (ProjectPublished, ProjectChanged, ProjectWithdrawn):
        reactions.add(event_type, look_again)
    reactions.add(ProjectsImported, look_at_imported)
    reactions.add(ProjectStood, note_standing)
    reactions.add(PersonRenamed, look_at_all_of)
