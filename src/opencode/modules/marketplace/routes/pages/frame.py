"""What all public pages of the marketplace have: the way back to the catalogue, cards of projects, prices in words."""

from collections.abc import Iterable
from datetime import datetime

from opencode.infra.html import Markup, element, place
from opencode.modules.marketplace.domain.money import Price
from opencode.modules.marketplace.domain.views import Card

_LEAVING = "nofollow ugc noopener"


def framed(main: Iterable[Markup | None]) -> Markup:
    header = element(
        "header",
        element("a", "OpenCode", href="/"),
        element("a", "Projects", href="/projects"),
        element("a", "Sign in", href="/sign-in"),
    )
    return header + element("main", main)


def search_form(text: str = "", *further: Markup) -> Markup:
    field = element(
        "input", type="search", name="q", value=text, maxlength=200, placeholder="Search projects", aria_label="Search"
    )
    return element("form", field, further, element("button", "Search"), action="/projects", method="get", role="search")


def cards(found: Iterable[Card], heading: str = "h2") -> Markup:
    return element("ol", [element("li", _card(card, heading)) for card in found])


def _card(card: Card, heading: str) -> list[Markup]:
    facts = [*card.technologies[:5], card.license, price_words(card.price)]
    return [
        element(heading, element("a", card.title, href=f"/projects/{card.slug}", dir="auto")),
        element(
            "small", "by ", person_link(card.owner_handle, card.owner_name), " · updated ", moment(card.updated_at)
        ),
        element("p", card.summary, dir="auto") if card.summary else Markup(""),
        element("small", " · ".join(fact for fact in facts if fact)),
    ]


def person_link(handle: str, name: str) -> Markup:
    return element("a", name, href=f"/people/{handle}", dir="auto")


def moment(at: datetime) -> Markup:
    return element("time", at.strftime("%d %B %Y").lstrip("0"), datetime=at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def price_words(price: Price) -> str:
    return "free" if price.is_free else f"{price.decimal} {price.currency}"


def away(url: str, words: str | None = None) -> Markup:
    """A link to somewhere else, which somebody else wrote."""
    return element("a", words or url.partition("://")[2].rstrip("/"), href=url, rel=_LEAVING)


def facts(rows: Iterable[tuple[str, Markup | str | list[Markup] | None]]) -> Markup:
    """Names and values; a row without a value is left out."""
    return element("dl", [(element("dt", name), element("dd", value)) for name, value in rows if value])


def filter_links(facet: str, values: Iterable[str]) -> Markup | None:
    """Each value as a link to all projects that have it."""
    items = [
        element("li", element("a", value, href=place("/projects", [(facet, value.lower())]), dir="auto"))
        for value in values
    ]
    return element("ul", items) if items else None
