"""A person as others see them in the marketplace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from opencode.kernel.errors import FieldProblem
from opencode.modules.marketplace.domain.moderation import Hold
from opencode.modules.marketplace.domain.slugs import handle_problem
from opencode.modules.marketplace.domain.text import (
    Findings,
    each_once,
    line_problem,
    text_problem,
    tidy_line,
    url_problem,
    words_problem,
)

MAX_DISPLAY_NAME = 80
MAX_BIO_BYTES = 4_000
MAX_SKILLS = 30
MAX_SKILL = 40
MAX_LOCATION = 100
MAX_GITHUB = 39


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """
    A profile; it goes with an account.

    Attributes:
        avatar, website: http(s) addresses.
        github: the name of an account there, as the person says; nothing proves it yet.
        hold: by moderators; then others see no more than handle and name.
    """

    user_id: str
    handle: str
    display_name: str
    bio: str = ""
    avatar: str | None = None
    skills: tuple[str, ...] = ()
    location: str = ""
    website: str | None = None
    github: str = ""
    revision: int = 1
    hold: Hold | None = None
    created_at: datetime
    updated_at: datetime

    def changed(self, fields: Mapping[str, Any], at: datetime) -> "Profile":
        """The profile with other fields, as `checked` gave them back; the same one when nothing is different."""
        after = replace(self, **fields)
        return self if after == self else replace(after, revision=self.revision + 1, updated_at=at)

    def held(self, hold: Hold | None) -> "Profile":
        """The profile as a moderator leaves it; the same one when that is no change."""
        return self if hold is self.hold else replace(self, hold=hold, revision=self.revision + 1)

    @property
    def bare(self) -> "Profile":
        """What is left of it for others while it is held."""
        return replace(self, bio="", avatar=None, skills=(), location="", website=None, github="")


def checked(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldProblem]]:
    """Fields as they are kept, and everything that is wrong with them; absent ones are not looked at."""
    findings = Findings()
    fields: dict[str, Any] = {}
    for name, value in values.items():
        tidied, problem = _RULES[name]
        kept = tidied(value)
        findings.add(f"/{name}", problem(kept))
        fields[name] = kept
    return fields, findings.problems


def _link(url: str | None) -> str | None:
    return (url or "").strip() or None


def _link_problem(url: str | None) -> str | None:
    return url_problem(url) if url else None


def _github_problem(name: str) -> str | None:
    good = name.isascii() and name.replace("-", "").isalnum() and len(name) <= MAX_GITHUB
    return None if not name or good else f"must be a name of at most {MAX_GITHUB} letters, digits and hyphens"


def _name_problem(name: str) -> str | None:
    return line_problem(name, MAX_DISPLAY_NAME, least=1)


def _bio_problem(bio: str) -> str | None:
    return text_problem(bio, MAX_BIO_BYTES)


def _skills_problem(skills: tuple[str, ...]) -> str | None:
    return words_problem(skills, MAX_SKILLS, MAX_SKILL)


def _location_problem(location: str) -> str | None:
    return line_problem(location, MAX_LOCATION)


_RULES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], str | None]]] = {
    "handle": (str, handle_problem),
    "display_name": (tidy_line, _name_problem),
    "bio": (str, _bio_problem),
    "avatar": (_link, _link_problem),
    "skills": (each_once, _skills_problem),
    "location": (tidy_line, _location_problem),
    "website": (_link, _link_problem),
    "github": (tidy_line, _github_problem),
}
"""Of each field: how it is kept, and what is wrong with it then."""
