"""A feed as an Atom document (RFC 4287)."""

import re
from datetime import datetime
from xml.etree import ElementTree

from opencode.modules.marketplace.domain.addresses import page_of_person, page_of_project
from opencode.modules.marketplace.domain.feed import Feed, name_of_entry
from opencode.modules.marketplace.domain.views import Card

_ATOM = "http://www.w3.org/2005/Atom"
# What no XML 1.0 document may hold, in whatever form (§2.2); a search may have been asked with it.
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

ElementTree.register_namespace("", _ATOM)


def render(feed: Feed) -> bytes:
    """UTF-8, with its declaration."""
    root = ElementTree.Element(_named("feed"))
    _add(root, "id", feed.address)
    _add(root, "title", feed.title)
    _add(root, "updated", _moment(feed.updated))
    _add(root, "generator", "OpenCode")
    _link(root, "self", "application/atom+xml", feed.address)
    _link(root, "alternate", "text/html", feed.page)
    for card in feed.cards:
        _entry(root, feed, card)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _entry(root: ElementTree.Element, feed: Feed, card: Card) -> None:
    entry = ElementTree.SubElement(root, _named("entry"))
    _add(entry, "id", name_of_entry(card.id))
    _add(entry, "title", card.title)
    _add(entry, "updated", _moment(card.updated_at))
    _add(entry, "published", _moment(card.published_at or card.created_at))
    author = ElementTree.SubElement(entry, _named("author"))
    _add(author, "name", card.owner_name)
    _add(author, "uri", feed.server + page_of_person(card.owner_handle))
    _link(entry, "alternate", "text/html", feed.server + page_of_project(card.slug))
    _add(entry, "summary", card.summary)
    if card.license:
        _add(entry, "rights", card.license)
    for word in dict.fromkeys((*card.technologies, *card.tags)):
        ElementTree.SubElement(entry, _named("category"), term=_legal(word))


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, _named(name)).text = _legal(text)


def _link(parent: ElementTree.Element, relation: str, media_type: str, address: str) -> None:
    ElementTree.SubElement(parent, _named("link"), rel=relation, type=media_type, href=_legal(address))


def _named(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _legal(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
