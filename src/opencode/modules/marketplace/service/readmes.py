"""Markdown by strangers, as HTML: rendered when somebody looks, and remembered in this process alone."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable

from opencode.infra.security import Rate
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.repositories import Repository, repository_of
from opencode.modules.marketplace.errors import PreviewsTooFast
from opencode.modules.marketplace.service.base import Shared, UseCases

Render = Callable[[str, Repository | None], str]
"""Markdown and the repository that its relative links lead into -> HTML that may stand on a page of ours."""

QUICK_CHARACTERS = 500
"""Rendered on the event loop, within a few milliseconds; what is longer goes to a thread."""
AT_ONCE = 2
"""Texts that are rendered in threads at the same time; they hold the interpreter's lock most of the while."""
REMEMBERED_CHARACTERS = 16_000_000
"""Of HTML, in all."""
_MINUTE_S = 60


class Readmes(UseCases):
    """
    What is rendered is never stored: it would survive a fix of the sanitiser. A process forgets it at its end.

    Args:
        render: the renderer; the same text always gives the same HTML.
        remembered: characters of HTML that are kept, the most recently asked for.
    """

    def __init__(
        self,
        shared: Shared,
        render: Render,
        *,
        remembered: int = REMEMBERED_CHARACTERS,
    ) -> None:
        super().__init__(shared)
        self._render = render
        self._most = remembered
        self._known: OrderedDict[bytes, str] = OrderedDict()
        self._size = 0
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[bytes, asyncio.Task[str]] = {}

    async def html_of(self, markdown: str, repository_url: str | None = None) -> str:
        """
        Args:
            repository_url: where relative links and pictures lead; nowhere when it names no repository.

        Raises:
            ReadmeTooLarge
        """
        if not markdown.strip():
            return ""
        key = _key(markdown, repository_url)
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return known
        if len(markdown) <= QUICK_CHARACTERS:
            return self._remember(key, self._rendered(markdown, repository_url))
        # Many ask for a page at the moment when it becomes known; they share one rendering.
        if (task := self._under_way.get(key)) is None:
            task = self._under_way[key] = asyncio.create_task(self._in_thread(key, markdown, repository_url))
            task.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(task)

    async def preview(self, by: Principal, markdown: str, repository_url: str | None) -> str:
        """
        What a text will look like, for whoever is writing it. It is not remembered: the next letter makes it another.

        Raises:
            Unauthenticated, Forbidden: the caller has no account.
            PreviewsTooFast, ReadmeTooLarge
        """
        policy.require_account(by)
        rate = Rate(self.settings.previews_per_minute, _MINUTE_S)
        if wait_s := await self.parts.limiter.attempt(f"marketplace:preview:{by.id}", rate):
            raise PreviewsTooFast(wait_s)
        if len(markdown) <= QUICK_CHARACTERS:
            return self._rendered(markdown, repository_url)
        async with self._turns:
            return await asyncio.to_thread(self._rendered, markdown, repository_url)

    async def _in_thread(self, key: bytes, markdown: str, repository_url: str | None) -> str:
        async with self._turns:
            return self._remember(key, await asyncio.to_thread(self._rendered, markdown, repository_url))

    def _rendered(self, markdown: str, repository_url: str | None) -> str:
        return self._render(markdown, repository_of(repository_url) if repository_url else None)

    def _remember(self, key: bytes, html: str) -> str:
        self._size += len(html) - len(self._known.pop(key, ""))
        self._known[key] = html
        while self._size > self._most:
            _, oldest = self._known.popitem(last=False)
            self._size -= len(oldest)
        return html


def _key(markdown: str, repository_url: str | None) -> bytes:
    text = f"{repository_url or ''}\0{markdown}"
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
