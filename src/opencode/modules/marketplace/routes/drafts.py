"""Projects that are told of elsewhere, read as drafts."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from opencode.kernel.principal import Principal
from opencode.modules.marketplace.schemas.drafts import DraftAddress, DraftView
from opencode.modules.marketplace.service.drafting import Drafting


@post(
    "/api/v1/projects/drafts",
    operation_id="read_draft",
    summary="Read a project from a code host or package index",
    status_code=200,
    tags=["Marketplace"],
)
async def read_draft(
    data: JSONBody[DraftAddress], principal: NamedDependency[Principal], drafting: NamedDependency[Drafting]
) -> DraftView:
    """Nothing is saved. `problems` names what could not be told."""
    return DraftView.of(await drafting.read(principal, data.url))
