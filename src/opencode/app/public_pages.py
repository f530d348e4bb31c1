"""
Public pages in the HTML that the server sends: what a module says of a page, put into the built shell. Whoever runs no
scripts reads it (search engines, previews of links, people without JavaScript); for all others the application draws
itself in its place.
"""

import gzip
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from opencode import __version__
from opencode.infra.cache import Cache, Made
from opencode.infra.html import Markup, PageAddress, PageOffer, PublicPage, data_block, element
from opencode.infra.http import status_of
from opencode.infra.plugs import Plug
from opencode.kernel.errors import Busy, Invalid, OpenCodeError, Unavailable

SITE = "OpenCode"
MOST_QUERY = 2_000
"""Characters after the `?` that are looked at."""
STALE_S = 600
"""For how long a page may still be given away while it is asked for anew (RFC 5861)."""

_STYLES = Path(__file__).with_name("public_page.css")
_WITHOUT_SCRIPTS = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rendered:
    """
    A page as it is sent.

    Attributes:
        packed: the same as gzip, for those who take it.
        etag: strong: other bytes have another one.
        retry_after_s: when to come again, where that helps.
    """

    status: int
    body: bytes
    packed: bytes
    etag: str
    location: str = ""
    surrogate_keys: tuple[str, ...] = ()
    fresh_s: int = 0
    retry_after_s: int | None = None


class Shell:
    """The built page of the application, cut open where a public page goes in."""

    def __init__(self, html: str, public_url: Callable[[], str], *, indexable: bool) -> None:
        self._public_url = public_url
        self._indexable = indexable
        self.styles = _STYLES.read_bytes()
        self.styles_path = f"/public-page.{hashlib.sha256(self.styles).hexdigest()[:16]}.css"
        rest_of_key = f"{__version__} {html} {self.styles_path} {indexable}"
        self._version = hashlib.sha256(rest_of_key.encode()).hexdigest()[:16]
        self._before_head, head_end, rest = html.partition("</head>")
        body = _WITHOUT_SCRIPTS.split(rest, maxsplit=1)
        self._after_head, self._after_body = head_end + body[0], body[-1]

    @property
    def version(self) -> str:
        """Tells pages of another build apart: theirs name scripts that are no longer there."""
        return f"{self._version} {self._public_url()}"

    def filled(self, page: PublicPage, *, has_feeds: bool, retry_after_s: int | None = None) -> Rendered:
        """The page in its shell. One that has moved is only told where to."""
        if page.moved_to:
            location = page.moved_to
            tag = _etag(location.encode())
            return Rendered(308, b"", b"", tag, location, page.surrogate_keys, page.fresh_s)
        body = element("div", page.body, id="public-page")
        parts = (self._before_head, self._head(page, has_feeds=has_feeds), self._after_head, body, self._after_body)
        html = "".join(parts).encode()
        packed = gzip.compress(html, mtime=0)
        keys = page.surrogate_keys
        return Rendered(page.status, html, packed, _etag(html), "", keys, page.fresh_s, retry_after_s)

    def _head(self, page: PublicPage, *, has_feeds: bool) -> Markup:
        # The one address comes from the settings, never from `Host`: whoever asks could make it any.
        canonical = f"{self._public_url()}{page.path}" if page.path else None
        robots = page.robots if self._indexable else "noindex, nofollow"
        described = {"og:title": page.title, "og:description": page.description, "og:type": page.kind}
        cards = {"twitter:card": "summary", "twitter:title": page.title, "twitter:description": page.description}
        named = {"description": page.description, "robots": robots, **cards, "twitter:image": page.image}
        pictured = {"og:url": canonical, "og:image": page.image, "og:site_name": SITE}
        return Markup("\n    ").join(
            [
                element("title", page.title if page.title == SITE else f"{page.title} · {SITE}"),
                element("link", rel="canonical", href=canonical) if canonical else Markup(""),
                *(element("meta", name=name, content=content) for name, content in named.items() if content),
                *(
                    element("meta", property=name, content=content)
                    for name, content in (described | pictured).items()
                    if content
                ),
                *(_feed(title, path) for title, path in page.feeds if has_feeds),
                element("link", rel="stylesheet", href=self.styles_path),
                *map(data_block, page.data),
                Markup(""),
            ]
        )


class PublicPages:
    """All public pages of this process, each made once for all who ask until something that it is made of changes."""

    def __init__(self, shell: Shell, plugs: Sequence[Plug], cache: Cache) -> None:
        self._shell = shell
        self._plugs = plugs
        self._cache = cache

    def offer(self, address: PageAddress) -> PageOffer | None:
        """The page of the first module that has one at this address."""
        return next((offer for plug in self._plugs if (offer := plug.pages(address))), None)

    async def answer(self, offer: PageOffer, *, has_feeds: bool) -> Rendered:
        """A page for everybody. One that cannot be made says why, and what to do."""

        async def make() -> Made:
            page = await offer.make()
            rendered = msgspec.msgpack.encode(self._shell.filled(page, has_feeds=has_feeds))
            stale_s = STALE_S if page.status == 200 else 0
            return Made(rendered, page.surrogate_keys, page.fresh_s, stale_s, page.is_local)

        try:
            kept = await self._cache.get(f"page {self._shell.version} {offer.key}", make)
        except OpenCodeError as error:
            wait_s = error.retry_after_s if isinstance(error, Busy | Unavailable) else None
            return self._shell.filled(_apology(error), has_feeds=False, retry_after_s=wait_s)
        return msgspec.msgpack.decode(kept, type=Rendered)


def require_modest(query: str) -> None:
    """
    Raises:
        Invalid: a query that is longer than any that our pages make.
    """
    if len(query) > MOST_QUERY:
        raise Invalid(
            f"The address has {len(query)} characters after its question mark; {MOST_QUERY} are the most.",
            action="Ask for less at once.",
        )


def _apology(error: OpenCodeError) -> PublicPage:
    body = element(
        "main",
        element("h1", error.title),
        element("p", error.detail, dir="auto"),
        element("p", error.action, dir="auto") if error.action else None,
        element("p", element("a", "All projects", href="/projects")),
    )
    return PublicPage(title=error.title, body=body, robots="noindex", status=status_of(error), fresh_s=0)


def _feed(title: str, path: str) -> Markup:
    # Marked, so that the application takes it out when it draws itself: it names the feed of each page that it shows.
    return element("link", rel="alternate", type="application/atom+xml", title=title, href=path, data_public_page=True)


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
