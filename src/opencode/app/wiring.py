"""Who gets what: the one place that knows how contracts are fulfilled."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opencode import __version__
from opencode.app.data_folder import FILES
from opencode.app.settings import Settings
from opencode.contracts.ai import Assistants
from opencode.contracts.identity import Identity
from opencode.infra.cache import Cache, MemoryShelf
from opencode.infra.db import Database
from opencode.infra.events import Reactions, Relay
from opencode.infra.http import Caller
from opencode.infra.plugs import Parts, Plug
from opencode.infra.pubsub import MemoryPubSub, PubSub
from opencode.infra.security import MemoryRateLimiter, RateLimiter, Signer
from opencode.infra.storage import FolderStorage
from opencode.infra.websocket import SocketRoute
from opencode.kernel.clock import Clock, SystemClock
from opencode.kernel.errors import Unavailable
from opencode.modules.ai import module as ai_module
from opencode.modules.identity import module as identity_module

if TYPE_CHECKING:
    from opencode.modules.execution.module import WorkerModule
    from opencode.modules.marketplace.domain.catalog import CatalogIndex
    from opencode.modules.marketplace.domain.snapshots import Snapshots


@dataclass(slots=True)
class Address:
    """Where people reach this server; filled in when the port is known."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class House:
    """Everything that is put together, ready to be served."""

    settings: Settings
    parts: Parts
    relay: Relay
    plugs: tuple[Plug, ...]
    sockets: tuple[SocketRoute, ...]
    caller: Caller
    export: Callable[[str], Awaitable[Any]]
    address: Address = field(default_factory=Address)

    @property
    def data(self) -> Path:
        return self.settings.process.data


def open_database(settings: Settings) -> Database:
    """The database that the settings name; the data folder is made when it is missing."""
    if settings.process.database_url:
        return Database(settings.process.database_url)
    settings.process.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Database.in_folder(settings.process.data)


def _shared_or_local(redis_url: str, clock: Clock) -> tuple[PubSub, RateLimiter]:
    if not redis_url:
        return MemoryPubSub(), MemoryRateLimiter(clock)
    # Loaded only here: it takes a tenth of a server's start.
    from redis.asyncio import Redis

    from opencode.infra.pubsub.redis import RedisPubSub
    from opencode.infra.security.redis_rate_limit import RedisRateLimiter

    return RedisPubSub.connect(redis_url), RedisRateLimiter(Redis.from_url(redis_url))


def _cache(settings: Settings, clock: Clock, pubsub: PubSub) -> Cache:
    near, redis_url = MemoryShelf(settings.process.cache_bytes), settings.process.redis_url
    if not redis_url:
        return Cache(clock, pubsub, near)
    from opencode.infra.cache.redis import RedisShelf

    return Cache(clock, pubsub, near, RedisShelf.connect(redis_url, __version__))


@dataclass(frozen=True, slots=True)
class WorkersHouse:
    """A worker with what it needs, ready to be started."""

    parts: Parts
    worker: "WorkerModule"


def wire_worker(settings: Settings) -> WorkersHouse:
    """Put together what `ocp worker` is: the runner, the shared queue and the database."""
    clock = SystemClock()
    pubsub, limiter = _shared_or_local(settings.process.redis_url, clock)
    parts = Parts(
        database=open_database(settings),
        clock=clock,
        pubsub=pubsub,
        cache=_cache(settings, clock, pubsub),
        limiter=limiter,
        # It signs nothing that anybody would check.
        signer=Signer(secrets.token_bytes()),
        # What it publishes is delivered by servers, which look for what other processes have published.
        wake_relay=lambda: None,
        public_url=lambda: settings.process.public_url.rstrip("/"),
    )
    from opencode.modules.execution import module as execution_module

    worker = execution_module.build_worker(
        parts, settings.execution, settings.piston, redis_url=settings.process.redis_url
    )
    return WorkersHouse(parts, worker)


def catalogue_index(settings: Settings, database: Database) -> "CatalogIndex":
    """The index of the marketplace's catalogue that the settings name."""
    from opencode.modules.marketplace import module as marketplace_module

    return marketplace_module.build_index(settings.marketplace, database)


def catalogue_snapshots(settings: Settings) -> "Snapshots | None":
    """Where that index is kept between two starts."""
    from opencode.modules.marketplace import module as marketplace_module

    return marketplace_module.build_snapshots(settings.marketplace, settings.process.data)


