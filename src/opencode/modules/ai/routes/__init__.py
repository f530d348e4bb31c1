"""HTTP in."""

from litestar.types import ControllerRouterHandler

from opencode.modules.ai.routes.configuration import ConfigurationController
from opencode.modules.ai.routes.models import list_models
from opencode.modules.ai.routes.providers import ProvidersController, list_presets

ROUTES: tuple[ControllerRouterHandler, ...] = (ProvidersController, list_presets, list_models, ConfigurationController)
"""Every handler of the module."""
