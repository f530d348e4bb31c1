"""Lists: the door of the house, and the results of a search."""

from collections.abc import Sequence
from dataclasses import replace

from opencode.infra.html import Markup, PublicPage, element
from opencode.modules.marketplace.domain.catalog import Facets, FacetValue, Order, PriceFilter
from opencode.modules.marketplace.domain.surrogates import ALL_PROJECTS
from opencode.modules.marketplace.domain.text import excerpt
from opencode.modules.marketplace.domain.views import Card
from opencode.modules.marketplace.routes.pages import linked_data
from opencode.modules.marketplace.routes.pages.frame import cards, framed, search_form
from opencode.modules.marketplace.routes.pages.wanted import Wanted
from opencode.modules.marketplace.service.browsing import FoundPage

SHOWN_VALUES = 12
"""Of one facet."""

_FEED = "/feeds/projects.atom"
_FACETS = (("technologies", "Technologies"), ("license", "Licence"), ("price", "Price"), ("tags", "Tags"))
_ORDERS = {
    Order.RELEVANCE: "Best match",
    Order.POPULARITY: "Most popular",
    Order.TRENDING: "Trending",
    Order.RECENT: "Newest",
    Order.NAME: "Name",
}


def home_page(
    featured: Sequence[Card],
    trending: Sequence[Card],
    newest: Sequence[Card],
    total: int,
    public_url: str,
    *,
    fresh_s: int = 60,
) -> PublicPage:
    words = "Find projects that people share, publish your own, and meet in live coding interviews."
    body = [
        element("h1", "Work on code together"),
        element("p", words),
        search_form(),
        element("p", element("a", f"All {total:,} projects" if total > 1 else "All projects", href="/projects")),
        *_section("Featured", featured),
        *_section("Trending", trending),
        *_section("New", newest),
        element("p", element("a", "Join an interview with its code", href="/join")),
    ]
    return PublicPage(
        title="OpenCode",
        description=words,
        path="/",
        body=framed(body),
        data=(linked_data.site(public_url),),
        feeds=(("New projects", _FEED),),
        surrogate_keys=(ALL_PROJECTS,),
        is_local=True,
        fresh_s=fresh_s,
    )


def list_page(wanted: Wanted, found: FoundPage, public_url: str) -> PublicPage:
    title = _title(wanted, found.facets)
    return PublicPage(
        title=title,
        description=_description(title, found),
        path=wanted.place,
        body=framed(_results(wanted, found, title)),
        data=(linked_data.results(found.cards, public_url),) if found.cards else (),
        feeds=(("New projects", _FEED), *((f"New projects: {tag}", _feed_of(tag)) for tag in wanted.tags[:1])),
        robots="" if _is_for_search_engines(wanted, found) else "noindex, follow",
        surrogate_keys=(ALL_PROJECTS,),
        is_local=True,
    )


def _is_for_search_engines(wanted: Wanted, found: FoundPage) -> bool:
    # There are more searches than projects; what is worth finding are the lists of one technology, tag or licence.
    is_plain = not wanted.text and not wanted.cursor and wanted.order is Order.RELEVANCE
    return is_plain and wanted.choices <= 1 and bool(found.cards)


def _feed_of(tag: str) -> str:
    return f"/feeds/tags/{linked_data.quoted(tag)}.atom"


def _title(wanted: Wanted, facets: Facets) -> str:
    chosen = [_spelt(facets.technologies, value) for value in wanted.technologies]
    chosen += [*wanted.tags, *([wanted.licence] if wanted.licence else [])]
    chosen += [wanted.price.value] if wanted.price is not PriceFilter.ALL else []
    about = excerpt(", ".join(chosen), 80)
    if wanted.text:
        asked = excerpt(wanted.text, 60)
        return f"“{asked}” in {about} projects" if about else f"“{asked}” in all projects"
    return f"Projects: {about}" if about else "Projects"


def _spelt(values: Sequence[FacetValue], value: str) -> str:
    """A value as most of its projects spell it."""
    return next((each.value for each in values if each.value.lower() == value), value)


