"""PyPI's JSON API: a project at its newest or a given version."""

from opencode.modules.marketplace.adapters.sources.licences import spdx_of, spdx_of_classifiers
from opencode.modules.marketplace.adapters.sources.reading import (
    LONGEST_SUMMARY,
    LONGEST_TITLE,
    Facts,
    markdown,
    repository_address,
    site_of,
    tags_of,
    technologies_of,
    web_address,
)
from opencode.modules.marketplace.domain.drafts import Draft
from opencode.modules.marketplace.domain.repositories import repository_of
from opencode.modules.marketplace.errors import SourceUnreadable

# Labels are free text; these are the usual ones, in small letters without blanks (packaging.python.org, well-known).
_REPOSITORY = ("source", "sourcecode", "repository", "code", "github", "gitlab")
_DOCUMENTATION = ("documentation", "docs")
_DEMO = ("demo", "playground")


def draft_of(project: bytes) -> Draft:
    """
    Args:
        project: the answer of `GET /pypi/{name}/json` or `/pypi/{name}/{version}/json`.

    Raises:
        SourceUnreadable
    """
    info = Facts.of(project, "PyPI").below("info")
    name = info.line("name", LONGEST_TITLE)
    if not name:
        raise SourceUnreadable("PyPI", "tells of no project")
    classifiers = info.list_of("classifiers")
    links = {"".join(filter(str.isalnum, label.lower())): url for label, url in info.pairs("project_urls")}
    links.setdefault("homepage", info.raw("home_page"))
    documentation, demo = site_of(links["homepage"])
    return Draft(
        title=name,
        name=name,
        summary=info.line("summary", LONGEST_SUMMARY),
        description=_description(info),
        technologies=_technologies(classifiers),
        license=spdx_of(info.raw("license_expression"))
        or spdx_of_classifiers(classifiers)
        or spdx_of(info.raw("license")),
        tags=tags_of(info.list_of("keywords")),
        repository_url=_repository(links),
        documentation_url=_first(links, _DOCUMENTATION) or web_address(info.raw("docs_url")) or documentation,
        demo_url=_first(links, _DEMO) or demo,
    )


def _description(info: Facts) -> str:
    kind = info.raw("description_content_type").partition(";")[0].strip().lower()
    # Without a kind it is reStructuredText by definition, and that is another language.
    return markdown(info.raw("description")) if kind in ("text/markdown", "text/plain") else ""


def _technologies(classifiers: list[str]) -> tuple[str, ...]:
    found = ["Python"]
    for classifier in classifiers:
        parts = [part.strip() for part in classifier.split("::")]
        if len(parts) >= 2 and parts[0] in ("Programming Language", "Framework"):
            found.append(parts[1])
    return technologies_of(found)


def _repository(links: dict[str, str]) -> str:
    if named := next((links[label] for label in _REPOSITORY if links.get(label)), ""):
        return repository_address(named)
    known = (repository_of(url) for label, url in links.items() if label not in ("funding", "sponsor"))
    return next((repository.url for repository in known if repository), "")


def _first(links: dict[str, str], labels: tuple[str, ...]) -> str:
    return next((url for label in labels if (url := web_address(links.get(label, "")))), "")
