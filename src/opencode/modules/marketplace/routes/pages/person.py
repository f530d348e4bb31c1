"""The page of one person."""

from opencode.infra.html import Markup, PublicPage, element, place
from opencode.modules.marketplace.domain.surrogates import ALL_PEOPLE, user_key
from opencode.modules.marketplace.domain.text import excerpt
from opencode.modules.marketplace.routes.pages import linked_data
from opencode.modules.marketplace.routes.pages.frame import away, cards, facts, framed
from opencode.modules.marketplace.service.people import Person


def person_page(person: Person, handle: str, public_url: str) -> PublicPage:
    own = person.profile
    path = f"/people/{own.handle}"
    keys = (user_key(own.user_id), ALL_PEOPLE)
    name = excerpt(own.display_name, 80)
    if own.handle != handle:
        return PublicPage(title=name, moved_to=path, surrogate_keys=keys)
    counted = f"{person.total:,} {'project' if person.total == 1 else 'projects'} by {name}."
    return PublicPage(
        title=f"{name} (@{own.handle})",
        description=excerpt(own.bio, 200) or counted,
        path=path,
        body=framed(_body(person)),
        kind="profile",
        image=own.avatar,
        data=(linked_data.person(person, f"{public_url}{path}", public_url),),
        feeds=((f"Projects by {name}", f"/feeds/users/{own.handle}.atom"),),
        # An account costs nothing, so a page that has nothing but links of its own is not passed on.
        robots="" if person.total else "noindex, nofollow",
        surrogate_keys=keys,
    )


def _body(person: Person) -> list[Markup | None]:
    own = person.profile
    rest = person.total - len(person.cards)
    more = place("/projects", [("q", own.handle)])
    return [
        element("h1", own.display_name, dir="auto"),
        element("p", f"@{own.handle}"),
        element("p", own.bio, dir="auto") if own.bio else None,
        facts(
            [
                ("Location", own.location),
                ("Website", away(own.website) if own.website else None),
                ("GitHub", own.github),
                ("Skills", ", ".join(own.skills)),
                ("Here since", own.created_at.strftime("%B %Y")),
            ]
        ),
        element("h2", "Projects"),
        cards(person.cards, "h3") if person.cards else element("p", "Nothing is published yet."),
        element("p", element("a", f"{rest:,} more", href=more, rel="nofollow")) if rest > 0 else None,
    ]
