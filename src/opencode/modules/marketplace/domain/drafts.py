"""What is known of a project before its author has looked at it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draft:
    """
    A project as another place tells of it. What could not be told is empty.

    Attributes:
        name: what people type, such as `fast-api`; `title` is as its author writes it.
        summary: one line of plain text.
        description: Markdown, not yet safe to show.
        license: an SPDX expression.
    """

    title: str
    name: str
    summary: str = ""
    description: str = ""
    technologies: tuple[str, ...] = ()
    license: str = ""
    tags: tuple[str, ...] = ()
    repository_url: str = ""
    documentation_url: str = ""
    demo_url: str = ""
