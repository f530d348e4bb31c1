"""Who looks or downloads, as far as counting needs to know."""

from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.types import Scope

from opencode.kernel.addresses import network_of
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.counting import Visitor

_LONGEST_AGENT = 500


def provide_visitor(
    request: Request[Any, Any, Any], principal: NamedDependency[Principal], address: NamedDependency[str]
) -> Visitor:
    """The dependency `visitor`: an account, or else a network address and a browser's name."""
    agent = request.headers.get("user-agent", "")[:_LONGEST_AGENT]
    if principal.is_user:
        return Visitor(principal.id, agent, principal.id)
    return _nobody(address, agent)


def visitor_of(scope: Scope, agent: bytes | None) -> Visitor:
    """A visitor without an account."""
    client = scope.get("client")
    return _nobody(client[0] if client else "unknown", (agent or b"").decode("latin-1")[:_LONGEST_AGENT])


def _nobody(address: str, agent: str) -> Visitor:
    return Visitor(f"{network_of(address)} {agent}", agent)


VISITOR: Mapping[str, Provide] = {"visitor": Provide(provide_visitor, sync_to_thread=False)}
"""For the `dependencies` of a controller."""
