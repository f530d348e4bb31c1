"""Releases and their files."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from opencode.kernel.ids import ProjectId, ReleaseId
from opencode.kernel.pages import Page, PageRequest
from opencode.modules.marketplace.domain.releases import Release, ReleaseFile, ReleaseSummary, SpentNames
from opencode.modules.marketplace.errors import FileNameTaken, VersionTaken
from opencode.modules.marketplace.store.tables import release_files, releases, spent_file_names

# The one to offer: what was taken back never, a prerelease only when there is nothing else.
_BEST_FIRST = (releases.c.prerelease, releases.c.version_key.desc())


class ReleaseStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, new: Release) -> None:
        """
        Raises:
            VersionTaken: the project has this version, or got it at the same moment.
        """
        try:
            await self._connection.execute(insert(releases).values(asdict(new)))
        except IntegrityError:
            raise VersionTaken(new.version) from None

    async def find(self, project_id: ProjectId, version_key: str) -> Release | None:
        return await self._one(releases.c.project_id == project_id, releases.c.version_key == version_key)

    async def get(self, release_id: str) -> Release | None:
        return await self._one(releases.c.id == release_id)

    async def _one(self, *conditions: Any) -> Release | None:
        row = (await self._connection.execute(select(releases).where(*conditions))).mappings().one_or_none()
        return Release(**row) if row else None

    async def page_of(self, project_id: ProjectId, wanted: PageRequest) -> Page[ReleaseSummary]:
        """
        Newest version first.

        Raises:
            Invalid: the cursor belongs to another list.
        """
        query = select(releases).where(releases.c.project_id == project_id)
        if position := wanted.position(str):
            query = query.where(releases.c.version_key < position[0])
        query = query.order_by(releases.c.version_key.desc()).limit(wanted.limit + 1)
        found = [Release(**row) for row in (await self._connection.execute(query)).mappings()]
        sizes = await self._sizes([each.id for each in found])
        summaries = [ReleaseSummary(each, *sizes.get(each.id, (0, 0))) for each in found]
        return Page.cut(summaries, wanted.limit, lambda summary: (summary.release.version_key,))

    async def _sizes(self, ids: Sequence[ReleaseId]) -> dict[str, tuple[int, int]]:
        own = release_files.c
        query = select(own.release_id, func.count(), func.sum(own.size_bytes)).where(own.release_id.in_(ids))
        rows = await self._connection.execute(query.group_by(own.release_id))
        return {release_id: (count, int(size)) for release_id, count, size in rows}

    async def count_of(self, project_id: ProjectId) -> int:
        query = select(func.count()).select_from(releases).where(releases.c.project_id == project_id)
        return (await self._connection.execute(query)).scalar_one()

    async def latest_of(self, project_id: ProjectId) -> str | None:
        """The version to name beside the project."""
        query = select(releases.c.version).where(releases.c.project_id == project_id, ~releases.c.yanked)
        return (await self._connection.execute(query.order_by(*_BEST_FIRST).limit(1))).scalar_one_or_none()

    async def save(self, release: Release) -> None:
        await self._connection.execute(update(releases).where(releases.c.id == release.id).values(asdict(release)))

    async def mark_downloaded(self, release_id: ReleaseId) -> bool:
        """Note that somebody has got a file of it. Returns whether it is still there."""
        query = update(releases).where(releases.c.id == release_id).values(downloaded=True)
        return bool((await self._connection.execute(query)).rowcount)

    async def delete_undownloaded(self, release_id: ReleaseId) -> bool:
        """Delete it with its files, unless somebody has got one of them. Returns whether it is gone."""
        query = delete(releases).where(releases.c.id == release_id, ~releases.c.downloaded)
        if not (await self._connection.execute(query)).rowcount:
            return False
        await self._connection.execute(delete(release_files).where(release_files.c.release_id == release_id))
        return True

    async def delete_file_undownloaded(self, release_id: ReleaseId, name: str) -> bool:
        """Delete one file, unless somebody has got one of its release. Returns whether the release allowed it."""
        # The release is written to be held: nobody gets a file of it while one is being deleted.
        held = update(releases).where(releases.c.id == release_id, ~releases.c.downloaded).values(downloaded=False)
        if not (await self._connection.execute(held)).rowcount:
            return False
        own = release_files.c
        await self._connection.execute(delete(release_files).where(own.release_id == release_id, own.name == name))
        return True

    async def spend(self, release: Release, files: Sequence[ReleaseFile]) -> None:
        """Remember what these names held, before their files are deleted."""
        spent = await self.spent_names(release)
        new = [
            {
                "project_id": release.project_id,
                "version_key": release.version_key,
                "name": file.name,
                "sha256": file.sha256,
            }
            for file in files
            if file.name not in spent
        ]
        if new:
            await self._connection.execute(insert(spent_file_names), new)

    async def spent_names(self, release: Release) -> SpentNames:
        """Of this version, whichever release of it there was."""
        own = spent_file_names.c
        query = select(own.name, own.sha256).where(own.project_id == release.project_id)
        rows = await self._connection.execute(query.where(own.version_key == release.version_key))
        return {row.name: row.sha256 for row in rows}

    async def files_of(self, release_id: ReleaseId) -> list[ReleaseFile]:
        """In the order in which they came."""
        query = select(release_files).where(release_files.c.release_id == release_id)
        query = query.order_by(release_files.c.created_at, release_files.c.name)
        return [_file(row) for row in (await self._connection.execute(query)).mappings()]

    async def file(self, release_id: ReleaseId, name: str) -> ReleaseFile | None:
        query = select(release_files).where(release_files.c.release_id == release_id, release_files.c.name == name)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _file(row) if row else None

    async def add_file(self, new: ReleaseFile) -> None:
        """
        Raises:
            FileNameTaken
        """
        try:
            await self._connection.execute(insert(release_files).values(asdict(new)))
        except IntegrityError:
            raise FileNameTaken(new.name) from None

    async def best_file(self, project_id: ProjectId) -> tuple[str, str] | None:
        """Version and name of the file to offer: of the newest release that has one, the one that came first."""
        query = select(releases.c.version, release_files.c.name).select_from(
            releases.join(release_files, release_files.c.release_id == releases.c.id)
        )
        query = query.where(releases.c.project_id == project_id, ~releases.c.yanked)
        query = query.order_by(*_BEST_FIRST, release_files.c.created_at, release_files.c.name).limit(1)
        row = (await self._connection.execute(query)).one_or_none()
        return (row[0], row[1]) if row else None

    async def bytes_of(self, project_id: ProjectId | None = None) -> int:
        """What the files of one project hold, or those of all."""
        query = select(func.coalesce(func.sum(release_files.c.size_bytes), 0))
        if project_id is not None:
            query = query.where(release_files.c.project_id == project_id)
        return int((await self._connection.execute(query)).scalar_one())

    async def wanted(self, hashes: Collection[str]) -> set[str]:
        """Those of these contents that a file has."""
        query = select(release_files.c.sha256).where(release_files.c.sha256.in_(hashes)).distinct()
        return set((await self._connection.execute(query)).scalars())


def _file(row: RowMapping) -> ReleaseFile:
    return ReleaseFile(**row)
