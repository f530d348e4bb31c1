"""Many inputs for one program, one run after the other."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from opencode.contracts.execution import (
    CaseEvent,
    CaseFinished,
    CaseInput,
    Finished,
    Output,
    RunEvent,
    RunRequest,
    Verdict,
)

RunOne = Callable[[RunRequest], AsyncGenerator[RunEvent, None]]


async def one_by_one(run: RunOne, request: RunRequest, inputs: Sequence[CaseInput]) -> AsyncGenerator[CaseEvent, None]:
    """`CodeRunner.batch` by means of `CodeRunner.run`: simple, and it compiles for every input."""
    for index, given in enumerate(inputs):
        printed: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        finished: Finished | None = None
        async with aclosing(run(replace(request, stdin=given.stdin, args=given.args))) as events:
            async for event in events:
                if isinstance(event, Finished):
                    finished = event
                elif isinstance(event, Output) and event.stage == "run":
                    printed[event.stream].append(event.data)
                elif index == 0:
                    yield event
        # Told only now that the run has left its place: whoever listens may need one to look at the answer.
        if finished is None or finished.stage == "compile":
            if finished:
                yield finished
            return
        stdout, stderr = (b"".join(chunks) for chunks in printed.values())
        yield CaseFinished(index, stdout, stderr, finished)
        if finished.verdict is Verdict.STOPPED:
            return
