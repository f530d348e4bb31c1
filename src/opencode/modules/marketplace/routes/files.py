"""Files of a release: in and out as they are."""

from collections.abc import AsyncGenerator
from typing import Any

from litestar import Controller, Request, Response, delete, get, head, put
from litestar.di import NamedDependency
from litestar.exceptions import InternalServerException
from litestar.params import FromPath

from opencode.infra.http import Download, announced_sha256, answer_with, head_of
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.counting import Visitor
from opencode.modules.marketplace.errors import UploadBrokenOff
from opencode.modules.marketplace.routes.visitors import VISITOR
from opencode.modules.marketplace.schemas.releases import FileView
from opencode.modules.marketplace.service.files import Files, FoundFile

AnyRequest = Request[Any, Any, Any]


class FilesController(Controller):
    path = "/api/v1/projects/{slug:str}/releases/{version:str}/files/{name:str}"
    tags = ("Marketplace",)
    dependencies = VISITOR

    # The body goes to the disk piece by piece, and `release_file_bytes` bounds it.
    @put(
        "/",
        operation_id="upload_release_file",
        summary="Add a file to a release: the body is its content",
        status_code=201,
        request_max_body_size=None,
    )
    async def upload(
        self,
        request: AnyRequest,
        slug: FromPath[str],
        version: FromPath[str],
        name: FromPath[str],
        principal: NamedDependency[Principal],
        files: NamedDependency[Files],
    ) -> Response[FileView]:
        """
        `X-Checksum-Sha256` (hex), `Content-Digest` or `Digest` is compared with what came. 200 when the release has
        this content under this name already.
        """
        found, is_new = await files.upload(
            slug,
            version,
            name,
            principal,
            _body(request),
            length=request.content_length,
            sha256=announced_sha256(request.headers),
        )
        view = FileView.of(found.file, files.url_of(found.project, found.release.version, found.file.name))
        return Response(view, status_code=201 if is_new else 200)

    @get(
        "/",
        operation_id="download_release_file",
        summary="Download a file of a release",
        media_type="application/octet-stream",
    )
    async def download(
        self,
        request: AnyRequest,
        slug: FromPath[str],
        version: FromPath[str],
        name: FromPath[str],
        principal: NamedDependency[Principal],
        files: NamedDependency[Files],
        visitor: NamedDependency[Visitor],
    ) -> Response[Any]:
        """The ETag is its SHA-256. One range is served. Counted once for each visitor and hour."""
        found = await files.look(slug, version, name, principal)

        async def read(start: int, length: int) -> AsyncGenerator[bytes]:
            return await files.download(found, visitor, start=start, length=length)

        return await answer_with(_download(found), request.headers, read)

    @head("/", operation_id="look_at_release_file", summary="How large a file is, and its checksum; not counted")
    async def look(
        self,
        slug: FromPath[str],
        version: FromPath[str],
        name: FromPath[str],
        principal: NamedDependency[Principal],
        files: NamedDependency[Files],
    ) -> Response[None]:
        return head_of(_download(await files.look(slug, version, name, principal)))

    @delete("/", operation_id="delete_release_file", summary="Delete a file of a release that nobody has downloaded")
    async def remove(
        self,
        slug: FromPath[str],
        version: FromPath[str],
        name: FromPath[str],
        principal: NamedDependency[Principal],
        files: NamedDependency[Files],
    ) -> None:
        """Its name stays its own: the same content may come back under it, another one never."""
        await files.delete(slug, version, name, principal)


def _download(found: FoundFile) -> Download:
    return Download(found.file.name, found.file.size_bytes, found.file.sha256)


async def _body(request: AnyRequest) -> AsyncGenerator[bytes]:
    """
    Raises:
        UploadBrokenOff: the caller went away in the middle.
    """
    try:
        async for piece in request.stream():
            yield piece
    except InternalServerException:
        raise UploadBrokenOff from None
