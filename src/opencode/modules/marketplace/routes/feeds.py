"""Atom feeds. They are documents and no part of the API's dialect, so its description does not list them."""

from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from opencode.modules.marketplace.domain.catalog import Filters, PriceFilter
from opencode.modules.marketplace.errors import FeedNotFound
from opencode.modules.marketplace.routes.filters import Licence, Price, SearchText, Values
from opencode.modules.marketplace.routes.revisions import moved_to
from opencode.modules.marketplace.service.feeding import Feeding, RenderedFeed

_PATH = "/feeds"
_ENDING = ".atom"
_FRESH_S = 60
"""How long a cache may answer without asking."""


class FeedsController(Controller):
    path = _PATH
    include_in_schema = False

    @get("/projects.atom")
    async def newest(self, request: Request[Any, Any, Any], feeding: NamedDependency[Feeding]) -> Response[Any]:
        return _answer(request, await feeding.newest())

    @get("/search.atom")
    async def of_search(
        self,
        request: Request[Any, Any, Any],
        feeding: NamedDependency[Feeding],
        q: SearchText = "",
        technologies: Values = None,
        licence: Licence = None,
        price: Price = PriceFilter.ALL,
        tags: Values = None,
    ) -> Response[Any]:
        filters = Filters(tuple(technologies or ()), tuple(tags or ()), licence, price)
        return _answer(request, await feeding.of_search(q, filters))

    @get("/users/{file:str}")
    async def of_person(
        self, request: Request[Any, Any, Any], file: FromPath[str], feeding: NamedDependency[Feeding]
    ) -> Response[Any]:
        """An old handle answers 308 with the present one."""
        asked = _name(file)
        feed, handle = await feeding.of_person(asked)
        return _answer(request, feed) if handle == asked else moved_to(f"{_PATH}/users/{handle}{_ENDING}")

    @get("/tags/{file:str}")
    async def of_tag(
        self, request: Request[Any, Any, Any], file: FromPath[str], feeding: NamedDependency[Feeding]
    ) -> Response[Any]:
        return _answer(request, await feeding.of_tag(_name(file)))


def _name(file: str) -> str:
    if not file.endswith(_ENDING):
        raise FeedNotFound
    return file.removesuffix(_ENDING)


def _answer(request: Request[Any, Any, Any], feed: RenderedFeed) -> Response[Any]:
    headers = {
        "etag": f'"{feed.etag}"',
        "last-modified": format_datetime(feed.updated, usegmt=True),
        "cache-control": f"public, max-age={_FRESH_S}",
    }
    if _has_it(request, feed):
        return Response(None, status_code=304, headers=headers)
    return Response(feed.body, media_type="application/atom+xml; charset=utf-8", headers=headers)


def _has_it(request: Request[Any, Any, Any], feed: RenderedFeed) -> bool:
    """Does the caller have these bytes already? An ETag decides where there is one (RFC 9110 §13.2.2)."""
    if (shown := request.headers.get("if-none-match")) is not None:
        tags = {tag.strip().removeprefix("W/").strip('"') for tag in shown.split(",")}
        return shown.strip() == "*" or feed.etag in tags
    since = _moment(request.headers.get("if-modified-since"))
    return since is not None and feed.updated.replace(microsecond=0) <= since


def _moment(shown: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(shown) if shown else None
    except ValueError:
        return None
    # Without a zone it is no date of HTTP.
    return moment if moment and moment.tzinfo else None
