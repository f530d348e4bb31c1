"""Which source a pasted address belongs to."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from opencode.modules.marketplace.adapters.sources.places import Place, Places, SourceKind
from opencode.modules.marketplace.errors import SourceUnknown

_LONGEST = 500
_VERSION = r"[A-Za-z0-9][A-Za-z0-9.+!_-]{0,99}"
_PYPI_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?"
_NPM_NAME = r"(?:@[a-z0-9~-][a-z0-9._~-]{0,99}/)?[a-z0-9~-][a-zA-Z0-9._~-]{0,199}"
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
_PYPI = re.compile(rf"(?:project|p|simple|pypi)/({_PYPI_NAME})(?:/({_VERSION}))?(?:/.*)?")
_NPM_PAGE = re.compile(rf"package/({_NPM_NAME})(?:/v/({_VERSION}))?(?:/.*)?")
_NPM_API = re.compile(rf"({_NPM_NAME})(?:/({_VERSION}))?")
_GITHUB = re.compile(rf"(?:(?:api/v3/)?repos/)?({_PART})/({_PART}?)(?:\.git)?(?:/.*)?")
_SSH = re.compile(r"(?:ssh://)?git@([A-Za-z0-9.-]+(?::\d+(?=/))?)[:/](.+)")


@dataclass(frozen=True, slots=True)
class Source:
    """
    A project at a place.

    Attributes:
        name: `owner/name` on a code host, otherwise the package's.
        version: the one that was asked for; empty stands for the newest.
    """

    place: Place
    name: str
    version: str = ""


def recognise(url: str, places: Places) -> Source:
    """
    The source of a project by any address of it: its page, a page below it, one of a version, of the API, or what
    `git clone` takes.

    Raises:
        SourceUnknown
    """
    host, path = _host_and_path(url.strip()[:_LONGEST])
    for place in places.all:
        if host and host in (place.pages.removeprefix("www."), place.api_host) and (found := _read(place, path)):
            return found
    raise SourceUnknown(url, places.hosts)


def _host_and_path(text: str) -> tuple[str, str]:
    if ssh := _SSH.fullmatch(text):
        return ssh[1].lower().partition(":")[0], ssh[2].strip("/")
    text = text.removeprefix("git+")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, path = parts.netloc.lower().removeprefix("www."), unquote(parts.path).strip("/")
        is_web = parts.scheme in ("http", "https") and (parts.port is None or parts.port > 0)
    except ValueError:
        return "", ""
    usual = ":443" if parts.scheme == "https" else ":80"
    # A user name before the host could make one place look like another.
    return (host.removesuffix(usual), path) if is_web and "@" not in host else ("", "")


def _read(place: Place, path: str) -> Source | None:
    match place.kind:
        case SourceKind.GITHUB:
            found = _GITHUB.fullmatch(path)
            return Source(place, f"{found[1]}/{found[2]}") if found and ".." not in path.split("/") else None
        case SourceKind.PYPI:
            if not (found := _PYPI.fullmatch(path)):
                return None
            version = "" if found[2] == "json" else found[2] or ""
            return Source(place, re.sub(r"[-_.]+", "-", found[1]).lower(), version)  # PEP 503
        case SourceKind.NPM:
            found = _NPM_PAGE.fullmatch(path) or _NPM_API.fullmatch(path)
            return Source(place, found[1], "" if found[2] == "latest" else found[2] or "") if found else None
