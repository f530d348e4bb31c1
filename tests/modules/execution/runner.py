"""Runs a program to its end, for tests."""

import itertools
from dataclasses import dataclass

from opencode.contracts.execution import Finished, Limits, Output, RunEvent, RunRequest, SourceFile
from opencode.modules.execution.service.runner import Runs

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Outcome:
    """All that a run brought."""

    events: list[RunEvent]

    @property
    def finished(self) -> Finished:
        last = self.events[-1]
        assert isinstance(last, Finished)
        return last

    @property
    def verdict(self) -> str:
        return self.finished.verdict.value

    @property
    def stdout(self) -> str:
        return self.printed("stdout")

    @property
    def stderr(self) -> str:
        return self.printed("stderr")

    def printed(self, *streams: str) -> str:
        data = b"".join(event.data for event in self.events if isinstance(event, Output) and event.stream in streams)
        return data.decode("utf-8", "replace")


def new_run_id() -> str:
    return f"run_{next(_numbers)}"


@dataclass(frozen=True)
class Runner:
    """Calls `Runs.run` with one file and hears it out."""

    runs: Runs

    async def __call__(
        self,
        language: str,
        code: str | bytes,
        *,
        stdin: bytes = b"",
        args: tuple[str, ...] = (),
        name: str | None = None,
        others: tuple[SourceFile, ...] = (),
        **limits: int,
    ) -> Outcome:
        content = code.encode() if isinstance(code, str) else code
        files = (SourceFile(name or self.file_name(language), content), *others)
        request = RunRequest(new_run_id(), language, files, stdin, args, Limits(**limits))
        return await self.hear_out(request)

    async def hear_out(self, request: RunRequest) -> Outcome:
        return Outcome([event async for event in self.runs.run(request)])

    def file_name(self, language: str) -> str:
        """What the main file is called."""
        return next(one.file_name for one in self.runs.runtimes if one.id == language)
