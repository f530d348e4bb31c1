"""Projects: what they are written with, and how they are shown."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from opencode.infra.http import Body
from opencode.kernel.errors import FieldProblem
from opencode.modules.marketplace.domain.moderation import HOLD_OF
from opencode.modules.marketplace.domain.project import ProjectStatus, checked
from opencode.modules.marketplace.domain.views import Shown
from opencode.modules.marketplace.schemas.fields import HoldView, OwnerView, PriceView, VerifiedView, present_values
from opencode.modules.marketplace.service.lines import PriceBody, ProjectBody, rule_values


class ProjectDraft(ProjectBody):
    """A new project. `license` is an SPDX expression; a `price` of null, or of 0, is free."""

    status: ProjectStatus = ProjectStatus.DRAFT

    def values(self) -> dict[str, Any]:
        return present_values(self)


class ProjectChange(Body):
    """What is to change; what is absent stays. `name` is the second part of the slug."""

    title: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    summary: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    technologies: list[str] | UnsetType = UNSET
    license: str | UnsetType | None = UNSET
    price: PriceBody | int | UnsetType | None = UNSET
    repository_url: str | UnsetType | None = UNSET
    demo_url: str | UnsetType | None = UNSET
    documentation_url: str | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    status: ProjectStatus | UnsetType = UNSET
    featured: bool | UnsetType = UNSET

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        named = {"name": fields["name"]} if "name" in fields else {}
        return checked({**rule_values(fields), **named})[1]

    def values(self) -> dict[str, Any]:
        return present_values(self)


class MarkdownBody(Body):
    """Markdown, at most 200,000 bytes. `repository_url`: where its relative links and pictures lead."""

    text: str
    repository_url: str | None = None


class ProjectView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A project. `downloads` and `views` are those of people; robots are counted apart. `starred`: by the caller.
    `notices` are for whoever has just made or changed it: what they should think about.
    `moderation` is null unless moderators keep the project out of sight; then its owner and they alone see it.
    `description_html` is the description, which is Markdown, as HTML that is safe to show; its relative links lead into
    the repository.
    """

    id: str
    slug: str
    name: str
    title: str
    summary: str
    description: str
    description_html: str
    owner: OwnerView
    technologies: tuple[str, ...]
    license: str | None
    price: PriceView | None
    repository_url: str | None
    demo_url: str | None
    documentation_url: str | None
    tags: tuple[str, ...]
    status: ProjectStatus
    featured: bool
    stars: int
    downloads: int
    views: int
    robot_downloads: int
    robot_views: int
    starred: bool
    verified: VerifiedView | None
    moderation: HoldView | None
    revision: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    latest_version: str | None
    notices: list[str] = []

    @classmethod
    def of(
        cls, shown: Shown, description_html: str, *, starred: bool = False, notices: Sequence[str] = ()
    ) -> "ProjectView":
        project, counters = shown.project, shown.counters
        return cls(
            id=project.id,
            slug=project.slug,
            name=project.name,
            title=project.title,
            summary=project.summary,
            description=project.description,
            description_html=description_html,
            owner=OwnerView(project.handle, shown.owner_name),
            technologies=project.technologies,
            license=project.license or None,
            price=PriceView.of(project.price),
            repository_url=project.repository_url,
            demo_url=project.demo_url,
            documentation_url=project.documentation_url,
            tags=project.tags,
            status=project.status,
            featured=project.featured,
            stars=counters.stars,
            downloads=counters.downloads,
            views=counters.views,
            robot_downloads=counters.robot_downloads,
            robot_views=counters.robot_views,
            starred=starred,
            verified=VerifiedView.of(project.verified),
            moderation=HoldView.of(shown.case, HOLD_OF.get(project.status)),
            revision=project.revision,
            created_at=project.created_at,
            updated_at=project.updated_at,
            published_at=project.published_at,
            notices=list(notices),
            latest_version=project.latest_version,
        )


class RenderedView(msgspec.Struct, frozen=True):
    """HTML that is safe to show, whoever wrote the text."""

    html: str
