"""The plug of AI."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litestar import Router
from litestar.di import Provide

from opencode.contracts.identity import Identity
from opencode.infra.db import Database
from opencode.infra.plugs import Parts, Plug
from opencode.infra.security import Keyring
from opencode.modules.ai.adapters.files import Places
from opencode.modules.ai.domain.models import Catalogue
from opencode.modules.ai.jobs import jobs
from opencode.modules.ai.routes import ROUTES
from opencode.modules.ai.service.administering import Administering
from opencode.modules.ai.service.inspecting import Inspecting
from opencode.modules.ai.service.live import Live, Snapshot
from opencode.modules.ai.service.models import Models
from opencode.modules.ai.service.providers import Providers
from opencode.modules.ai.service.pulling import Pulling
from opencode.modules.ai.service.storing import Storing
from opencode.modules.ai.settings import AiSettings

if TYPE_CHECKING:
    from opencode.modules.ai.adapters.upstream import Connections

KEY_FILE = "sealing.keys"


@dataclass(frozen=True, slots=True)
class AiModule:
    """What wiring gets: the plug, and what the rest of the module and tests work with."""

    plug: Plug
    live: Live
    providers: Providers
    models: Models
    pulling: Pulling
    connections: "Callable[[], Connections]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Services:
    """All use cases. A route takes one by its name here."""

    administering: Administering
    inspecting: Inspecting
    models: Models


def build(
    parts: Parts, settings: AiSettings, *, identity: Identity, data: Path, places: Places | None = None
) -> AiModule:
    """
    Put the module together.

    Args:
        data: the folder that the keys of stored credentials are in, unless the settings name another file.
        places: where the configuration is; None looks where this process finds it.
    """
    places = places or Places.of_process(Path(settings.ai_config) if settings.ai_config else None)
    storing = build_storing(parts.database, settings, data)
    connections = cache(build_connections)
    providers = Providers(parts.clock, connections, settings.ai_test_every_s)
    live = Live(parts, places, storing, providers, build_catalogue)
    models = Models(identity, live, providers)
    pulling = Pulling(identity, live, providers, lambda: _puller(connections()))
    services = _Services(
        administering=Administering(parts, settings, identity, live, providers, storing),
        inspecting=Inspecting(live),
        models=models,
    )
    closing = set[asyncio.Task[None]]()

    def close_what_is_not_needed(snapshot: Snapshot) -> None:
        if connections.cache_info().currsize:
            task = asyncio.create_task(connections().keep_only(snapshot.registry.upstreams.values()))
            closing.add(task)
            task.add_done_callback(closing.discard)

    live.on_swap = close_what_is_not_needed

    async def stop() -> None:
        await live.stop()
        await providers.close()
        if connections.cache_info().currsize:
            await connections().close()

    plug = Plug(
        name="ai",
        routes=[_router(services)],
        jobs=jobs(live, providers),
        notices=live.notices,
        start=live.start,
        stop=stop,
    )
    return AiModule(plug, live, providers, models, pulling, connections)


def build_storing(database: Database, settings: AiSettings, data: Path) -> Storing:
    """Stored providers, for the server and for commands that look at them without one."""
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


def _router(services: _Services) -> Router:
    """All routes, with each service as the dependency of its name."""
    named = {each.name: getattr(services, each.name) for each in fields(services)}
    dependencies = {name: Provide(_always(service), sync_to_thread=False) for name, service in named.items()}
    return Router("/", route_handlers=list(ROUTES), dependencies=dependencies)


def _always(service: Any) -> Callable[[], Any]:
    return lambda: service
