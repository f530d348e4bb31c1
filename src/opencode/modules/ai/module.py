"""The plug of AI."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litestar.di import Provide

from opencode import __version__
from opencode.contracts.ai import Assistants
from opencode.contracts.identity import CredentialsRevoked, Identity
from opencode.infra.cache import Shelf
from opencode.infra.db import Database
from opencode.infra.http import LateRouter
from opencode.infra.plugs import Parts, Plug
from opencode.infra.security import Keyring
from opencode.modules.ai.adapters.files import Places
from opencode.modules.ai.adapters.limits.memory import MemoryLimits
from opencode.modules.ai.domain.asking import Asking
from opencode.modules.ai.domain.health import HealthState
from opencode.modules.ai.domain.limits import LimitCounters
from opencode.modules.ai.domain.models import Catalogue
from opencode.modules.ai.domain.telemetry import Telemetry
from opencode.modules.ai.errors import TelemetryNotInstalled
from opencode.modules.ai.jobs import jobs, metering_jobs
from opencode.modules.ai.routes import ROUTES
from opencode.modules.ai.routes.gateway import GatewayCalls
from opencode.modules.ai.service.administering import Administering
from opencode.modules.ai.service.answers import Answers
from opencode.modules.ai.service.assisting import Assisting
from opencode.modules.ai.service.bookkeeping import Tidying
from opencode.modules.ai.service.callers import Callers
from opencode.modules.ai.service.catalogues import Catalogues
from opencode.modules.ai.service.fleet import Fleet
from opencode.modules.ai.service.gateway import Gateway
from opencode.modules.ai.service.inspecting import Inspecting
from opencode.modules.ai.service.keys import Keys
from opencode.modules.ai.service.limiting import Limiting
from opencode.modules.ai.service.live import Live, Snapshot
from opencode.modules.ai.service.metering import Meter
from opencode.modules.ai.service.models import Models
from opencode.modules.ai.service.providers import Providers
from opencode.modules.ai.service.pulling import Pulling
from opencode.modules.ai.service.reaching import Reaching
from opencode.modules.ai.service.reporting import Reporting
from opencode.modules.ai.service.standing import Standings
from opencode.modules.ai.service.storing import Storing
from opencode.modules.ai.service.trying import Trying
from opencode.modules.ai.settings import AiSettings

if TYPE_CHECKING:
    from opencode.modules.ai.adapters.upstream import Connections

KEY_FILE = "sealing.keys"
JOURNALS = "ai-calls"
"""The folder of the journals of calls under way."""


@dataclass(frozen=True, slots=True)
class AiModule:
    """What wiring gets: the plug, answers for other modules, and what the rest of the module and tests work with."""

    plug: Plug
    assistants: Assistants
    live: Live
    providers: Providers
    models: Models
    pulling: Pulling
    meter: Meter
    gateway: Gateway
    fleet: Fleet
    connections: "Callable[[], Connections]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Services:
    """All use cases. A route takes one by its name here."""

    administering: Administering
    inspecting: Inspecting
    models: Models
    keys: Keys
    limiting: Limiting
    reporting: Reporting
    standings: Standings


def build(
    parts: Parts,
    settings: AiSettings,
    *,
    identity: Identity,
    data: Path,
    places: Places | None = None,
    redis_url: str = "",
) -> AiModule:
    """
    Put the module together.

    Args:
        data: the folder that the keys of stored credentials are in, unless the settings name another file, and the
            journals of calls under way.
        places: where the configuration is; None looks where this process finds it.
        redis_url: where limits are counted for all processes; empty counts in this one.
    """
    places = places or Places.of_process(Path(settings.ai_config) if settings.ai_config else None)
    storing = build_storing(parts.database, settings, data)
    connections = cache(build_connections)
    providers = Providers(parts.clock, connections, settings.ai_test_every_s)
    live = Live(parts, places, storing, providers, build_catalogue)
    models = Models(parts.database, identity, live, providers)
    pulling = Pulling(identity, live, providers, lambda: _puller(connections()))
    callers = Callers(parts, identity, live, models)
    counters = _counters(parts, redis_url)
    meter = Meter(parts, counters, data / JOURNALS, callers.bounds)
    answers = Answers(parts.clock, _shared_shelf(redis_url))
    fleet = Fleet(parts.clock, lambda name: providers.health_of(name).state is HealthState.FAILING)
    telemetry = _telemetry(settings.ai_telemetry_url)
    gateway = build_gateway(parts, meter, fleet, connections, answers, telemetry)
    standings = Standings(parts, identity, live, models)
    keys = Keys(parts, identity, callers, counters, standings)
    services = _Services(
        administering=Administering(parts, settings, identity, live, providers, storing),
        inspecting=Inspecting(live),
        models=models,
        keys=keys,
        limiting=Limiting(parts, settings, identity, live, storing, counters, standings),
        reporting=Reporting(parts, identity),
        standings=standings,
    )

    def close_what_is_not_needed(snapshot: Snapshot) -> None:
        if connections.cache_info().currsize:
            connections().keep_only(snapshot.registry.upstreams.values())

    live.on_swap = close_what_is_not_needed

    async def start() -> None:
        await live.start()
        await meter.start()

    async def stop() -> None:
        await live.stop()
        await providers.close()
        await meter.stop()
        if telemetry:
            await asyncio.to_thread(telemetry.close)
        if connections.cache_info().currsize:
            connections().close()

    plug = Plug(
        name="ai",
        routes=[_router(services)],
        direct=GatewayCalls(callers, gateway, Catalogues(), pulling, settings.ai_body_bytes).find,
        react=lambda reactions: reactions.add(CredentialsRevoked, callers.forget),
        jobs=[*jobs(live, providers), *metering_jobs(meter, Tidying(parts, settings.ai_ledger_days), keys)],
        notices=live.notices,
        start=start,
        stop=stop,
    )
    assistants = Assisting(identity, callers, models, gateway)
    return AiModule(plug, assistants, live, providers, models, pulling, meter, gateway, fleet, connections)


def build_gateway(
    parts: Parts,
    meter: Meter,
    fleet: Fleet,
    connections: "Callable[[], Connections]",
    answers: Answers,
    telemetry: Telemetry | None = None,
) -> Gateway:
    """The gateway over the connections of this process."""

    @cache
    def asking() -> Asking:
        from opencode.modules.ai.adapters.asking import HttpAsking

        return HttpAsking(connections())

    return Gateway(parts, meter, Reaching(fleet, Trying(fleet, asking)), answers, telemetry)


def _telemetry(url: str) -> Telemetry | None:
    """
    Raises:
        TelemetryNotInstalled
    """
    if not url:
        return None
    try:
        from opencode.modules.ai.adapters.telemetry import OpenTelemetry
    except ImportError as error:
        raise TelemetryNotInstalled from error
    return OpenTelemetry(url.rstrip("/"))


def _counters(parts: Parts, redis_url: str) -> LimitCounters:
    if not redis_url:
        return MemoryLimits(parts.clock)
    from redis.asyncio import Redis

    from opencode.modules.ai.adapters.limits.redis import RedisLimits

    return RedisLimits(Redis.from_url(redis_url))


def _shared_shelf(redis_url: str) -> Shelf | None:
    if not redis_url:
        return None
    from opencode.infra.cache.redis import RedisShelf

    return RedisShelf.connect(redis_url, __version__)


def build_storing(database: Database, settings: AiSettings, data: Path) -> Storing:
    """What is stored of the configuration, for the server and for commands that look at them without one."""
    key_file = Path(settings.ai_key_file) if settings.ai_key_file else data / KEY_FILE
    return Storing(database, Keyring(key_file))


def build_connections() -> "Connections":
    """Connections to providers. Loaded only here: a server without providers does without the client's library."""
    from opencode.modules.ai.adapters.upstream import Connections

    return Connections()


def build_catalogue() -> Catalogue:
    """The bundled catalogue, read at the first provider."""
    from opencode.modules.ai.adapters.catalogue import bundled_catalogue

    return bundled_catalogue()


def _puller(connections: "Connections") -> Any:
    from opencode.modules.ai.adapters.ollama_models import OllamaModels

    return OllamaModels(connections)


def _router(services: _Services) -> LateRouter:
    """All routes, with each service as the dependency of its name."""
    named = {each.name: getattr(services, each.name) for each in fields(services)}
    dependencies = {name: Provide(_always(service), sync_to_thread=False) for name, service in named.items()}
    return LateRouter("/", ROUTES, dependencies)


def _always(service: Any) -> Callable[[], Any]:
    return lambda: service
