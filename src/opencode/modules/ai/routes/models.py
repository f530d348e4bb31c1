"""Models, for everybody who may use them."""

from litestar import get
from litestar.di import NamedDependency

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.schemas.models import ModelView
from opencode.modules.ai.service.models import Models


@get("/api/v1/ai/models", operation_id="list_models", summary="The models that you may use", tags=["AI"])
async def list_models(
    principal: NamedDependency[Principal], page: NamedDependency[PageRequest], models: NamedDependency[Models]
) -> PageView[ModelView]:
    """Models and aliases by name; none for people who may not use AI, or while no provider is configured."""
    found = await models.page(principal, page)
    return PageView([ModelView.of(each) for each in found.items], found.next_cursor)
