"""Import by address: recognise, fetch, read."""

from dataclasses import dataclass
from urllib.parse import quote

from opencode.infra.fetching import AnswerTooLarge, Fetched, Fetcher, FetchRefused
from opencode.modules.marketplace.adapters.sources import github, npm, pypi
from opencode.modules.marketplace.adapters.sources.places import Places, SourceKind
from opencode.modules.marketplace.adapters.sources.recognising import Source, recognise
from opencode.modules.marketplace.domain.drafts import Draft
from opencode.modules.marketplace.errors import SourceBusy, SourceMissing, SourcePrivate, SourceTooLarge

MOST_BYTES = 8 * 1024 * 1024
"""Packages with thousands of versions have as much to tell of them in npm's way, and more."""

_GITHUB_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_LONGEST_WAIT_S = 3_600


@dataclass(frozen=True, slots=True)
class Importer:
    fetcher: Fetcher
    places: Places

    async def draft(self, url: str) -> Draft:
        """
        What the source of a pasted address tells of its project.

        Raises:
            SourceUnknown, SourceMissing, SourcePrivate, SourceBusy, SourceTooLarge, SourceUnreadable, FetchFailed
        """
        source = recognise(url, self.places)
        match source.place.kind:
            case SourceKind.GITHUB:
                return await self._from_github(source)
            case SourceKind.PYPI:
                return await self._from_pypi(source)
            case SourceKind.NPM:
                return await self._from_npm(source)

    async def _from_github(self, source: Source) -> Draft:
        at = f"{source.place.api}/repos/{source.name}"
        repository = await self._get(source, at)
        try:
            readme = (await self._get(source, f"{at}/readme")).body
        except (SourceMissing, SourceTooLarge):
            readme = None
        return github.draft_of(repository.body, readme)

    async def _from_pypi(self, source: Source) -> Draft:
        version = f"/{quote(source.version)}" if source.version else ""
        return pypi.draft_of((await self._get(source, f"{source.place.api}/pypi/{source.name}{version}/json")).body)

    async def _from_npm(self, source: Source) -> Draft:
        at = f"{source.place.api}/{source.name.replace('/', '%2F')}"
        if source.version:
            return npm.draft_of((await self._get(source, f"{at}/{quote(source.version)}")).body)
        try:
            answer = await self._get(source, at)
        except SourceTooLarge:  # the newest version alone is small, and lacks only the README
            answer = await self._get(source, f"{at}/latest")
        return npm.draft_of(answer.body)

    async def _get(self, source: Source, url: str) -> Fetched:
        headers = _GITHUB_HEADERS if source.place.kind is SourceKind.GITHUB else {}
        try:
            return await self.fetcher.get(url, headers=headers, most_bytes=MOST_BYTES)
        except AnswerTooLarge:
            raise SourceTooLarge(source.name, source.place.pages, MOST_BYTES) from None
        except FetchRefused as refusal:
            raise _said(source, refusal) from refusal


def _said(source: Source, refusal: FetchRefused) -> Exception:
    """What a refusal means, in words for whoever pasted the address."""
    is_exhausted = refusal.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in refusal.headers
    if refusal.status == 429 or (refusal.status == 403 and is_exhausted):
        wait = refusal.headers.get("retry-after", "")
        return SourceBusy(source.place.pages, min(int(wait), _LONGEST_WAIT_S) if wait.isdecimal() else 60)
    if refusal.status in (404, 410):
        return SourceMissing(source.name, source.place.pages)
    if refusal.status in (401, 403, 451):
        return SourcePrivate(source.name, source.place.pages)
    return refusal
