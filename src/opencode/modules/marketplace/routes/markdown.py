"""Markdown as HTML, for the editor's preview."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from opencode.kernel.principal import Principal
from opencode.modules.marketplace.schemas.projects import MarkdownBody, RenderedView
from opencode.modules.marketplace.service.readmes import Readmes


@post(
    "/api/v1/markdown",
    operation_id="render_markdown",
    summary="Show Markdown as a project's page will show it",
    status_code=200,
    tags=["Marketplace"],
)
async def render_markdown(
    data: JSONBody[MarkdownBody], principal: NamedDependency[Principal], readmes: NamedDependency[Readmes]
) -> RenderedView:
    """Nothing is kept."""
    return RenderedView(await readmes.preview(principal, data.text, data.repository_url))
