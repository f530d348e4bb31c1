"""A project: what its owner says of it, and the rules of that."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.catalog import Listing, Standing
from opencode.modules.marketplace.domain.licences import NotAnExpressionError, normalised
from opencode.modules.marketplace.domain.money import FREE, Price, price_of, price_problem
from opencode.modules.marketplace.domain.proofs import ProofMethod, Verified, same_repository
from opencode.modules.marketplace.domain.ranking import popularity
from opencode.modules.marketplace.domain.slugs import name_problem
from opencode.modules.marketplace.domain.text import (
    Findings,
    each_once,
    line_problem,
    text_problem,
    tidy_line,
    url_problem,
    words_problem,
)

MAX_TITLE = 120
MAX_SUMMARY = 300
MAX_DESCRIPTION_BYTES = 200_000
MAX_TECHNOLOGIES = 20
MAX_TAGS = 20
MAX_WORD = 40
LINKS = ("repository_url", "demo_url", "documentation_url")


class ProjectStatus(StrEnum):
    """Where a project is on its way; it never becomes a draft again."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"
    """No longer in the catalogue; whoever has its address still reads it."""
    QUARANTINED = "quarantined"
    """A moderator has taken it out of everybody's sight but its owner's, who may change it and appeal."""
    REMOVED = "removed"
    """The same for good: nobody changes it any more."""


HELD = frozenset({ProjectStatus.QUARANTINED, ProjectStatus.REMOVED})
"""What only moderators bring about, and end."""


PUBLIC = frozenset({ProjectStatus.PUBLISHED, ProjectStatus.ARCHIVED})
"""What everybody may see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """
    A project.

    Attributes:
        handle: its owner's; with `name` it makes the slug.
        license: an SPDX expression, or empty.
        revision: grows by one with every change that the owner, an administrator or a moderator makes.
        verified_method, verified_at: of the proof that the repository is the owner's; both None without one.
        held_from: the status that it goes back to when a moderator restores it; None while it is not held.
        latest_version: of the newest release; a prerelease only when there is nothing else.
        row_version: as it was read, for `Listing.version`; the store gives a new one at each change.
    """

    id: ProjectId
    owner_id: str
    handle: str
    name: str
    title: str
    summary: str
    description: str
    technologies: tuple[str, ...]
    license: str
    price: Price
    repository_url: str | None
    demo_url: str | None
    documentation_url: str | None
    tags: tuple[str, ...]
    status: ProjectStatus
    featured: bool
    revision: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    held_from: ProjectStatus | None = None
    verified_method: ProofMethod | None = None
    verified_at: datetime | None = None
    latest_version: str | None = None
    row_version: int = field(default=0, compare=False)

    @property
    def slug(self) -> str:
        return f"{self.handle}.{self.name}"

    @property
    def is_listed(self) -> bool:
        """Is it in the catalogue?"""
        return self.status is ProjectStatus.PUBLISHED

    @property
    def was_public(self) -> bool:
        """Could others see it at some time?"""
        return self.status is not ProjectStatus.DRAFT

    @property
    def verified(self) -> Verified | None:
        """The proof that the repository is the owner's."""
        return Verified(self.verified_method, self.verified_at) if self.verified_method and self.verified_at else None

    def changed(self, fields: Mapping[str, Any], at: datetime) -> "Project":
        """
        The project with other fields, as `checked` gave them back; the same one when nothing is different. A proof
        says nothing about another repository.
        """
        after = replace(self, **fields)
        if after == self:
            return self
        if not same_repository(self.repository_url, after.repository_url):
            after = replace(after, verified_method=None, verified_at=None)
        first_time = after.is_listed and self.published_at is None
        published_at = at if first_time else self.published_at
        return replace(after, revision=self.revision + 1, updated_at=at, published_at=published_at)

    def held(self, status: ProjectStatus) -> "Project":
        """The project as a moderator leaves it; the same one when that is no change. Its moments are its owner's."""
        if status is self.status:
            return self
        held_from = (self.held_from or self.status) if status in HELD else None
        return replace(self, status=status, held_from=held_from, revision=self.revision + 1)


