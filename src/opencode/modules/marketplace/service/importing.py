"""The bulk door: takes a body of lines, answers at once, and imports in the background, batch by batch."""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import IO, Any

import structlog

from opencode.contracts.marketplace import ProjectsImported
from opencode.kernel.errors import Invalid
from opencode.kernel.ids import ProjectId, is_id, new_id
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.importing import (
    BATCH_LINES,
    REPORTED_REFUSALS,
    Import,
    ImportState,
    RefusedLine,
)
from opencode.modules.marketplace.domain.profile import Profile
from opencode.modules.marketplace.domain.project import Project, ProjectStatus
from opencode.modules.marketplace.domain.slugs import name_of
from opencode.modules.marketplace.errors import (
    HandleTaken,
    ImportNotFound,
    ImportRefused,
    ImportTooLarge,
    ImportUnderWay,
    NameTaken,
)
from opencode.modules.marketplace.service.base import DRAWS, Shared, UseCases
from opencode.modules.marketplace.service.lines import ReadLine, read_line, reason_of
from opencode.modules.marketplace.store import MarketplaceWork

log = structlog.get_logger(__name__)

NumberedLine = tuple[int, bytes]


class Importing(UseCases):
    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._current = ""
        self._work: asyncio.Task[None] | None = None
        self._closing = False

    async def receive(self, by: Principal, body: AsyncIterator[bytes]) -> Import:
        """
        Take the lines of an import, whole, and begin to import them.

        Raises:
            Unauthenticated, Forbidden: the caller is no administrator.
            ImportUnderWay, ImportTooLarge, ImportRefused
        """
        policy.require_importer(by)
        if self._current:
            raise ImportUnderWay(self._current)
        self._current = new_id("imp")
        try:
            spool = await self._spooled(body)
            begun = await self._begin(by, spool)
        except BaseException:
            self._current = ""
            raise
        self._work = asyncio.create_task(self._import(begun, by, spool))
        return begun

    async def get(self, import_id: str, by: Principal) -> tuple[Import, list[RefusedLine]]:
        """
        How an import goes, and the lines that it refused.

        Raises:
            Unauthenticated, Forbidden: the caller is no administrator.
            ImportNotFound
        """
        policy.require_importer(by)
        async with self.reading() as stores:
            found = await stores.imports.find(import_id) if is_id(import_id, "imp") else None
            if found is None:
                raise ImportNotFound(import_id)
            refused = await stores.imports.refused(import_id)
        state, message = found.seen_at(self.clock.now())
        return replace(found, state=state, message=message), refused

    async def finished(self) -> None:
        """Wait until the import that is under way has ended."""
        if self._work:
            await asyncio.shield(self._work)

    async def close(self) -> None:
        """Stop after the present batch; the import says where it stopped."""
        self._closing = True
        if self._work:
            await asyncio.gather(self._work, return_exceptions=True)

    async def _spooled(self, body: AsyncIterator[bytes]) -> IO[bytes]:
        spool = tempfile.TemporaryFile()  # noqa: SIM115, closed by whoever imports
        received = 0
        try:
            async for chunk in body:
                received += len(chunk)
                if received > self.settings.import_bytes:
                    raise ImportTooLarge(self.settings.import_bytes, "bytes")
                spool.write(chunk)
        except BaseException:
            spool.close()
            raise
        return spool

    async def _begin(self, by: Principal, spool: IO[bytes]) -> Import:
        try:
            lines = await asyncio.to_thread(_count_lines, spool)
            if not lines:
                raise ImportRefused("The body has no lines.", action="Send one JSON object a line.")
            if lines > self.settings.import_lines:
                raise ImportTooLarge(self.settings.import_lines, "lines")
            now = self.clock.now()
            new = Import(
                id=self._current, by_id=by.id, state=ImportState.RUNNING, lines=lines, created_at=now, alive_at=now
            )
            async with self.unit_of_work() as work:
                await work.stores.imports.add(new)
            await self.identity.record("projects.imported", actor=by, subject_id=new.id, detail=f"{lines} lines")
        except BaseException:
            spool.close()
            raise
        return new

    async def _import(self, current: Import, by: Principal, spool: IO[bytes]) -> None:
        try:
            owner = await self.own_profile(by)
            numbered = enumerate(spool, start=1)
            while batch := await asyncio.to_thread(_next_lines, numbered):
                current = await self._import_batch(current, owner, batch)
                if self._closing:
                    raise _StoppedError(batch[-1][0])
            await self._finish(current, ImportState.DONE, "")
        except _StoppedError as stopped:
            await self._finish(
                current, ImportState.FAILED, f"The server was stopped after line {stopped}; send the lines after it."
            )
        except Exception as error:
            log.exception("import failed", import_id=current.id)
            words = error.detail if isinstance(error, Invalid) else "The server made a mistake; its log says more."
            await self._finish(current, ImportState.FAILED, words)
        finally:
            spool.close()
            self._current = ""

    async def _finish(self, current: Import, state: ImportState, message: str) -> None:
        now = self.clock.now()
        ended = replace(current, state=state, message=message, alive_at=now, finished_at=now)
        async with self.unit_of_work() as work:
            await work.stores.imports.save(ended)
        log.info("import ended", state=state, imported=ended.imported, refused=ended.refused)

    async def _import_batch(self, current: Import, owner: Profile, batch: Sequence[NumberedLine]) -> Import:
        good, refused = await asyncio.to_thread(_read, batch, self.clock.now())
        for _ in range(DRAWS):
            try:
                return await self._save(current, owner, good, refused)
            except (NameTaken, HandleTaken):
                continue  # somebody took one at the same moment
        raise Invalid(f"Names were taken again and again before line {batch[0][0]} could be imported.")

    async def _save(
        self, current: Import, owner: Profile, good: Sequence[ReadLine], refused: Sequence[RefusedLine]
    ) -> Import:
        async with self.unit_of_work() as work:
            projects, also_refused = await self._projects(work, owner, good)
            if projects:
                await work.stores.projects.add((project, line.counters) for project, line in projects)
            now = self.clock.now()
            if listed := tuple(project.id for project, _ in projects if project.is_listed):
                work.publish(ProjectsImported(project_ids=listed, at=now))
            told = sorted([*refused, *also_refused], key=lambda each: each.line)
            room = max(0, REPORTED_REFUSALS - current.refused)
            after = replace(
                current,
                imported=current.imported + len(projects),
                refused=current.refused + len(told),
                alive_at=now,
            )
            await work.stores.imports.save(after, told[:room])
        return after

    async def _projects(
        self, work: MarketplaceWork, owner: Profile, good: Sequence[ReadLine]
    ) -> tuple[list[tuple[Project, ReadLine]], list[RefusedLine]]:
        """Each line as the project that it becomes, and the lines whose name is taken."""
        owners = await self._owners(work, owner, good)
        asked = {line.number: (owners[line.owner][0], line.name) for line in good if line.name is not None}
        taken = await work.stores.projects.taken(set(asked.values()))
        refused: list[RefusedLine] = []
        names: dict[int, str] = {}
        for number, named in asked.items():
            if named in taken:
                refused.append(RefusedLine(number, f"name {named[1]!r} is taken by another project of this owner"))
            else:
                taken.add(named)
                names[number] = named[1]
        unnamed = [line for line in good if line.number not in asked]
        wanted = [(owners[line.owner][0], name_of(line.fields["title"])) for line in unnamed]
        given = await work.stores.projects.free_names(wanted, taken)
        names.update(zip((line.number for line in unnamed), given, strict=True))
        projects = [
            (self._project(line, owners[line.owner], names[line.number]), line) for line in good if line.number in names
        ]
        return projects, refused

    async def _owners(
        self, work: MarketplaceWork, owner: Profile, good: Sequence[ReadLine]
    ) -> dict[str | None, tuple[str, str]]:
        """By handle as the lines have it: id and handle. Nobody's handle becomes a profile without an account."""
        wanted = {line.owner for line in good if line.owner is not None}
        owners: dict[str | None, tuple[str, str]] = {None: (owner.user_id, owner.handle)}
        if wanted:
            owners |= await work.stores.profiles.owners_of(wanted)
        now = self.clock.now()
        new = [
            Profile(user_id=new_id("usr"), handle=handle, display_name=handle, created_at=now, updated_at=now)
            for handle in sorted(wanted - owners.keys())
        ]
        if new:
            await work.stores.profiles.add(new)
            owners |= {profile.handle: (profile.user_id, profile.handle) for profile in new}
        return owners

    def _project(self, line: ReadLine, owner: tuple[str, str], name: str) -> Project:
        now = self.clock.now()
        created_at = line.created_at or line.updated_at or now
        fields: dict[str, Any] = line.fields
        return Project(
            id=ProjectId(new_id("prj")),
            owner_id=owner[0],
            handle=owner[1],
            name=name,
            revision=1,
            created_at=created_at,
            updated_at=line.updated_at or created_at,
            published_at=None if fields["status"] is ProjectStatus.DRAFT else created_at,
            **fields,
        )


class _StoppedError(Exception):
    """The server stops; holds the number of the last line that was imported."""


def _count_lines(spool: IO[bytes]) -> int:
    spool.seek(0)
    lines = sum(1 for line in spool if line.strip())
    spool.seek(0)
    return lines


def _next_lines(numbered: "enumerate[bytes]") -> list[NumberedLine]:
    return list(itertools.islice(((number, line) for number, line in numbered if line.strip()), BATCH_LINES))


def _read(batch: Sequence[NumberedLine], now: Any) -> tuple[list[ReadLine], list[RefusedLine]]:
    good: list[ReadLine] = []
    refused: list[RefusedLine] = []
    for number, raw in batch:
        try:
            good.append(read_line(number, raw, now))
        except Invalid as error:
            refused.append(RefusedLine(number, reason_of(error)))
    return good, refused
