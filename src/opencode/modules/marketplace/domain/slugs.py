"""
Names in addresses. A project is found at its slug, `<handle>.<name>`: the handle of its owner and a name that is its
own among the owner's projects. Both are lower-case letters, digits and single hyphens, so the dot is the only one.
"""

import re

from opencode.modules.marketplace.domain.words import fold

MAX_HANDLE = 40
MAX_NAME = 80

RESERVED_HANDLES = frozenset({"admin", "api", "import", "me", "new", "root", "search", "settings", "system"})
"""Handles that nobody gets: they are, or could become, addresses of our own, or would deceive."""

_PART = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_OTHER = re.compile(r"[^a-z0-9]+")


def name_of(title: str) -> str:
    """The name that a title suggests: `Über C++!` is `uber-cpp`. What has no letter in ASCII is `project`."""
    return _shortened(_ascii(title), MAX_NAME) or "project"


def handle_of(display_name: str) -> str:
    """The handle that a person's name suggests."""
    handle = _shortened(_ascii(display_name), MAX_HANDLE) or "user"
    return f"{handle}-1" if handle in RESERVED_HANDLES else handle


def numbered(name: str, number: int, longest: int) -> str:
    """The `number`th of several equal names: `name`, `name-2`, `name-3`; the name gives way where it is too long."""
    if number < 2:
        return name
    ending = f"-{number}"
    return name[: longest - len(ending)].rstrip("-") + ending


def name_problem(name: str) -> str | None:
    return _problem(name, MAX_NAME)


def handle_problem(handle: str) -> str | None:
    if handle in RESERVED_HANDLES:
        return "is reserved; choose another"
    return _problem(handle, MAX_HANDLE)


def parts_of(slug: str) -> tuple[str, str] | None:
    """Handle and name, or None for what cannot be a slug. What comes from outside is asked this before a database."""
    handle, _, name = slug.partition(".")
    if _problem(handle, MAX_HANDLE) or _problem(name, MAX_NAME):
        return None
    return handle, name


def _problem(part: str, longest: int) -> str | None:
    if not 1 <= len(part) <= longest:
        return f"must have 1 to {longest} characters"
    if not _PART.fullmatch(part):
        return "must be lower-case letters a to z, digits and single hyphens between them"
    return None


def _ascii(text: str) -> str:
    spelt = fold(text).replace("++", "pp").replace("#", "sharp").replace("ß", "ss")
    return _OTHER.sub("-", spelt).strip("-")


def _shortened(name: str, longest: int) -> str:
    return name[:longest].rstrip("-")
