"""What pages say to programs, in the words of schema.org."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from opencode.modules.marketplace.domain.money import Price
from opencode.modules.marketplace.domain.review import RATINGS, Ratings
from opencode.modules.marketplace.domain.views import Card
from opencode.modules.marketplace.service.people import Person
from opencode.modules.marketplace.service.showing import Sheet

_CONTEXT = "https://schema.org"

Linked = dict[str, Any]


def site(public_url: str) -> Linked:
    target = {"@type": "EntryPoint", "urlTemplate": f"{public_url}/projects?q={{search_term_string}}"}
    action = {"@type": "SearchAction", "target": target, "query-input": "required name=search_term_string"}
    return {
        "@context": _CONTEXT,
        "@type": "WebSite",
        "name": "OpenCode",
        "url": f"{public_url}/",
        "potentialAction": action,
    }


def results(cards: Sequence[Card], public_url: str) -> Linked:
    return {"@context": _CONTEXT, "@type": "ItemList", "itemListElement": _items(cards, public_url)}


def project(sheet: Sheet, url: str, public_url: str) -> tuple[Linked, ...]:
    own = sheet.project
    author = {"@type": "Person", "name": sheet.owner_name, "url": f"{public_url}/people/{own.handle}"}
    about: Linked = {
        "@context": _CONTEXT,
        # Only the first has a repository, only the second is something that people get as it is.
        "@type": "SoftwareSourceCode" if own.repository_url else "SoftwareApplication",
        "name": own.title,
        "description": sheet.summary or None,
        "url": url,
        "author": author,
        "codeRepository": own.repository_url,
        "programmingLanguage": list(own.technologies) if own.repository_url else None,
        "applicationCategory": None if own.repository_url else "DeveloperApplication",
        "license": {"@type": "CreativeWork", "name": own.license} if own.license else None,
        "keywords": list(own.tags) or None,
        "dateCreated": _moment(own.created_at),
        "datePublished": _moment(own.published_at),
        "dateModified": _moment(own.updated_at),
        "isAccessibleForFree": own.price.is_free,
        "offers": _offer(own.price, url) if own.is_listed else None,
        "aggregateRating": _rating(sheet.ratings),
    }
    steps = [("Projects", f"{public_url}/projects"), (own.title, url)]
    trail = {
        "@context": _CONTEXT,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": there}
            for position, (name, there) in enumerate(steps, 1)
        ],
    }
    return {name: value for name, value in about.items() if value is not None}, trail


def person(shown: Person, url: str, public_url: str) -> Linked:
    own = shown.profile
    about = {
        "@type": "Person",
        "name": own.display_name,
        "alternateName": own.handle,
        "url": url,
        "description": own.bio or None,
        "image": own.avatar,
        "knowsAbout": list(own.skills) or None,
        "sameAs": own.website,
    }
    page: Linked = {
        "@context": _CONTEXT,
        "@type": "ProfilePage",
        "dateCreated": _moment(own.created_at),
        "dateModified": _moment(own.updated_at),
        "mainEntity": {name: value for name, value in about.items() if value is not None},
    }
    if shown.cards:
        page["hasPart"] = {"@type": "ItemList", "itemListElement": _items(shown.cards, public_url)}
    return page


def quoted(word: str) -> str:
    """A word as one part of an address."""
    return quote(word, safe="")


def _items(cards: Sequence[Card], public_url: str) -> list[Linked]:
    return [
        {"@type": "ListItem", "position": position, "name": card.title, "url": f"{public_url}/projects/{card.slug}"}
        for position, card in enumerate(cards, 1)
    ]


def _offer(price: Price, url: str) -> Linked:
    offer = {"@type": "Offer", "url": url, "price": price.decimal if not price.is_free else "0"}
    return {**offer, "priceCurrency": price.currency} if price.currency else offer


def _rating(ratings: Ratings) -> Linked | None:
    if ratings.mean is None:
        return None
    return {
        "@type": "AggregateRating",
        "ratingValue": ratings.mean,
        "reviewCount": ratings.count,
        "bestRating": RATINGS[-1],
        "worstRating": RATINGS[0],
    }


def _moment(at: Any) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
