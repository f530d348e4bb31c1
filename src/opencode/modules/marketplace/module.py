"""The plug of the marketplace."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar import Router
from litestar.di import Provide

from opencode.contracts.identity import Identity
from opencode.infra.events import Reactions
from opencode.infra.plugs import Parts, Plug
from opencode.modules.marketplace.domain.catalog import CatalogIndex
from opencode.modules.marketplace.jobs import jobs
from opencode.modules.marketplace.reactions import add_reactions
from opencode.modules.marketplace.routes import ROUTES
from opencode.modules.marketplace.service.browsing import Browsing
from opencode.modules.marketplace.service.catalogue import Catalogue
from opencode.modules.marketplace.service.collecting import Collecting
from opencode.modules.marketplace.service.counting import Counting
from opencode.modules.marketplace.service.feeding import Feeding
from opencode.modules.marketplace.service.following import Following
from opencode.modules.marketplace.service.importing import Importing
from opencode.modules.marketplace.service.people import People
from opencode.modules.marketplace.service.publishing import Publishing
from opencode.modules.marketplace.service.reviewing import Reviewing
from opencode.modules.marketplace.service.telling import Telling
from opencode.modules.marketplace.service.tidying import Tidying
from opencode.modules.marketplace.service.visiting import Visiting
from opencode.modules.marketplace.settings import MarketplaceSettings


@dataclass(frozen=True, slots=True)
class MarketplaceModule:
    """What wiring gets: the plug, and what tests wait for."""

    plug: Plug
    catalogue: Catalogue
    counting: Counting
    importing: Importing
    telling: Telling


def build_index() -> CatalogIndex:
    """The index of this process, empty."""
    # Loaded only here: a process that does without the marketplace does without its index too.
    from opencode.modules.marketplace.adapters.catalog import EmbeddedCatalog

    return EmbeddedCatalog()


def build(parts: Parts, settings: MarketplaceSettings, *, identity: Identity, index: CatalogIndex) -> MarketplaceModule:
    """Put the module together."""
    catalogue = Catalogue(parts, index)
    counting = Counting(parts, catalogue)
    publishing = Publishing(parts, settings, identity, catalogue)
    visiting = Visiting(parts, settings, identity, catalogue, counting)
    browsing = Browsing(parts, settings, identity, catalogue)
    people = People(parts, settings, identity, catalogue)
    importing = Importing(parts, settings, identity, catalogue)
    following = Following(parts, settings, identity, catalogue)
    telling = Telling(parts, settings, identity, catalogue)
    reviewing = Reviewing(parts, settings, identity, catalogue)
    collecting = Collecting(parts, settings, identity, catalogue)
    feeding = Feeding(parts, settings, identity, catalogue, browsing)
    tidying = Tidying(parts, settings, identity, catalogue)

    def react(reactions: Reactions) -> None:
        add_reactions(reactions, catalogue, people, telling)

    async def stop() -> None:
        await importing.close()
        await counting.close()
        await catalogue.close()

    def notices() -> dict[str, str]:
        return {} if catalogue.is_ready else {"catalogue": "is being read; searching answers 503 until it is done"}

    services = {
        "browsing": browsing,
        "collecting": collecting,
        "feeding": feeding,
        "following": following,
        "importing": importing,
        "people": people,
        "publishing": publishing,
        "reviewing": reviewing,
        "visiting": visiting,
    }
    plug = Plug(
        name="marketplace",
        routes=[
            Router(
                "/",
                route_handlers=list(ROUTES),
                dependencies={
                    name: Provide(_always(service), sync_to_thread=False) for name, service in services.items()
                },
            )
        ],
        react=react,
        jobs=jobs(counting, tidying, catalogue),
        notices=notices,
        start=catalogue.start,
        stop=stop,
    )
    return MarketplaceModule(plug, catalogue, counting, importing, telling)


def _always(service: Any) -> Callable[[], Any]:
    return lambda: service
