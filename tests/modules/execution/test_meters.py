"""What a run is said to have used, held against programs that know."""

import pytest

from opencode.modules.execution.service.runner import Runs

from .meters import METERS, MIB
from .runner import Runner, new_run_id

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHARE = 0.05
LEAST_MS = 5


@pytest.mark.parametrize("name", METERS)
async def test_the_meters_tell_what_a_program_used(runs: Runs, run: Runner, name: str) -> None:
    meter = METERS[name]
    outcome = await run.hear_out(meter.program.request(new_run_id(), "main.c"))
    assert outcome.verdict == "ok", outcome.stderr
    if meter.memory_mib:
        assert outcome.finished.memory_bytes is not None
        assert outcome.finished.memory_bytes / MIB == pytest.approx(meter.memory_mib, rel=SHARE)
    else:
        # Taking a program's memory apart is part of its cost, but comes after its last words: no memory here.
        assert outcome.finished.cpu_time_ms == pytest.approx(float(outcome.stdout), rel=SHARE, abs=LEAST_MS)
