"""
Telling search engines what there is (sitemaps.org). Projects are listed by id, so what is new comes at the end, and a
sitemap that was read stays as it is but for what its projects have changed.
"""

from collections.abc import AsyncGenerator

from opencode.infra.cache import Made
from opencode.modules.marketplace.domain.views import Address
from opencode.modules.marketplace.errors import SitemapNotFound
from opencode.modules.marketplace.service.base import UseCases

MOST_ADDRESSES = 50_000
"""Of one sitemap, by its protocol; those of the lists are among them."""
PER_SITEMAP = MOST_ADDRESSES - 10
MOST_SITEMAPS = 10_000
COUNT_FRESH_S = 300
_BATCH = 1_000


class Sitemaps(UseCases):
    async def count(self) -> int:
        """How many sitemaps there are, or were a few minutes ago; the first is there always."""
        return int(await self.parts.cache.get("sitemaps", self._count))

    async def _count(self) -> Made:
        # Counting a million takes a while, and whoever likes may ask.
        async with self.reading() as stores:
            listed = await stores.projects.count_listed()
        return Made(str(max(1, -(-listed // PER_SITEMAP))).encode(), fresh_s=COUNT_FRESH_S, stale_s=COUNT_FRESH_S)

    async def addresses(self, number: int) -> AsyncGenerator[list[Address]]:
        """
        The projects of one sitemap, counted from 1, in batches. Between two of them nothing is held, however slowly
        somebody reads.

        Raises:
            SitemapNotFound: there are not so many.
        """
        if not 1 <= number <= MOST_SITEMAPS:
            raise SitemapNotFound(number)
        before = ""
        if number > 1:
            async with self.reading() as stores:
                first = await stores.projects.listed_place((number - 1) * PER_SITEMAP + 1)
                if first is None:
                    raise SitemapNotFound(number)
                before = await stores.projects.listed_place((number - 1) * PER_SITEMAP) or ""
        return self._batches(before)

    async def _batches(self, before: str) -> AsyncGenerator[list[Address]]:
        left = PER_SITEMAP
        while left:
            async with self.reading() as stores:
                batch = await stores.projects.addresses_after(before, min(left, _BATCH))
            if not batch:
                return
            yield batch
            before, left = batch[-1].id, left - len(batch)
