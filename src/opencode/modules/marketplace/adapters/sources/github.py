"""GitHub's REST API: a repository and its README."""

import base64
import binascii
from pathlib import PurePosixPath

from opencode.modules.marketplace.adapters.sources.licences import spdx_of
from opencode.modules.marketplace.adapters.sources.reading import (
    LONGEST_SUMMARY,
    LONGEST_TITLE,
    Facts,
    markdown,
    repository_address,
    site_of,
    tags_of,
    technologies_of,
)
from opencode.modules.marketplace.domain.drafts import Draft
from opencode.modules.marketplace.errors import SourceUnreadable

_MARKDOWN_ENDINGS = frozenset({"", ".md", ".markdown", ".mdown", ".txt"})


def draft_of(repository: bytes, readme: bytes | None) -> Draft:
    """
    Args:
        repository: the answer of `GET /repos/{owner}/{name}`.
        readme: the answer of `GET /repos/{owner}/{name}/readme`; None when there is none.

    Raises:
        SourceUnreadable
    """
    facts = Facts.of(repository, "GitHub")
    name = facts.line("name", LONGEST_TITLE)
    if not name:
        raise SourceUnreadable("GitHub", "tells of no repository")
    documentation, demo = site_of(facts.raw("homepage"))
    return Draft(
        title=name,
        name=name,
        summary=facts.line("description", LONGEST_SUMMARY),
        description=_text_of(readme) if readme is not None else "",
        technologies=technologies_of([facts.raw("language")]),
        license=spdx_of(facts.below("license").raw("spdx_id")),
        tags=tags_of(facts.list_of("topics")),
        repository_url=repository_address(facts.raw("html_url")),
        documentation_url=documentation,
        demo_url=demo,
    )


def _text_of(readme: bytes) -> str:
    facts = Facts.of(readme, "GitHub")
    ending = PurePosixPath(facts.raw("name")).suffix.lower()
    # Over 1 MB the encoding is "none" and the content empty; reStructuredText and others are not Markdown.
    if facts.raw("encoding") != "base64" or ending not in _MARKDOWN_ENDINGS:
        return ""
    try:
        return markdown(base64.b64decode(facts.raw("content")).decode())
    except (binascii.Error, ValueError):
        return ""
