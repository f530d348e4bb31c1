"""Releases of a project."""

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.infra.http import IdempotencyKey, PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.schemas.releases import ReleaseCardView, ReleaseChange, ReleaseDraft, ReleaseView
from opencode.modules.marketplace.service.files import Files
from opencode.modules.marketplace.service.readmes import Readmes
from opencode.modules.marketplace.service.releasing import Releasing, ShownRelease


class ReleasesController(Controller):
    path = "/api/v1/projects/{slug:str}/releases"
    tags = ("Marketplace",)

    @post("/", operation_id="publish_release", summary="Release a version")
    async def publish(
        self,
        slug: FromPath[str],
        data: JSONBody[ReleaseDraft],
        principal: NamedDependency[Principal],
        releasing: NamedDependency[Releasing],
        readmes: NamedDependency[Readmes],
        files: NamedDependency[Files],
        idempotency_key: IdempotencyKey = None,
    ) -> ReleaseView:
        """Files are added one by one afterwards."""
        made = await releasing.publish(slug, principal, data.values(), key=idempotency_key)
        return await _view(made, readmes, files)

    @get("/", operation_id="list_releases", summary="List releases, the newest version first")
    async def list_all(
        self,
        slug: FromPath[str],
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        releasing: NamedDependency[Releasing],
    ) -> PageView[ReleaseCardView]:
        """Also those that were yanked."""
        found = await releasing.list(slug, principal, page)
        return PageView([ReleaseCardView.of(each) for each in found.items], found.next_cursor)

    @get("/{version:str}", operation_id="get_release", summary="Get a release with its files")
    async def get_one(
        self,
        slug: FromPath[str],
        version: FromPath[str],
        principal: NamedDependency[Principal],
        releasing: NamedDependency[Releasing],
        readmes: NamedDependency[Readmes],
        files: NamedDependency[Files],
    ) -> ReleaseView:
        """`1.0` finds `1.0.0`, and `v1.0` too."""
        return await _view(await releasing.get(slug, version, principal), readmes, files)

    @patch("/{version:str}", operation_id="change_release", summary="Change the notes of a release, or yank it")
    async def change(
        self,
        slug: FromPath[str],
        version: FromPath[str],
        data: JSONBody[ReleaseChange],
        principal: NamedDependency[Principal],
        releasing: NamedDependency[Releasing],
        readmes: NamedDependency[Readmes],
        files: NamedDependency[Files],
    ) -> ReleaseView:
        changed = await releasing.change(slug, version, principal, data.values())
        return await _view(changed, readmes, files)

    @delete("/{version:str}", operation_id="delete_release", summary="Delete a release that nobody has downloaded")
    async def remove(
        self,
        slug: FromPath[str],
        version: FromPath[str],
        principal: NamedDependency[Principal],
        releasing: NamedDependency[Releasing],
    ) -> None:
        await releasing.delete(slug, version, principal)


async def _view(shown: ShownRelease, readmes: Readmes, files: Files) -> ReleaseView:
    html = await readmes.html_of(shown.release.notes, shown.project.repository_url)
    version = shown.release.version
    return ReleaseView.of(shown, html, lambda file: files.url_of(shown.project, version, file.name))
