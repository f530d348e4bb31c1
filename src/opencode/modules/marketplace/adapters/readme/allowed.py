"""What of a README's HTML may stand on our pages: an allow list, applied by a browser's own rules of parsing (nh3)."""

import re
from collections.abc import Callable

import nh3

from opencode.modules.marketplace.adapters.readme.highlighting import CODE_CLASSES, TOKEN_CLASSES
from opencode.modules.marketplace.adapters.readme.links import ID_PREFIX, Links, fragment_of
from opencode.modules.marketplace.adapters.readme.pictures import LINK_CLASS
from opencode.modules.marketplace.adapters.readme.vocabulary import (
    ALERTS,
    ATTRIBUTES,
    DROPPED_WITH_CONTENT,
    FORCED,
    TAGS,
)

_CLASSES = {
    "a": {LINK_CLASS},
    "span": set(TOKEN_CLASSES),
    "code": set(CODE_CLASSES),
    "div": {"alert", *(f"alert-{kind}" for kind in ALERTS)},
    "p": {"alert-title"},
    "li": {"task"},
}
_SIZE = re.compile(r"\d{1,4}%?")
_NUMBER = re.compile(r"-?\d{1,9}")
_SPAN = re.compile(r"[1-9]\d?")
_SHAPES: dict[str, re.Pattern[str]] = {
    "align": re.compile(r"left|right|center|justify|top|middle|bottom", re.IGNORECASE),
    "dir": re.compile(r"ltr|rtl|auto", re.IGNORECASE),
    "width": _SIZE,
    "height": _SIZE,
    "start": _NUMBER,
    "value": _NUMBER,
    "colspan": _SPAN,
    "rowspan": _SPAN,
    "media": re.compile(r"[\w\s():.,-]{1,200}", re.ASCII),
    "sizes": re.compile(r"[\w\s():.,%-]{1,200}", re.ASCII),
    "type": re.compile(r"image/[a-z0-9.+-]{1,40}", re.IGNORECASE),
    "open": re.compile(r"|open", re.IGNORECASE),
    "checked": re.compile(r"|checked", re.IGNORECASE),
}


def sanitised(html: str, links: Links) -> str:
    """HTML of tags and attributes that are known, with addresses that `links` gave."""
    return nh3.clean(
        html,
        tags=set(TAGS),
        clean_content_tags=set(DROPPED_WITH_CONTENT),
        # Classes are let through by `allowed_classes` alone.
        attributes={tag: set(names - {"class"}) for tag, names in ATTRIBUTES.items()},
        allowed_classes=_CLASSES,
        attribute_filter=_filter(links),
        tag_attribute_values={tag: {name: {value} for name, value in forced.items()} for tag, forced in FORCED.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow ugc noopener",
        strip_comments=True,
    )


def _filter(links: Links) -> Callable[[str, str, str], str | None]:
    address: dict[str, Callable[[str], str | None]] = {
        "href": links.link,
        "src": links.picture,
        "srcset": links.srcset,
        "id": _own_id,
        "name": _own_id,
    }

    def keep(tag: str, attribute: str, value: str) -> str | None:
        if attribute in FORCED.get(tag, ()):
            return value
        if attribute in address:
            return address[attribute](value)
        shape = _SHAPES.get(attribute)
        return value if shape is None or shape.fullmatch(value.strip()) else None

    return keep


def _own_id(value: str) -> str | None:
    name = fragment_of(value)
    return f"{ID_PREFIX}{name}" if name else None
