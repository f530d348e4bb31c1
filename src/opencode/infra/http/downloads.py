"""Files that strangers have uploaded, as answers: with an ETag, in parts when asked, and never as a page of ours."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from litestar import Response
from litestar.response import Stream

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_NOT_IN_QUOTES = re.compile(r"[^ !#-\[\]-~]")
_UNRESERVED = "!#$&+-.^_`|~"  # attr-char of RFC 8187


@dataclass(frozen=True, slots=True)
class Download:
    """A file to give out. `tag` is the same for the same content."""

    name: str
    size_bytes: int
    tag: str

    @property
    def headers(self) -> dict[str, str]:
        return {
            "accept-ranges": "bytes",
            # Whether one may have it is asked each time; the bytes themselves need not travel again.
            "cache-control": "private, no-cache",
            "content-disposition": content_disposition(self.name),
            # A browser that shows it all the same gives it no scripts, no forms and an origin of its own.
            "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
            "cross-origin-resource-policy": "same-origin",
            "etag": f'"{self.tag}"',
            "x-content-type-options": "nosniff",
        }


Read = Callable[[int, int], Awaitable[AsyncIterator[bytes]]]
"""Start and length -> the bytes there."""
_TYPE = "application/octet-stream"


async def answer_with(download: Download, asked: Mapping[str, str], read: Read) -> Response[Any]:
    """
    The whole file, a part of it, or that nothing has changed (RFC 9110 §13 and §14). One range is served; of several
    the whole file is, as the standard allows.

    Args:
        asked: the request's headers.
    """
    headers = download.headers
    if _names(asked.get("if-none-match", ""), download.tag):
        kept = {name: headers[name] for name in ("cache-control", "etag")}
        return Response(b"", status_code=304, headers=kept, media_type=_TYPE)
    part = _part(download, asked)
    if part is None:
        return Response(
            b"", status_code=416, headers={"content-range": f"bytes */{download.size_bytes}"}, media_type=_TYPE
        )
    pieces = await read(part.start, len(part))
    headers["content-length"] = str(len(part))
    status = 200
    if len(part) < download.size_bytes:
        status = 206
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{download.size_bytes}"
    return Stream(pieces, status_code=status, headers=headers, media_type=_TYPE)


def head_of(download: Download) -> Response[Any]:
    """The answer to HEAD."""
    headers = {**download.headers, "content-length": str(download.size_bytes)}
    return Response(b"", headers=headers, media_type=_TYPE)


def content_disposition(name: str) -> str:
    """To be saved under this name (RFC 6266): in quotes for what is ASCII, in full beside it where it is not."""
    plain = _NOT_IN_QUOTES.sub("_", name)
    # Some read %41 in quotes as a letter; those who know the second form take that one.
    if plain == name and "%" not in name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain.replace('%', '_')}\"; filename*=UTF-8''{quote(name, safe=_UNRESERVED)}"


def _part(download: Download, asked: Mapping[str, str]) -> range | None:
    """Which bytes are to be sent; None when none of those asked for exist."""
    size, whole = download.size_bytes, range(download.size_bytes)
    wanted = _ONE_RANGE.fullmatch(asked.get("range", "").strip())
    # A range of another state of the file is of no use: then the whole is sent (RFC 9110 §13.1.5).
    is_outdated = asked.get("if-range", f'"{download.tag}"').strip() != f'"{download.tag}"'
    if not wanted or wanted[0] == "bytes=-" or is_outdated:
        return whole
    first, last = wanted.groups()
    if not first:
        return range(max(size - int(last), 0), size) if int(last) and size else None
    if last and int(last) < int(first):
        return whole  # no range at all (RFC 9110 §14.1.1)
    return range(int(first), min(int(last) + 1 if last else size, size)) if int(first) < size else None


def _names(if_none_match: str, tag: str) -> bool:
    tags = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in tags or f'"{tag}"' in tags
