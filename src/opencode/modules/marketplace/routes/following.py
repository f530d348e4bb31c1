"""Following people, projects and searches."""

from typing import Annotated

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from opencode.infra.http import PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.following import FollowKind
from opencode.modules.marketplace.schemas.following import (
    FollowedSearchDraft,
    FollowedSearchView,
    FollowedView,
    FollowingView,
)
from opencode.modules.marketplace.service.following import Following


class FollowingController(Controller):
    path = "/api/v1"
    tags = ("Marketplace",)

    @get("/users/{handle:str}/follow", operation_id="get_follow_of_person", summary="Who follows somebody, in numbers")
    async def of_person(
        self,
        handle: FromPath[str],
        principal: NamedDependency[Principal],
        following: NamedDependency[Following],
    ) -> FollowingView:
        return FollowingView.of(await following.of_person(handle, principal))

    @put("/users/{handle:str}/follow", operation_id="follow_person", summary="Follow somebody")
    async def follow_person(
        self,
        handle: FromPath[str],
        principal: NamedDependency[Principal],
        following: NamedDependency[Following],
    ) -> FollowingView:
        """Twice is the same as once."""
        return FollowingView.of(await following.follow_person(handle, principal, wanted=True))

    @delete(
        "/users/{handle:str}/follow", operation_id="unfollow_person", summary="Stop following somebody", status_code=200
    )
    async def unfollow_person(
        self,
        handle: FromPath[str],
        principal: NamedDependency[Principal],
        following: NamedDependency[Following],
    ) -> FollowingView:
        return FollowingView.of(await following.follow_person(handle, principal, wanted=False))

    @get(
        "/projects/{slug:str}/follow", operation_id="get_follow_of_project", summary="Who follows a project, in numbers"
    )
    async def of_project(
        self, slug: FromPath[str], principal: NamedDependency[Principal], following: NamedDependency[Following]
    ) -> FollowingView:
        return FollowingView.of(await following.of_project(slug, principal))

    @put("/projects/{slug:str}/follow", operation_id="follow_project", summary="Follow a project")
    async def follow_project(
        self, slug: FromPath[str], principal: NamedDependency[Principal], following: NamedDependency[Following]
    ) -> FollowingView:
        """Twice is the same as once."""
        return FollowingView.of(await following.follow_project(slug, principal, wanted=True))

    @delete(
        "/projects/{slug:str}/follow",
        operation_id="unfollow_project",
        summary="Stop following a project",
        status_code=200,
    )
    async def unfollow_project(
        self, slug: FromPath[str], principal: NamedDependency[Principal], following: NamedDependency[Following]
    ) -> FollowingView:
        return FollowingView.of(await following.follow_project(slug, principal, wanted=False))

    @get("/me/following", operation_id="list_following", summary="List what one follows, the latest first")
    async def list_own(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        following: NamedDependency[Following],
        kind: Annotated[FollowKind | None, QueryParameter(description="only these; all when not given")] = None,
    ) -> PageView[FollowedView]:
        found = await following.list_own(principal, page, kind)
        return PageView([FollowedView.of(each) for each in found.items], found.next_cursor)

    @post("/me/searches", operation_id="follow_search", summary="Be told of new projects that fit a search")
    async def follow_search(
        self,
        data: JSONBody[FollowedSearchDraft],
        principal: NamedDependency[Principal],
        following: NamedDependency[Following],
    ) -> Response[FollowedSearchView]:
        """A search that asks for the same as one that is followed already answers with that one."""
        followed = await following.follow_search(principal, data.values())
        return Response(FollowedSearchView.of(followed), status_code=201)

    @get("/me/searches", operation_id="list_followed_searches", summary="List the searches that one follows")
    async def list_searches(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        following: NamedDependency[Following],
    ) -> PageView[FollowedSearchView]:
        """The latest first."""
        found = await following.list_own(principal, page, FollowKind.SEARCH)
        searches = [FollowedSearchView.of(each.search) for each in found.items if each.search]
        return PageView(searches, found.next_cursor)

    @delete("/me/searches/{search_id:str}", operation_id="unfollow_search", summary="Stop following a search")
    async def unfollow_search(
        self,
        search_id: FromPath[str],
        principal: NamedDependency[Principal],
        following: NamedDependency[Following],
    ) -> None:
        await following.unfollow_search(search_id, principal)
