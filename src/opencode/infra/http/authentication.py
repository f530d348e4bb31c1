"""Who is calling: the session cookie or a bearer token, turned into a `Principal` for handlers that ask for one."""

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

from litestar import Request

from opencode.kernel.errors import Forbidden
from opencode.kernel.principal import Credentials, Principal

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
    shown = credentials_of(request.headers.get, writes=request.method not in _SAFE_METHODS)
    return await caller.authenticate(session=shown.session, bearer=shown.bearer)


def credentials_of(header: Callable[[str], str | None], *, writes: bool) -> Credentials:
    """
    What a request shows; see `provide_principal`.

    Args:
        header: the value of a header by its lower-case name.
        writes: the request changes something, or opens a socket, which no browser keeps other sites from.

    Raises:
        Forbidden: a cookie came with a write from another site, or without an `Origin`.
    """
    if bearer := bearer_of(header("authorization")):
        return Credentials(bearer=bearer)
    session = session_of(header("cookie"))
    if session and writes:
        require_same_origin(header("origin"), header("host"))
    return Credentials(session=session)


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


def session_of(header: str | None) -> str | None:
    """The session in a `Cookie` header (RFC 6265 §4.2.1), or None."""
    for pair in (header or "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == SESSION_COOKIE:
            return value.strip('"') or None
    return None


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
