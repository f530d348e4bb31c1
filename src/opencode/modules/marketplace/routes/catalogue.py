"""Looking after the catalogue as a whole."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from opencode.kernel.principal import Principal
from opencode.modules.marketplace.schemas.catalogue import AgreementView, RebuildView
from opencode.modules.marketplace.service.errands import Errands


class CatalogueController(Controller):
    path = "/api/v1/marketplace/catalogue"
    tags = ("Marketplace",)

    @post(
        "/rebuild",
        operation_id="rebuild_catalogue",
        summary="Fill the index of every server anew from the database",
        status_code=202,
    )
    async def rebuild(self, principal: NamedDependency[Principal], errands: NamedDependency[Errands]) -> RebuildView:
        """For administrators. Searching goes on meanwhile, and nothing that is written meanwhile is lost."""
        return RebuildView.of(*await errands.rebuild(principal))

    @get("/rebuild/{rebuild_id:str}", operation_id="get_catalogue_rebuild", summary="How a rebuild goes")
    async def get_rebuild(
        self, rebuild_id: FromPath[str], principal: NamedDependency[Principal], errands: NamedDependency[Errands]
    ) -> RebuildView:
        return RebuildView.of(*await errands.get(rebuild_id, principal))

    @get("/check", operation_id="check_catalogue", summary="Do index and database agree?")
    async def check(self, principal: NamedDependency[Principal], errands: NamedDependency[Errands]) -> AgreementView:
        """
        For administrators. Compares every published project; at a million that takes a minute. What is changed
        meanwhile is no disagreement.
        """
        return AgreementView.of(await errands.check(principal))
