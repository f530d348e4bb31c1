"""What a module says of a public page: everything but the shell around it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from opencode.infra.html.markup import NOTHING, Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPage:
    """
    A page for everybody; nothing in it depends on who asks.

    Attributes:
        title, description: plain text, one line.
        path: the page's one good address inside this server, with its query; empty where it has none.
        body: what is read without JavaScript.
        kind: `og:type` (ogp.me).
        image: an absolute address, or None.
        data: linked data (schema.org), one block each.
        feeds: (title, path) of Atom feeds with the same things.
        robots: what search engines may do beyond the usual, such as `noindex, follow`.
        moved_to: where the page is now for good; then there is nothing else to show.
        surrogate_keys: what the page was made of. When one of these changes, the page is outdated.
        is_local: made of what this process alone knows; see `infra.cache.Made`.
        fresh_s: for how many seconds nothing else outdates it; 0 is not to be kept.
    """

    title: str
    description: str = ""
    path: str = ""
    body: Markup = NOTHING
    kind: str = "website"
    image: str | None = None
    data: tuple[dict[str, Any], ...] = ()
    feeds: tuple[tuple[str, str], ...] = ()
    robots: str = ""
    status: int = 200
    moved_to: str | None = None
    surrogate_keys: tuple[str, ...] = ()
    is_local: bool = False
    fresh_s: int = 60


@dataclass(frozen=True, slots=True)
class PageAddress:
    """What was asked for: the path, and the query as it came."""

    path: str
    query: tuple[tuple[str, str], ...] = ()

    def first(self, name: str) -> str:
        return next((value for key, value in self.query if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]


@dataclass(frozen=True, slots=True)
class PageOffer:
    """
    A page that a module can make.

    Attributes:
        key: the path with those parts of the query that make a difference, in one order: whatever else is asked for
            is the same page.
    """

    key: str
    make: Callable[[], Awaitable[PublicPage]]
