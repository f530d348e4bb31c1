"""Who gets what: the one place that knows how contracts are fulfilled."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opencode.app.settings import Settings
from opencode.infra.db import Database
from opencode.infra.events import Reactions, Relay
from opencode.infra.http import Caller
from opencode.infra.plugs import Parts, Plug
from opencode.infra.pubsub import MemoryPubSub, PubSub
from opencode.infra.security import MemoryRateLimiter, RateLimiter, Signer
from opencode.infra.websocket import SocketRoute
from opencode.kernel.clock import Clock, SystemClock
from opencode.modules.collaboration import module as collaboration_module
from opencode.modules.execution import module as execution_module
from opencode.modules.execution.service.runner import Runs
from opencode.modules.identity import module as identity_module
from opencode.modules.interviews import module as interviews_module


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


def wire_runner(settings: Settings) -> Runs:
    """The runner alone, for commands that need no server."""
    return execution_module.build(settings.execution).runner


def _shared_or_local(redis_url: str, clock: Clock) -> tuple[PubSub, RateLimiter]:
    if not redis_url:
        return MemoryPubSub(), MemoryRateLimiter(clock)
    # Loaded only here: it takes a tenth of a server's start.
    from redis.asyncio import Redis

    from opencode.infra.pubsub.redis import RedisPubSub
    from opencode.infra.security.redis_rate_limit import RedisRateLimiter

    return RedisPubSub.connect(redis_url), RedisRateLimiter(Redis.from_url(redis_url))


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
        limiter=limiter,
        signer=Signer.from_file(settings.process.data / "signing.key"),
        wake_relay=relay.wake,
        public_url=lambda: address.url,
    )
    identity = identity_module.build(parts, settings.identity.resolved(private=settings.process.is_private))
    collaboration = collaboration_module.build(parts, settings.collaboration)
    execution = execution_module.build(settings.execution)
    interviews = interviews_module.build(
        parts,
        settings.interviews,
        identity=identity.contract,
        documents=collaboration.documents,
        runner=execution.runner,
    )
    # The owner of documents needs `Documents`, and documents need their owner's leave: the circle is closed here.
    collaboration.open_gate(interviews.gate)
    chosen = settings.process.modules
    sockets = (*collaboration.sockets, *interviews.sockets)
    plugs = (identity.plug, collaboration.plug, execution.plug, interviews.plug)
    plugs = tuple(plug for plug in plugs if not chosen or plug.name in chosen)
    for plug in plugs:
        plug.react(reactions)
    return House(settings, parts, relay, plugs, sockets, identity.contract, interviews.export_for_operator, address)
