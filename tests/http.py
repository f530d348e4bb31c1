"""A module's routes behind the same dependencies and error answers as in the product, and a client to call them."""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx
from litestar import Litestar, Router, asgi
from litestar._asgi.utils import get_route_handlers
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import ASGIRouteHandler
from litestar.types import ControllerRouterHandler, Receive, Scope, Send

from opencode.infra.http import ApiRequest, Caller, LateRouter, provide_address, provide_page_request, provide_principal
from opencode.infra.http.problems import EXCEPTION_HANDLERS
from opencode.kernel.errors import Unauthenticated
from opencode.kernel.principal import ANONYMOUS, Principal

ORIGIN = "http://opencode.test"
"""Where the routes under test believe to live. A browser's write carries `headers={"origin": ORIGIN}`."""

ADDRESS = "203.0.113.7"
"""Where their caller comes from (a documentation address, RFC 5737)."""


class KnownCallers:
    """Stands where `identity` stands, for tests of other modules: each bearer token is one principal."""

    def __init__(self, principals: Mapping[str, Principal]) -> None:
        self._principals = principals

    async def authenticate(self, *, session: str | None, bearer: str | None) -> Principal:
        if bearer is None:
            return ANONYMOUS
        if bearer not in self._principals:
            raise Unauthenticated("The bearer token is not good.", action="Sign in again.")
        return self._principals[bearer]


Given = dict[tuple[int, str], Callable[..., Any]]


@dataclass(slots=True)
class _Shared:
    """
    An application that one test after the other gets: Litestar takes longer to put the routes of a module together
    than most tests take to use them.

    Attributes:
        shape: its routes, and the names of what they are given. Those of equal shape can take each other's place.
        given: what gives a route a service of the module that is under test now, by the place of the router and name;
            and what a mounted application is.
    """

    app: Litestar
    shape: Hashable
    given: Given


_MOUNTED = ""
_at_rest: deque[_Shared] = deque(maxlen=8)
_in_use: list[_Shared] = []


def application(routes: Sequence[ControllerRouterHandler], caller: Caller) -> Litestar:
    """
    The routes as an ASGI application, dressed as `opencode.app` dresses them. Nobody else has it meanwhile; when the
    test is over, the next one may get it, with its own services behind the same routes.
    """
    shape, given = _shape_of(routes), _given_by(routes)
    shared = next((each for each in _at_rest if each.shape == shape), None)
    if shared is None:
        shared = _Shared(_put_together(routes, given), shape, given)
    else:
        _at_rest.remove(shared)
        shared.given.update(given)
    shared.app.state = State({"caller": caller})
    _in_use.append(shared)
    return shared.app


@contextmanager
def applications_of_one_test() -> Generator[None]:
    """What was asked for within is free for others afterwards."""
    of_others = len(_in_use)
    yield
    for shared in _in_use[of_others:]:
        shared.given.clear()
        shared.app.state = State()
        _at_rest.append(shared)
    del _in_use[of_others:]


def _shape_of(routes: Sequence[ControllerRouterHandler]) -> Hashable:
    return tuple(_shape_of_one(each) for each in routes)


def _shape_of_one(route: ControllerRouterHandler) -> Hashable:
    if isinstance(route, ASGIRouteHandler):
        return tuple(sorted(route.paths)), route.is_mount, route.copy_scope
    if isinstance(route, LateRouter):
        return route.path, tuple(route.dependencies), route.handlers
    if not isinstance(route, Router):
        return route
    handlers = [(each.path, handler.fn) for each in route.routes for handler in get_route_handlers(each)]
    # Of a controller there is one object for each router; and Litestar makes its answer to OPTIONS anew each time.
    functions = [(path, getattr(fn, "__func__", fn)) for path, fn in handlers if not _is_litestars(fn)]
    return route.path, tuple(route.dependencies), frozenset(functions)


def _is_litestars(function: Callable[..., Any]) -> bool:
    return function.__module__.startswith("litestar.")


def _given_by(routes: Sequence[ControllerRouterHandler]) -> Given:
    given: Given = {}
    for place, route in enumerate(routes):
        if isinstance(route, Router):
            for name, provided in route.dependencies.items():
                given[place, name] = cast("Provide", provided).dependency
        elif isinstance(route, ASGIRouteHandler):
            given[place, _MOUNTED] = route.fn
    return given


def _put_together(routes: Sequence[ControllerRouterHandler], given: Given) -> Litestar:
    return Litestar(
        route_handlers=[_with_what_is_given(route, given, place) for place, route in enumerate(routes)],
        request_class=ApiRequest,
        dependencies={
            "principal": Provide(provide_principal),
            "address": Provide(provide_address, sync_to_thread=False),
            "page": Provide(provide_page_request, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        logging_config=None,
    )


def _with_what_is_given(route: ControllerRouterHandler, given: Given, place: int) -> ControllerRouterHandler:
    if isinstance(route, Router):
        route.dependencies = {name: _now(given, place, name) for name in route.dependencies}
    elif isinstance(route, ASGIRouteHandler):

        @asgi(sorted(route.paths), is_mount=route.is_mount, copy_scope=route.copy_scope)
        async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
            await given[place, _MOUNTED](scope, receive, send)

        return mounted
    return route


def _now(given: Given, place: int, name: str) -> Provide:
    return Provide(lambda: given[place, name](), sync_to_thread=False)


@asynccontextmanager
async def client_of(
    app: Any, *, address: str = ADDRESS, bearer: str | None = None
) -> AsyncGenerator[httpx.AsyncClient]:
    """
    A client that calls the application without a network, keeping cookies as a browser does.

    Args:
        bearer: sent with each request when given.
    """
    transport = httpx.ASGITransport(app, client=(address, 50_000))
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
        yield client
