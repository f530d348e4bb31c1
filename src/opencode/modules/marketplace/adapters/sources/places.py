"""Where the sources are: only where an operator has said so."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from opencode.modules.marketplace.settings import MarketplaceSettings


class SourceKind(StrEnum):
    """Which API a place speaks."""

    GITHUB = "github"
    PYPI = "pypi"
    NPM = "npm"


@dataclass(frozen=True, slots=True)
class Place:
    """
    A code host or a package index.

    Attributes:
        pages: the host, with its port if it has one, of the pages that people read and paste.
        api: the address of its API, without a slash at the end.
    """

    kind: SourceKind
    pages: str
    api: str

    @property
    def api_host(self) -> str:
        return urlsplit(self.api).netloc.lower()


_API_PATHS = {SourceKind.GITHUB: "/api/v3", SourceKind.PYPI: "", SourceKind.NPM: ""}


@dataclass(frozen=True, slots=True)
class Places:
    """All that are configured."""

    all: tuple[Place, ...] = ()

    @classmethod
    def of(cls, settings: MarketplaceSettings) -> "Places":
        return cls(
            (
                *_places(SourceKind.GITHUB, settings.marketplace_sources_github),
                *_places(SourceKind.PYPI, settings.marketplace_sources_pypi),
                *_places(SourceKind.NPM, settings.marketplace_sources_npm),
            )
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(place.pages for place in self.all))


def _places(kind: SourceKind, entries: Sequence[str]) -> list[Place]:
    found: list[Place] = []
    for entry in entries:
        host, _, api = entry.partition("=")
        host = host.strip().lower()
        found.append(Place(kind, host, api.strip().rstrip("/") or f"https://{host}{_API_PATHS[kind]}"))
    return found
