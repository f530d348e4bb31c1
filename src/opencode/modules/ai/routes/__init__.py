"""HTTP in."""

from litestar.types import ControllerRouterHandler

from opencode.modules.ai.routes.configuration import ConfigurationController
from opencode.modules.ai.routes.keys import KeysController
from opencode.modules.ai.routes.limits import LimitsController
from opencode.modules.ai.routes.models import list_models
from opencode.modules.ai.routes.providers import ProvidersController, list_presets
from opencode.modules.ai.routes.usage import UsageController

ROUTES: tuple[ControllerRouterHandler, ...] = (
    ProvidersController,
    list_presets,
    list_models,
    ConfigurationController,
    KeysController,
    LimitsController,
    UsageController,
)
"""Every handler of the module."""
