"""Projects: the catalogue, and one of them."""

from collections.abc import Sequence
from typing import Annotated

from litestar import Controller, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from opencode.infra.http import ASKED_EACH_TIME, IdempotencyKey, IfNoneMatch, PageView, answer_to, kept_for
from opencode.kernel.ids import ProjectId, is_id
from opencode.kernel.pages import MAX_LIMIT, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.catalog import Filters, Order, PriceFilter, Search
from opencode.modules.marketplace.domain.counting import WEEK_DAYS, Visitor
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.surrogates import ALL_PROJECTS, project_key, user_key
from opencode.modules.marketplace.domain.views import Shown
from opencode.modules.marketplace.routes.filters import Featured, Licence, Price, SearchText, Values
from opencode.modules.marketplace.routes.revisions import IfMatch, moved_to, with_revision
from opencode.modules.marketplace.routes.visitors import VISITOR
from opencode.modules.marketplace.schemas.counters import (
    CountersView,
    DaysView,
    DayView,
    DownloadView,
    StarView,
    WeeksView,
)
from opencode.modules.marketplace.schemas.drafts import SyncPreviewView, SyncRequest, SyncView
from opencode.modules.marketplace.schemas.fields import CardView
from opencode.modules.marketplace.schemas.projects import ProjectChange, ProjectDraft, ProjectView
from opencode.modules.marketplace.schemas.proofs import NameCheckView
from opencode.modules.marketplace.schemas.search import SearchView
from opencode.modules.marketplace.service.browsing import Browsing
from opencode.modules.marketplace.service.publishing import Publishing
from opencode.modules.marketplace.service.readmes import Readmes
from opencode.modules.marketplace.service.resembling import Resembling
from opencode.modules.marketplace.service.syncing import Syncing
from opencode.modules.marketplace.service.visiting import Visiting

PROJECTS_PATH = "/api/v1/projects"
_MOST_DAYS = 730
SEARCHES_KEPT = kept_for(10, 60)
_COUNTERS_KEPT = kept_for(5, 30)


async def view_of(shown: Shown, readmes: Readmes, *, starred: bool = False, notices: Sequence[str] = ()) -> ProjectView:
    html = await readmes.html_of(shown.project.description, shown.project.repository_url)
    return ProjectView.of(shown, html, starred=starred, notices=notices)


def keys_of(project: Project) -> tuple[str, ...]:
    """The surrogate keys of a project's page."""
    return project_key(project.id), user_key(project.owner_id)


