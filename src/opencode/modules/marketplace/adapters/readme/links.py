"""Where links and pictures of a README lead: into its repository when they are relative, nowhere when in doubt."""

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from opencode.modules.marketplace.domain.repositories import Repository

ID_PREFIX = "readme-"
"""Stands before every id that an author chose, so that none is mistaken for one of the page (DOM clobbering)."""

_MOST_CANDIDATES = 20
_LONGEST_URL = 4_000
# What browsers cut off the ends of an address, and what they leave out of its middle (WHATWG URL §4.4).
_AT_ENDS = "".join(map(chr, range(33)))
_LEFT_OUT = str.maketrans("", "", "\t\n\r")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_WEB = re.compile(r"(https?)://[^\s/?#\\@\"'<>`]+(?:[/?#].*)?", re.IGNORECASE)
_MAIL = re.compile(r"mailto:[^\s\"'<>`\\]+", re.IGNORECASE)
_SAFE_IN_URLS = "/%:@!$&()*+,;=~-._?#[]"
_CANDIDATE = re.compile(r"\s*([^\s,]\S*?),?(?:\s+(\d{1,5}(?:\.\d{1,3})?[wx]))?\s*(?:,\s*|$)")
_BLOB = re.compile(r"(https://github\.com/[^/]+/[^/]+|https://[^/]+/.+/-)/blob/(.+)")


@dataclass(frozen=True, slots=True)
class Links:
    """
    Attributes:
        image_hosts: in small letters, with a port where it is not the usual one. Pictures of others are not shown.
    """

    repository: Repository | None
    folder: str = ""
    image_hosts: frozenset[str] = frozenset()

    def link(self, url: str) -> str | None:
        """Where a link leads; None when nowhere."""
        url = _trimmed(url)
        if url.startswith("#"):
            return f"#{ID_PREFIX}{fragment_of(url[1:])}" if len(url) > 1 else None
        if _MAIL.fullmatch(url):
            return quote(url, safe=_SAFE_IN_URLS)
        return _absolute(url) or self._page(url)

    def picture(self, url: str) -> str | None:
        """The address of a picture that may be shown; None when it may not."""
        address = self.address_of_picture(url)
        return address if address and self._shows(address) else None

    def address_of_picture(self, url: str) -> str | None:
        """Where a picture is, whether it may be shown or not; None when nowhere."""
        url = _trimmed(url)
        absolute = _absolute(url)
        if absolute and (page := _BLOB.fullmatch(absolute)):
            return f"{page[1]}/raw/{page[2]}"  # the page around the picture was meant to be the picture
        return absolute or self._raw(url)

    def srcset(self, value: str) -> str | None:
        """Pictures for several sizes, `a.png 1x, b.png 2x`. What is not understood is left out."""
        found: list[str] = []
        at = 0
        while len(found) < _MOST_CANDIDATES and (candidate := _CANDIDATE.match(value, at)):
            at = candidate.end()
            if url := self.picture(candidate[1]):
                found.append(f"{url.replace(',', '%2C')} {candidate[2] or ''}".strip())
            if at >= len(value):
                break
        return ", ".join(found) or None

    def _shows(self, address: str) -> bool:
        try:
            parts = urlsplit(address)
        except ValueError:  # brackets around what is no IPv6 address
            return False
        return parts.scheme == "https" and parts.netloc.lower() in self.image_hosts

    def _page(self, url: str) -> str | None:
        if self.repository is None or not _is_relative(url):
            return None
        folder = "" if url.startswith("/") else f"{self.folder.strip('/')}/"
        base = self.repository.page_of(folder.lstrip("/"))
        there = urljoin(base, quote(url.lstrip("/"), safe=_SAFE_IN_URLS) or ".")
        # `../../issues` is how many READMEs write their tracker; further up are other people's things.
        return there if there.startswith(f"{self.repository.url}/") else None

    def _raw(self, url: str) -> str | None:
        if self.repository is None or not _is_relative(url):
            return None
        path = url.partition("#")[0].partition("?")[0]
        inside = posixpath.normpath(posixpath.join("/", self.folder, path)).lstrip("/")
        climbs = posixpath.normpath(posixpath.join(self.folder.strip("/"), path.lstrip("/"))).startswith("..")
        return None if climbs or not inside or inside == "." else self.repository.raw_of(inside)


def fragment_of(text: str) -> str:
    """An id that may stand in an address: without blanks and quotes, and not endless."""
    return re.sub(r"[\s\"'<>`\x00-\x20]", "", text)[:200]


def _trimmed(url: str) -> str:
    return url[:_LONGEST_URL].translate(_LEFT_OUT).strip(_AT_ENDS)


def _is_relative(url: str) -> bool:
    return bool(url) and not _SCHEME.match(url) and not url.startswith("//") and "\\" not in url


def _absolute(url: str) -> str | None:
    if url.startswith("//"):
        url = f"https:{url}"
    if not (web := _WEB.fullmatch(url)):
        return None
    return web[1].lower() + quote(url[len(web[1]) :], safe=_SAFE_IN_URLS)
