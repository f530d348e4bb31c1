"""Collections of projects."""

from typing import Annotated

from litestar import Controller, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from opencode.infra.http import IdempotencyKey, PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.routes.revisions import IfMatch, with_revision
from opencode.modules.marketplace.schemas.collections import (
    CollectionChange,
    CollectionDraft,
    CollectionView,
    ItemDraft,
    ItemView,
)
from opencode.modules.marketplace.service.collecting import Collecting


class CollectionsController(Controller):
    path = "/api/v1"
    tags = ("Marketplace",)

    @post("/collections", operation_id="create_collection", summary="Make a collection")
    async def create(
        self,
        data: JSONBody[CollectionDraft],
        principal: NamedDependency[Principal],
        collecting: NamedDependency[Collecting],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[CollectionView]:
        made = await collecting.create(principal, data.values(), key=idempotency_key)
        return with_revision(CollectionView.of(made), made.collection.revision, status_code=201)

    @get("/me/collections", operation_id="list_own_collections", summary="List one's own collections, newest first")
    async def list_own(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        collecting: NamedDependency[Collecting],
        project: Annotated[str | None, QueryParameter(description="a slug: only those that this project is in")] = None,
    ) -> PageView[CollectionView]:
        """The private ones too."""
        found = await collecting.list_own(principal, page, holding=project)
        return PageView([CollectionView.of(each) for each in found.items], found.next_cursor)

    @get(
        "/users/{handle:str}/collections",
        operation_id="list_collections",
        summary="List somebody's public collections, newest first",
    )
    async def list_of(
        self, handle: FromPath[str], page: NamedDependency[PageRequest], collecting: NamedDependency[Collecting]
    ) -> PageView[CollectionView]:
        found = await collecting.list_of(handle, page)
        return PageView([CollectionView.of(each) for each in found.items], found.next_cursor)

    @get("/collections/{collection_id:str}", operation_id="get_collection", summary="Get a collection")
    async def get_one(
        self,
        collection_id: FromPath[str],
        principal: NamedDependency[Principal],
        collecting: NamedDependency[Collecting],
    ) -> Response[CollectionView]:
        """A private one is 404 to others."""
        shown = await collecting.get(collection_id, principal)
        return with_revision(CollectionView.of(shown), shown.collection.revision)

    @patch("/collections/{collection_id:str}", operation_id="change_collection", summary="Change a collection")
    async def change(
        self,
        collection_id: FromPath[str],
        data: JSONBody[CollectionChange],
        principal: NamedDependency[Principal],
        collecting: NamedDependency[Collecting],
        if_match: IfMatch = None,
    ) -> Response[CollectionView]:
        shown = await collecting.change(collection_id, principal, data.values(), if_match=if_match)
        return with_revision(CollectionView.of(shown), shown.collection.revision)

    @delete("/collections/{collection_id:str}", operation_id="delete_collection", summary="Delete a collection")
    async def remove(
        self,
        collection_id: FromPath[str],
        principal: NamedDependency[Principal],
        collecting: NamedDependency[Collecting],
        if_match: IfMatch = None,
    ) -> None:
        await collecting.delete(collection_id, principal, if_match=if_match)

    @get(
        "/collections/{collection_id:str}/items",
        operation_id="list_collection_items",
        summary="List what is in a collection, in its order",
    )
    async def list_items(
        self,
        collection_id: FromPath[str],
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        collecting: NamedDependency[Collecting],
    ) -> PageView[ItemView]:
        found = await collecting.list_items(collection_id, principal, page)
        return PageView([ItemView.of(each) for each in found.items], found.next_cursor)

    @put(
        "/collections/{collection_id:str}/items/{slug:str}",
        operation_id="put_collection_item",
        summary="Put a project into a collection, or elsewhere in it",
    )
    async def put_item(
        self,
        collection_id: FromPath[str],
        slug: FromPath[str],
        data: JSONBody[ItemDraft],
        principal: NamedDependency[Principal],
        collecting: NamedDependency[Collecting],
        if_match: IfMatch = None,
    ) -> Response[ItemView]:
        """201 for a project that was not in it. The `ETag` is the collection's."""
        item, collection, is_new = await collecting.put_item(
            collection_id, slug, principal, note=data.note, position=data.position, if_match=if_match
        )
        return with_revision(ItemView.of(item), collection.revision, status_code=201 if is_new else 200)

    @delete(
        "/collections/{collection_id:str}/items/{slug:str}",
        operation_id="delete_collection_item",
        summary="Take a project out of a collection",
    )
    async def remove_item(
        self,
        collection_id: FromPath[str],
        slug: FromPath[str],
        principal: NamedDependency[Principal],
        collecting: NamedDependency[Collecting],
        if_match: IfMatch = None,
    ) -> None:
        await collecting.remove_item(collection_id, slug, principal, if_match=if_match)
