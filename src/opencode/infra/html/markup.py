"""
Elements. What is not `Markup` already is text, and is escaped: nobody can forget it, because there is no other way to
put text into a page.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup, escape

Child = str | Iterable["Child"] | None
"""Text or markup, several of them, or nothing."""

NOTHING = Markup("")
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
# JSON in a script element ends where the letters `</script` come, and `<!--` opens a state of its own (HTML §4.12.1.3).
_IN_SCRIPTS = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def element(name: str, /, *children: Child, **attributes: str | bool | int | None) -> Markup:
    """
    An element, such as `element("a", "Engine", href="/projects/ada.engine")`.

    Args:
        attributes: `class_` and `for_` stand for words that Python keeps to itself, `_` for a hyphen. None and False
            leave the attribute out, True writes its name alone.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    opening = Markup(f"<{name}{written}>")  # noqa: S704, names are ours and values are escaped by now
    if name in _VOID:
        return opening
    return NOTHING.join((opening, _inside(children), Markup(f"</{name}>")))  # noqa: S704


def data_block(value: Mapping[str, Any]) -> Markup:
    """Linked data (JSON-LD) as a block that no browser runs and that nothing in it can end."""
    text = msgspec.json.encode(value).decode().translate(_IN_SCRIPTS)
    return Markup(f'<script type="application/ld+json">{text}</script>')  # noqa: S704, see above


def place(path: str, query: Iterable[tuple[str, str]] = ()) -> str:
    """An address inside this server, with its query."""
    written = urlencode(list(query))
    return f"{path}?{written}" if written else path


def _inside(children: Iterable[Child]) -> Markup:
    parts: list[Markup] = []
    for child in children:
        if isinstance(child, str):
            parts.append(escape(child))
        elif child is not None:
            parts.append(_inside(child))
    return NOTHING.join(parts)


def _attribute(key: str, value: str | bool | int | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