@dataclass(frozen=True, slots=True)
class Counters:
    """
    How often people did something with a project. Totals of downloads and views never shrink.

    Attributes:
        trend: the key of the order by trend, None before anything happened (`domain.ranking.trend`).
    """

    stars: int = 0
    downloads: int = 0
    views: int = 0
    robot_downloads: int = 0
    robot_views: int = 0
    trend: float | None = None

    @property
    def standing(self) -> Standing:
        return Standing(popularity=popularity(self.stars, self.downloads), trending=self.trend or 0.0)


def may_become(before: ProjectStatus, after: ProjectStatus) -> bool:
    """Can its owner take a project this way? What was public does not become a secret again, nor what is held free."""
    return before is after or not (after is ProjectStatus.DRAFT or before in HELD or after in HELD)


def checked(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldProblem]]:
    """
    Fields as they are kept, and everything that is wrong with them.

    Args:
        values: fields of a project by name; those that are absent are not looked at. `price` is (amount in minor
            units, currency or None), or None for free.
    """
    findings = Findings()
    fields: dict[str, Any] = {}
    for name, value in values.items():
        fields[name] = _CHECKS[name](value, f"/{name}", findings)
    return fields, findings.problems


def listing_of(project: Project) -> Listing:
    """What the index knows of a published project."""
    return Listing(
        id=project.id,
        name=project.name,
        title=project.title,
        summary=project.summary,
        owner=project.handle,
        created_at=micros(project.created_at),
        updated_at=micros(project.updated_at),
        description=project.description,
        technologies=project.technologies,
        tags=project.tags,
        license=project.license,
        is_free=project.price.is_free,
        is_featured=project.featured,
        version=project.row_version,
    )


def micros(moment: datetime) -> int:
    """Microseconds since 1970, UTC."""
    return round(moment.timestamp() * 1_000_000)


def _title(value: str, at: str, findings: Findings) -> str:
    title = tidy_line(value)
    findings.add(at, line_problem(title, MAX_TITLE, least=1))
    return title


def _summary(value: str, at: str, findings: Findings) -> str:
    summary = tidy_line(value)
    findings.add(at, line_problem(summary, MAX_SUMMARY))
    return summary


def _description(value: str, at: str, findings: Findings) -> str:
    findings.add(at, text_problem(value, MAX_DESCRIPTION_BYTES))
    return value


def _technologies(value: list[str], at: str, findings: Findings) -> tuple[str, ...]:
    technologies = each_once(value)
    findings.add(at, words_problem(technologies, MAX_TECHNOLOGIES, MAX_WORD))
    return technologies


def _tags(value: list[str], at: str, findings: Findings) -> tuple[str, ...]:
    tags = each_once(value)
    detail = words_problem(tags, MAX_TAGS, MAX_WORD)
    if detail is None and any(tag != tag.lower() or " " in tag for tag in tags):
        detail = "each entry must be one word in lower case, such as machine-learning"
    findings.add(at, detail)
    return tags


def _license(value: str | None, at: str, findings: Findings) -> str:
    if not value or not value.strip():
        return ""
    try:
        return normalised(value)
    except NotAnExpressionError as error:
        findings.add(at, str(error))
        return ""


def _price(value: tuple[int, str | None] | None, at: str, findings: Findings) -> Price:
    if value is None:
        return FREE
    if problem := price_problem(*value):
        findings.add(at + problem[0], problem[1])
        return FREE
    return price_of(*value)


def _link(value: str | None, at: str, findings: Findings) -> str | None:
    if value is None or not value.strip():
        return None
    url = value.strip()
    findings.add(at, url_problem(url))
    return url


def _name(value: str, at: str, findings: Findings) -> str:
    findings.add(at, name_problem(value))
    return value


def _status(value: ProjectStatus, at: str, findings: Findings) -> ProjectStatus:
    findings.add(at, "must be draft, published or archived" if value in HELD else None)
    return value


def _as_it_is(value: Any, at: str, findings: Findings) -> Any:
    del at, findings
    return value


_CHECKS: dict[str, Any] = {
    "title": _title,
    "summary": _summary,
    "description": _description,
    "technologies": _technologies,
    "tags": _tags,
    "license": _license,
    "price": _price,
    "name": _name,
    "status": _status,
    "featured": _as_it_is,
    **dict.fromkeys(LINKS, _link),
}
