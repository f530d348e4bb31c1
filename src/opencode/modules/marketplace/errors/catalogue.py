"""
What can go wrong with the catalogue: searches, feeds, sitemaps, and making its index anew.

    NotFound     FeedNotFound · RebuildNotFound · SitemapNotFound
    Invalid      CursorOfAnotherSearch
    Unavailable  CatalogueFilling
"""

from opencode.kernel.errors import FieldProblem, Invalid, NotFound, Unavailable


class FeedNotFound(NotFound):
    """No such feed."""

    title = "The feed was not found"

    def __init__(self) -> None:
        super().__init__(
            "There is no feed at this address.", action="Feeds end in .atom, as /feeds/tags/web.atom does."
        )


class RebuildNotFound(NotFound):
    """No such rebuild of the catalogue, or one of days ago."""

    title = "The rebuild was not found"

    def __init__(self, errand_id: str) -> None:
        super().__init__(
            f"There is no rebuild {errand_id[:100]!r}.", action="Take the id that asking for the rebuild answered with."
        )


class SitemapNotFound(NotFound):
    """There are not so many sitemaps."""

    title = "The sitemap was not found"

    def __init__(self, number: int | str) -> None:
        super().__init__(f"There is no sitemap {str(number)[:20]}.", action="/sitemap.xml names those that there are.")


class CursorOfAnotherSearch(Invalid):
    """The cursor was given for other words, filters or another order."""

    title = "The cursor belongs to another search"

    def __init__(self) -> None:
        super().__init__(
            "The cursor was given for another search.",
            action="Ask with the same q, filters and sort, or leave the cursor out to start over.",
            problems=(FieldProblem("/cursor", "is not a cursor of this search"),),
        )


class CatalogueFilling(Unavailable):
    """The catalogue is still being read, as after a start; everything but searching works."""

    title = "The catalogue is being read"

    def __init__(self) -> None:
        super().__init__(
            "This server is still reading the catalogue; everything but searching works.",
            action="Try again in a few seconds.",
            retry_after_s=2,
        )
