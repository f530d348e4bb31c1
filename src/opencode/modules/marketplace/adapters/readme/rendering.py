"""A README as HTML."""

from collections.abc import Iterable
from html import escape

from opencode.kernel.errors import TooLarge
from opencode.modules.marketplace.adapters.readme.allowed import sanitised
from opencode.modules.marketplace.adapters.readme.links import Links
from opencode.modules.marketplace.adapters.readme.nesting import shallow
from opencode.modules.marketplace.adapters.readme.parsing import TooIntricate, html_of
from opencode.modules.marketplace.domain.repositories import Repository

MOST_BYTES = 200_000
MOST_OUTPUT = 2_000_000
"""Characters of HTML."""


class ReadmeTooLarge(TooLarge):
    """A README or description has more bytes than are rendered."""

    title = "The README is too large"

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"It has {size_bytes} bytes, and {MOST_BYTES} are the most.",
            action="Move parts of it to other pages, and link them.",
        )


def render(
    markdown: str, repository: Repository | None = None, *, folder: str = "", image_hosts: Iterable[str] = ()
) -> str:
    """
    Render Markdown as GitHub does (tables, task lists, alerts, raw HTML …), sanitised. The same text always gives the
    same HTML. Headings begin at the second level, below the page's own. What is made to be slow or to become huge is
    shown as it was typed.

    Args:
        markdown: 200 kB at the most.
        repository: where relative links lead, and at which state; without one they lead nowhere.
        folder: the README's own, from the root of the repository.
        image_hosts: whose pictures are shown; those of others become links.

    Raises:
        ReadmeTooLarge
    """
    size_bytes = len(markdown.encode(errors="replace"))
    if size_bytes > MOST_BYTES:
        raise ReadmeTooLarge(size_bytes)
    text = markdown.encode(errors="replace").decode()  # a lone surrogate is no letter
    try:
        rendered = html_of(text)
        if len(rendered) <= MOST_OUTPUT:
            rendered = _safe(rendered, Links(repository, folder, frozenset(map(str.lower, image_hosts))))
    except TooIntricate:
        return _as_typed(text)
    return rendered if len(rendered) <= MOST_OUTPUT else _as_typed(text)


def _safe(html: str, links: Links) -> str:
    return sanitised(shallow(html, links), links)


def _as_typed(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"