def _description(title: str, found: FoundPage) -> str:
    first = ", ".join(card.title for card in found.cards[:5])
    return excerpt(f"{title}. {found.total:,} in all: {first}" if first else f"{title}. Nothing was found.", 200)


def _results(wanted: Wanted, found: FoundPage, title: str) -> list[Markup | None]:
    counted = element("p", f"{found.total:,} {'project' if found.total == 1 else 'projects'}", *_chosen(wanted, found))
    corrected = element("p", "Searched for ", element("q", found.corrected, dir="auto"), ".")
    section = element(
        "section",
        counted,
        corrected if found.corrected is not None else None,
        cards(found.cards) if found.cards else _nothing_found(wanted),
        _other_pages(wanted, found.next_cursor),
    )
    facets = _facets(wanted, found.facets)
    return [
        element("h1", title, dir="auto"),
        search_form(wanted.text, *_kept(wanted), _order_choice(wanted.order)),
        # What stands beside the results comes last: its place must be known before it has arrived.
        element("div", section, facets) if facets else section,
    ]


def _other_pages(wanted: Wanted, next_cursor: str | None) -> Markup | None:
    first, more = replace(wanted, cursor=None), replace(wanted, cursor=next_cursor)
    links = [
        element("li", element("a", "First page", href=first.place, rel="nofollow")) if wanted.cursor else None,
        element("li", element("a", "Next page", href=more.place, rel="next")) if next_cursor else None,
    ]
    return element("nav", element("ul", links), aria_label="Pages") if any(links) else None


def _nothing_found(wanted: Wanted) -> Markup:
    if wanted == Wanted():
        return element("p", "Nothing is published yet.")
    return element("p", "Nothing was found. ", element("a", "See all projects", href="/projects"), ".")


def _kept(wanted: Wanted) -> list[Markup]:
    """The filters as hidden fields, so that another text is looked for with the same ones."""
    kept = [(name, value) for name, value in wanted.query if name not in {"q", "sort", "cursor"}]
    return [element("input", type="hidden", name=name, value=value) for name, value in kept]


def _order_choice(chosen: Order) -> Markup:
    options = [
        element("option", words, value=order.value, selected=order is chosen) for order, words in _ORDERS.items()
    ]
    return element("select", options, name="sort", aria_label="Order")


def _chosen(wanted: Wanted, found: FoundPage) -> list[Markup | str]:
    chosen = [("technologies", _spelt(found.facets.technologies, value)) for value in wanted.technologies]
    chosen += [("tags", value) for value in wanted.tags]
    chosen += [("license", wanted.licence)] if wanted.licence else []
    chosen += [("price", wanted.price.value)] if wanted.price is not PriceFilter.ALL else []
    links = [element("a", f"without {value}", href=wanted.toggled(name, value).place) for name, value in chosen]
    return [part for link in links for part in (" · ", link)]


def _facets(wanted: Wanted, facets: Facets) -> Markup | None:
    found = {
        "technologies": facets.technologies,
        "license": facets.license,
        "price": facets.price,
        "tags": facets.tags,
    }
    sections = [_facet(wanted, name, title, found[name]) for name, title in _FACETS]
    there = [section for section in sections if section]
    return element("aside", element("h2", "Narrow it down"), there, aria_label="Filters") if there else None


def _facet(wanted: Wanted, name: str, title: str, values: Sequence[FacetValue]) -> Markup | None:
    further = [each for each in values if not wanted.has(name, each.value)][:SHOWN_VALUES]
    if name == "price" and wanted.price is not PriceFilter.ALL:
        further = []
    items = [element("li", _narrower(wanted, name, each), f" {each.count:,}") for each in further]
    return element("section", element("h3", title), element("ul", items)) if items else None


def _narrower(wanted: Wanted, name: str, value: FacetValue) -> Markup:
    there = wanted.toggled(name, value.value)
    # Robots that followed each combination would never come to an end.
    rel = "nofollow" if there.choices > 1 or there.text else None
    return element("a", value.value, href=there.place, rel=rel, dir="auto")


def _section(title: str, found: Sequence[Card]) -> list[Markup]:
    return [element("h2", title), cards(found, "h3")] if found else []
