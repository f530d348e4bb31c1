"""HTTP in: read, call, answer. All paths are under `/api/v1`."""

from litestar.types import ControllerRouterHandler

from opencode.modules.notifications.routes.inbox import InboxController
from opencode.modules.notifications.routes.preferences import PreferencesController
from opencode.modules.notifications.routes.unsubscribing import UnsubscribeController

ROUTES: tuple[ControllerRouterHandler, ...] = (InboxController, PreferencesController, UnsubscribeController)
"""Every handler of the module."""
