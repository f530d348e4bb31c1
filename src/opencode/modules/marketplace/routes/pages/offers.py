"""Which public page is at an address."""

from collections.abc import Awaitable, Callable

from opencode.infra.html import Markup, PageAddress, PageOffer, PublicPage, element
from opencode.kernel.errors import NotFound
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import ANONYMOUS
from opencode.modules.marketplace.domain.catalog import EVERYTHING, Filters, Order, Search
from opencode.modules.marketplace.domain.slugs import handle_problem, parts_of
from opencode.modules.marketplace.domain.surrogates import UNKNOWN_PEOPLE, UNKNOWN_PROJECTS
from opencode.modules.marketplace.errors import CatalogueFilling, ProfileNotFound, ProjectNotFound
from opencode.modules.marketplace.routes.pages.frame import framed
from opencode.modules.marketplace.routes.pages.listing import home_page, list_page
from opencode.modules.marketplace.routes.pages.person import person_page
from opencode.modules.marketplace.routes.pages.project import project_page
from opencode.modules.marketplace.routes.pages.wanted import Wanted
from opencode.modules.marketplace.service.browsing import Browsing, FoundPage
from opencode.modules.marketplace.service.people import People
from opencode.modules.marketplace.service.showing import Showing

ON_A_PAGE = 20
AT_HOME = 8
UNKNOWN_FRESH_S = 15
"""For how long a cache in front says that there is nothing; ours knows at once when there is."""

_PROJECT = "/projects/"
_PERSON = "/people/"


class MarketplacePages:
    """Attributes: public_url: where people reach this server; linked data names whole addresses."""

    def __init__(self, browsing: Browsing, showing: Showing, people: People, public_url: Callable[[], str]) -> None:
        self._browsing = browsing
        self._showing = showing
        self._people = people
        self._public_url = public_url

    def offer(self, address: PageAddress) -> PageOffer | None:
        path = address.path
        if path == "/":
            return PageOffer("/", self._home)
        if path == "/projects":
            wanted = Wanted.of(address)
            return PageOffer(wanted.place, lambda: self._list(wanted))
        slug, handle = path.removeprefix(_PROJECT), path.removeprefix(_PERSON)
        if slug != path and parts_of(slug):
            return PageOffer(path, lambda: self._project(slug))
        if handle != path and handle_problem(handle) is None:
            return PageOffer(path, lambda: self._person(handle))
        return None

    async def _home(self) -> PublicPage:
        try:
            featured = await self._first(Order.RECENT, Filters(featured=True))
            trending, newest = [await self._first(order) for order in (Order.TRENDING, Order.RECENT)]
        except CatalogueFilling:
            # A server that has just started has a door all the same.
            return home_page((), (), (), 0, self._public_url(), fresh_s=0)
        return home_page(featured.cards, trending.cards, newest.cards, newest.total, self._public_url())

    async def _first(self, order: Order, filters: Filters = EVERYTHING) -> FoundPage:
        wanted = Search(filters=filters, order=order, with_facets=False)
        return await self._browsing.search(wanted, PageRequest(AT_HOME))

    async def _list(self, wanted: Wanted) -> PublicPage:
        page = PageRequest.parse(ON_A_PAGE, wanted.cursor)
        return list_page(wanted, await self._browsing.search(wanted.search(), page), self._public_url())

    async def _project(self, slug: str) -> PublicPage:
        return await _or_nothing(self._project_there(slug), UNKNOWN_PROJECTS)

    async def _project_there(self, slug: str) -> PublicPage:
        return project_page(await self._showing.project(slug), slug, self._public_url())

    async def _person(self, handle: str) -> PublicPage:
        return await _or_nothing(self._person_there(handle), UNKNOWN_PEOPLE)

    async def _person_there(self, handle: str) -> PublicPage:
        return person_page(await self._people.look(handle, ANONYMOUS), handle, self._public_url())


async def _or_nothing(page: Awaitable[PublicPage], surrogate_key: str) -> PublicPage:
    """A page, or the one that says that there is nothing here, until something of that kind appears."""
    try:
        return await page
    except (ProjectNotFound, ProfileNotFound) as error:
        return _nothing(error, surrogate_key)


def _nothing(error: NotFound, surrogate_key: str) -> PublicPage:
    body: list[Markup] = [
        element("h1", error.title),
        element("p", error.detail),
        element("p", element("a", "All projects", href="/projects")),
    ]
    return PublicPage(
        title=error.title,
        body=framed(body),
        robots="noindex",
        status=404,
        surrogate_keys=(surrogate_key,),
        fresh_s=UNKNOWN_FRESH_S,
    )
