"""
Tags in order and not too deep, headings below the title of the page, and links in place of pictures that are not shown.

A browser's rules for broken HTML (WHATWG HTML §13.2) make some short texts very long: every paragraph opens again what
the one before left open. So tags are closed in order here, before such a parser sees them, and only so many are open
at once. What is harmless is not decided here.
"""

import re
from collections import Counter

from opencode.modules.marketplace.adapters.readme.links import Links
from opencode.modules.marketplace.adapters.readme.pictures import instead_of_picture
from opencode.modules.marketplace.adapters.readme.vocabulary import ATTRIBUTES, DROPPED_WITH_CONTENT, FORCED, TAGS, VOID

_MOST_OPEN = 100
_MOST_FORMATTING = 8
_MOST_ATTRIBUTES = 20
# HTML §13.2.4.3: what is opened again in the next paragraph.
_FORMATTING = frozenset({"a", "b", "code", "em", "i", "s", "small", "strike", "strong", "tt", "u"})
# The page has its one `h1` already: the title of the project. What reads pages aloud goes from heading to heading.
_LOWER = {f"h{level}": f"h{level + 1}" for level in range(1, 6)}

# Possessive throughout: no text makes them go back.
_VALUE = r"(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'=<>`]++)"
_TAG = re.compile(rf"<(/?)([a-zA-Z][a-zA-Z0-9-]*+)((?:\s++[^\s\"'<>/=]++(?:\s*+=\s*+{_VALUE})?+)*+)\s*+/?>", re.ASCII)
_ATTRIBUTE = re.compile(rf"\s++([^\s\"'<>/=]++)(?:\s*+=\s*+({_VALUE}))?+", re.ASCII)


def shallow(html: str, links: Links) -> str:
    """
    The same HTML with its tags in order, and each heading a level lower. Text stays; unknown tags, comments, scripts
    and styles do not.
    """
    return _Reader(html, links).read()


class _Reader:
    def __init__(self, html: str, links: Links) -> None:
        self._html = html
        self._links = links
        self._out: list[str] = []
        self._open: list[str] = []
        self._skipped = Counter[str]()
        """How many tags of a name were too deep; as many of its end tags mean nothing."""
        self._endless = set[str]()
        """What has no end from here on, so that nobody looks for it again."""

    def read(self) -> str:
        html, at = self._html, 0
        while (place := html.find("<", at)) >= 0:
            self._out.append(html[at:place])
            at = self._take(place)
        self._out.append(html[at:])
        self._out += [f"</{name}>" for name in reversed(self._open)]
        return "".join(self._out)

    def _take(self, place: int) -> int:
        """What begins with `<` here; gives where it ends."""
        if self._html.startswith("<!--", place):
            end = self._end_of("comment", re.compile("-->"), place + 2)
            return end if end is not None else self._take_letter(place)
        tag = _TAG.match(self._html, place)
        if tag is None:
            return self._take_letter(place)
        name = tag[2].lower()
        if name in DROPPED_WITH_CONTENT:
            end = re.compile(rf"</{name}\s*>", re.ASCII | re.IGNORECASE)
            return (not tag[1] and self._end_of(name, end, tag.end())) or tag.end()
        if name in TAGS:
            name = _LOWER.get(name, name)
            self._close(name) if tag[1] else self._start(name, tag[3])
        return tag.end()

    def _take_letter(self, place: int) -> int:
        self._out.append("&lt;")
        return place + 1

    def _end_of(self, what: str, pattern: re.Pattern[str], place: int) -> int | None:
        if what in self._endless:
            return None
        if found := pattern.search(self._html, place):
            return found.end()
        self._endless.add(what)
        return None

    def _start(self, name: str, attributes: str) -> None:
        if name not in VOID:
            if self._is_too_deep(name):
                self._skipped[name] += 1
                return
            self._open.append(name)
        kept = _kept(name, attributes)
        instead = self._instead_of_picture(kept) if name == "img" else None
        self._out.append(_opening(name, kept) if instead is None else instead)

    def _instead_of_picture(self, attributes: list[tuple[str, str]]) -> str | None:
        first_wins = dict(reversed(attributes))  # as in browsers, when a name comes twice
        return instead_of_picture(first_wins, self._links, in_link=self._is_too_deep("a"))

    def _is_too_deep(self, name: str) -> bool:
        if len(self._open) >= _MOST_OPEN or (name == "a" and "a" in self._open):
            return True
        return name in _FORMATTING and sum(each in _FORMATTING for each in self._open) >= _MOST_FORMATTING

    def _close(self, name: str) -> None:
        if self._skipped[name]:
            self._skipped[name] -= 1
        elif name in self._open:
            while (last := self._open.pop()) != name:
                self._out.append(f"</{last}>")
            self._out.append(f"</{name}>")


def _opening(tag: str, attributes: list[tuple[str, str]]) -> str:
    written = "".join(f' {name}="{value.replace(chr(34), "&quot;")}"' for name, value in attributes)
    return f"<{tag}{written}>"


def _kept(tag: str, attributes: str) -> list[tuple[str, str]]:
    kept = list(FORCED.get(tag, {}).items())
    for found in _ATTRIBUTE.finditer(attributes):
        name = found[1].lower()
        if name in ATTRIBUTES.get(tag, ()) or name in ATTRIBUTES["*"]:
            value = found[2] or ""
            kept.append((name, value[1:-1] if value[:1] in ("'", '"') else value))
        if len(kept) == _MOST_ATTRIBUTES:
            break
    return kept
