"""The HTTP application: every module's routes, the answers about the process itself, and the web UI."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from litestar import Litestar, Response, get
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import ScalarRenderPlugin
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from opencode import __version__
from opencode.app.health import Checks
from opencode.app.web import web_routes
from opencode.app.wiring import House
from opencode.infra.http import ApiRequest, provide_address, provide_page_request, provide_principal
from opencode.infra.http.problems import EXCEPTION_HANDLERS, route_of
from opencode.infra.observability import metrics
from opencode.kernel.errors import TooLarge
from opencode.kernel.ids import new_id

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 2 * 1024 * 1024
BODY_TIMEOUT_S = 30.0
"""A body that takes longer to arrive is given up: a slow sender must not hold a place for ever."""

_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


def create_app(house: House) -> Litestar:
    """The ASGI application of this process."""
    checks = Checks(house)

    @get("/health", operation_id="get_health", summary="The process lives", tags=["operation"])
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @get("/ready", operation_id="get_readiness", summary="Everything that is needed answers", tags=["operation"])
    async def ready() -> Response[dict[str, Any]]:
        failing = await checks.failing()
        status = "ready" if not failing else "not ready"
        return Response({"status": status, "failing": failing}, status_code=503 if failing else 200)

    @get("/metrics", operation_id="get_metrics", summary="Prometheus metrics", tags=["operation"], media_type="text/plain")
    async def prometheus() -> Response[bytes]:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    routes = [route for plug in house.plugs for route in plug.routes]
    app = Litestar(
        route_handlers=[health, ready, prometheus, *routes, *web_routes()],
        request_class=ApiRequest,
        request_max_body_size=MAX_BODY_BYTES,
        dependencies={
            "principal": Provide(provide_principal),
            "address": Provide(provide_address, sync_to_thread=False),
            "page": Provide(provide_page_request, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        middleware=[front_door],
        openapi_config=OpenAPIConfig(
            title="OpenCode",
            version=__version__,
            description="One self-hosted platform for people who work on code together.",
            path="/docs",
            render_plugins=[ScalarRenderPlugin(js_url="/docs/scalar.js", path="/")],
            use_handler_docstrings=True,
        ),
        lifespan=[],
        debug=False,
    )
    app.state.caller = house.caller
    return app


def front_door(app: ASGIApp) -> ASGIApp:
    """Give every request an id, a time limit for its body, security headers, and a place in the metrics."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = new_id("req")
        scope["state"]["request_id"] = request_id
        status = 500

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", []), *_SECURITY_HEADERS, (b"x-request-id", request_id.encode())]
                message = {**message, "headers": headers}
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await app(scope, _patient(receive), send_marked)
            finally:
                route = route_of(scope)
                metrics.REQUESTS.labels(scope["method"], route, str(status)).inc()
                metrics.RESPONSE_TIME.labels(route).observe(time.perf_counter() - started)

    return handle


def _patient(receive: Receive) -> Receive:
    """Pass messages on, but wait for a body only so long."""
    body_done = False

    async def receive_in_time() -> Message:
        nonlocal body_done
        if body_done:
            return await receive()  # waiting for the client to go away is no hurry
        try:
            message = await asyncio.wait_for(receive(), BODY_TIMEOUT_S)
        except TimeoutError:
            raise TooLarge(
                f"The body did not arrive within {BODY_TIMEOUT_S:.0f} s.", action="Send it faster, or send less."
            ) from None
        body_done = message["type"] == "http.request" and not message.get("more_body", False)
        return message

    return receive_in_time
