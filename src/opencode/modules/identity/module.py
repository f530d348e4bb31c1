"""The plug of `identity`: its routes and jobs, and the contract that other modules ask."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar.datastructures import CacheControlHeader
from litestar.di import Provide

from opencode.contracts.identity import Identity
from opencode.infra.http import LateRouter
from opencode.infra.jobs import Job
from opencode.infra.plugs import Parts, Plug
from opencode.modules.identity.routes import (
    AdministrationController,
    AuthController,
    MeController,
    SessionCookies,
    TokenController,
    UserViews,
)
from opencode.modules.identity.service import (
    Accounts,
    Invites,
    LocalIdentity,
    Passwords,
    Sessions,
    Setup,
    Tokens,
    Trail,
)
from opencode.modules.identity.settings import IdentitySettings

_SWEEP_EVERY_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class IdentityModule:
    """What the app gets: the plug to serve, and the contract for everybody else."""

    plug: Plug
    contract: Identity


def build(parts: Parts, settings: IdentitySettings) -> IdentityModule:
    """Put the module together. Nothing is started and nothing is asked of the database yet."""
    passwords = Passwords(settings)
    sessions = Sessions(parts, settings, passwords)
    accounts = Accounts(parts, settings, passwords, sessions)
    setup = Setup(parts, settings, passwords, sessions, accounts)
    trail = Trail(parts, settings)

    async def ready() -> None:
        if link := await setup.new_link():
            _announce(f"Open {link} to become the administrator of this server.")
        # Takes as long as a sign-in does: nobody should have to wait for it before the server listens.
        await passwords.prepare()

    async def stop() -> None:
        passwords.close()

    routes = _routes(
        accounts=accounts,
        identity_settings=settings,
        invites=Invites(parts, settings),
        session_cookies=SessionCookies(parts.public_url),
        sessions=sessions,
        setup=setup,
        tokens=Tokens(parts, settings),
        trail=trail,
        user_views=UserViews(settings.of_every_role),
    )
    plug = Plug(
        name="identity",
        routes=[routes],
        jobs=[Job("sweep expired credentials", _SWEEP_EVERY_S, trail.sweep)],
        start=setup.ensure_administrator,
        ready=ready,
        stop=stop,
    )
    return IdentityModule(plug, LocalIdentity(parts, settings))


def _routes(**services: Any) -> LateRouter:
    return LateRouter(
        "/api/v1",
        [AuthController, MeController, TokenController, AdministrationController],
        {name: Provide(_always(service), sync_to_thread=False) for name, service in services.items()},
        tags=["Identity"],
        # Answers about people and credentials are nobody else's, and no cache's.
        cache_control=CacheControlHeader(no_store=True),
    )


def _always(service: Any) -> Callable[[], Any]:
    return lambda: service


def _announce(line: str) -> None:
    # For the person at the terminal, who must not have to look for it among log lines: those go to stderr.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
