"""Who is calling: the session cookie or a bearer token, turned into a `Principal` for handlers that ask for one."""

from typing import Any, Protocol
from urllib.parse import urlsplit

from litestar import Request

from opencode.kernel.errors import Forbidden
from opencode.kernel.principal import Principal

SESSION_COOKIE = "ocp_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Caller(Protocol):
    """Answers who shows a credential; see `contracts.identity.Identity.authenticate`."""

    async def authenticate(self, *, session: str | None, bearer: str | None) -> Principal: ...


async def provide_principal(request: Request[Any, Any, Any]) -> Principal:
    """
    The dependency `principal`. A bearer token wins over a cookie. A cookie writes only from our own pages: browsers
    send it along with requests that other sites make, and `Origin` is what tells them apart.

    Raises:
        Unauthenticated: a bearer token was shown that is not good.
        Forbidden: a cookie came with a write from another site, or without an `Origin`.
    """
    caller: Caller = request.app.state.caller
    bearer = bearer_of(request.headers.get("authorization"))
    session = None if bearer else request.cookies.get(SESSION_COOKIE)
    if session and request.method not in _SAFE_METHODS:
        require_same_origin(request.headers.get("origin"), request.headers.get("host"))
    return await caller.authenticate(session=session, bearer=bearer)


async def refuse_other_sites(request: Request[Any, Any, Any]) -> None:
    """
    For `before_request` of calls that sign somebody in: no cookie is needed to make them, so without this another
    site could sign a visitor in as somebody else. Programs, which send no `Origin`, pass.

    Raises:
        Forbidden: a browser made the call from a page of another site.
    """
    if (origin := request.headers.get("origin")) is not None:
        require_same_origin(origin, request.headers.get("host"))


def provide_address(request: Request[Any, Any, Any]) -> str:
    """The dependency `address`: where the request comes from. Behind a proxy uvicorn has replaced it already."""
    return request.client.host if request.client else "unknown"


def bearer_of(header: str | None) -> str | None:
    """The token of an `Authorization: Bearer …` header (RFC 6750), or None."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def require_same_origin(origin: str | None, host: str | None) -> None:
    """
    Raises:
        Forbidden: the origin is missing or another one than the host that was asked.
    """
    if origin and host and urlsplit(origin).netloc.lower() == host.lower():
        return
    raise Forbidden(
        f"A change with a session cookie came from {origin or 'an unnamed origin'}, not from this site.",
        action="Send the Origin header of this site, or use a bearer token from POST /api/v1/tokens.",
    )
