"""The bulk door."""

from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from opencode.kernel.principal import Principal
from opencode.modules.marketplace.schemas.imports import ImportView
from opencode.modules.marketplace.service.importing import Importing


class ImportsController(Controller):
    path = "/api/v1/projects/import"
    tags = ("Marketplace",)

    # The body is read piece by piece into a file, and `import_bytes` bounds it.
    @post(
        "/",
        operation_id="import_projects",
        summary="Import many projects: one JSON object a line",
        status_code=202,
        request_max_body_size=None,
    )
    async def begin(
        self,
        request: Request[Any, Any, Any],
        principal: NamedDependency[Principal],
        importing: NamedDependency[Importing],
    ) -> ImportView:
        """For administrators. Answers when the lines are received; they are imported in the background."""
        return ImportView.of(await importing.receive(principal, request.stream()))

    @get("/{import_id:str}", operation_id="get_import", summary="How an import goes, and what it refused")
    async def get_one(
        self, import_id: FromPath[str], principal: NamedDependency[Principal], importing: NamedDependency[Importing]
    ) -> ImportView:
        return ImportView.of(*await importing.get(import_id, principal))
