"""The plug of notifications."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar import Router
from litestar.di import Provide

from opencode.contracts.identity import Identity
from opencode.infra.events import Reactions
from opencode.infra.plugs import Parts, Plug
from opencode.modules.notifications.jobs import jobs
from opencode.modules.notifications.reactions import add_reactions
from opencode.modules.notifications.routes import ROUTES
from opencode.modules.notifications.service.inbox import Inbox
from opencode.modules.notifications.service.preferring import Preferring
from opencode.modules.notifications.service.receiving import Receiving
from opencode.modules.notifications.service.streaming import Streaming
from opencode.modules.notifications.service.tidying import Tidying
from opencode.modules.notifications.settings import NotificationsSettings


@dataclass(frozen=True, slots=True)
class NotificationsModule:
    """What wiring gets."""

    plug: Plug


def build(parts: Parts, settings: NotificationsSettings, *, identity: Identity) -> NotificationsModule:
    """Put the module together."""
    receiving = Receiving(parts, settings, identity)
    streaming = Streaming(parts, settings, identity)
    tidying = Tidying(parts, settings, identity)

    def react(reactions: Reactions) -> None:
        add_reactions(reactions, receiving, streaming)

    async def drain() -> None:
        streaming.close()

    services = {
        "inbox": Inbox(parts, settings, identity),
        "notice_streaming": streaming,
        "preferring": Preferring(parts, settings, identity),
    }
    dependencies = {name: Provide(_always(service), sync_to_thread=False) for name, service in services.items()}
    plug = Plug(
        name="notifications",
        routes=[Router("/", route_handlers=list(ROUTES), dependencies=dependencies)],
        react=react,
        jobs=jobs(tidying),
        drain=drain,
    )
    return NotificationsModule(plug)


def _always(service: Any) -> Callable[[], Any]:
    return lambda: service
