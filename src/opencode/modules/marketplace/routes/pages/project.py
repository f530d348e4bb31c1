"""The page of one project."""

from opencode.infra.html import Markup, PublicPage, element
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.review import RATINGS, Ratings
from opencode.modules.marketplace.domain.surrogates import project_key, user_key
from opencode.modules.marketplace.domain.text import excerpt
from opencode.modules.marketplace.routes.pages import linked_data
from opencode.modules.marketplace.routes.pages.frame import (
    away,
    facts,
    filter_links,
    framed,
    moment,
    person_link,
    price_words,
)
from opencode.modules.marketplace.service.showing import Sheet

DESCRIBED = 200
"""Letters of a description in the head of a page; what shows previews cuts there or earlier."""


def project_page(sheet: Sheet, slug: str, public_url: str) -> PublicPage:
    project = sheet.project
    path = f"/projects/{project.slug}"
    keys = (project_key(project.id), user_key(project.owner_id))
    if project.slug != slug:
        return PublicPage(title=project.title, moved_to=path, surrogate_keys=keys)
    return PublicPage(
        title=f"{project.title} by {excerpt(sheet.owner_name, 80)}",
        description=excerpt(sheet.summary, DESCRIBED) or f"A project by {excerpt(sheet.owner_name, 80)}.",
        path=path,
        body=framed(_body(sheet)),
        kind="article",
        data=linked_data.project(sheet, f"{public_url}{path}", public_url),
        feeds=((f"Projects by {sheet.owner_name}", f"/feeds/users/{project.handle}.atom"),),
        robots="" if project.is_listed else "noindex, follow",
        surrogate_keys=keys,
    )


def _body(sheet: Sheet) -> list[Markup | None]:
    project = sheet.project
    return [
        element("h1", project.title, dir="auto"),
        element("p", "by ", person_link(project.handle, sheet.owner_name)),
        None if project.is_listed else element("p", element("mark", "Archived: its owner no longer works on it.")),
        element("p", sheet.summary, dir="auto") if sheet.summary else None,
        facts(_facts(project, sheet.ratings)),
        # Sanitised where it was rendered: `adapters.readme` lets through what is known to be harmless.
        element("article", Markup(sheet.readme), dir="auto") if sheet.readme else None,
    ]


def _facts(project: Project, ratings: Ratings) -> list[tuple[str, Markup | str | list[Markup] | None]]:
    return [
        ("Price", price_words(project.price)),
        ("Licence", project.license or "not told"),
        ("Rating", _rating(ratings)),
        ("Technologies", filter_links("technologies", project.technologies)),
        ("Tags", filter_links("tags", project.tags)),
        ("Repository", away(project.repository_url) if project.repository_url else None),
        ("Demo", away(project.demo_url) if project.demo_url else None),
        ("Documentation", away(project.documentation_url) if project.documentation_url else None),
        ("Published", moment(project.published_at) if project.published_at else None),
        ("Updated", moment(project.updated_at)),
    ]


def _rating(ratings: Ratings) -> str | None:
    if ratings.mean is None:
        return None
    reviews = f"{ratings.count:,} {'review' if ratings.count == 1 else 'reviews'}"
    return f"{ratings.mean:.1f} of {RATINGS[-1]}, from {reviews}"
