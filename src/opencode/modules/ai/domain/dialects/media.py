"""Pictures inside of requests."""

import re

from opencode.modules.ai.domain.dialects.canonical import Image
from opencode.modules.ai.domain.dialects.decoding import RequestNotUnderstoodError

_DATA_URL = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+);base64,", re.ASCII)
_BEGINNINGS = {"iVBOR": "image/png", "/9j/": "image/jpeg", "R0lG": "image/gif", "UklGR": "image/webp"}


def image_at(url: str, field: str, detail: str = "") -> Image:
    """
    Args:
        url: an address, or a data URL.

    Raises:
        RequestNotUnderstoodError: a data URL is not base64 of something.
    """
    if not url.startswith("data:"):
        return Image(url=url, detail=detail)
    found = _DATA_URL.match(url)
    if not found:
        raise RequestNotUnderstoodError("A data URL begins with data:<media type>;base64, here.", field)
    return Image(media_type=found["type"], data=url[found.end() :], detail=detail)


def bare_image(data: str) -> Image:
    """A picture of which only the base64 is known: its first letters tell what it is."""
    kind = next((kind for beginning, kind in _BEGINNINGS.items() if data.startswith(beginning)), "image/png")
    return Image(media_type=kind, data=data)


def url_of(image: Image) -> str:
    """An address or data URL."""
    return image.url or f"data:{image.media_type};base64,{image.data}"
