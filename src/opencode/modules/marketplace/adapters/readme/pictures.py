"""
Pictures that may not be shown, as links to them. A picture tells its host who looks at the page, so a browser loads
those of the operator's chosen hosts alone, and an empty frame would be all that is left of another.
"""

import posixpath
from collections.abc import Mapping
from html import escape, unescape
from urllib.parse import unquote, urlsplit

from opencode.modules.marketplace.adapters.readme.links import Links

LINK_CLASS = "image-link"
_NAMELESS = "picture"


def instead_of_picture(attributes: Mapping[str, str], links: Links, *, in_link: bool) -> str | None:
    """
    HTML in place of an `img`, not yet safe; None when the picture is shown.

    Args:
        attributes: its own, as they are written in HTML.
        in_link: whether it stands where no other link can: its words are left then, and they lead where it led.
    """
    source, candidates, words = (unescape(attributes.get(name, "")).strip() for name in ("src", "srcset", "alt"))
    if links.picture(source) or (not source and links.srcset(candidates)):
        return None
    address = links.address_of_picture(source)
    if address is None:
        return escape(words)
    words = words or _name_of(address)
    return escape(words) if in_link else f'<a class="{LINK_CLASS}" href="{escape(address)}">{escape(words)}</a>'


def _name_of(address: str) -> str:
    """What to call a picture that its author gave no words."""
    try:
        return posixpath.basename(unquote(urlsplit(address).path)).strip() or _NAMELESS
    except ValueError:
        return _NAMELESS
