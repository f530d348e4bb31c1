"""Projects that are told of elsewhere, read as drafts."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from opencode.kernel.principal import Principal
from opencode.modules.marketplace.schemas.drafts import DraftAddress, DraftView, SourcesView
from opencode.modules.marketplace.service.drafting import Drafting


class DraftsController(Controller):
    path = "/api/v1/projects/drafts"
    tags = ("Marketplace",)

    @post(
        "/",
        operation_id="read_draft",
        summary="Read a project from a code host or package index",
        status_code=200,
    )
    async def read(
        self, data: JSONBody[DraftAddress], principal: NamedDependency[Principal], drafting: NamedDependency[Drafting]
    ) -> DraftView:
        """Nothing is saved. `problems` names what could not be told."""
        return DraftView.of(await drafting.draft(principal, data.url))

    @get("/", operation_id="list_draft_sources", summary="List the hosts that drafts are read from")
    async def sources(self, principal: NamedDependency[Principal], drafting: NamedDependency[Drafting]) -> SourcesView:
        """None where the operator has named none."""
        return SourcesView(list(drafting.hosts(principal)))