class ProjectsController(Controller):
    path = PROJECTS_PATH
    tags = ("Marketplace",)
    dependencies = VISITOR

    @get("/", operation_id="search_projects", summary="Search the catalogue")
    async def search(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        browsing: NamedDependency[Browsing],
        q: SearchText = "",
        technologies: Values = None,
        licence: Licence = None,
        price: Price = PriceFilter.ALL,
        tags: Values = None,
        featured: Featured = False,
        sort: Annotated[Order, QueryParameter(description="the order of the results")] = Order.RELEVANCE,
        if_none_match: IfNoneMatch = None,
    ) -> Response[SearchView]:
        """Total and facets are exact, and count all results. Without words, relevance is popularity."""
        filters = Filters(tuple(technologies or ()), tuple(tags or ()), licence, price, featured)
        view = SearchView.of(await browsing.search(Search(q, filters, sort), page))
        return answer_to(
            principal, view, control=SEARCHES_KEPT, if_none_match=if_none_match, surrogate_keys=(ALL_PROJECTS,)
        )

    @get("/counters", operation_id="get_counters", summary="Get the counters of several projects")
    async def counters(
        self,
        principal: NamedDependency[Principal],
        visiting: NamedDependency[Visiting],
        ids: Annotated[str, QueryParameter(max_length=4_000, description="up to 100 ids, separated by commas")],
        if_none_match: IfNoneMatch = None,
    ) -> Response[PageView[CountersView]]:
        """Apart from projects, because they move all the time. Projects that not everybody sees are left out."""
        counted = await visiting.counters(ids.split(","))
        view = PageView([CountersView.of(project_id, own) for project_id, own in counted.items()], None)
        return answer_to(principal, view, control=_COUNTERS_KEPT, if_none_match=if_none_match)

    @post("/", operation_id="create_project", summary="Make a project")
    async def create(
        self,
        data: JSONBody[ProjectDraft],
        principal: NamedDependency[Principal],
        publishing: NamedDependency[Publishing],
        readmes: NamedDependency[Readmes],
        resembling: NamedDependency[Resembling],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[ProjectView]:
        made = await publishing.create(principal, data.values(), key=idempotency_key)
        told = await resembling.notices_for(made.project)
        view = await view_of(made, readmes, notices=[*told, *await publishing.notices_for(made.project)])
        return with_revision(view, made.project.revision, status_code=201)

    @get("/names/check", operation_id="check_name", summary="What a name could be taken for, before one takes it")
    async def check_name(
        self,
        principal: NamedDependency[Principal],
        resembling: NamedDependency[Resembling],
        name: Annotated[str, QueryParameter(max_length=200, description="a title, or a name as in an address")],
    ) -> NameCheckView:
        return NameCheckView.of(await resembling.check(name, principal))

    @get("/{slug:str}", operation_id="get_project", summary="Get a project")
    async def get_one(
        self,
        slug: FromPath[str],
        principal: NamedDependency[Principal],
        visiting: NamedDependency[Visiting],
        readmes: NamedDependency[Readmes],
        visitor: NamedDependency[Visitor],
        if_none_match: IfNoneMatch = None,
    ) -> Response[ProjectView]:
        """An old slug answers 308 with the present one."""
        shown, starred = await visiting.look(slug, principal, visitor)
        if shown.project.slug != slug:
            return moved_to(f"{PROJECTS_PATH}/{shown.project.slug}")
        return answer_to(
            principal,
            await view_of(shown, readmes, starred=starred),
            control=ASKED_EACH_TIME,
            if_none_match=if_none_match,
            surrogate_keys=keys_of(shown.project),
            revision=shown.project.revision,
        )

    @patch("/{slug:str}", operation_id="change_project", summary="Change a project")
    async def change(
        self,
        slug: FromPath[str],
        data: JSONBody[ProjectChange],
        principal: NamedDependency[Principal],
        publishing: NamedDependency[Publishing],
        readmes: NamedDependency[Readmes],
        resembling: NamedDependency[Resembling],
        if_match: IfMatch = None,
    ) -> Response[ProjectView]:
        values = data.values()
        shown = await publishing.change(slug, principal, values, if_match=if_match)
        notices = await resembling.notices_for(shown.project) if values.keys() & {"name", "title", "status"} else []
        if values.keys() & {"price", "repository_url", "status"}:
            notices = [*notices, *await publishing.notices_for(shown.project)]
        return with_revision(await view_of(shown, readmes, notices=notices), shown.project.revision)

    @post(
        "/{slug:str}/sync",
        operation_id="sync_project",
        summary="Read a project's repository again",
        status_code=200,
    )
    async def sync(
        self,
        slug: FromPath[str],
        data: JSONBody[SyncRequest],
        principal: NamedDependency[Principal],
        syncing: NamedDependency[Syncing],
        readmes: NamedDependency[Readmes],
        if_match: IfMatch = None,
    ) -> Response[SyncView]:
        """
        Its README becomes the description, and summary, technologies and licence are taken over, but for what its owner
        has worded since.
        """
        synced = await syncing.sync(slug, principal, data.take, if_match=if_match)
        view = SyncView.of(synced, await view_of(synced.shown, readmes))
        return with_revision(view, synced.shown.project.revision)

    @post(
        "/{slug:str}/sync/preview",
        operation_id="preview_sync",
        summary="Read what a project's repository says otherwise",
        status_code=200,
    )
    async def preview_sync(
        self, slug: FromPath[str], principal: NamedDependency[Principal], syncing: NamedDependency[Syncing]
    ) -> SyncPreviewView:
        """Nothing is changed."""
        return SyncPreviewView.of(await syncing.preview(slug, principal))

    @delete("/{slug:str}", operation_id="delete_project", summary="Delete a project with all that belongs to it")
    async def remove(
        self,
        slug: FromPath[str],
        principal: NamedDependency[Principal],
        publishing: NamedDependency[Publishing],
        if_match: IfMatch = None,
    ) -> None:
        await publishing.delete(slug, principal, if_match=if_match)

    @get("/{slug:str}/days", operation_id="list_project_days", summary="Read what was counted on each of the last days")
    async def days(
        self,
        slug: FromPath[str],
        principal: NamedDependency[Principal],
        visiting: NamedDependency[Visiting],
        days: Annotated[int, QueryParameter(ge=1, le=_MOST_DAYS, description="how many")] = 90,
    ) -> DaysView:
        return DaysView([DayView.of(day) for day in await visiting.days(slug, principal, days)])

    @get("/weeks", operation_id="list_project_weeks", summary="Read the downloads of some projects by week")
    async def weeks(
        self,
        visiting: NamedDependency[Visiting],
        ids: Annotated[list[str], QueryParameter(max_items=MAX_LIMIT, description="of projects; repeats")],
        weeks: Annotated[int, QueryParameter(ge=1, le=_MOST_DAYS // WEEK_DAYS, description="how many")] = 12,
    ) -> WeeksView:
        """For the small plots of a list. Projects that are not published are left out."""
        wanted = [ProjectId(each) for each in ids if is_id(each, "prj")]
        return WeeksView({**await visiting.weeks(wanted, weeks)})

    @put("/{slug:str}/star", operation_id="star_project", summary="Star a project")
    async def star(
        self, slug: FromPath[str], principal: NamedDependency[Principal], visiting: NamedDependency[Visiting]
    ) -> StarView:
        return StarView(True, await visiting.star(slug, principal, wanted=True))

    @delete("/{slug:str}/star", operation_id="unstar_project", summary="Take a star back", status_code=200)
    async def unstar(
        self, slug: FromPath[str], principal: NamedDependency[Principal], visiting: NamedDependency[Visiting]
    ) -> StarView:
        return StarView(False, await visiting.star(slug, principal, wanted=False))

    @post("/{slug:str}/downloads", operation_id="download_project", summary="Count a download, and get its address")
    async def download(
        self,
        slug: FromPath[str],
        principal: NamedDependency[Principal],
        visiting: NamedDependency[Visiting],
        visitor: NamedDependency[Visitor],
        idempotency_key: IdempotencyKey = None,
    ) -> DownloadView:
        """Counts once for each Idempotency-Key; without one, once for each visitor and hour."""
        return DownloadView(await visiting.download(slug, principal, visitor, key=idempotency_key))


@get(
    "/api/v1/me/projects",
    operation_id="list_own_projects",
    summary="List one's own projects, newest first",
    tags=["Marketplace"],
)
async def list_own_projects(
    principal: NamedDependency[Principal],
    page: NamedDependency[PageRequest],
    publishing: NamedDependency[Publishing],
) -> PageView[CardView]:
    """In all states."""
    found = await publishing.list_own(principal, page)
    return PageView([CardView.of(card) for card in found.items], found.next_cursor)
