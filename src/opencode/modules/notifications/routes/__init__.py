"""HTTP in: read, call, answer. All paths are under `/api/v1`."""

from litestar.types import ControllerRouterHandler

from opencode.modules.notifications.routes.inbox import InboxController
from opencode.modules.notifications.routes.preferences import PreferencesController

ROUTES: tuple[ControllerRouterHandler, ...] = (InboxController, PreferencesController)
"""Every handler of the module."""
