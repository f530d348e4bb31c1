"""HTTP in: read, call, answer."""

from litestar.types import ControllerRouterHandler

from opencode.modules.execution.routes.runs import NativeRunsController

ROUTES: tuple[ControllerRouterHandler, ...] = (NativeRunsController,)
