"""The plug of the marketplace."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from litestar.di import Provide

from opencode.contracts.ai import Assistants
from opencode.contracts.identity import Identity
from opencode.infra.db import Database
from opencode.infra.events import Reactions
from opencode.infra.fetching import Fetcher, Reach
from opencode.infra.http import LateRouter
from opencode.infra.plugs import Parts, Plug
from opencode.infra.settings import SettingsError, variable_of
from opencode.infra.storage import Storage
from opencode.modules.marketplace.adapters.dns import TxtResolver
from opencode.modules.marketplace.adapters.oidc import Issuers
from opencode.modules.marketplace.adapters.payments import Manual, Stripe
from opencode.modules.marketplace.adapters.proofs import Proofs
from opencode.modules.marketplace.adapters.purging import Purger
from opencode.modules.marketplace.domain.catalog import CatalogIndex
from opencode.modules.marketplace.domain.issuers import Issuer
from opencode.modules.marketplace.domain.ledger import Check
from opencode.modules.marketplace.domain.repositories import Repository
from opencode.modules.marketplace.domain.snapshots import Snapshots
from opencode.modules.marketplace.jobs import jobs
from opencode.modules.marketplace.reactions import add_reactions, outdate, purge
from opencode.modules.marketplace.routes import ROUTES
from opencode.modules.marketplace.routes.direct import DirectCalls
from opencode.modules.marketplace.routes.pages import MarketplacePages
from opencode.modules.marketplace.service.base import Shared
from opencode.modules.marketplace.service.browsing import Browsing
from opencode.modules.marketplace.service.catalogue import Catalogue
from opencode.modules.marketplace.service.collecting import Collecting
from opencode.modules.marketplace.service.counting import Counting
from opencode.modules.marketplace.service.drafting import Drafting, ReadDraft
from opencode.modules.marketplace.service.entitling import Entitlements
from opencode.modules.marketplace.service.errands import Errands
from opencode.modules.marketplace.service.feeding import Feeding
from opencode.modules.marketplace.service.files import Files
from opencode.modules.marketplace.service.following import Following
from opencode.modules.marketplace.service.importing import Importing
from opencode.modules.marketplace.service.listening import Listening
from opencode.modules.marketplace.service.moderating import Moderating
from opencode.modules.marketplace.service.ordering import Ordering
from opencode.modules.marketplace.service.paying import Paying
from opencode.modules.marketplace.service.people import People
from opencode.modules.marketplace.service.proving import Proving
from opencode.modules.marketplace.service.publishing import Publishing
from opencode.modules.marketplace.service.purging import Purging
from opencode.modules.marketplace.service.readmes import Readmes, Render
from opencode.modules.marketplace.service.releasing import Releasing
from opencode.modules.marketplace.service.reporting import Reporting
from opencode.modules.marketplace.service.reputing import Reputing
from opencode.modules.marketplace.service.resembling import Resembling
from opencode.modules.marketplace.service.reviewing import Reviewing
from opencode.modules.marketplace.service.showing import Showing
from opencode.modules.marketplace.service.sitemaps import Sitemaps
from opencode.modules.marketplace.service.suggesting import Suggesting
from opencode.modules.marketplace.service.syncing import Syncing
from opencode.modules.marketplace.service.telling import Telling
from opencode.modules.marketplace.service.tidying import Tidying
from opencode.modules.marketplace.service.visiting import Visiting
from opencode.modules.marketplace.settings import MarketplaceSettings
from opencode.modules.marketplace.store import reading

SNAPSHOTS = "catalogue"
"""A folder in the data folder; it may be deleted while no server runs."""


@dataclass(frozen=True, slots=True)
class MarketplaceModule:
    """What wiring gets: the plug, and what tests wait for."""

    plug: Plug
    catalogue: Catalogue
    counting: Counting
    importing: Importing
    telling: Telling
    proving: Proving
    reputing: Reputing
    files: Files
    errands: Errands


@dataclass(frozen=True, slots=True, kw_only=True)
class _Services:
    """All use cases. A route takes one by its name here."""

    browsing: Browsing
    collecting: Collecting
    counting: Counting
    drafting: Drafting
    entitlements: Entitlements
    errands: Errands
    feeding: Feeding
    files: Files
    following: Following
    importing: Importing
    listening: Listening
    moderating: Moderating
    ordering: Ordering
    paying: Paying
    people: People
    proving: Proving
    publishing: Publishing
    purging: Purging
    readmes: Readmes
    releasing: Releasing
    reporting: Reporting
    reputing: Reputing
    resembling: Resembling
    reviewing: Reviewing
    showing: Showing
    sitemaps: Sitemaps
    suggesting: Suggesting
    syncing: Syncing
    telling: Telling
    tidying: Tidying
    visiting: Visiting


def build_index(settings: MarketplaceSettings, database: Database) -> CatalogIndex:
    """The index that the settings name, not yet opened."""
    # Loaded only here: a process that does without the marketplace, or has its index elsewhere, does without it too.
    if settings.marketplace_index == "postgres":
        from opencode.modules.marketplace.adapters.catalog_postgres import PostgresCatalog

        return PostgresCatalog(database)
    from opencode.modules.marketplace.adapters.catalog.growing import GrowingCatalog

    return GrowingCatalog()


def build_snapshots(settings: MarketplaceSettings, data: Path) -> Snapshots | None:
    """Where the index of this server is kept between two starts; None for one that all processes share."""
    if settings.marketplace_index == "postgres":
        return None
    from opencode.modules.marketplace.adapters.catalog.growing import GrowingSnapshots

    return GrowingSnapshots(data / SNAPSHOTS)


def build_draft_reader(settings: MarketplaceSettings) -> tuple[ReadDraft, Sequence[str]]:
    """What reads drafts from the places that the operator has named, and the hosts of those."""
    # Loaded only here: few servers name any.
    from opencode.modules.marketplace.adapters.sources import Importer, Places

    is_private = settings.marketplace_sources_private
    fetcher = Fetcher(Reach(private_too=True)) if is_private else Fetcher()
    places = Places.of(settings)
    return Importer(fetcher, places).draft, places.hosts


def build_issuers(settings: MarketplaceSettings) -> Issuers:
    """Who vouches for jobs of CI, as the operator has named them."""
    fetcher = Fetcher(Reach(private_too=True)) if settings.marketplace_oidc_private else Fetcher()
    return Issuers(fetcher, [Issuer.of(entry) for entry in settings.marketplace_oidc_issuers])


def summarise(markdown: str) -> str:
    """What Markdown says first."""
    # Loaded at the first text only, as the renderer is.
    from opencode.modules.marketplace.adapters.readme import summary_of

    return summary_of(markdown)


def build_renderer(settings: MarketplaceSettings) -> Render:
    """What makes HTML of Markdown."""

    # Loaded at the first text only: it takes a tenth of a second.
    def render(markdown: str, repository: Repository | None) -> str:
        from opencode.modules.marketplace.adapters.readme import render

        return render(markdown, repository, image_hosts=settings.marketplace_image_hosts)

    return render


def build(
    parts: Parts,
    settings: MarketplaceSettings,
    *,
    identity: Identity,
    assistants: Assistants,
    index: CatalogIndex,
    storage: Storage,
    snapshots: Snapshots | None = None,
    proofs: Proofs | None = None,
    issuers: Issuers | None = None,
) -> MarketplaceModule:
    """
    Put the module together.

    Args:
        snapshots: where the index is kept between two starts; None fills it at each start.
        proofs: looks for proofs of ownership; None looks on the public internet.
        issuers: of tokens of CI jobs; None takes those that the settings name.
    """
    catalogue = Catalogue(parts, index, snapshots)
    proofs = proofs or Proofs(Fetcher(), TxtResolver())
    shared = Shared(parts, settings, identity, catalogue)
    own = _services(shared, assistants, storage, proofs, issuers or build_issuers(settings))

    def react(reactions: Reactions) -> None:
        add_reactions(reactions, catalogue, own.people, own.telling, own.resembling)
        outdate(reactions, parts.cache)
        purge(reactions, own.purging)

    async def stop() -> None:
        await own.errands.close()
        await own.importing.close()
        await own.counting.close()
        await catalogue.close()

    def notices() -> dict[str, str]:
        found = {} if catalogue.is_ready else {"catalogue": "is being read; searching answers 503 until it is done"}
        if trouble := own.purging.trouble:
            found["purging"] = f"the cache in front is not told what is outdated: {trouble}"
        return found

    plug = Plug(
        name="marketplace",
        routes=[_router(own)],
        direct=DirectCalls(own.browsing, own.visiting, own.readmes).find,
        react=react,
        pages=MarketplacePages(own.browsing, own.showing, own.people, parts.public_url).offer,
        jobs=jobs(
            own.counting,
            own.tidying,
            catalogue,
            own.ordering,
            own.paying,
            own.proving,
            own.reputing,
            own.files,
            own.errands,
            own.purging,
            settings.catalogue_check_s,
        ),
        notices=notices,
        start=catalogue.start,
        stop=stop,
    )
    return MarketplaceModule(
        plug,
        catalogue,
        own.counting,
        own.importing,
        own.telling,
        own.proving,
        own.reputing,
        own.files,
        own.errands,
    )


def _services(shared: Shared, assistants: Assistants, storage: Storage, proofs: Proofs, issuers: Issuers) -> _Services:
    parts, settings, catalogue = shared.parts, shared.settings, shared.catalogue
    counting = Counting(parts, catalogue)
    entitlements = Entitlements(shared)
    files = Files(shared, counting, entitlements, storage)
    browsing = Browsing(shared)
    drafting, publishing = Drafting(shared, *build_draft_reader(settings)), Publishing(shared)
    readmes = Readmes(shared, build_renderer(settings))
    stripe = build_stripe(settings)
    providers = {provider.name: provider for provider in (Manual(), stripe) if provider}
    paying = Paying(shared, providers)
    return _Services(
        browsing=browsing,
        collecting=Collecting(shared),
        counting=counting,
        drafting=drafting,
        entitlements=entitlements,
        errands=Errands(shared),
        feeding=Feeding(shared, browsing),
        files=files,
        following=Following(shared),
        importing=Importing(shared),
        listening=Listening(parts.clock, paying, stripe),
        moderating=Moderating(shared),
        reporting=Reporting(shared),
        ordering=Ordering(shared, providers),
        paying=paying,
        people=People(shared),
        proving=Proving(shared, proofs, issuers),
        publishing=publishing,
        purging=Purging(shared, build_purger(settings)),
        readmes=readmes,
        releasing=Releasing(shared, entitlements),
        reputing=Reputing(shared),
        resembling=Resembling(shared),
        reviewing=Reviewing(shared),
        showing=Showing(shared, readmes, summarise),
        sitemaps=Sitemaps(shared),
        suggesting=Suggesting(shared, assistants),
        syncing=Syncing(shared, drafting, publishing),
        telling=Telling(shared),
        tidying=Tidying(shared),
        visiting=Visiting(shared, counting, entitlements, files),
    )


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


def build_purger(settings: MarketplaceSettings) -> Purger | None:
    """
    What tells the cache in front of the server, when there is one.

    Raises:
        SettingsError
    """
    url, token = settings.marketplace_purge_url, settings.marketplace_purge_token
    if not url:
        if token:
            raise SettingsError([f"{variable_of('marketplace_purge_url')} is missing: its token is there"])
        return None
    try:
        return Purger(url, token)
    except ValueError as error:
        raise SettingsError([f"{variable_of('marketplace_purge_url')} and its token: {error}"]) from None


def _router(services: _Services) -> LateRouter:
    """All routes, with each service as the dependency of its name."""
    named = {each.name: getattr(services, each.name) for each in fields(services)}
    dependencies = {name: Provide(_always(service), sync_to_thread=False) for name, service in named.items()}
    return LateRouter("/", ROUTES, dependencies)


def _always(service: Any) -> Callable[[], Any]:
    return lambda: service
