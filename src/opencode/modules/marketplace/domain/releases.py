"""A release of a project, its files, and the rules of both."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from opencode.kernel.errors import FieldProblem
from opencode.kernel.ids import ProjectId, ReleaseId
from opencode.modules.marketplace.domain.text import Findings, line_problem, text_problem
from opencode.modules.marketplace.domain.versions import LONGEST, ReleaseVersion, version_of

MAX_NOTES_BYTES = 100_000
MAX_FILE_NAME = 200
MAX_FILES = 100
"""Of one release."""
MAX_RELEASES = 2_000
"""Of one project."""
NO_VERSION = f"must be a version such as 1.2.0, 2.0.0-rc.1 or 1.4rc1, of up to {LONGEST} characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """
    One version of a project that people can have.

    Attributes:
        version_key: versions compare as their keys do (`domain.versions`).
        yanked: taken back: it stays for those who need exactly this one, and is offered to nobody else.
        downloaded: somebody has got a file of it, so it can no longer be deleted.
    """

    id: ReleaseId
    project_id: ProjectId
    version: str
    version_key: str
    notes: str
    prerelease: bool
    yanked: bool
    downloaded: bool
    created_at: datetime
    updated_at: datetime

    def changed(self, fields: Mapping[str, Any], at: datetime) -> "Release":
        """The release with other fields, as `checked` gave them back; the same one when nothing is different."""
        after = replace(self, **fields)
        return self if after == self else replace(after, updated_at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFile:
    """A file of a release. `sha256` in hex is where its content is stored; nobody changes it any more."""

    release_id: ReleaseId
    project_id: ProjectId
    name: str
    size_bytes: int
    sha256: str
    created_at: datetime


SpentNames = Mapping[str, str]
"""Names that files of a version had before they were deleted -> the SHA-256 of what people could get under them."""


@dataclass(frozen=True, slots=True)
class ReleaseSummary:
    """A release in a list."""

    release: Release
    files: int
    size_bytes: int


def checked_release(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldProblem]]:
    """
    Fields as they are kept, and everything that is wrong with them. `version` becomes a `ReleaseVersion`.
    """
    findings = Findings()
    fields = dict(values)
    if "version" in values:
        version: ReleaseVersion | None = version_of(values["version"])
        findings.add("/version", None if version else NO_VERSION)
        fields["version"] = version
    if "notes" in values:
        findings.add("/notes", text_problem(values["notes"], MAX_NOTES_BYTES))
    return fields, findings.problems


def tidy_file_name(name: str) -> str:
    """In one way of writing (NFC, Unicode Annex 15): names that look the same are the same."""
    return unicodedata.normalize("NFC", name)


def file_name_problem(name: str) -> str | None:
    """What is wrong with the name of a file."""
    if problem := line_problem(name, MAX_FILE_NAME, least=1):
        return problem
    if "/" in name or "\\" in name:
        return "must not hold / or \\"
    if not name.strip("."):
        return "must not be dots alone"
    return "must not begin or end with a space" if name != name.strip() else None
