"""Releases and their files."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from opencode.infra.http import Body
from opencode.kernel.errors import FieldProblem
from opencode.modules.marketplace.domain.releases import ReleaseFile, ReleaseSummary, checked_release
from opencode.modules.marketplace.schemas.fields import present_values
from opencode.modules.marketplace.service.releasing import ShownRelease


class ReleaseDraft(Body):
    """A new release. `notes` is Markdown; a `prerelease` of null is what the version says by itself."""

    version: str
    notes: str = ""
    prerelease: bool | None = None

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_release(fields)[1]

    def values(self) -> dict[str, Any]:
        return present_values(self)


class ReleaseChange(Body):
    """What is to change; what is absent stays. A yanked release is offered to nobody, and stays for who needs it."""

    notes: str | UnsetType = UNSET
    prerelease: bool | UnsetType = UNSET
    yanked: bool | UnsetType = UNSET

    @classmethod
    def broken_rules(cls, fields: dict[str, Any]) -> Iterable[FieldProblem]:
        return checked_release(fields)[1]

    def values(self) -> dict[str, Any]:
        return present_values(self)


class FileView(msgspec.Struct, frozen=True):
    """A file of a release. `sha256` in hex; `url` is where it is downloaded."""

    name: str
    size_bytes: int
    sha256: str
    url: str
    created_at: datetime

    @classmethod
    def of(cls, file: ReleaseFile, url: str) -> "FileView":
        return cls(file.name, file.size_bytes, file.sha256, url, file.created_at)


class ReleaseCardView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A release in a list. `size_bytes` is that of all `files` together; `downloaded` is true once somebody has got one.
    """

    id: str
    version: str
    prerelease: bool
    yanked: bool
    downloaded: bool
    files: int
    size_bytes: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, summary: ReleaseSummary) -> "ReleaseCardView":
        own = summary.release
        return cls(
            id=own.id,
            version=own.version,
            prerelease=own.prerelease,
            yanked=own.yanked,
            downloaded=own.downloaded,
            files=summary.files,
            size_bytes=summary.size_bytes,
            created_at=own.created_at,
            updated_at=own.updated_at,
        )


class ReleaseView(msgspec.Struct, frozen=True, kw_only=True):
    """
    A release. `notes` is Markdown, `notes_html` the same as HTML that is safe to show. Once somebody has `downloaded`
    a file of it, it stays with all of them.
    """

    id: str
    version: str
    notes: str
    notes_html: str
    prerelease: bool
    yanked: bool
    downloaded: bool
    files: list[FileView]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: ShownRelease, notes_html: str, url_of: Callable[[ReleaseFile], str]) -> "ReleaseView":
        own = shown.release
        return cls(
            id=own.id,
            version=own.version,
            notes=own.notes,
            notes_html=notes_html,
            prerelease=own.prerelease,
            yanked=own.yanked,
            downloaded=own.downloaded,
            files=[FileView.of(file, url_of(file)) for file in shown.files],
            created_at=own.created_at,
            updated_at=own.updated_at,
        )
