"""A module's routes behind the same dependencies and error answers as in the product, and a client to call them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from opencode.infra.http import ApiRequest, Caller, provide_address, provide_page_request, provide_principal
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


def application(routes: Sequence[ControllerRouterHandler], caller: Caller) -> Litestar:
    """The routes as an ASGI application, dressed as `opencode.app` dresses them."""
    return Litestar(
        route_handlers=list(routes),
        request_class=ApiRequest,
        dependencies={
            "principal": Provide(provide_principal),
            "address": Provide(provide_address, sync_to_thread=False),
            "page": Provide(provide_page_request, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        logging_config=None,
        state=State({"caller": caller}),
    )


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
