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
        async with aclosing(run(replace(request, stdin=given.stdin, args=given.args))) as events:
            async for event in events:
                if isinstance(event, Finished) and event.stage == "run":
                    stdout, stderr = (b"".join(chunks) for chunks in printed.values())
                    yield CaseFinished(index, stdout, stderr, event)
                    if event.verdict is Verdict.STOPPED:
                        return
                elif isinstance(event, Output) and event.stage == "run":
                    printed[event.stream].append(event.data)
                elif index == 0 or isinstance(event, Finished):
                    yield event
                if isinstance(event, Finished) and event.stage == "compile":
                    return
