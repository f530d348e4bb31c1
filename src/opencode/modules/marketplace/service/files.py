"""Files of releases: taking them in, giving them out, and forgetting contents that no release has any more."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

import structlog

from opencode.infra.storage import Storage, Stored, TooManyBytes, WrongContent
from opencode.kernel.errors import FieldProblem, Unavailable
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.counting import Kind, Visitor
from opencode.modules.marketplace.domain.project import Project
from opencode.modules.marketplace.domain.releases import (
    MAX_FILES,
    Release,
    ReleaseFile,
    SpentNames,
    file_name_problem,
    tidy_file_name,
)
from opencode.modules.marketplace.errors import (
    ChecksumMismatch,
    FileMissing,
    FileNameSpent,
    FileNameTaken,
    FileNotFound,
    FileTooLarge,
    ReleaseInUse,
    ReleaseNotFound,
    TooManyFiles,
    UploadsAtOnce,
)
from opencode.modules.marketplace.policy import Action
from opencode.modules.marketplace.service.base import Shared, UseCases, require_good
from opencode.modules.marketplace.service.counting import Counting
from opencode.modules.marketplace.service.entitling import Entitlements
from opencode.modules.marketplace.service.releasing import release_of
from opencode.modules.marketplace.store import Stores

log = structlog.get_logger(__name__)

UPLOADS_AT_ONCE = 4
"""Of one person, on one server."""
KEEP_ORPHANS = timedelta(hours=1)
"""A content becomes a file's a moment after it is stored; whatever belongs to none after an hour never will."""
KEEP_HALVES = timedelta(days=1)
_ORPHANS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file, and where it belongs."""

    project: Project
    release: Release
    file: ReleaseFile


@dataclass(frozen=True, slots=True)
class Room:
    """How many bytes a file may have, and which limit says so."""

    most_bytes: int
    reason: str


class Files(UseCases):
    def __init__(
        self,
        shared: Shared,
        counting: Counting,
        entitlements: Entitlements,
        storage: Storage,
    ) -> None:
        super().__init__(shared)
        self._counting = counting
        self._entitlements = entitlements
        self._storage = storage
        self._uploads: Counter[str] = Counter()

    async def require_download(self, by: Principal, project: Project) -> None:
        """
        The one place that says who may have a project's files: of what is for sale, who has bought it.

        Raises:
            ProjectNotFound, NotPublished, ProjectNotBought
        """
        policy.require(Action.DOWNLOAD, by, project)
        await self._entitlements.require(by, project)

    async def upload(
        self,
        slug: str,
        version: str,
        name: str,
        by: Principal,
        body: AsyncIterator[bytes],
        *,
        length: int | None,
        sha256: str | None,
    ) -> tuple[FoundFile, bool]:
        """
        Add a file to a release. It is never whole in memory.

        Args:
            length: in bytes, when it is announced; what is too large is refused before it is read.
            sha256: in hex, when it is announced.

        Returns:
            The file, and whether it is new: the same content under the same name changes nothing.

        Raises:
            ProjectNotFound, NotYourProject, ReleaseNotFound, ProjectRefused, FileTooLarge, FileNameTaken,
            FileNameSpent, TooManyFiles, ChecksumMismatch, UploadsAtOnce, StorageFull, …
        """
        policy.require_account(by)
        name = tidy_file_name(name)
        await self.brake(by)
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
            policy.require(Action.CHANGE, by, project)
            problem = file_name_problem(name)
            require_good([FieldProblem("/name", problem)] if problem else [])
            release = await release_of(stores, project, version)
            held = await stores.releases.file(release.id, name)
            spent = await stores.releases.spent_names(release)
            room = await self._room(stores, project, release, held, spent)
        if sha256:
            _require_own_name(release, name, sha256, spent)
        if held and sha256 and await self._storage.size_of(_same(held, sha256).sha256) is not None:
            return FoundFile(project, release, held), False
        if length is not None and length > room.most_bytes:
            raise FileTooLarge(name, room.most_bytes, room.reason)
        stored = await self._store(by, name, body, room, sha256)
        if held:
            return FoundFile(project, release, _same(held, stored.sha256)), False
        return await self._add(slug, release, name, by, stored)

    async def delete(self, slug: str, version: str, name: str, by: Principal) -> None:
        """
        Delete a file of a release of which nobody has got one. Its name stays its own, if others could see it.

        Raises:
            ProjectNotFound, NotYourProject, ReleaseNotFound, FileNotFound, ReleaseInUse, …
        """
        policy.require_account(by)
        await self.brake(by)
        async with self.unit_of_work() as work:
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.CHANGE, by, project)
            release = await release_of(work.stores, project, version)
            file = await work.stores.releases.file(release.id, tidy_file_name(name))
            if file is None:
                raise FileNotFound(name)
            if not await work.stores.releases.delete_file_undownloaded(release.id, file.name):
                raise ReleaseInUse(release.version)
            if project.was_public:
                await work.stores.releases.spend(release, [file])

    async def look(self, slug: str, version: str, name: str, by: Principal) -> FoundFile:
        """
        A file that the caller may have.

        Raises:
            ProjectNotFound, NotPublished, ProjectNotBought, ReleaseNotFound, FileNotFound
        """
        async with self.reading() as stores:
            project = (await self.find(stores, slug)).project
            await self.require_download(by, project)
            release = await release_of(stores, project, version)
            file = await stores.releases.file(release.id, tidy_file_name(name))
        if file is None:
            raise FileNotFound(name)
        return FoundFile(project, release, file)

    async def download(
        self, found: FoundFile, visitor: Visitor, *, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes]:
        """
        Give a file that `look` has found, or some of its bytes, and count that.

        Raises:
            FileMissing: the disk does not hold what the database knows.
            FileNotFound: the release was deleted at this moment.
        """
        try:
            pieces = await self._storage.read(found.file.sha256, start, length)
        except FileNotFoundError:
            log.exception("the content of a file is missing", sha256=found.file.sha256)
            raise FileMissing(found.file.name) from None
        try:
            await self._note(found, visitor)
        except BaseException:
            await pieces.aclose()
            raise
        return pieces

    async def best_of(self, project: Project) -> str | None:
        """Where the file is that is offered of a project; None when it has none."""
        if project.latest_version is None:
            return None
        async with self.reading() as stores:
            best = await stores.releases.best_file(project.id)
        return self.url_of(project, *best) if best else None

    def url_of(self, project: Project, version: str, name: str) -> str:
        path = f"/api/v1/projects/{project.slug}/releases/{quote(version, safe='')}/files/{quote(name, safe='')}"
        return f"{self.parts.public_url()}{path}"

    async def tidy(self) -> None:
        """Delete contents that belong to no file, and what uploads have left that broke off."""
        now = self.clock.now()
        batch: list[str] = []
        async for kept in self._storage.all_before(now - KEEP_ORPHANS):
            batch.append(kept.sha256)
            if len(batch) == _ORPHANS_AT_ONCE:
                await self._delete_orphans(batch)
                batch = []
        await self._delete_orphans(batch)
        await self._storage.sweep(now - KEEP_HALVES)

    async def _delete_orphans(self, hashes: list[str]) -> None:
        if not hashes:
            return
        before = self.clock.now() - KEEP_ORPHANS
        async with self.reading() as stores:
            wanted = await stores.releases.wanted(hashes)
        gone = [sha256 for sha256 in hashes if sha256 not in wanted and await self._storage.delete_old(sha256, before)]
        if gone:
            log.info("contents of no file were deleted", count=len(gone))

    async def _room(
        self, stores: Stores, project: Project, release: Release, held: ReleaseFile | None, spent: SpentNames
    ) -> Room:
        if held:
            # Nothing is added; it is only read to see whether it is the same.
            return Room(held.size_bytes, "the file of this name has as many")
        own = self.settings
        names = {file.name for file in await stores.releases.files_of(release.id)}
        # Names that were given away count too, or deleting and uploading would fill the table without an end.
        if len(names | spent.keys()) >= MAX_FILES:
            raise TooManyFiles(MAX_FILES)
        rooms = (
            Room(own.release_file_bytes, "which is the most for one file"),
            Room(
                own.release_project_bytes - await stores.releases.bytes_of(project.id),
                f"since all files of a project may have {own.release_project_bytes} together",
            ),
            Room(
                own.release_server_bytes - await stores.releases.bytes_of(),
                "which is all the room that this server has left",
            ),
        )
        return min((Room(max(room.most_bytes, 0), room.reason) for room in rooms), key=lambda room: room.most_bytes)

    async def _store(
        self, by: Principal, name: str, body: AsyncIterator[bytes], room: Room, sha256: str | None
    ) -> Stored:
        if self._uploads[by.id] >= UPLOADS_AT_ONCE:
            raise UploadsAtOnce(UPLOADS_AT_ONCE)
        self._uploads[by.id] += 1
        try:
            return await self._storage.put(body, most_bytes=room.most_bytes, sha256=sha256)
        except TooManyBytes:
            raise FileTooLarge(name, room.most_bytes, room.reason) from None
        except WrongContent as error:
            raise ChecksumMismatch(name, error.sha256) from None
        finally:
            self._uploads[by.id] -= 1
            if not self._uploads[by.id]:
                del self._uploads[by.id]

    async def _add(
        self, slug: str, release: Release, name: str, by: Principal, stored: Stored
    ) -> tuple[FoundFile, bool]:
        async with self.unit_of_work() as work:
            # Much may have happened while the bytes came.
            project = (await self.find(work.stores, slug, to_change=True)).project
            policy.require(Action.CHANGE, by, project)
            present = await work.stores.releases.get(release.id)
            if present is None or present.project_id != project.id:
                raise ReleaseNotFound(release.version)
            if held := await work.stores.releases.file(release.id, name):
                return FoundFile(project, present, _same(held, stored.sha256)), False
            spent = await work.stores.releases.spent_names(present)
            _require_own_name(present, name, stored.sha256, spent)
            room = await self._room(work.stores, project, present, None, spent)
            if stored.size_bytes > room.most_bytes:
                raise FileTooLarge(name, room.most_bytes, room.reason)
            new = ReleaseFile(
                release_id=release.id,
                project_id=project.id,
                name=name,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                created_at=self.clock.now(),
            )
            await work.stores.releases.add_file(new)
        return FoundFile(project, present, new), True

    async def _note(self, found: FoundFile, visitor: Visitor) -> None:
        if not found.release.downloaded:
            async with self.unit_of_work() as work:
                if not await work.stores.releases.mark_downloaded(found.release.id):
                    raise FileNotFound(found.file.name)
        try:
            await self._counting.count(Kind.DOWNLOAD, found.project.id, visitor)
        except Unavailable:
            # Nobody is kept from a file because counting has to wait.
            log.warning("a download was not counted", project_id=found.project.id)


def _require_own_name(release: Release, name: str, sha256: str, spent: SpentNames) -> None:
    """
    Raises:
        FileNameSpent: a file that was deleted had this name and another content.
    """
    if spent.get(name, sha256) != sha256:
        raise FileNameSpent(name, release.version)


def _same(held: ReleaseFile, sha256: str) -> ReleaseFile:
    """
    Raises:
        FileNameTaken: the file of this name has another content.
    """
    if held.sha256 != sha256:
        raise FileNameTaken(held.name)
    return held