def _marketplace(settings: Settings, parts: Parts, identity: Identity, assistants: Assistants) -> Plug:
    # Loaded only here: it has a seventh of a server's memory, and nothing else needs it.
    from opencode.modules.marketplace import module as marketplace_module

    marketplace = marketplace_module.build(
        parts,
        settings.marketplace,
        identity=identity,
        assistants=assistants,
        index=catalogue_index(settings, parts.database),
        storage=FolderStorage(settings.process.data / FILES, parts.clock),
        snapshots=catalogue_snapshots(settings),
    )
    return marketplace.plug


def _notifications(settings: Settings, parts: Parts, identity: Identity) -> Plug:
    # Loaded only here, as the others.
    from opencode.modules.notifications import module as notifications_module

    notifications = notifications_module.build(
        parts,
        settings.notifications,
        identity=identity,
        private_webhooks=settings.execution.webhooks_to_private_networks,
    )
    return notifications.plug


@dataclass(frozen=True, slots=True)
class _Rooms:
    """What interviews are made of: modules that need each other, so that they are put together as one."""

    plugs: tuple[Plug, ...]
    sockets: tuple[SocketRoute, ...]
    export: Callable[[str], Awaitable[Any]]


_ROOMS = frozenset({"collaboration", "execution", "interviews"})


def _rooms(settings: Settings, parts: Parts, identity: Identity, assistants: Assistants) -> _Rooms:
    # Loaded only here: a process that serves none of them does without their memory.
    from opencode.modules.collaboration import module as collaboration_module
    from opencode.modules.execution import module as execution_module
    from opencode.modules.interviews import module as interviews_module

    collaboration = collaboration_module.build(parts, settings.collaboration)
    execution = execution_module.build(
        parts, settings.execution, settings.piston, identity=identity, redis_url=settings.process.redis_url
    )
    interviews = interviews_module.build(
        parts,
        settings.interviews,
        identity=identity,
        documents=collaboration.documents,
        runner=execution.runner,
        assistants=assistants,
    )
    # The owner of documents needs `Documents`, and documents need their owner's leave: the circle is closed here.
    collaboration.open_gate(interviews.gate)
    # The same with runs: interviews need the runner, and share its addresses with the runs that they keep.
    execution.open_elsewhere(interviews.runs)
    plugs = collaboration.plug, execution.plug, interviews.plug
    sockets = (*collaboration.sockets, *execution.sockets, *interviews.sockets)
    return _Rooms(plugs, sockets, interviews.export_for_operator)


async def _export_nothing(_interview: str) -> None:
    raise Unavailable("The interviews are not among the modules.", action="Leave OCP_MODULES out to export one.")


def wire(settings: Settings, *, clock: Clock | None = None) -> House:
    """Put the modules together, all in this process."""
    clock = clock or SystemClock()
    settings.process.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = open_database(settings)
    pubsub, limiter = _shared_or_local(settings.process.redis_url, clock)
    reactions = Reactions()
    relay = Relay(database, reactions, clock)
    address = Address(settings.process.public_url.rstrip("/"))
    parts = Parts(
        database=database,
        clock=clock,
        pubsub=pubsub,
        cache=_cache(settings, clock, pubsub),
        limiter=limiter,
        signer=Signer.from_file(settings.process.data / "signing.key"),
        wake_relay=relay.wake,
        public_url=lambda: address.url,
    )
    identity = identity_module.build(parts, settings.identity.resolved(private=settings.process.is_private))
    ai = ai_module.build(
        parts,
        settings.ai,
        identity=identity.contract,
        data=settings.process.data,
        redis_url=settings.process.redis_url,
    )
    chosen = settings.process.modules
    has_rooms = not chosen or not _ROOMS.isdisjoint(chosen)
    # Where AI is not among the modules it has no configuration in force, and so nothing to answer with.
    rooms = _rooms(settings, parts, identity.contract, ai.assistants) if has_rooms else _Rooms((), (), _export_nothing)
    sells = not chosen or "marketplace" in chosen
    tells = not chosen or "notifications" in chosen
    plugs = (
        identity.plug,
        # Stopped after the rooms, whose answers it gives.
        ai.plug,
        *rooms.plugs,
        *([_marketplace(settings, parts, identity.contract, ai.assistants)] if sells else []),
        *([_notifications(settings, parts, identity.contract)] if tells else []),
    )
    plugs = tuple(plug for plug in plugs if not chosen or plug.name in chosen)
    for plug in plugs:
        plug.react(reactions)
    return House(settings, parts, relay, plugs, rooms.sockets, identity.contract, rooms.export, address)
