"""
What thousands do each second with a project that everybody talks about, answered without the framework: a look at it
and a download, by nobody in particular. Whoever shows who they are, or asks for anything else, is left to the
framework, which answers these calls in the same words.
"""

import re

import msgspec
from litestar.types import ASGIApp, HTTPScope, Scope

from opencode.infra.http import ASKED_EACH_TIME
from opencode.infra.http.caching import answer_to_all
from opencode.infra.http.direct import Answer, answering
from opencode.kernel.principal import ANONYMOUS
from opencode.modules.marketplace.routes.projects import PROJECTS_PATH, keys_of, view_of
from opencode.modules.marketplace.routes.visitors import visitor_of
from opencode.modules.marketplace.schemas.counters import DownloadView
from opencode.modules.marketplace.service.readmes import Readmes
from opencode.modules.marketplace.service.visiting import Visiting

_LOOK = re.compile(rf"{PROJECTS_PATH}/(?!(?:counters|weeks)$)([^/]+)")
_DOWNLOAD = re.compile(rf"{PROJECTS_PATH}/([^/]+)/downloads")
_KEY = re.compile(rb"[\x21-\x7e]{1,200}")
_LONGEST_ETAGS = 1_000


class CountedCalls:
    """See `infra.http.direct.FindDirect`."""

    def __init__(self, visiting: Visiting, readmes: Readmes) -> None:
        self._visiting = visiting
        self._readmes = readmes

    def find(self, scope: Scope) -> tuple[str, ASGIApp] | None:
        if scope["type"] != "http" or not scope["path"].startswith(PROJECTS_PATH) or scope["query_string"]:
            return None
        method, path = scope["method"], scope["path"]
        if method == "GET" and (found := _LOOK.fullmatch(path)):
            return self._look(scope, found[1])
        if method == "POST" and (found := _DOWNLOAD.fullmatch(path)):
            return self._download(scope, found[1])
        return None

    def _look(self, scope: HTTPScope, slug: str) -> tuple[str, ASGIApp] | None:
        headers = dict(scope["headers"])
        known = headers.get(b"if-none-match")
        if _shows_who(headers) or (known is not None and len(known) > _LONGEST_ETAGS):
            return None
        if_none_match = None if known is None else known.decode("latin-1")

        async def look(scope: Scope) -> Answer:
            shown, _ = await self._visiting.look(slug, ANONYMOUS, visitor_of(scope, headers.get(b"user-agent")))
            project = shown.project
            if project.slug != slug:
                return Answer(b"", 308, {"location": f"{PROJECTS_PATH}/{project.slug}"})
            view = await view_of(shown, self._readmes)
            return answer_to_all(view, ASKED_EACH_TIME, if_none_match, keys_of(project), project.revision)

        return f"{PROJECTS_PATH}/{{slug:str}}", answering(look)

    def _download(self, scope: HTTPScope, slug: str) -> tuple[str, ASGIApp] | None:
        headers = dict(scope["headers"])
        key = headers.get(b"idempotency-key")
        if _shows_who(headers) or (key is not None and not _KEY.fullmatch(key)):
            return None
        chosen = None if key is None else key.decode("ascii")

        async def download(scope: Scope) -> Answer:
            visitor = visitor_of(scope, headers.get(b"user-agent"))
            url = await self._visiting.download(slug, ANONYMOUS, visitor, key=chosen)
            return Answer(msgspec.json.encode(DownloadView(url)), 201)

        return f"{PROJECTS_PATH}/{{slug:str}}/downloads", answering(download)


def _shows_who(headers: dict[bytes, bytes]) -> bool:
    return b"authorization" in headers or b"cookie" in headers
