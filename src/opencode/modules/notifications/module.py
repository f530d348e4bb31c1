"""The plug of notifications."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar.di import Provide

from opencode.contracts.identity import Identity
from opencode.infra.events import Reactions
from opencode.infra.fetching import Caller
from opencode.infra.http import LateRouter
from opencode.infra.plugs import Parts, Plug
from opencode.modules.notifications.adapters.smtp import SmtpMailer
from opencode.modules.notifications.domain.webhooks import EXCERPT_BYTES
from opencode.modules.notifications.jobs import jobs
from opencode.modules.notifications.reactions import add_reactions
from opencode.modules.notifications.routes import ROUTES
from opencode.modules.notifications.service.delivering import Delivering
from opencode.modules.notifications.service.hooking import Hooking
from opencode.modules.notifications.service.inbox import Inbox
from opencode.modules.notifications.service.mailing import Mailing
from opencode.modules.notifications.service.preferring import Preferring
from opencode.modules.notifications.service.receiving import Receiving
from opencode.modules.notifications.service.streaming import Streaming
from opencode.modules.notifications.service.tidying import Tidying
from opencode.modules.notifications.settings import NotificationsSettings


@dataclass(frozen=True, slots=True)
class NotificationsModule:
    """What wiring gets: the plug, and what tests drive by hand."""

    plug: Plug
    mailing: Mailing
    delivering: Delivering


def build(
    parts: Parts,
    settings: NotificationsSettings,
    *,
    identity: Identity,
    private_webhooks: bool = False,
    mail_trust: ssl.SSLContext | None = None,
) -> NotificationsModule:
    """
    Put the module together.

    Args:
        private_webhooks: webhooks may call addresses inside this machine's own networks.
        mail_trust: whom to trust as a mail server; by default whom this machine trusts.
    """
    receiving = Receiving(parts, settings, identity)
    streaming = Streaming(parts, settings, identity)
    tidying = Tidying(parts, settings, identity)
    mailing = Mailing(parts, settings, identity, SmtpMailer(settings, mail_trust))

    caller = Caller(private_too=private_webhooks, excerpt_bytes=EXCERPT_BYTES)
    delivering = Delivering(parts, settings, identity, caller)
    hooking = Hooking(parts, settings, identity, private_too=private_webhooks)

    def react(reactions: Reactions) -> None:
        add_reactions(reactions, receiving, streaming)

    async def drain() -> None:
        streaming.close()

    def notices() -> dict[str, str]:
        return {"mail": f"could not be handed over: {mailing.trouble}"} if mailing.trouble else {}

    services = {
        "hooking": hooking,
        "inbox": Inbox(parts, settings, identity),
        "notice_streaming": streaming,
        "preferring": Preferring(parts, settings, identity),
    }
    dependencies = {name: Provide(_always(service), sync_to_thread=False) for name, service in services.items()}
    plug = Plug(
        name="notifications",
        routes=[LateRouter("/", ROUTES, dependencies)],
        react=react,
        jobs=jobs(tidying, mailing, delivering),
        notices=notices,
        drain=drain,
        stop=delivering.close,
    )
    return NotificationsModule(plug, mailing, delivering)


def _always(service: Any) -> Callable[[], Any]:
    return lambda: service
