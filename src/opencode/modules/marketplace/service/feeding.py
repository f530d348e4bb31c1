"""Feeds of what is public: whoever asks gets the same."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from opencode.kernel.pages import PageRequest
from opencode.modules.marketplace.adapters.atom import render
from opencode.modules.marketplace.domain.addresses import page_of_person
from opencode.modules.marketplace.domain.catalog import Filters, Order, PriceFilter, Search
from opencode.modules.marketplace.domain.feed import FEED_ENTRIES, Feed
from opencode.modules.marketplace.domain.project import MAX_WORD
from opencode.modules.marketplace.domain.text import line_problem
from opencode.modules.marketplace.domain.views import Card
from opencode.modules.marketplace.errors import FeedNotFound
from opencode.modules.marketplace.service.base import Shared, UseCases
from opencode.modules.marketplace.service.browsing import Browsing


@dataclass(frozen=True, slots=True)
class RenderedFeed:
    """An Atom document. `etag` is of these very bytes, without quotes; `updated`: when anything in it changed last."""

    body: bytes
    etag: str
    updated: datetime


class Feeding(UseCases):
    def __init__(self, shared: Shared, browsing: Browsing) -> None:
        super().__init__(shared)
        self._browsing = browsing

    async def newest(self) -> RenderedFeed:
        """
        Projects of the whole catalogue, those changed last first.

        Raises:
            CatalogueFilling
        """
        return self._rendered("New projects", "/feeds/projects.atom", "/projects", await self._found(Search()))

    async def of_tag(self, tag: str) -> RenderedFeed:
        """
        Raises:
            FeedNotFound: this can be no tag.
            CatalogueFilling
        """
        tag = tag.lower()
        if line_problem(tag, MAX_WORD, least=1):
            raise FeedNotFound
        cards = await self._found(Search(filters=Filters(tags=(tag,))))
        page = f"/projects?{urlencode({'tags': tag})}"
        return self._rendered(f"Projects: {tag}", f"/feeds/tags/{quote(tag, safe='')}.atom", page, cards)

    async def of_search(self, text: str, filters: Filters) -> RenderedFeed:
        """
        What a search finds, those changed last first.

        Raises:
            CatalogueFilling
        """
        asked = [("q", text)] if text else []
        asked += [("technologies", value) for value in filters.technologies]
        asked += [("license", filters.license)] if filters.license else []
        asked += [("price", filters.price.value)] if filters.price is not PriceFilter.ALL else []
        asked += [("tags", value) for value in filters.tags]
        named = ", ".join(value for _, value in asked)
        query = f"?{urlencode(asked)}" if asked else ""
        cards = await self._found(Search(text, filters))
        return self._rendered(
            f"Projects: {named}" if named else "Projects", f"/feeds/search.atom{query}", f"/projects{query}", cards
        )

    async def of_person(self, handle: str) -> tuple[RenderedFeed, str]:
        """
        Projects of one person, the latest publication first.

        Returns:
            The feed, and the handle that they have now.

        Raises:
            ProfileNotFound
        """
        async with self.reading() as stores:
            person = await self.person(stores, handle)
            cards = await stores.projects.newest_cards_of(person.user_id, FEED_ENTRIES)
        address = f"/feeds/users/{person.handle}.atom"
        title = f"Projects of {person.display_name}"
        return self._rendered(title, address, page_of_person(person.handle), cards), person.handle

    async def _found(self, search: Search) -> list[Card]:
        wanted = Search(search.text, search.filters, Order.RECENT, with_facets=False)
        return (await self._browsing.search(wanted, PageRequest(FEED_ENTRIES))).cards

    def _rendered(self, title: str, address: str, page: str, cards: Sequence[Card]) -> RenderedFeed:
        server = self.parts.public_url()
        feed = Feed(title, server + address, server + page, server, cards)
        body = render(feed)
        return RenderedFeed(body, hashlib.blake2b(body, digest_size=16).hexdigest(), feed.updated)
