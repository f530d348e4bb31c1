"""
Keeping an index between two starts of a server. What was kept is as old as it is; so it is compared with the store
before anybody searches in it, project by project, by versions.

A version is a number by chance that the store gives a project whenever what the catalogue shows of it changes. Equal
versions are equal content, whatever happened to the database meanwhile: a backup that was brought back, and changed in
another way since, has other versions. A position in a log would tell less: it may have been reached twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.catalog import CatalogIndex


@dataclass(frozen=True, slots=True)
class Versions:
    """
    Published projects as the store has them, side by side.

    Attributes:
        last: the greatest id of them.
    """

    last: ProjectId
    ids: Sequence[ProjectId]
    versions: Sequence[int]


@dataclass(frozen=True, slots=True)
class Standings:
    """
    How projects stand, published or not, side by side; what everybody trusts alike is not said.

    Attributes:
        last: the greatest id of them.
    """

    last: ProjectId
    ids: Sequence[ProjectId]
    popularity: Sequence[float]
    trending: Sequence[float]


class Look(Protocol):
    """One look through an index and the store; both may change meanwhile, and what changes is none that differs."""

    async def outdated(self, ids: Sequence[ProjectId], versions: Sequence[int]) -> list[ProjectId]:
        """Those of these published projects that the index has not, or in another version."""
        ...

    async def unpublished(self) -> list[ProjectId]:
        """What is in the index, and was not among those that `outdated` was asked of."""
        ...

    async def standing_otherwise(
        self, ids: Sequence[ProjectId], popularity: Sequence[float], trending: Sequence[float]
    ) -> list[ProjectId]:
        """Those of these projects that the index has with other numbers; those that it has not are none."""
        ...


class LoadedIndex(CatalogIndex, Protocol):
    """An index as it was when it was kept."""

    def look_through(self) -> Look: ...


class Snapshots(Protocol):
    async def load(self) -> LoadedIndex | None:
        """The index that was kept last; None where there is none that can be used. The log says why."""
        ...

    async def save(self, index: CatalogIndex, *, only_if_due: bool = False) -> None:
        """
        Keep an index, while it is used; one that has not changed since is kept already. Where it fails, what was kept
        before stays, and the log says why.

        Args:
            only_if_due: only when so much has changed that catching up would take a while.
        """
        ...
