"""
What is done most, answered without the framework: a search, and a look at a project and its download, by nobody in
particular. Whoever shows who they are, or asks for anything unusual, is left to the framework, which answers these
calls in the same words.
"""

import re
from collections import OrderedDict
from typing import NamedTuple
from urllib.parse import parse_qsl

import msgspec
from litestar.types import ASGIApp, HTTPScope, Scope

from opencode.infra.http import ASKED_EACH_TIME
from opencode.infra.http.caching import Encoded, answer_to_all, encoded
from opencode.infra.http.direct import Answer, Answering, Later
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import ANONYMOUS
from opencode.modules.marketplace.domain.catalog import Filters, Order, PriceFilter, Search
from opencode.modules.marketplace.domain.surrogates import ALL_PROJECTS
from opencode.modules.marketplace.domain.views import Shown
from opencode.modules.marketplace.routes.filters import LONGEST_LICENCE, LONGEST_TEXT, MOST_VALUES
from opencode.modules.marketplace.routes.projects import PROJECTS_PATH, SEARCHES_KEPT, keys_of
from opencode.modules.marketplace.routes.visitors import visitor_of
from opencode.modules.marketplace.schemas.counters import DownloadView
from opencode.modules.marketplace.schemas.projects import ProjectView
from opencode.modules.marketplace.schemas.search import SearchView
from opencode.modules.marketplace.service.browsing import Browsing
from opencode.modules.marketplace.service.readmes import Readmes
from opencode.modules.marketplace.service.visiting import Visiting

MOST_PAGES = 200
LONGEST_PAGE = 64 * 1024
"""Bytes of a project's page that is kept as it was sent; longer ones are put together for each look."""

_LOOK = re.compile(rf"{PROJECTS_PATH}/(?!(?:counters|weeks)$)([^/]+)")
_DOWNLOAD = re.compile(rf"{PROJECTS_PATH}/([^/]+)/downloads")
_KEY = re.compile(rb"[\x21-\x7e]{1,200}")
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")
_LONGEST_ETAGS = 1_000
_REPEATED = frozenset({"technologies", "tags"})
_FIELDS = ("q", "technologies", "tags", "license", "price", "sort", "limit", "cursor")
_MOST_FIELDS = 100
_PRICES, _ORDERS = frozenset(PriceFilter), frozenset(Order)


class DirectCalls:
    """See `infra.http.direct.FindDirect`."""

    def __init__(self, browsing: Browsing, visiting: Visiting, readmes: Readmes) -> None:
        self._browsing = browsing
        self._visiting = visiting
        self._readmes = readmes
        self._pages = _Pages()

    def find(self, scope: Scope) -> tuple[str, ASGIApp] | None:
        if scope["type"] != "http" or not scope["path"].startswith(PROJECTS_PATH):
            return None
        method, path = scope["method"], scope["path"]
        if path == PROJECTS_PATH and method == "GET":
            return self._search(scope)
        if scope["query_string"]:
            return None
        if method == "GET" and (found := _LOOK.fullmatch(path)):
            return self._look(scope, found[1])
        if method == "POST" and (found := _DOWNLOAD.fullmatch(path)):
            return self._download(scope, found[1])
        return None

    def _search(self, scope: HTTPScope) -> tuple[str, ASGIApp] | None:
        headers = dict(scope["headers"])
        asked, known = _asked(scope["query_string"]), headers.get(b"if-none-match", b"")
        if asked is None or _shows_who(headers) or len(known) > _LONGEST_ETAGS:
            return None

        async def search(_scope: Scope) -> Answer:
            found = await self._browsing.search(asked.search, PageRequest.parse(asked.limit, asked.cursor))
            view = encoded(SearchView.of(found), None)
            return answer_to_all(view, SEARCHES_KEPT, known.decode("latin-1"), (ALL_PROJECTS,))

        return PROJECTS_PATH, Answering(search)

    def _look(self, scope: HTTPScope, slug: str) -> tuple[str, ASGIApp] | None:
        headers = dict(scope["headers"])
        known = headers.get(b"if-none-match", b"")
        if _shows_who(headers) or len(known) > _LONGEST_ETAGS:
            return None
        known_tags, agent = known.decode("latin-1"), headers.get(b"user-agent")

        async def look(scope: Scope) -> Answer:
            shown, _ = await self._visiting.look(slug, ANONYMOUS, visitor_of(scope, agent))
            project = shown.project
            if project.slug != slug:
                return Answer(b"", 308, {"location": f"{PROJECTS_PATH}/{project.slug}"})
            html = await self._readmes.html_of(project.description, project.repository_url)
            return _page(shown, self._pages.put(shown, html), known_tags)

        def look_now(scope: Scope) -> Answer | Later | None:
            if (seen := self._visiting.look_now(slug, visitor_of(scope, agent))) is None:
                return None
            shown, counted = seen
            if (page := self._pages.get(shown)) is None:
                return None  # it counts the same look, once
            return Later(counted, lambda: _page(shown, page, known_tags)) if counted else _page(shown, page, known_tags)

        return f"{PROJECTS_PATH}/{{slug:str}}", Answering(look, look_now)

    def _download(self, scope: HTTPScope, slug: str) -> tuple[str, ASGIApp] | None:
        headers = dict(scope["headers"])
        key = headers.get(b"idempotency-key")
        if _shows_who(headers) or (key is not None and not _KEY.fullmatch(key)):
            return None
        chosen, agent = None if key is None else key.decode("ascii"), headers.get(b"user-agent")

        async def download(scope: Scope) -> Answer:
            return _whence(await self._visiting.download(slug, ANONYMOUS, visitor_of(scope, agent), key=chosen))

        def download_now(scope: Scope) -> Answer | Later | None:
            found = self._visiting.download_now(slug, visitor_of(scope, agent), key=chosen)
            if found is None:
                return None
            url, counted = found
            if counted is None:
                return _whence(url)

            def counted_so() -> Answer:
                counted.result()
                return _whence(url)

            return Later(counted, counted_so)

        return f"{PROJECTS_PATH}/{{slug:str}}/downloads", Answering(download, download_now)


