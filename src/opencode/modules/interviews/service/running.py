"""Running the shared text, looking at runs, stopping them."""

import asyncio
from dataclasses import replace

from opencode.contracts.execution import LanguageUnknown, RunRequest, SourceFile, Terminal, Verdict
from opencode.infra.db import fingerprint
from opencode.infra.plugs import Parts
from opencode.kernel.ids import RunId, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.interview import Interview
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.domain.run import RESTARTED, Run
from opencode.modules.interviews.domain.views import RunView
from opencode.modules.interviews.errors import EditingFrozen, KeyReused, TooManyRuns
from opencode.modules.interviews.policy import Action, Standing
from opencode.modules.interviews.service.base import Case, Neighbours, UseCases
from opencode.modules.interviews.service.control import Control
from opencode.modules.interviews.service.driving import Driver
from opencode.modules.interviews.service.finishing import give_up
from opencode.modules.interviews.service.languages import Languages
from opencode.modules.interviews.service.terminals import Terminals
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.interviews.store import News


class Running(UseCases):
    def __init__(
        self,
        parts: Parts,
        settings: InterviewsSettings,
        neighbours: Neighbours,
        languages: Languages,
        control: Control,
        terminals: Terminals,
    ) -> None:
        super().__init__(parts, settings, neighbours)
        self._languages = languages
        self._control = control
        self._terminals = terminals
        self._drivers: dict[str, Driver] = {}

    async def run(
        self,
        interview_id: str,
        by: Principal,
        *,
        language: str | None = None,
        stdin: str = "",
        args: tuple[str, ...] = (),
        terminal: Terminal | None = None,
        key: str | None = None,
    ) -> Run:
        """
        Queue a run of the shared text as the server has it now, and answer without waiting for it.

        Args:
            language: another one than the interview is in now.
            terminal: run it in a terminal of this size, which people watch and type into while it runs; `stdin` is
                typed first.
            key: the caller's `Idempotency-Key`; the same request with the same key runs nothing again for a day.

        Raises:
            LanguageNotKnown: no such language.
            LanguageUnknown: it cannot be run on this server.
            EditingFrozen, TooManyRuns, KeyReused
        """
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.RUN)
        _require_thawed(case)
        print_of_request = fingerprint(("run", interview_id, language, stdin, args, terminal))
        if key and (earlier := await self._made_before(by, key, print_of_request)):
            return earlier
        run = await self._prepare(case.interview, by, language or case.interview.language)
        run = replace(run, stdin=stdin, args=args, terminal=terminal)
        try:
            await self._queue(run, by, key, print_of_request)
        except KeyReused:
            if key and (earlier := await self._made_before(by, key, print_of_request)):
                return earlier
            raise
        await self._drive(run)
        return run

    async def get(self, run_id: str, by: Principal) -> Run:
        async with self.reading() as stores:
            return (await self.case_of_run(stores, run_id, by, Action.SEE))[1]

    async def list(self, interview_id: str, by: Principal, wanted: PageRequest) -> Page[Run]:
        """Newest first."""
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.SEE)
            return await stores.runs.page(case.interview.id, wanted)

    async def stop(self, run_id: str, by: Principal) -> Run:
        """Ask for the end of a run, wherever it is driven. One that is finished stays as it is."""
        async with self.reading() as stores:
            case, run = await self.case_of_run(stores, run_id, by, Action.STOP_RUN)
        _require_thawed(case, "stop runs")
        if not run.is_finished:
            await self._control.stop_run(run.id)
        return run

    async def stop_here(self, run_id: str) -> None:
        """Stop a run that this server drives; others are none of its business."""
        if driver := self._drivers.get(run_id):
            await driver.stop()

    async def give_up_lost(self, *, starting: bool = False) -> None:
        """
        Finish runs whose server is gone.

        Args:
            starting: see `silent_since`.
        """
        async with self.reading() as stores:
            lost = await stores.runs.lost(self.silent_since(starting=starting))
        for run in lost:
            if run.id not in self._drivers:
                async with self.unit_of_work() as work:
                    await give_up(work, run, Verdict.SANDBOX_FAULT, RESTARTED, self.clock.now())

    async def keep_alive(self) -> None:
        """Tell the other servers that the runs of this one are not lost."""
        if self._drivers:
            async with self.unit_of_work() as work:
                await work.stores.runs.still_driven([RunId(run_id) for run_id in self._drivers], self.clock.now())

    async def close(self) -> None:
        """Give up what is under way, and say so: the server goes down."""
        await asyncio.gather(*(driver.close(RESTARTED) for driver in list(self._drivers.values())))

    async def _prepare(self, interview: Interview, by: Principal, language: str) -> Run:
        chosen = await self._languages.find(language)
        if not chosen.available:
            raise LanguageUnknown(
                f"{chosen.name} cannot be run on this server: {chosen.reason}.", action="Choose another language."
            )
        source = await self.documents.text(interview.document_id, chosen.id)
        now = self.clock.now()
        return Run(
            id=RunId(new_id("run")),
            interview_id=interview.id,
            language=chosen.id,
            source=source,
            stdin="",
            args=(),
            requested_by_id=by.id,
            requested_by_name=by.name,
            created_at=now,
            alive_at=now,
        )

    async def _queue(self, run: Run, by: Principal, key: str | None, print_of_request: str) -> None:
        async with self.changing(run.interview_id, by, Action.RUN) as (work, case):
            _require_thawed(case)
            if await work.stores.runs.count_under_way(run.interview_id) >= self.settings.runs_at_once:
                raise TooManyRuns(self.settings.runs_at_once)
            if key:
                await work.stores.requests.add(by.id, key, print_of_request, run.id, run.created_at)
            await work.stores.runs.add(run)
            news = News(EventType.RUN_STARTED, {"run": RunView.of(run)}, about=run.id)
            await work.say(run.interview_id, run.created_at, news)

    async def _drive(self, run: Run) -> None:
        language = await self._languages.find(run.language)
        request = RunRequest(
            run.id,
            run.language,
            (SourceFile(language.file_name, run.source.encode()),),
            stdin=run.stdin.encode(),
            args=run.args,
            live=run.terminal is not None,
            terminal=run.terminal,
            owner=run.interview_id,
        )
        driver = Driver(run, request, self.runner, self.parts, watcher=self._terminals.open(run))
        self._drivers[run.id] = driver
        driver.start(when_done=lambda: self._forget(run.id))

    def _forget(self, run_id: str) -> None:
        self._drivers.pop(run_id, None)
        self._terminals.forget(run_id)

    async def _made_before(self, by: Principal, key: str, print_of_request: str) -> Run | None:
        async with self.reading() as stores:
            if (made := await stores.requests.find(by.id, key)) is None:
                return None
            if made[0] != print_of_request:
                raise KeyReused
            return await stores.runs.find(made[1])


def _require_thawed(case: Case, doing: str = "run code") -> None:
    if case.standing is Standing.ADMITTED and case.interview.frozen:
        raise EditingFrozen(doing)
