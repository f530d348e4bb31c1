"""A page as a program without scripts reads it, by the parser of Python's own library."""

import json
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

_VOID = {"br", "hr", "img", "input", "link", "meta"}


@dataclass(slots=True)
class Element:
    tag: str
    attributes: dict[str, str]
    inside: tuple[str, ...]
    """The tags around it, the outermost first."""
    text: str = ""


class ReadPage(HTMLParser):
    """`ReadPage(html)`: its elements in order, and what its head says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        made = Element(tag, given, tuple(each.tag for each in self._open))
        self.elements.append(made)
        if tag not in _VOID:
            self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [each for each in self.elements if each.tag == tag and wanted.items() <= each.attributes.items()]

    def text_of(self, tag: str) -> str:
        return self.all(tag)[0].text

    @property
    def title(self) -> str:
        return self.text_of("title")

    @property
    def body(self) -> str:
        """What is read without scripts."""
        return " ".join(self.all("div", id="public-page")[0].text.split())

    @property
    def canonical(self) -> str:
        return self.all("link", rel="canonical")[0].attributes["href"]

    def meta(self, name: str) -> str | None:
        """What a `meta` says, by its `name` or its `property`."""
        said = [each.attributes for each in self.all("meta")]
        found = [each["content"] for each in said if name in (each.get("name"), each.get("property"))]
        assert len(found) <= 1, f"{name} is there {len(found)} times"
        return found[0] if found else None

    @property
    def data(self) -> list[dict[str, Any]]:
        """Linked data."""
        return [json.loads(each.text) for each in self.all("script", type="application/ld+json")]

    @property
    def links(self) -> dict[str, str]:
        """Of the part that is read without scripts: where links lead, by their words."""
        return {each.text: each.attributes["href"] for each in self.all("a") if "href" in each.attributes}
