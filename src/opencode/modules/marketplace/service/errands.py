"""
What an operator asks of every process that has the catalogue. It is a row: `ocp` writes it without knowing where
servers are, and each server looks for new rows. A lost message cannot lose it, and two seconds later is early enough.
"""

import asyncio
import os
import socket
from dataclasses import replace
from typing import Any

import structlog

from opencode.infra.observability import metrics
from opencode.infra.plugs import Parts
from opencode.kernel.errors import OpenCodeError
from opencode.kernel.ids import is_id, new_id
from opencode.kernel.principal import Principal
from opencode.modules.marketplace import policy
from opencode.modules.marketplace.domain.agreement import Agreement
from opencode.modules.marketplace.domain.errands import FRESH, Errand, ErrandKind, ErrandReport, ReportState
from opencode.modules.marketplace.errors import RebuildNotFound
from opencode.modules.marketplace.service.base import Shared, UseCases
from opencode.modules.marketplace.store import MarketplaceWork, reading

log = structlog.get_logger(__name__)

PAUSE_S = 0.02
"""Between two batches of the check that comes by itself, so that nobody notices it."""
_EVERYBODY = "all"
_PREFIX = "cat"


class Errands(UseCases):
    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        # With chance in it: in containers every server may be process 1 of a host of the same name.
        self._process = f"{socket.gethostname()}:{os.getpid()}:{new_id('prc')[-6:]}"
        self._since = self.clock.now()
        self._seen: set[str] = set()
        self._work: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[Agreement] | None = None

    async def rebuild(self, by: Principal) -> tuple[Errand, list[ErrandReport]]:
        """
        Have every process fill its index anew. While one waits to be taken up, asking again is the same errand.

        Raises:
            Unauthenticated, Forbidden: the caller is no administrator.
        """
        policy.require_overseer(by)
        errand, is_new = await ask(self.parts, ErrandKind.REBUILD)
        if is_new:
            await self.identity.record("catalogue.rebuild_asked", actor=by, subject_id=errand.id)
        await self.look()
        return errand, await self._reports(errand.id)

    async def get(self, errand_id: str, by: Principal) -> tuple[Errand, list[ErrandReport]]:
        """
        How far each process is with a rebuild.

        Raises:
            Unauthenticated, Forbidden: the caller is no administrator.
            RebuildNotFound
        """
        policy.require_overseer(by)
        async with self.reading() as stores:
            found = await stores.errands.find(errand_id) if is_id(errand_id, _PREFIX) else None
        if found is None or found.kind is not ErrandKind.REBUILD:
            raise RebuildNotFound(errand_id)
        return found, await self._reports(errand_id)

    async def check(self, by: Principal) -> Agreement:
        """
        Compare the index of this process with the database. Who asks while one is under way waits for the same one.

        Raises:
            Unauthenticated, Forbidden: the caller is no administrator.
            CatalogueFilling: the server has just started.
        """
        policy.require_overseer(by)
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check())
        return await asyncio.shield(self._checking)

    async def check_and_mend(self) -> None:
        """The check that comes by itself: what disagrees is counted, told and brought in step."""
        if not self.catalogue.is_ready:
            return
        found = await self._check(repair=True, pause_s=PAUSE_S)
        if found.disagreements:
            named = [f"{each.project_id} {each.what}" for each in found.first]
            log.error("catalogue disagreed with the database", projects=found.disagreements, first=named)

    async def look(self) -> None:
        """Take up what was asked since this process began, in the background."""
        since = max(self._since, self.clock.now() - FRESH)
        async with self.reading() as stores:
            new = [errand for errand in await stores.errands.since(since) if errand.id not in self._seen]
        if new and (self._work is None or self._work.done()):
            self._seen.update(errand.id for errand in new)
            self._work = asyncio.create_task(self._do_all(new))

    async def done(self) -> None:
        """Wait until all that was taken up is done."""
        if self._work:
            await asyncio.shield(self._work)

    async def close(self) -> None:
        tasks: list[asyncio.Task[Any]] = [task for task in (self._work, self._checking) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _check(self, *, repair: bool = False, pause_s: float = 0.0) -> Agreement:
        found = await self.catalogue.check(repair=repair, pause_s=pause_s)
        metrics.CATALOGUE_DISAGREEMENTS.set(found.disagreements)
        return found

    async def _do_all(self, new: list[Errand]) -> None:
        for errand in new:
            try:
                await self._do(errand)
            except Exception:
                log.exception("errand failed", errand_id=errand.id)

    async def _do(self, errand: Errand) -> None:
        name = _EVERYBODY if self.catalogue.is_shared else self._process
        report = ErrandReport(errand_id=errand.id, process=name, state=ReportState.RUNNING, begun_at=self.clock.now())
        async with self.unit_of_work() as work:
            begun = await work.stores.errands.begin(report)
        if not begun:
            return  # another process does it for all
        try:
            if errand.kind is ErrandKind.REBUILD:
                count = await self.catalogue.rebuild()
                found = Agreement(projects=count, indexed=count)
            else:
                await self.catalogue.filled()
                found = await self._check()
            ended = replace(report, state=ReportState.DONE, agreement=found)
        except BaseException as error:
            words = error.detail if isinstance(error, OpenCodeError) else "The server's log says more."
            await self._save(replace(report, state=ReportState.FAILED, message=words))
            raise
        await self._save(ended)

    async def _save(self, report: ErrandReport) -> None:
        async with self.unit_of_work() as work:
            await work.stores.errands.save(replace(report, finished_at=self.clock.now()))

    async def _reports(self, errand_id: str) -> list[ErrandReport]:
        async with self.reading() as stores:
            return await stores.errands.reports_of(errand_id)


async def ask(parts: Parts, kind: ErrandKind) -> tuple[Errand, bool]:
    """Ask something of every process. Returns the errand, and False when the same one waits already."""
    now = parts.clock.now()
    async with MarketplaceWork(parts) as work:
        if waiting := await work.stores.errands.waiting(kind, now - FRESH):
            return waiting, False
        new = Errand(new_id(_PREFIX), kind, now)
        await work.stores.errands.add(new)
    return new, True


async def reports_of(parts: Parts, errand: Errand) -> list[ErrandReport]:
    """What processes have reported so far."""
    async with reading(parts.database) as stores:
        return await stores.errands.reports_of(errand.id)
