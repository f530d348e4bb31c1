"""The HTTP application: every module's routes, the answers about the process itself, and the web UI."""

import time
from collections.abc import Sequence
from typing import Any

import structlog
from litestar import Litestar, Request, Response, get
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.router import Router
from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, Scope, Send
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from opencode import __version__
from opencode.app.docs_page import CONTENT_SECURITY_POLICY, render_docs
from opencode.app.health import Checks
from opencode.app.openapi import api_description, render
from opencode.app.web import web_routes
from opencode.app.wiring import House
from opencode.infra.hiding import hidden
from opencode.infra.http import ApiRequest, provide_address, provide_page_request, provide_principal
from opencode.infra.http.direct import FindDirect
from opencode.infra.http.marks import count_answer, marked
from opencode.infra.http.patience import patient
from opencode.infra.http.problems import EXCEPTION_HANDLERS, route_of
from opencode.kernel.ids import new_id

MAX_BODY_BYTES = 2 * 1024 * 1024
_METRICS_TYPE = CONTENT_TYPE_LATEST.partition("; charset")[0]  # Litestar says the charset itself


def create_app(house: House) -> Litestar:
    """The application of this process; `front_door` goes around it."""
    checks = Checks(house)

    @get("/health", operation_id="get_health", summary="The process lives", tags=["Operation"])
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @get("/ready", operation_id="get_readiness", summary="Everything that is needed answers", tags=["Operation"])
    async def ready() -> Response[dict[str, Any]]:
        failing = await checks.failing()
        status = "ready" if not failing else "not ready"
        answer = {"status": status, "failing": failing, "impaired": checks.impaired()}
        return Response(answer, status_code=503 if failing else 200)

    @get(
        "/metrics",
        operation_id="get_metrics",
        summary="Prometheus metrics",
        tags=["Operation"],
        media_type="text/plain",
    )
    async def prometheus() -> Response[bytes]:
        return Response(generate_latest(), media_type=_METRICS_TYPE)

    routes = [route for plug in house.plugs for route in plug.routes]
    # Litestar looks for libraries that its users may have; ours are msgspec's structs alone.
    with hidden("pydantic", "attr", "attrs", "opentelemetry"):
        app = _litestar([health, ready, prometheus, *routes, *web_routes(house)])
    app.state.caller = house.caller
    return app


def _litestar(handlers: list[ControllerRouterHandler]) -> Litestar:
    return Litestar(
        route_handlers=handlers,
        request_class=ApiRequest,
        request_max_body_size=MAX_BODY_BYTES,
        dependencies={
            "principal": Provide(provide_principal),
            "address": Provide(provide_address, sync_to_thread=False),
            "page": Provide(provide_page_request, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=OpenAPIConfig(
            title="OpenCode",
            version=__version__,
            description="One self-hosted platform for people who work on code together.",
            openapi_router=Router("/", route_handlers=[], include_in_schema=False),
            render_plugins=[_ApiPages(path="/docs")],
            use_handler_docstrings=True,
        ),
        logging_config=None,  # ours is set up before; Litestar's would print every library's chatter
        debug=False,
    )


class _ApiPages(OpenAPIRenderPlugin):
    """`/openapi.json` and `/docs`, in place of the pages of Litestar, which fetch their scripts from elsewhere."""

    _rendered: tuple[bytes, bytes] | None = None

    def receive_router(self, router: Router) -> None:
        @get("/openapi.json", media_type="application/json", sync_to_thread=False)
        def description(request: Request[Any, Any, Any]) -> bytes:
            return self._pages(request.app)[0]

        @get("/docs", media_type="text/html", sync_to_thread=False)
        def docs(request: Request[Any, Any, Any]) -> Response[bytes]:
            policy = {"content-security-policy": CONTENT_SECURITY_POLICY}
            return Response(self._pages(request.app)[1], media_type="text/html", headers=policy)

        router.routes.clear()
        router.register(description)
        router.register(docs)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return self._pages(request.app)[1]

    def _pages(self, app: Litestar) -> tuple[bytes, bytes]:
        if self._rendered is None:
            document = api_description(app)
            self._rendered = render(document), render_docs(document)
        return self._rendered


def front_door(app: ASGIApp, *, body_timeout_s: float, direct: Sequence[FindDirect] = ()) -> ASGIApp:
    """
    The whole application behind one door: every request gets an id, a time limit for its body, security headers, and a
    place in the metrics. It stands outside of Litestar, whose own middleware never sees a request for a wrong address.

    Args:
        direct: asked for each request before the application is.
        body_timeout_s: a body that takes longer to arrive is given up (408), or slow senders would hold all places.
            Each second's worth of bytes (`infra.http.patience`) is a second more.
    """

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = new_id("req")
        scope = {**scope, "state": {**scope.get("state", {}), "request_id": request_id}}
        if scope["method"] == "HEAD" and not scope["path"].startswith("/api/"):
            scope["method"] = "GET"  # uvicorn, which still knows, leaves the body out
        status = 500

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": marked(message.get("headers", []), request_id)}
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                if found := next((own for find in direct if (own := find(scope))), None):
                    scope["path_template"] = found[0]
                    await found[1](scope, patient(receive, body_timeout_s), send_marked)
                else:
                    await app(scope, patient(receive, body_timeout_s), send_marked)
            finally:
                count_answer(scope["method"], route_of(scope), status, time.perf_counter() - started)

    return handle
