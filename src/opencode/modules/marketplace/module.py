"""The plug of the marketplace."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar import Router
from litestar.di import Provide

from opencode.contracts.identity import Identity
from opencode.infra.db import Database
from opencode.infra.events import Reactions
from opencode.infra.plugs import Parts, Plug
from opencode.infra.settings import SettingsError, variable_of
from opencode.modules.marketplace.adapters.payments import Manual, Stripe
from opencode.modules.marketplace.domain.catalog import CatalogIndex
from opencode.modules.marketplace.domain.ledger import Check
from opencode.modules.marketplace.jobs import jobs
from opencode.modules.marketplace.reactions import add_reactions
from opencode.modules.marketplace.routes import ROUTES
from opencode.modules.marketplace.routes.pages import MarketplacePages
from opencode.modules.marketplace.service.browsing import Browsing
from opencode.modules.marketplace.service.catalogue import Catalogue
from opencode.modules.marketplace.service.collecting import Collecting
from opencode.modules.marketplace.service.counting import Counting
from opencode.modules.marketplace.service.entitling import Entitlements
from opencode.modules.marketplace.service.feeding import Feeding
from opencode.modules.marketplace.service.following import Following
from opencode.modules.marketplace.service.importing import Importing
from opencode.modules.marketplace.service.listening import Listening
from opencode.modules.marketplace.service.ordering import Ordering
from opencode.modules.marketplace.service.paying import Paying
from opencode.modules.marketplace.service.people import People
from opencode.modules.marketplace.service.publishing import Publishing
from opencode.modules.marketplace.service.reviewing import Reviewing
from opencode.modules.marketplace.service.showing import Showing
from opencode.modules.marketplace.service.sitemaps import Sitemaps
from opencode.modules.marketplace.service.telling import Telling
from opencode.modules.marketplace.service.tidying import Tidying
from opencode.modules.marketplace.service.visiting import Visiting
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.marketplace.store import reading


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
    entitlements = Entitlements(parts, settings, identity, catalogue)
    visiting = Visiting(parts, settings, identity, catalogue, counting, entitlements)
    browsing = Browsing(parts, settings, identity, catalogue)
    people = People(parts, settings, identity, catalogue)
    importing = Importing(parts, settings, identity, catalogue)
    following = Following(parts, settings, identity, catalogue)
    telling = Telling(parts, settings, identity, catalogue)
    reviewing = Reviewing(parts, settings, identity, catalogue)
    collecting = Collecting(parts, settings, identity, catalogue)
    feeding = Feeding(parts, settings, identity, catalogue, browsing)
    tidying = Tidying(parts, settings, identity, catalogue)
    stripe = build_stripe(settings)
    providers = {provider.name: provider for provider in (Manual(), stripe) if provider}
    ordering = Ordering(parts, settings, identity, catalogue, providers)
    paying = Paying(parts, settings, identity, catalogue, providers)
    sitemaps = Sitemaps(parts, settings, identity, catalogue)
    showing = Showing(parts, settings, identity, catalogue)
    pages = MarketplacePages(browsing, showing, people, parts.public_url)

    def react(reactions: Reactions) -> None:
        add_reactions(reactions, catalogue, people, telling, parts.cache)

    async def stop() -> None:
        await importing.close()
        await counting.close()
        await catalogue.close()

    def notices() -> dict[str, str]:
        return {} if catalogue.is_ready else {"catalogue": "is being read; searching answers 503 until it is done"}

    services = {
        "browsing": browsing,
        "entitlements": entitlements,
        "collecting": collecting,
        "feeding": feeding,
        "following": following,
        "importing": importing,
        "listening": Listening(parts.clock, paying, stripe),
        "ordering": ordering,
        "paying": paying,
        "people": people,
        "publishing": publishing,
        "reviewing": reviewing,
        "sitemaps": sitemaps,
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
        pages=pages.offer,
        jobs=jobs(counting, tidying, catalogue, ordering, paying),
        notices=notices,
        start=catalogue.start,
        stop=stop,
    )
    return MarketplaceModule(plug, catalogue, counting, importing, telling)


async def check_ledger(database: Database) -> Check:
    """Add the ledger up, for an operator who has the database and no server."""
    async with reading(database) as stores:
        return await stores.ledger.check()


def build_stripe(settings: MarketplaceSettings) -> Stripe | None:
    """
    Stripe, when it is set up; it may be while others take new payments, to end what was begun with it.

    Raises:
        SettingsError
    """
    given = {
        "marketplace_stripe_url": settings.marketplace_stripe_url,
        "marketplace_stripe_secret_key": settings.marketplace_stripe_secret_key,
        "marketplace_stripe_webhook_secret": settings.marketplace_stripe_webhook_secret,
    }
    if settings.marketplace_payments != "stripe" and not any(given.values()):
        return None
    if missing := [variable_of(name) for name, value in given.items() if not value]:
        raise SettingsError([f"{name} is missing: payments through Stripe need it" for name in missing])
    try:
        url, secret_key, webhook_secret = given.values()
        return Stripe(url, secret_key, webhook_secret)
    except ValueError as error:
        raise SettingsError([f"{variable_of('marketplace_stripe_url')} and its secrets: {error}"]) from None


def _always(service: Any) -> Callable[[], Any]:
    return lambda: service
