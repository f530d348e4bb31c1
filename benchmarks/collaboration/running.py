"""Scenario of ours only: from pressing "run" to reading the output."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from benchmarks.collaboration.contenders import Contender
from benchmarks.collaboration.load import LoadFailed, fill
from benchmarks.collaboration.ours import Interview, Json, Ours
from benchmarks.collaboration.statistics import Figures, percentile
from benchmarks.collaboration.updates import written_text

HELLO = 'print("hello")\n'
RUN_LIMIT_S = 60.0
STORED_AFTER_S = 0.5


@dataclass(frozen=True)
class Running:
    """The candidate's `print("hello")`, run by the interviewer time after time."""

    runs: int

    async def measure(self, contender: Contender) -> Figures:
        """Not pinned: the sandbox is a process of its own and may have a core of its own."""
        assert isinstance(contender, Ours)
        await contender.start(pinned=False)
        interview = await contender.interview(0)
        crowd = await fill([interview], 2, ())
        crowd.people[1].send_update(written_text(HELLO))
        await asyncio.sleep(STORED_AFTER_S)
        async with contender.events(interview.id) as events:
            times = [await _run_once(interview, events) for _ in range(self.runs + 1)][1:]  # the first one warms up
        await crowd.leave()
        output, finished = [first for first, _ in times], [last for _, last in times]
        return {
            "output_p50_ms": percentile(output, 50) * 1_000,
            "output_p99_ms": percentile(output, 99) * 1_000,
            "finished_p50_ms": percentile(finished, 50) * 1_000,
            "finished_p99_ms": percentile(finished, 99) * 1_000,
        }


async def _run_once(interview: Interview, events: AsyncIterator[tuple[float, Json]]) -> tuple[float, float]:
    """
    Seconds from the request until its output and until its end were told on the event stream.

    Raises:
        LoadFailed: the program did not print its word, or did not end well.
    """
    began = time.perf_counter()
    requested = asyncio.create_task(interview.run())
    output, printed = 0.0, ""
    async with asyncio.timeout(RUN_LIMIT_S):
        async for at, event in events:
            if event["type"] == "run.output":
                output, printed = at, printed + event["text"]
            elif event["type"] == "run.finished":
                if event["run"]["id"] != await requested or not printed.startswith("hello\n"):
                    raise LoadFailed(f"the run printed {printed!r}: {event['run']}")
                return output - began, at - began
    raise LoadFailed("the event stream ended")
