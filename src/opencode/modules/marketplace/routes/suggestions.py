"""What a model would say of a project in its list."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from opencode.kernel.principal import Principal
from opencode.modules.marketplace.schemas.suggestions import ReadmeBody, SuggestionsOfferedView, SuggestionView
from opencode.modules.marketplace.service.suggesting import Suggesting


class SuggestionsController(Controller):
    path = "/api/v1/projects/suggestions"
    tags = ("Marketplace",)

    @get("/", operation_id="get_suggestions_offered", summary="Ask whether a model suggests summaries and tags")
    async def offered(
        self, principal: NamedDependency[Principal], suggesting: NamedDependency[Suggesting]
    ) -> SuggestionsOfferedView:
        return SuggestionsOfferedView(await suggesting.offered(principal))

    @post(
        "/",
        operation_id="suggest_listing",
        summary="Have a summary and tags suggested from a README",
        status_code=200,
    )
    async def suggest(
        self,
        data: JSONBody[ReadmeBody],
        principal: NamedDependency[Principal],
        suggesting: NamedDependency[Suggesting],
    ) -> SuggestionView:
        """Nothing is saved."""
        return SuggestionView.of(await suggesting.suggest(principal, data.text))
