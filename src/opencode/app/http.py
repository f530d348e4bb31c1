"""The HTTP application: every module's routes, the answers about the process itself, and the web UI."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import structlog
from litestar import Litestar, Response, get
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import ScalarRenderPlugin
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from opencode import __version__
from opencode.app.web import web_routes
from opencode.app.wiring import House
from opencode.infra.http import ApiRequest, provide_address, provide_page_request, provide_principal
from opencode.infra.http.problems import EXCEPTION_HANDLERS, problem_response, route_of
from opencode.infra.jobs import run_job
from opencode.infra.observability import metrics
from opencode.kernel.errors import TooLarge
from opencode.kernel.ids import new_id

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 2 * 1024 * 1024
BODY_TIMEOUT_S = 30.0

_SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