class _Page(NamedTuple):
    shown: Shown
    html: str
    encoded: Encoded


class _Pages:
    """
    What was shown last of some projects. It is shown again as long as the project is the same one, and put together
    anew from the same HTML when only its counters have moved.
    """

    def __init__(self) -> None:
        self._pages: OrderedDict[str, _Page] = OrderedDict()

    def get(self, shown: Shown) -> Encoded | None:
        page = self._pages.get(shown.project.slug)
        if page is None or page.shown.project is not shown.project:
            return None
        self._pages.move_to_end(shown.project.slug)
        return page.encoded if page.shown is shown else self.put(shown, page.html)

    def put(self, shown: Shown, html: str) -> Encoded:
        page = encoded(ProjectView.of(shown, html), shown.project.revision)
        if len(page.body) <= LONGEST_PAGE:
            self._pages[shown.project.slug] = _Page(shown, html, page)
            if len(self._pages) > MOST_PAGES:
                self._pages.popitem(last=False)
        return page


def _page(shown: Shown, page: Encoded, known: str) -> Answer:
    return answer_to_all(page, ASKED_EACH_TIME, known, keys_of(shown.project))


def _whence(url: str) -> Answer:
    return Answer(msgspec.json.encode(DownloadView(url)), 201)


class _Asked(NamedTuple):
    search: Search
    limit: int | None
    cursor: str | None


def _asked(query: bytes) -> _Asked | None:
    """What a search asks for; None of anything that may be wrong, as the framework tells what."""
    try:
        given = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return None
    values: dict[str, list[str]] = {name: [] for name in _FIELDS}
    for name, value in given:
        if name not in values or not (value or name == "q"):
            return None
        values[name].append(value)
    if any(len(found) > (MOST_VALUES if name in _REPEATED else 1) for name, found in values.items()):
        return None
    one = {name: found[0] for name, found in values.items() if found}
    text, licence, limit = one.get("q", ""), one.get("license"), one.get("limit")
    price, order = one.get("price", PriceFilter.ALL.value), one.get("sort", Order.RELEVANCE.value)
    too_long = len(text) > LONGEST_TEXT or len(licence or "") > LONGEST_LICENCE
    if too_long or price not in _PRICES or order not in _ORDERS or not _LIMIT.fullmatch(limit or "1"):
        return None
    filters = Filters(tuple(values["technologies"]), tuple(values["tags"]), licence, PriceFilter(price))
    return _Asked(Search(text, filters, Order(order)), int(limit) if limit else None, one.get("cursor"))


def _shows_who(headers: dict[bytes, bytes]) -> bool:
    return b"authorization" in headers or b"cookie" in headers
