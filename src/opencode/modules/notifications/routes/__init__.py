"""HTTP in: read, call, answer. All paths are under `/api/v1`."""

from litestar.types import ControllerRouterHandler

from opencode.modules.notifications.routes.inbox import InboxController
from opencode.modules.notifications.routes.preferences import PreferencesController
from opencode.modules.notifications.routes.unsubscribing import UnsubscribeController
from opencode.modules.notifications.routes.webhooks import WebhooksController

ROUTES: tuple[ControllerRouterHandler, ...] = (
    InboxController,
    PreferencesController,
    UnsubscribeController,
    WebhooksController,
)
"""Every handler of the module."""
