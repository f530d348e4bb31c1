"""npm's registry: a package, or one of its versions."""

from opencode.modules.marketplace.adapters.sources.licences import spdx_of
from opencode.modules.marketplace.adapters.sources.reading import (
    LONGEST_SUMMARY,
    LONGEST_TITLE,
    Facts,
    markdown,
    repository_address,
    site_of,
    tags_of,
)
from opencode.modules.marketplace.domain.drafts import Draft
from opencode.modules.marketplace.errors import SourceUnreadable

_NO_README = "ERROR: No README data found!"


def draft_of(package: bytes) -> Draft:
    """
    Args:
        package: the answer of `GET /{name}`, or of `GET /{name}/{version}`, which has no README.

    Raises:
        SourceUnreadable
    """
    whole = Facts.of(package, "npm")
    title = whole.line("name", LONGEST_TITLE)
    if not title:
        raise SourceUnreadable("npm", "tells of no package")
    newest = whole.below("dist-tags").raw("latest")
    facts = whole.below("versions").below(newest) if newest in whole.below("versions") else whole
    readme = whole.raw("readme")
    documentation, demo = site_of(facts.raw("homepage"))
    return Draft(
        title=title,
        name=title.rpartition("/")[2],
        summary=facts.line("description", LONGEST_SUMMARY),
        description="" if readme == _NO_README else markdown(readme),
        technologies=("TypeScript",) if facts.raw("types") or facts.raw("typings") else ("JavaScript",),
        license=_license(facts),
        tags=tags_of(facts.list_of("keywords")),
        repository_url=repository_address(facts.below("repository").raw("url") or _short(facts.raw("repository"))),
        documentation_url=documentation,
        demo_url=demo,
    )


def _license(facts: Facts) -> str:
    """`license` is an expression; in old packages an object, or `licenses` a list of such."""
    return spdx_of(facts.raw("license") or facts.below("license").raw("type"))


def _short(repository: str) -> str:
    """`owner/name` alone stands for GitHub."""
    is_short = repository.count("/") == 1 and ":" not in repository
    return f"github:{repository}" if is_short else repository
