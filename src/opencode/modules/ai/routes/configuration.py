"""The configuration in force, for administrators."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.schemas.configuration import ConfigurationView, ValueView
from opencode.modules.ai.service.inspecting import Inspecting


class ConfigurationController(Controller):
    path = "/api/v1/ai/configuration"
    tags = ("AI",)

    @get(operation_id="get_ai_configuration", summary="The AI configuration in force")
    async def get_ai_configuration(
        self, principal: NamedDependency[Principal], inspecting: NamedDependency[Inspecting]
    ) -> ConfigurationView:
        """With secrets masked, and what is wrong with the one that was refused last."""
        return ConfigurationView.of(inspecting.configuration(principal))

    @get("/values", operation_id="list_ai_configuration_values", summary="Where each value comes from")
    async def list_ai_configuration_values(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        inspecting: NamedDependency[Inspecting],
        key: Annotated[
            str, QueryParameter(max_length=500, description="such as providers.local; all when not given")
        ] = "",
    ) -> PageView[ValueView]:
        """By path, each with its layer, file, line and column."""
        found = inspecting.values(principal, key, page)
        return PageView([ValueView.of(each) for each in found.items], found.next_cursor)
