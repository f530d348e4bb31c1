"""Faults of ours begin a run anew, twice at the most; faults of programs never do; and every run ends once."""

import asyncio

import pytest
from sqlalchemy import select, update

from opencode.contracts.execution import Verdict
from opencode.infra.db import outbox
from opencode.infra.plugs import Parts
from opencode.kernel.clock import ManualClock
from opencode.kernel.ids import RunId
from opencode.modules.execution.domain.queue import Ticket
from opencode.modules.execution.domain.runs import Details, Result, Run, RunProgress
from opencode.modules.execution.service.finishing import save_finished
from opencode.modules.execution.service.working import Worker
from opencode.modules.execution.settings import ExecutionSettings
from opencode.modules.execution.store import ExecutionWork
from opencode.modules.execution.store.tables import runs
from tests.doubles.identity import IdentityInMemory
from tests.doubles.runner import ScriptedRunner

from .conftest import World, accepted, finished, outcome, program, running, state_of

PATIENT = ExecutionSettings(concurrency=1)


async def ends_said(parts: Parts, run_id: str) -> int:
    async with parts.database.read() as connection:
        payloads = (await connection.execute(select(outbox.c.payload))).scalars()
        return sum(run_id in payload and "execution.run_finished" in payload for payload in payloads)


@pytest.mark.parametrize("source", ["refuse sandbox", "break"])
async def test_a_fault_of_ours_begins_anew_twice_and_then_says_so(world: World, source: str) -> None:
    done = await outcome(world.person(), source)
    assert (done["status"], done["attempt"]) == ("sandbox_fault", 3)
    assert done["message"]
    assert len(world.runner.requests) == 3
    assert await ends_said(world.parts, done["id"]) == 1


async def test_a_fault_of_the_program_is_its_result(world: World) -> None:
    done = await outcome(world.person(), "exit 1")
    assert (done["status"], done["attempt"]) == ("error", 1)
    assert len(world.runner.requests) == 1


async def test_a_worker_that_is_busy_lets_the_run_wait_and_counts_no_fault(world: World) -> None:
    grace = world.person()
    run = await accepted(grace, program("refuse busy"))
    while (await state_of(grace, run["id"]))["attempt"] < 5:
        pass
    await grace.post(f"/api/v1/runs/{run['id']}/stop")
    assert (await finished(grace, run["id"]))["status"] == "stopped"


async def test_what_a_server_leaves_behind_begins_anew_on_the_next(parts: Parts, clock: ManualClock) -> None:
    identity = IdentityInMemory(clock)
    async with running(parts, clock, PATIENT, identity=identity) as before:
        grace = before.person()
        runs = [await accepted(grace, program("out said\nwait for-ever")) for _ in range(3)]
        await before.runner.reached("for-ever")
    runner = ScriptedRunner()
    runner.say("for-ever")
    async with running(parts, clock, PATIENT, identity=identity, runner=runner) as after:
        grace.client = after.client
        done = [await finished(grace, run["id"]) for run in runs]
    assert [(run["status"], run["stdout"]) for run in done] == [("ok", "said\n")] * 3
    assert sorted(run["attempt"] for run in done) == [1, 1, 2]
    assert [await ends_said(parts, run["id"]) for run in done] == [1, 1, 1]


async def test_a_run_that_begins_in_the_moment_in_which_its_worker_stops_waits_for_the_next(
    parts: Parts, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, closing, begin = asyncio.Event(), asyncio.Event(), Worker._begin  # pyright: ignore[reportPrivateUsage]

    async def begin_slowly(worker: Worker, ticket: Ticket) -> Run | None:
        run = await begin(worker, ticket)
        begun.set()
        await closing.wait()
        return run

    monkeypatch.setattr(Worker, "_begin", begin_slowly)
    async with running(parts, clock, PATIENT) as world:
        grace = world.person()
        run = await accepted(grace, program("out said"))
        await begun.wait()
        assert world.module.plug.stop
        stopping = asyncio.ensure_future(world.module.plug.stop())
        await asyncio.sleep(0)
        closing.set()
        await stopping
        left = await state_of(grace, run["id"])
        assert (left["state"], left["attempt"], world.runner.requests) == ("queued", 1, [])


async def test_a_run_that_kills_every_worker_is_given_up(parts: Parts, clock: ManualClock) -> None:
    identity = IdentityInMemory(clock)
    nobody_works = ExecutionSettings(execution_worker=False)
    async with running(parts, clock, nobody_works, identity=identity) as world:
        grace = world.person()
        run = await accepted(grace, program("out hi"))
        assert (await state_of(grace, run["id"]))["position"] == 0
        # As three workers leave it that died one after the other.
        lost = {
            "state": RunProgress.RUNNING,
            "attempt": 3,
            "faults": 2,
            "worker_id": "wrk_gone",
            "lease_until": clock.now(),
        }
        async with parts.database.begin() as connection:
            await connection.execute(update(runs).where(runs.c.id == run["id"]).values(lost))
    async with running(parts, clock, PATIENT, identity=identity) as world:
        grace.client = world.client
        done = await finished(grace, run["id"])
        assert (done["status"], world.runner.requests) == ("sandbox_fault", [])
        assert "3 times" in done["message"]


async def test_a_worker_that_was_taken_for_dead_is_not_heard_any_more(parts: Parts, clock: ManualClock) -> None:
    identity, slow, quick = IdentityInMemory(clock), ScriptedRunner(), ScriptedRunner()
    quick.say("go")
    async with running(parts, clock, PATIENT, identity=identity, runner=slow) as first:
        grace = first.person()
        run = await accepted(grace, program("out hi\nwait go\nout bye"))
        await slow.reached("go")
        clock.advance(PATIENT.run_lease_s + 1)
        async with running(parts, clock, PATIENT, identity=identity, runner=quick):
            done = await finished(grace, run["id"])
            assert (done["status"], done["attempt"]) == ("ok", 2)
            slow.say("go")
            await first.job("keep queued runs")
        assert await state_of(grace, run["id"]) == done
    assert await ends_said(parts, run["id"]) == 1


async def test_a_heartbeat_keeps_a_long_run_where_it_is(parts: Parts, clock: ManualClock) -> None:
    identity = IdentityInMemory(clock)
    async with running(parts, clock, PATIENT, identity=identity) as world:
        grace = world.person()
        run = await accepted(grace, program("wait go"))
        await world.runner.reached("go")
        for _ in range(10):
            clock.advance(PATIENT.run_lease_s / 4)
            await world.job("keep queued runs")
            await world.job("queue runs that nobody has")
        world.runner.say("go")
        assert (await finished(grace, run["id"]))["attempt"] == 1


async def test_an_end_is_saved_once_and_only_by_the_attempt_that_is_under_way(world: World) -> None:
    grace = world.person()
    run = await accepted(grace, program("wait go"))
    await world.runner.reached("go")
    async with ExecutionWork(world.parts) as work:
        held = await work.stores.runs.find(RunId(run["id"]))
        assert held
        earlier = held.queue_again(fault=True)
        result = Result(Verdict.OK, "From another attempt.")
        assert not await save_finished(work, earlier, earlier.finish(result, Details(), world.clock.now()))
    world.runner.say("go")
    done = await finished(grace, run["id"])
    async with ExecutionWork(world.parts) as work:
        over = await work.stores.runs.find(RunId(run["id"]))
        assert over
        assert not await save_finished(work, over, over.finish(result, Details(), world.clock.now()))
    assert await state_of(grace, run["id"]) == done
    assert await ends_said(world.parts, run["id"]) == 1
