"""Providers, for administrators."""

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.ai.policy import require_manager
from opencode.modules.ai.schemas.providers import PresetsView, ProviderBody, ProviderView
from opencode.modules.ai.service.administering import Administering


@get("/api/v1/ai/presets", operation_id="list_presets", summary="Services that are known by name", tags=["AI"])
async def list_presets(principal: NamedDependency[Principal]) -> PresetsView:
    """What a provider's `preset` may be, with the address and dialect that it stands for."""
    require_manager(principal)
    return PresetsView.all()


class ProvidersController(Controller):
    path = "/api/v1/ai/providers"
    tags = ("AI",)

    @get(operation_id="list_providers", summary="All providers, and how they are")
    async def list_providers(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        administering: NamedDependency[Administering],
    ) -> PageView[ProviderView]:
        """Those of files and of the database, by name. Never a key."""
        found = await administering.page(principal, page)
        return PageView([ProviderView.of(each) for each in found.items], found.next_cursor)

    @get("/{name:str}", operation_id="get_provider", summary="One provider")
    async def get_provider(
        self, name: FromPath[str], principal: NamedDependency[Principal], administering: NamedDependency[Administering]
    ) -> ProviderView:
        return ProviderView.of(await administering.find(name, principal))

    @post("/{name:str}/test", operation_id="test_provider", summary="Test a connection now", status_code=200)
    async def test_provider(
        self, name: FromPath[str], principal: NamedDependency[Principal], administering: NamedDependency[Administering]
    ) -> ProviderView:
        """Answers when the test is over, within 10 s. Whoever asks while one is under way gets its result."""
        return ProviderView.of(await administering.test(name, principal))

    @put("/{name:str}", operation_id="put_provider", summary="Add a provider, or change one that was added")
    async def put_provider(
        self,
        name: FromPath[str],
        data: JSONBody[ProviderBody],
        principal: NamedDependency[Principal],
        administering: NamedDependency[Administering],
    ) -> ProviderView:
        """It is in force when this answers. Those that a file names are changed there."""
        put_one = await administering.put(
            name, principal, data.said(), api_key=data.api_key, headers=data.headers, revision=data.revision
        )
        return ProviderView.of(put_one)

    @delete("/{name:str}", operation_id="delete_provider", summary="Delete a provider that was added")
    async def delete_provider(
        self, name: FromPath[str], principal: NamedDependency[Principal], administering: NamedDependency[Administering]
    ) -> None:
        await administering.delete(name, principal)
