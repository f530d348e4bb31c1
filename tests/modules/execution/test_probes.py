"""Every language of tier S passes its ten probes in the real sandbox."""

import asyncio
from collections import Counter

import pytest
from msgspec.structs import replace

from opencode.contracts.execution import Limits
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.domain.programs import Runtime
from opencode.modules.execution.probes import PROBES, ProbeState, run_probe
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings

from .runner import Runner

pytestmark = pytest.mark.asyncio(loop_scope="session")

RUNTIMES = toolchains.load()
TIER_S = [runtime for runtime in RUNTIMES if runtime.tier == "S"]


@pytest.mark.parametrize("runtime", TIER_S, ids=[runtime.id for runtime in TIER_S])
async def test_a_language_of_tier_s_passes_its_probes(runs: Runs, runtime: Runtime) -> None:
    results = await asyncio.gather(*(run_probe(runs, runtime, probe) for probe in PROBES))
    assert [f"{result.probe}: {result.detail}" for result in results if result.state is ProbeState.FAILED] == []
    states = Counter(result.state for result in results)
    assert states[ProbeState.PASSED] + states[ProbeState.CANNOT] == len(PROBES)


async def test_a_probe_that_fails_says_what_was_expected_and_what_came(runs: Runs) -> None:
    bash = next(runtime for runtime in RUNTIMES if runtime.id == "bash")
    broken = replace(bash, hello="echo 'Good evening'; exit 3")
    result = await run_probe(runs, broken, "hello")
    assert result.state is ProbeState.FAILED
    for words in ("'Hello, world!'", "Exited with code 3", "Good evening"):
        assert words in result.detail


async def test_a_probe_that_nobody_wrote_is_not_run(runs: Runs) -> None:
    bash = next(runtime for runtime in RUNTIMES if runtime.id == "bash")
    empty = replace(bash, probes=replace(bash.probes, loop=None, cannot=("args",)))
    assert (await run_probe(runs, empty, "loop")).state is ProbeState.UNWRITTEN
    assert (await run_probe(runs, empty, "args")).state is ProbeState.CANNOT


async def test_a_language_takes_its_own_limits_up_to_those_of_the_server(settings: ExecutionSettings) -> None:
    bash = next(runtime for runtime in RUNTIMES if runtime.id == "bash")
    hasty = replace(bash, limits=replace(bash.limits, run=Limits(wall_time_ms=300, output_bytes=10**12)))
    runs = Runs(settings, (hasty,))
    outcome = await Runner(runs)("bash", "sleep 5")
    assert (outcome.verdict, outcome.finished.message.split(".")[0]) == ("wall_time", "Stopped after 0")
    assert (await Runner(runs)("bash", "sleep 0.5", wall_time_ms=2000)).verdict == "ok"
    await runs.close()
