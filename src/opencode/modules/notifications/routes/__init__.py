"""HTTP in: read, call, answer. All paths are under `/api/v1`."""

from litestar.types import ControllerRouterHandler

from opencode.modules.notifications.routes.inbox import InboxController

ROUTES: tuple[ControllerRouterHandler, ...] = (InboxController,)
"""Every handler of the module."""
